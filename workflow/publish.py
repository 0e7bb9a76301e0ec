"""Make the scores of the default run the published ones: results/published/, and the table and findings in README.md.

Refuses scores that were made by code which differs from a commit: nobody could make them again.
"""

import json
import shutil
import sys
from pathlib import Path

from readme import PUBLISHED, RESULTS, ROOT, SHOWN, current

OF_RUN = RESULTS / "quick" / "amsynth16" / "tables"
TABLES = {
    "scores.csv": OF_RUN / "scores.csv",
    "leaks.csv": OF_RUN / "leaks.csv",
    "outside.csv": OF_RUN / "outside.csv",
    "matches.csv": OF_RUN / "matches.csv",
    "smoothness.csv": OF_RUN / SHOWN / "smoothness_summary.csv",
    "parameter_choice.csv": RESULTS / "parameter_choice" / "amsynth.csv",
}


def beside(path: Path) -> Path:
    """Where the maker of a table is named."""
    return path.with_name(path.name + ".json")


def main() -> None:
    """Publish the scores of the default run."""
    for path in TABLES.values():
        if not path.exists():
            asked = " ".join(str(table.relative_to(ROOT)) for table in TABLES.values())
            sys.exit(f"error: there is no {path}; run: snakemake -c2 all {asked}")
        commit = json.loads(beside(path).read_text())["commit"]
        if commit == "unknown" or commit.endswith("-dirty"):
            sys.exit(f"error: {path} was made by commit {commit}; commit first, and run again")
    PUBLISHED.mkdir(parents=True, exist_ok=True)
    for name, path in TABLES.items():
        shutil.copy(path, PUBLISHED / name)
        shutil.copy(beside(path), beside(PUBLISHED / name))
    (ROOT / "README.md").write_text(current())
    print(f"published: {', '.join(TABLES)}")


if __name__ == "__main__":
    main()
