"""Hook of mkdocs that fills in the generated parts of the documentation when the site is built.

A page marks such a part by a line ``<!-- generated: NAME -->``, with a name of `GENERATED`. Results come from
results/published and results/baselines; `reference` describes the configuration and the commands.
"""

import html
import json
import re
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pandas as pd
import reference
import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from readme import OPTIONAL_TABLES, PUBLISHED, RESULTS, ROOT, findings

from flowsynth.evaluation import model_card, out_of_domain, score_tables
from flowsynth.evaluation.summary import heading, markdown, number, to_markdown
from flowsynth.inference.exported_model import open_exported_model
from flowsynth.inference.model_index import pretrained_models
from flowsynth.leaderboard import standings
from flowsynth.leaderboard.manifest import MANIFEST
from flowsynth.metrics import registry

MARKER = re.compile(r"^<!-- generated: (.+) -->$", re.MULTILINE)
CAPTIONS = ROOT / "workflow" / "report"
MATCH = ROOT / "docs" / "assets" / "match"
NO_BASELINES = "There are no baselines yet: `make freeze` runs their campaign.\n"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the published tables, which the pages of results link to."""
    for path in sorted(PUBLISHED.glob("*.csv")):
        files.append(File.generated(config, f"results/tables/{path.name}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Replace the markers of generated parts by these parts."""
    return MARKER.sub(lambda marker: GENERATED[marker[1]](), markdown)


def on_pre_build(config: MkDocsConfig) -> None:
    """Read everything again when `mkdocs serve` builds the site again."""
    _standings.cache_clear()


def default_run() -> str:
    """Write the scores of the default run."""
    return _sortable(markdown(score_tables.read(PUBLISHED / "scores.csv"))) + _source("scores")


@cache
def _standings() -> tuple[str, list[str]]:
    """Return the comparison of flows, and the leaderboard of each data set."""
    folders = [path.parent for path in sorted((RESULTS / "baselines").glob(f"*/{MANIFEST}"))]
    longer = pd.read_csv(PUBLISHED / "flow_question.csv").groupby("of")
    answers = {str(name): dict(zip(rows["question"], rows["answer"], strict=True)) for name, rows in longer}
    flows, *leaderboards = re.split("^### ", standings.markdown(folders, answers), flags=re.MULTILINE)
    return flows, [f"## {leaderboard.replace('budget', 'Budget', 1)}" for leaderboard in leaderboards]


def flows() -> str:
    """Write the comparison of flows with other models."""
    return _sortable(_standings()[0], "wrap") + _source("flow_question")


def leaderboards() -> str:
    """Write the leaderboards of all data sets with baselines."""
    return "".join(_sortable(text) for text in _standings()[1]) or NO_BASELINES


def matched_sound() -> str:
    """Write the sound that is matched on the start page: players, the distances, and the figure."""
    (row,) = pd.read_csv(MATCH / "matches.csv").itertuples()
    checkpoint = Path(json.loads((MATCH / "matches.csv.json").read_text(encoding="utf-8"))["checkpoint"])
    stem = Path(row.bank).stem
    players = "".join(
        f'| {label} | <audio controls preload="none" src="assets/match/{stem}{suffix}.mp3"></audio> |\n'
        for label, suffix in (("Target", "_target"), ("Preset", ""))
    )
    return (
        f"For example, the pretrained `{checkpoint.stem}` finds a preset for `{Path(row.sound).name}`. After "
        f"{row.renderings} renderings its log-mel L1 is {number(row.distance)}; the nearest training preset has "
        f"{number(row.nearest)}.\n\n| Sound | |\n|:--|:--|\n{players}\n"
        f"![Spectrograms of the target and of the preset, and the parameters](assets/match/{stem}.png)\n"
    )


def pretrained() -> str:
    """Write the cards of the models that come with the package."""
    cards = (model_card.markdown(open_exported_model(entry.path).card) for entry in pretrained_models())
    return "\n".join(re.sub("^#", "##", card, flags=re.MULTILINE) for card in cards)


def optional(name: str) -> str:
    """Write a published table of `OPTIONAL_TABLES`."""
    write = OPTIONAL_TABLES[name]
    return _sortable(write(PUBLISHED / f"{name}.csv")) + _source(name)


def matches() -> str:
    """Write the benchmark of matching, and the distances of each sound."""
    write = OPTIONAL_TABLES["matches"]
    table = pd.read_csv(PUBLISHED / "matches.csv").drop(columns="model")
    return write(PUBLISHED / "matches.csv") + _table(table) + _source("matches")


def seeds() -> str:
    """Write the shares of the variance of scores."""
    write = OPTIONAL_TABLES["variance"]
    return (
        write(PUBLISHED / "variance.csv") + "\n" + _table(pd.read_csv(PUBLISHED / "variance.csv")) + _source("variance")
    )


def outside() -> str:
    """Write the scores on out-of-domain sounds, by collection."""
    summary = score_tables.read(PUBLISHED / "outside.csv")
    return _findings()[0] + _sortable(out_of_domain.markdown(summary, {})) + _source("outside")


