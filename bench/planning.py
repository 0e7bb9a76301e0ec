"""Time and memory of a dry run with the budget `paper`, with and without a million synthetic presets per fold."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml
from report import row

ROOT = Path(__file__).resolve().parents[1]
SYNTHETIC_PRESETS = (0, 1_000_000)


def plan(folder: Path, synthetic_presets: int) -> tuple[float, float]:
    """Measure a dry run in an empty folder: seconds and MiB."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    config["budgets"]["paper"]["synthetic_presets"] = synthetic_presets
    file = folder / f"{synthetic_presets}.yaml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    start = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--configfile", str(file), "--config", "budget=paper", "--dry-run", "--quiet"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"the dry run with {synthetic_presets} synthetic presets exited with status {status}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        (base_time, base_memory), (time_taken, memory) = (plan(Path(folder), n) for n in SYNTHETIC_PRESETS)
    row("plan_paper_budget", base_time, "s", "", None)
    row("plan_million_drawn", time_taken, "s", "plan_paper_budget", time_taken / base_time)
    row("plan_paper_budget_memory", base_memory, "MiB", "", None)
    row("plan_million_drawn_memory", memory, "MiB", "plan_paper_budget_memory", memory / base_memory)


if __name__ == "__main__":
    main()
