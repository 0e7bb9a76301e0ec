"""The README, with what is published and what the baselines say: results/published and results/baselines."""

from pathlib import Path

import pandas as pd

from flowsynth.apps import match_benchmark
from flowsynth.evaluation import parameter_count, scaling, variance_components
from flowsynth.evaluation.summary import heading, markdown, number, to_markdown
from flowsynth.leaderboard import standings
from flowsynth.leaderboard.manifest import MANIFEST
from flowsynth.metrics import PRIMARY_METRIC, registry

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results"
PUBLISHED = RESULTS / "published"
SHOWN = "flow_reg"  # whose latent was explored
# what is not of the default run, or is asked for by name there: published once it was run
MORE = {
    "matches": (
        "Matching sounds from outside",
        "`flowsynth match` with five sounds of each collection, by the best model of the default run.",
        match_benchmark.finding,
    ),
    "complexity": (
        "More parameters",
        "Sets of 16, 32 and 64 parameters of the built-in synthesizer, budget `complexity`: the paper's columns.",
        lambda table: f"{parameter_count.finding(table)}\n{parameter_count.markdown(table)}",
    ),
    "variance": ("How much is luck", "Trainings with other seeds, budget `seeds`.", variance_components.finding),
    "amount": (
        "More drawn presets",
        "In a row, trainings see as many presets in all, of which more and more are different ones: budgets `drawn_0`, "
        "`drawn_10000` and `drawn_50000`.",
        lambda table: scaling.markdown(table, "drawn"),
    ),
    "epochs": (
        "Longer training",
        "Trainings as long as in the campaign, and eight times as long: budgets `epochs_8` and `epochs_64`.",
        lambda table: scaling.markdown(table, "epochs"),
    ),
}
NOT_YET = (
    "The campaign that answers this, `make freeze`, has not been run at this commit: there are no baselines yet.\n"
)


def readme_with(name: str, text: str, readme: str) -> str:
    """README with another text between the marks of that name."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, rest = readme.split(begin)
    _, after = rest.split(end)
    return f"{before}{begin}{text}{end}{after}"


def findings(outside: pd.DataFrame, smoothness: pd.DataFrame) -> str:
    """Say how models do with sounds from outside, and whether the latent acts more smoothly."""
    rows = outside[(outside["collection"] == "every") & (outside["metric"] == PRIMARY_METRIC)].set_index(
        ["sounds", "model"]
    )
    every, searched = rows.loc["all"], rows.loc["searched"]
    best = every.index[every["best"]][0]

    searched_best = searched.index[searched["best"]][0]

    def mean(rows: pd.DataFrame, model: str) -> str:
        return number(rows.loc[model, "mean"])

    said = [
        f"Over {every['items'].max()} sounds that the synthesizer did not make, the best network in log-mel L1 is `{best}` "
        f"with {mean(every, best)}; the control `nearest` has {mean(every, 'nearest')}.",
        f"For {searched['items'].max()} of them the parameters were searched too: `search` comes from "
        f"{mean(searched, 'nearest')}, where `nearest` leaves off, to {mean(searched, 'search')}; the best network, "
        f"`{searched_best}`, has {mean(searched, searched_best)}.",
    ]
    parts = [
        f"by {registry()[metric].label} {_smoothness(rows)}"
        for metric, rows in smoothness.groupby("metric", sort=False)
    ]
    said.append(
        f"Over their whole ranges, latent dimensions of `{SHOWN}` act on the sound, compared with parameters, "
        f"{'; '.join(parts)}."
    )
    return "\n".join(f"- {sentence}" for sentence in said) + "\n"


def metrics() -> str:
    """What the metrics are."""
    rows = [
        {"Metric": heading(metric), "Definition": metric.definition.replace("|", "\\|"), "Source": metric.source}
        for metric in registry().values()
    ]
    return to_markdown(pd.DataFrame(rows))


def _smoothness(rows: pd.DataFrame) -> str:
    """Say whether the latent is straighter, and more even."""
    whole = rows[rows["matching"] == "whole"].set_index("measure")
    # what is claimed, the opposite, and whether it is the higher value that the claim is for
    words = {"straightness": ("straighter", "less straight", True), "unevenness": ("more evenly", "less evenly", False)}
    parts = []
    for measure, (claimed, opposite, higher) in words.items():
        row = whole.loc[measure]
        unsure = row["low"] <= 0 <= row["high"]
        verdict = f"not measurably {claimed}" if unsure else claimed if (row["difference"] > 0) == higher else opposite
        values = [number(row[key]) for key in ("latent", "native", "low", "high")]
        parts.append(
            f"{verdict} ({measure} {values[0]} against {values[1]}, 95 % interval of the difference "
            f"{values[2]} to {values[3]})"
        )
    return " and ".join(parts)


def more() -> str:
    """What other budgets say, a section each."""
    sections = []
    for name, (title, about, laid_out) in MORE.items():
        path = PUBLISHED / f"{name}.csv"
        if path.exists():
            link = f"([{name}.csv](results/published/{name}.csv))"
            sections.append(f"### {title}\n\n{about} {link}\n\n{laid_out(pd.read_csv(path))}")
    return "\n".join(sections)


def current() -> str:
    """The README as it ought to be."""
    scores, outside, smoothness = (
        pd.read_csv(PUBLISHED / f"{name}.csv") for name in ("scores", "outside", "smoothness")
    )
    longer = PUBLISHED / "flow_question.csv"
    others = pd.read_csv(longer).groupby("of") if longer.exists() else ()
    answered = {str(of): dict(zip(rows["question"], rows["answer"], strict=True)) for of, rows in others}
    frozen = [path.parent for path in sorted((RESULTS / "baselines").glob(f"*/{MANIFEST}"))]
    readme = (ROOT / "README.md").read_text()
    for name, text in {
        "scores": markdown(scores),
        "metrics": metrics(),
        "findings": findings(outside, smoothness),
        "more": more(),
        "leaderboard": standings.markdown(frozen, answered) if frozen else NOT_YET,
    }.items():
        readme = readme_with(name, text, readme)
    return readme


if __name__ == "__main__":
    (ROOT / "README.md").write_text(current())