def smoothness() -> str:
    """Write the comparison of latent dimensions with parameters."""
    table = pd.read_csv(PUBLISHED / "smoothness.csv")
    table["metric"] = [registry()[name].label for name in table["metric"]]
    return _findings()[1] + _table(table) + _source("smoothness")


def _findings() -> tuple[str, str]:
    """Return the findings on out-of-domain sounds, and on smoothness."""
    tables = (score_tables.read(PUBLISHED / "outside.csv"), pd.read_csv(PUBLISHED / "smoothness.csv"))
    lines = findings(*tables).splitlines(keepends=True)
    return "".join(lines[:-1]) + "\n", lines[-1] + "\n"


def published(name: str) -> str:
    """Write a published table as it is."""
    return _table(pd.read_csv(PUBLISHED / f"{name}.csv")) + _source(name)


def metrics() -> str:
    """Write the table of metrics."""
    rows = [
        {
            "Metric": heading(metric),
            "In tables": f"`{metric.name}`",
            "Range": f"{metric.range[0]:g} to {metric.range[1]:g} {metric.unit}".replace("inf", "∞").strip(),
            "Silence": metric.silence,
            "Change of level": metric.gain,
            "Source": metric.source,
        }
        for metric in registry().values()
    ]
    return _sortable(to_markdown(pd.DataFrame(rows).map(lambda cell: cell.replace("|", "\\|"))), "wrap")


def reasons() -> str:
    """Write why scores differ from those of the paper."""
    table = pd.read_csv(ROOT / "workflow" / "data" / "reasons.csv")
    return to_markdown(table.assign(model=[f"`{name}`" for name in table["model"]]))


def figures() -> str:
    """Write the targets of all figures, with their captions."""
    captions = {
        path.stem: path.read_text(encoding="utf-8")
        for path in sorted(CAPTIONS.glob("*.rst"))
        if path.stem != "workflow"
    }
    rows = [{"Target": f"`figure_{name}`", "Figure": " ".join(text.split())} for name, text in captions.items()]
    return to_markdown(pd.DataFrame(rows))


def budgets() -> str:
    """Write the settings of all budgets."""
    return reference.budgets(yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))["budgets"])


def errors() -> str:
    """Write the messages on bad inputs: each input is made and used, as in the tests."""
    sys.path.append(str(ROOT / "tests" / "helpers"))
    import bad_inputs

    sections: dict[str, list[dict[str, str]]] = {}
    for case in bad_inputs.load():
        with tempfile.TemporaryDirectory() as folder:
            message = html.escape(case.message(Path(folder))).replace("|", "&#124;").replace("\n", "<br>")
        sections.setdefault(case.subject, []).append({"Input": case.fault, "Message": f"<code>{message}</code>"})
    return "\n".join(
        f'## {subject}\n\n<div class="wrap" markdown="1">\n\n{to_markdown(pd.DataFrame(rows))}\n\n</div>\n'
        for subject, rows in sorted(sections.items())
    )


def configuration() -> str:
    """Write the keys of the configuration."""
    schema = yaml.safe_load((ROOT / "workflow" / "schemas" / "config.schema.yaml").read_text(encoding="utf-8"))
    return reference.configuration(schema, yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8")))


def _table(table: pd.DataFrame) -> str:
    """Write a table of values, sortable."""
    floats = table.select_dtypes("float").columns
    texts = table.assign(**{name: [number(value) for value in table[name]] for name in floats}).astype(str)
    return _sortable(to_markdown(texts))


def _sortable(text: str, *classes: str) -> str:
    """Wrap Markdown, so that the browser sorts its tables."""
    return f'<div class="{" ".join(("sortable", *classes))}" markdown="1">\n\n{text}\n\n</div>\n\n'


def _source(name: str) -> str:
    """Name the file of a published table and the commit that made it."""
    commit = json.loads((PUBLISHED / f"{name}.csv.json").read_text(encoding="utf-8"))["commit"]
    return f"Source: [{name}.csv](tables/{name}.csv), made by commit `{commit[:10]}`.\n"


GENERATED: dict[str, Callable[[], str]] = {
    "matched sound": matched_sound,
    "pretrained models": pretrained,
    "default run": default_run,
    "leaderboards": leaderboards,
    "flows": flows,
    "matches": matches,
    "complexity": lambda: optional("complexity"),
    "decisions": lambda: optional("decisions"),
    "transfer": lambda: optional("transfer"),
    "transfer correlations": lambda: optional("transfer_correlations"),
    "seeds": seeds,
    "drawn presets": lambda: optional("amount"),
    "epochs": lambda: optional("epochs"),
    "out of domain": outside,
    "smoothness": smoothness,
    "leaks": lambda: published("leaks"),
    "parameter choice": lambda: published("parameter_choice"),
    "metrics": metrics,
    "reasons": reasons,
    "figures": figures,
    "budgets": budgets,
    "configuration": configuration,
    "commands": reference.commands,
    "errors": errors,
}
