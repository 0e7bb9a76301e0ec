"""Publish results: copy tables to results/published/, and update the tables, findings and the figure of README.md.

Results of uncommitted code are refused, as they are not reproducible.

    python workflow/publish.py                 the tables of the default run
    python workflow/publish.py complexity      a table that is made on request
"""

import argparse
import json
import shutil
import sys

from readme import DISPLAY_MODEL, OPTIONAL_TABLES, PUBLISHED, RESULTS, ROOT, current_readme

from flowsynth.core.layout import RunPaths

IMAGES = ROOT / "docs" / "images"
RUN_TABLES = RunPaths(RESULTS / "quick" / "amsynth16").tables
TABLES = {
    "scores": RUN_TABLES / "scores.csv",
    "leaks": RUN_TABLES / "leaks.csv",
    "outside": RUN_TABLES / "outside.csv",
    "matches": RUN_TABLES / "matches.csv",
    "smoothness": RUN_TABLES / DISPLAY_MODEL / "smoothness_summary.csv",
    "parameter_choice": RESULTS / "parameter_choice" / "amsynth.csv",
    "complexity": RESULTS / "complexity" / "tables" / "complexity.csv",
    "decisions": RUN_TABLES / "decisions.csv",
    "transfer": RESULTS / "complexity" / "tables" / "transfer.csv",
    "transfer_correlations": RESULTS / "complexity" / "tables" / "transfer_correlations.csv",
    "variance": RESULTS / "seeds" / "amsynth16" / "tables" / "variance.csv",
    "amount": RESULTS / "drawn" / "amount.csv",
    "epochs": RESULTS / "epochs" / "amount.csv",
    "flow_question": RESULTS / "epochs" / "flow_question.csv",
}


def main() -> None:
    """Publish the requested tables."""
    parser = argparse.ArgumentParser(description="Publish tables of results.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"name of a table: {', '.join(TABLES)}")
    defaults = [name for name, path in TABLES.items() if RUN_TABLES in path.parents and name not in OPTIONAL_TABLES]
    names = parser.parse_args().names or defaults
    if set(names) - set(TABLES):
        sys.exit(
            f"error: unknown tables {', '.join(sorted(set(names) - set(TABLES)))}, expected some of {', '.join(TABLES)}"
        )
    makers = {name: TABLES[name].with_name(f"{TABLES[name].name}.json") for name in names}
    for name, maker in makers.items():
        if not maker.exists():
            sys.exit(f"error: there is no {TABLES[name]}: see README.md for how to make it")
        commit = json.loads(maker.read_text(encoding="utf-8"))["commit"]
        if commit == "unknown" or commit.endswith("-dirty"):
            sys.exit(f"error: {TABLES[name]} was made by commit {commit}; commit, delete it, and run again")
    PUBLISHED.mkdir(parents=True, exist_ok=True)
    for name, maker in makers.items():
        shutil.copy(TABLES[name], PUBLISHED / f"{name}.csv")
        shutil.copy(maker, PUBLISHED / f"{name}.csv.json")
    if "scores" in names:
        shutil.copy(RUN_TABLES.parent / "figures" / "scores.png", IMAGES)
    (ROOT / "README.md").write_text(current_readme(), encoding="utf-8")
    print(f"published: {', '.join(names)}")


if __name__ == "__main__":
    main()
