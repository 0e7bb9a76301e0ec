"""Make the scores of the default run the published ones: results/published/, and the table and findings in README.md.

Refuses scores that were made by code which differs from a commit: nobody could make them again.
"""

import json
import shutil
import sys
from pathlib import Path

import pandas as pd

from flowsynth.tables import markdown, number

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results"
PUBLISHED = RESULTS / "published"
SHOWN = "flow_reg"  # whose latent was explored
OF_RUN = RESULTS / "quick" / "amsynth16" / "tables"
TABLES = {
    "scores.csv": OF_RUN / "scores.csv",
    "leaks.csv": OF_RUN / "leaks.csv",
    "outside.csv": OF_RUN / "outside.csv",
    "smoothness.csv": OF_RUN / SHOWN / "smoothness_summary.csv",
    "parameter_choice.csv": RESULTS / "parameter_choice" / "amsynth.csv",
}
JUDGE = "log_mel_l1"


def readme_with(name: str, text: str, readme: str) -> str:
    """README with another text between the marks of that name."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, rest = readme.split(begin)
    _, after = rest.split(end)
    return f"{before}{begin}{text}{end}{after}"


def findings(outside: pd.DataFrame, smoothness: pd.DataFrame) -> str:
    """Say in three sentences how models do with sounds from outside, and whether the latent acts more smoothly."""
    rows = outside[(outside["collection"] == "every") & (outside["metric"] == JUDGE)].set_index(["sounds", "model"])
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
    whole = smoothness[(smoothness["metric"] == JUDGE) & (smoothness["matching"] == "whole")].set_index("measure")
    # what is claimed, the opposite, and whether it is the higher value that the claim is for
    words = {"unevenness": ("more evenly", "less evenly", False), "straightness": ("straighter", "less straight", True)}
    parts = []
    for measure, (claimed, opposite, higher) in words.items():
        row = whole.loc[measure]
        unsure = row["low"] <= 0 <= row["high"]
        verdict = f"not measurably {claimed}" if unsure else claimed if (row["difference"] > 0) == higher else opposite
        values = [number(row[key]) for key in ("latent", "native", "low", "high")]
        parts.append(f"{verdict} ({measure} {values[0]} against {values[1]}, 95 % interval of the difference "
                     f"{values[2]} to {values[3]})")  # fmt: skip
    said.append(
        f"Over their whole ranges, latent dimensions of `{SHOWN}` act on the sound {' and '.join(parts)} than parameters."
    )
    return "\n".join(f"- {sentence}" for sentence in said) + "\n"


def beside(path: Path) -> Path:
    """Where the maker of a table is named."""
    return path.with_name(path.name + ".json")


def current(readme: str) -> str:
    """README with what is published."""
    scores, outside, smoothness = (
        pd.read_csv(PUBLISHED / f"{name}.csv") for name in ("scores", "outside", "smoothness")
    )
    return readme_with("findings", findings(outside, smoothness), readme_with("scores", markdown(scores), readme))


def main() -> None:
    """Publish the scores of the default run."""
    for path in TABLES.values():
        if not path.exists():
            sys.exit(f"error: there is no {path}; run: snakemake -c2 all results/parameter_choice/amsynth.csv")
        commit = json.loads(beside(path).read_text())["commit"]
        if commit == "unknown" or commit.endswith("-dirty"):
            sys.exit(f"error: {path} was made by commit {commit}; commit first, and run again")
    PUBLISHED.mkdir(parents=True, exist_ok=True)
    for name, path in TABLES.items():
        shutil.copy(path, PUBLISHED / name)
        shutil.copy(beside(path), beside(PUBLISHED / name))
    readme = ROOT / "README.md"
    readme.write_text(current(readme.read_text()))
    print(f"published: {', '.join(TABLES)}")


if __name__ == "__main__":
    main()
