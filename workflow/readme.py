"""Update the generated parts of README.md from results/published and results/baselines."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from flowsynth.apps import match_benchmark
from flowsynth.evaluation import decision_study, scaling, score_tables, transfer, variance_components
from flowsynth.evaluation.flow_comparison import LEADER_CONTROL, LIKELIHOOD, ONE_SAMPLE, POINTS, answer_questions
from flowsynth.evaluation.summary import format_table, number, to_markdown
from flowsynth.leaderboard.manifest import MANIFEST
from flowsynth.leaderboard.standings import read_baselines
from flowsynth.metrics import PRIMARY_METRIC, registry

README_METRICS = (PRIMARY_METRIC, "spectral_convergence", "mel_mse", "parameter_mse")
ASKED = (LIKELIHOOD, ONE_SAMPLE)
ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results"
PUBLISHED = RESULTS / "published"
DISPLAY_MODEL = "flow_reg"  # the model whose latent space is analysed
# tables that the default run does not make, or only by name: how each is written as Markdown
OPTIONAL_TABLES: dict[str, Callable[[Path], str]] = {
    "matches": lambda path: match_benchmark.finding(pd.read_csv(path)),
    "complexity": lambda path: "\n".join(
        describe(score_tables.read(path))
        for describe in (scaling.parameter_count_finding, scaling.parameter_count_markdown)
    ),
    "decisions": lambda path: decision_study.markdown(pd.read_csv(path)),
    "transfer": lambda path: transfer.ranks_markdown(pd.read_csv(path)),
    "transfer_correlations": lambda path: transfer.correlations_markdown(pd.read_csv(path)),
    "variance": lambda path: variance_components.finding(pd.read_csv(path)),
    "amount": lambda path: scaling.amount_markdown(score_tables.read(path), "drawn"),
    "epochs": lambda path: scaling.amount_markdown(score_tables.read(path), "epochs"),
}


def replace_section(name: str, text: str, readme: str) -> str:
    """Replace the text between the markers of a name."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, rest = readme.split(begin)
    _, after = rest.split(end)
    return f"{before}{begin}{text}{end}{after}"


def findings(outside: pd.DataFrame, smoothness: pd.DataFrame) -> str:
    """Summarise the out-of-domain results, and the smoothness of the latent space."""
    rows = outside[(outside["collection"] == "every") & (outside["metric"] == PRIMARY_METRIC)].set_index(
        ["sounds", "model"]
    )
    every, searched = rows.loc["all"], rows.loc["searched"]
    best = every.index[every["best"]][0]
    searched_best = searched.index[searched["best"]][0]

    def mean(rows: pd.DataFrame, model: str) -> str:
        return number(rows.loc[model, "mean"])

    sentences = [
        f"On {every['items'].max()} out-of-domain sounds, the best network in log-mel L1 is `{best}` with "
        f"{mean(every, best)}; the control `nearest` has {mean(every, 'nearest')}.",
        f"On {searched['items'].max()} of them, `search`, started at `nearest` ({mean(searched, 'nearest')}), reaches "
        f"{mean(searched, 'search')}; the best network, `{searched_best}`, has {mean(searched, searched_best)}.",
    ]
    comparisons = [
        f"by {registry()[metric].label} {_smoothness(rows)}"
        for metric, rows in smoothness.groupby("metric", sort=False)
    ]
    sentences.append(
        f"Over their whole ranges, latent dimensions of `{DISPLAY_MODEL}` act on the sound, compared with parameters, "
        f"{'; '.join(comparisons)}."
    )
    return "\n".join(f"- {sentence}" for sentence in sentences) + "\n"


def scores_table(scores: pd.DataFrame) -> str:
    """Write the scores of the default run by the metrics of `README_METRICS`."""
    return to_markdown(format_table(scores, [registry()[name] for name in README_METRICS]))


def headlines() -> str:
    """Summarise the published results and the baselines in a line each."""
    scores, outside = (score_tables.read(PUBLISHED / f"{name}.csv") for name in ("scores", "outside"))
    primary = scores[scores["metric"] == PRIMARY_METRIC].set_index("model")
    networks = primary[~primary["is_control"]]
    best, point = networks["mean"].idxmin(), primary.loc[list(POINTS), "mean"].idxmin()
    lines = [
        f"Default run: `{best}` is the closest network, log-mel L1 {number(primary.loc[best, 'mean'])}; `{point}`, the "
        f"closest of the paper's models without a flow, has {number(primary.loc[point, 'mean'])}, and the nearest "
        f"training preset, a control, {number(primary.loc['nearest', 'mean'])}."
    ]
    longest = pd.read_csv(PUBLISHED / "flow_question.csv").set_index("question")
    lines += [f"{question} ({longest.loc[question, 'of']}): {longest.loc[question, 'answer']}." for question in ASKED]
    for folder in baseline_folders():
        table, settings = read_baselines(folder)
        answers = answer_questions(table, settings["seed"])
        lines.append(f"{LEADER_CONTROL} (campaign, {settings['dataset']}): {answers[LEADER_CONTROL]}.")
    out_of_domain, *_ = findings(outside, pd.read_csv(PUBLISHED / "smoothness.csv")).splitlines()
    lines.append(out_of_domain.removeprefix("- "))
    return "".join(f"- {line}\n" for line in lines)


def _smoothness(rows: pd.DataFrame) -> str:
    """Compare the latent space with the parameters in straightness and evenness."""
    whole = rows[rows["matching"] == "whole"].set_index("measure")
    # claim, opposite, and whether a higher value supports the claim
    claims = {
        "straightness": ("straighter", "less straight", True),
        "unevenness": ("more evenly", "less evenly", False),
    }
    parts = []
    for measure, (claimed, opposite, higher) in claims.items():
        row = whole.loc[measure]
        insignificant = row["low"] <= 0 <= row["high"]
        verdict = (
            f"not significantly {claimed}"
            if insignificant
            else claimed
            if (row["difference"] > 0) == higher
            else opposite
        )
        values = [number(row[key]) for key in ("latent", "native", "low", "high")]
        parts.append(
            f"{verdict} ({measure} {values[0]} against {values[1]}, 95 % interval of the difference "
            f"{values[2]} to {values[3]})"
        )
    return " and ".join(parts)


def baseline_folders() -> list[Path]:
    """List the folders of baselines."""
    return [path.parent for path in sorted((RESULTS / "baselines").glob(f"*/{MANIFEST}"))]


def current_readme() -> str:
    """Write the README with up-to-date generated parts."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    scores = score_tables.read(PUBLISHED / "scores.csv")
    for name, text in {"scores": scores_table(scores), "findings": headlines()}.items():
        readme = replace_section(name, text, readme)
    return readme


if __name__ == "__main__":
    (ROOT / "README.md").write_text(current_readme(), encoding="utf-8")
