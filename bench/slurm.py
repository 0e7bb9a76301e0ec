"""Slurm: what a job costs that does nothing, against the same job on this machine, one after the other."""

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
sys.path += [str(ROOT / "tests"), str(ROOT / "tests" / "slurm")]

from cluster import Cluster, Unavailable, install, run  # noqa: E402
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
    """The profile's own command; Slurm is asked each second, so that its waiting is not counted for work."""
    assert Run(folder, "all", "--jobs", "1", "--forceall").wait(300) == 0, (folder / "run.log").read_text()


def on_this_machine(folder: Path) -> None:
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--forceall", "--quiet", "all"]
    subprocess.run(command, cwd=folder, check=True)


def main() -> None:
    try:
        install()
    except Unavailable as reason:
        print(f"bench: no rows for Slurm: {reason}", file=sys.stderr)
        return
    cluster, folder = Cluster(), Path(tempfile.mkdtemp())
    shutil.copy2(HERE.parents[1] / "workflow" / "rules" / "slurm.smk", folder)
    (folder / "Snakefile").write_text('include: "slurm.smk"\n' + WORKFLOW)
    adapt(folder)
    ways = {
        "bare": lambda: [run("srun", "--mem=500", "true") for _ in range(JOBS)],
        "local": lambda: on_this_machine(folder),
        "slurm": lambda: through_slurm(folder),
    }
    taken = {name: [] for name in ways}
    try:
        cluster.start()
        for _ in range(ROUNDS):
            for name, way in ways.items():
                taken[name].append(seconds(way))
    finally:
        cluster.stop()
        shutil.rmtree(folder)
    row("slurm_job_of_srun", statistics.median(taken["bare"]), "s/job", "", None)
    row("slurm_job_on_this_machine", statistics.median(taken["local"]), "s/job", "", None)
    ratio = statistics.median(a / b for a, b in zip(taken["local"], taken["slurm"], strict=True))
    row("slurm_job_through_slurm", statistics.median(taken["slurm"]), "s/job", "slurm_job_on_this_machine", ratio)


if __name__ == "__main__":
    main()
