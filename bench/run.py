"""Run all benchmarks and write one table: name, value, unit, baseline, ratio.

Each row has its baseline from the same run, measured in turn with it, so that its ratio means something on a machine that
is shared and noisy; the values alone do not. A ratio says how many times better than its baseline a row is, but for
memory and for the plugin's own time, where it says how many times more is spent.
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
    "slurm.py",
]


def main(path: Path) -> None:
    rows = []
    for part in PARTS:
        print(f"bench: {part}", file=sys.stderr, flush=True)
        command = [sys.executable, str(Path(__file__).with_name(part))]
        printed = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout
        # a plugin may print what it likes; rows are marked
        rows += [line.split("\t")[1:] for line in printed.splitlines() if line.startswith("row\t")]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    widths = [max(len(row[i]) for row in [COLUMNS, *rows]) for i in range(len(COLUMNS))]
    for row in [COLUMNS, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
