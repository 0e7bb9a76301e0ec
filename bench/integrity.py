"""Cost of the checksums in a finished run: CPU seconds to hash the inputs and outputs of all jobs, once per job.

They are the sizes of these files over the rate of SHA-256 in memory; reading, and the checksums inside of checkpoints, are
not counted. The baseline is the CPU time of all jobs of the run, measured by Snakemake. Without a finished default run there
is no row.
"""

import base64
import hashlib
import json
import sys
import time
from pathlib import Path

import pandas as pd
from report import row

from flowsynth.core import integrity
from flowsynth.core.layout import is_result

ROUNDS = 5
RUN = Path("results/quick")


def sizes() -> int:
    """Sum the sizes of the files that the jobs of the run hash: the inputs and outputs with checksums."""
    jobs: dict[tuple, set[str]] = {}
    for path in Path(".snakemake/metadata").rglob("*"):
        if path.is_file():
            record, output = json.loads(path.read_text(encoding="utf-8")), base64.urlsafe_b64decode(path.name).decode()
            jobs.setdefault((record["rule"], *record["log"]), set()).update([output, *record["input"]])
    return sum(
        path.stat().st_size
        for files in jobs.values()
        for path in map(Path, files)
        if is_result(path) and path.suffix in integrity.KINDS and path.is_file()
    )


def main() -> None:
    timings = list(RUN.rglob("benchmarks/**/*.tsv"))
    if not timings:
        print(f"integrity: no finished run in {RUN}: make reproduce, then again", file=sys.stderr)
        return
    seconds = sum(float(pd.read_csv(path, sep="\t")["cpu_time"].iloc[0]) for path in timings)
    block, rates = bytes(2**28), []
    for _ in range(ROUNDS):
        start = time.process_time()
        hashlib.sha256(block).digest()
        rates.append(len(block) / (time.process_time() - start))
    hashing = sizes() / sorted(rates)[ROUNDS // 2]
    row("checksums", hashing, "CPU s", "all jobs", None)
    row("checksums_share", 100 * hashing / seconds, "%", "all jobs", None)


if __name__ == "__main__":
    main()
