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
RUN = ROOT / "results" / "quick" / "amsynth16" / "tables"
PUBLISHED = ROOT / "results" / "published"
FILES = ("scores.csv", "scores.csv.json", "leaks.csv", "leaks.csv.json")
BEGIN, END = "<!-- scores: begin -->\n", "<!-- scores: end -->"


def readme_with(table: str, readme: str) -> str:
    """README with another table between its marks."""
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}{table}{END}{after}"


def main() -> None:
    """Publish the scores of the default run."""
    maker = json.loads((RUN / "scores.csv.json").read_text())
    if maker["commit"] == "unknown" or maker["commit"].endswith("-dirty"):
        sys.exit(f"error: {RUN / 'scores.csv'} was made by commit {maker['commit']}; commit first, and run again")
    PUBLISHED.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copy(RUN / name, PUBLISHED / name)
    readme = ROOT / "README.md"
    readme.write_text(readme_with(markdown(pd.read_csv(PUBLISHED / "scores.csv")), readme.read_text()))
    print(f"published the scores of commit {maker['commit'][:10]}")


if __name__ == "__main__":
    main()
