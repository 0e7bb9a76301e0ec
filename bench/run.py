"""Run all benchmarks and write one table: name, value, unit, baseline, ratio.

Each row and its baseline are measured in alternation in the same run, so that their ratio is meaningful on a noisy shared
machine; the values alone are not. A ratio is the factor by which a row is better than its baseline, except for memory and
for the plugin's own time, where it is the factor by which more is spent.
"""

import csv
import subprocess
import sys
from pathlib import Path

COLUMNS = ["name", "value", "unit", "baseline", "ratio"]
PARTS = [
    "rendering.py",
    "features.py",
    "training.py",
    "proxy.py",
    "scale.py",
    "planning.py",
    "live.py",
    "startup.py",
    "scheduler.py",
    "integrity.py",
    "slurm.py",
]


def main(path: Path) -> None:
    rows = []
    for part in PARTS:
        print(f"bench: {part}", file=sys.stderr, flush=True)
        command = [sys.executable, str(Path(__file__).with_name(part))]
        output = subprocess.run(command, check=True, encoding="utf-8", stdout=subprocess.PIPE).stdout
        # rows are marked, as plugins may print other lines
        rows += [line.split("\t")[1:] for line in output.splitlines() if line.startswith("row\t")]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    widths = [max(len(row[i]) for row in [COLUMNS, *rows]) for i in range(len(COLUMNS))]
    for row in [COLUMNS, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
