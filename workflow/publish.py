"""Make what was measured the published numbers: results/published/, and the tables and findings in README.md.

Refuses what was made by code that differs from a commit: nobody could make it again.

    python workflow/publish.py                 the tables of the default run
    python workflow/publish.py complexity      one that is made when it is asked for
"""

import argparse
import json
import shutil
import sys

from readme import MORE, PUBLISHED, RESULTS, ROOT, SHOWN, current

OF_RUN = RESULTS / "quick" / "amsynth16" / "tables"
TABLES = {
    "scores": OF_RUN / "scores.csv",
    "leaks": OF_RUN / "leaks.csv",
    "outside": OF_RUN / "outside.csv",
    "matches": OF_RUN / "matches.csv",
    "smoothness": OF_RUN / SHOWN / "smoothness_summary.csv",
    "parameter_choice": RESULTS / "parameter_choice" / "amsynth.csv",
    "complexity": RESULTS / "complexity" / "tables" / "complexity.csv",
    "variance": RESULTS / "seeds" / "amsynth16" / "tables" / "variance.csv",
    "amount": RESULTS / "drawn" / "amount.csv",
    "epochs": RESULTS / "epochs" / "amount.csv",
    "flow_question": RESULTS / "epochs" / "flow_question.csv",
}


def main() -> None:
    """Publish the tables asked for."""
    parser = argparse.ArgumentParser(description="Make what was measured the published numbers.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of a table: {', '.join(TABLES)}")
    ran = [name for name, path in TABLES.items() if OF_RUN in path.parents and name not in MORE]
    names = parser.parse_args().names or ran
    if set(names) - set(TABLES):
        sys.exit(
            f"error: unknown tables {', '.join(sorted(set(names) - set(TABLES)))}, expected some of {', '.join(TABLES)}"
        )
    makers = {name: TABLES[name].with_name(f"{TABLES[name].name}.json") for name in names}
    for name, maker in makers.items():
        if not maker.exists():
            sys.exit(f"error: there is no {TABLES[name]}: README.md says what makes it")
        commit = json.loads(maker.read_text())["commit"]
        if commit == "unknown" or commit.endswith("-dirty"):
            sys.exit(f"error: {TABLES[name]} was made by commit {commit}; commit, delete it, and run again")
    PUBLISHED.mkdir(parents=True, exist_ok=True)
    for name, maker in makers.items():
        shutil.copy(TABLES[name], PUBLISHED / f"{name}.csv")
        shutil.copy(maker, PUBLISHED / f"{name}.csv.json")
    (ROOT / "README.md").write_text(current())
    print(f"published: {', '.join(names)}")


if __name__ == "__main__":
    main()
