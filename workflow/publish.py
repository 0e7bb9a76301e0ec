"""Make the scores of the default run the published ones: results/published/ and the table in README.md.

Refuses scores that were made by code which differs from a commit: nobody could make them again.
"""

import json
import shutil
import sys
from pathlib import Path

import pandas as pd

from flowsynth.tables import markdown

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results"
PUBLISHED = RESULTS / "published"
TABLES = {
    "scores.csv": RESULTS / "quick" / "amsynth16" / "tables" / "scores.csv",
    "leaks.csv": RESULTS / "quick" / "amsynth16" / "tables" / "leaks.csv",
    "outside.csv": RESULTS / "quick" / "amsynth16" / "tables" / "outside.csv",
    "parameter_choice.csv": RESULTS / "parameter_choice" / "amsynth.csv",
}
BEGIN, END = "<!-- scores: begin -->\n", "<!-- scores: end -->"


def readme_with(table: str, readme: str) -> str:
    """README with another table between its marks."""
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}{table}{END}{after}"


def beside(path: Path) -> Path:
    """Where the maker of a table is named."""
    return path.with_name(path.name + ".json")


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
    readme.write_text(readme_with(markdown(pd.read_csv(PUBLISHED / "scores.csv")), readme.read_text()))
    print(f"published: {', '.join(TABLES)}")


if __name__ == "__main__":
    main()
