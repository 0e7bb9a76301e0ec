"""Overhead of an empty Slurm job; baseline: the same job on this machine, in alternation."""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from report import row

ROOT = Path(__file__).resolve().parents[1]
sys.path += [str(ROOT / "tests" / "helpers"), str(ROOT / "tests" / "slurm")]

from cluster import Cluster, run  # noqa: E402
from runs import HERE, Run, adapt  # noqa: E402

JOBS, ROUNDS = 4, 3
WORKFLOW = f"""
rule all:
    input: expand("{{job}}.txt", job=range({JOBS}))

rule nothing:
    output: "{{job}}.txt"
    resources: mem_mb=500, runtime=10
    shell: "touch {{output}}"
"""


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) / JOBS


def through_slurm(folder: Path) -> None:
    """Run with the profile; Slurm is polled each second, so that waiting between polls is not counted."""
    assert Run(folder, "all", "--jobs", "1", "--forceall").wait() == 0, (folder / "run.log").read_text(encoding="utf-8")


def on_this_machine(folder: Path) -> None:
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--forceall", "--quiet", "all"]
    subprocess.run(command, cwd=folder, check=True)


def main() -> None:
    if not shutil.which("slurmctld"):
        print("bench: Slurm is not installed, no rows: sh envs/packages.sh tests", file=sys.stderr)
        return
    cluster, folder = Cluster(), Path(tempfile.mkdtemp())
    shutil.copy2(HERE.parents[1] / "workflow" / "rules" / "slurm.smk", folder)
    (folder / "Snakefile").write_text('include: "slurm.smk"\n' + WORKFLOW, encoding="utf-8")
    adapt(folder)
    actions = {
        "bare": lambda: [run("srun", "--mem=500", "true") for _ in range(JOBS)],
        "local": lambda: on_this_machine(folder),
        "slurm": lambda: through_slurm(folder),
    }
    times: dict[str, list[float]] = {name: [] for name in actions}
    try:
        cluster.start()
        for _ in range(ROUNDS):
            for name, action in actions.items():
                times[name].append(seconds(action))
    finally:
        cluster.stop()
        shutil.rmtree(folder)
    row("slurm_job_of_srun", statistics.median(times["bare"]), "s/job", "", None)
    row("slurm_job_on_this_machine", statistics.median(times["local"]), "s/job", "", None)
    ratio = statistics.median(a / b for a, b in zip(times["local"], times["slurm"], strict=True))
    row("slurm_job_through_slurm", statistics.median(times["slurm"]), "s/job", "slurm_job_on_this_machine", ratio)


if __name__ == "__main__":
    main()
