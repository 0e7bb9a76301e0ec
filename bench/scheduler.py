"""Snakemake's own process: the share of a core that it takes over a workflow of many short jobs.

The jobs sleep, and two run at a time. The baseline runs beside them: the same jobs as they were before, with the code that
they depend on as a hundred input files and Snakemake's own limit of the rate of jobs.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from report import row

ROOT = Path(__file__).resolve().parents[1]
JOBS = int(os.environ.get("BENCH_JOBS", "1000"))
CODE = 100  # files

RULES = """
rule all:
    input:
        expand("out/{{number}}", number=range({jobs})),


rule one:
    {input}
    output:
        "out/{{number}}",
    params:
        code="digest",
    shell:
        "sleep 1; touch {{output}}"
"""


def project(folder: Path, ours: bool) -> None:
    """Write a workflow of sleeping jobs."""
    folder.mkdir()
    code = [f"code/{number}.py" for number in range(CODE)]
    for file in code:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).touch()
    text = RULES.format(jobs=JOBS, input="" if ours else f"input:\n        {code!r},")
    if ours:
        shutil.copytree(ROOT / "profiles", folder / "profiles")
        rules = [f'include: "{ROOT}/workflow/rules/{name}.smk"' for name in ("lines", "slurm")]
        text = "\n".join([*rules, text])
    (folder / "Snakefile").write_text(text)


def start(folder: Path) -> subprocess.Popen:
    """Start it."""
    command = [sys.executable, "-m", "snakemake", "-c2", "--nolock"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=sys.stderr, stderr=subprocess.DEVNULL)


def cpu(pid: int) -> float | None:
    """CPU seconds of a process, without those of its children; None if it has ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    if fields[0] == "Z":
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        running, shares = {}, {}
        for name in ("ours", "before"):
            project(Path(folder) / name, name == "ours")
            running[name] = start(Path(folder) / name), time.monotonic()
        while running:
            time.sleep(0.5)
            for name, (process, begun) in list(running.items()):
                used = cpu(process.pid)
                if used is not None:
                    shares[name] = used / (time.monotonic() - begun)
                elif process.wait():
                    sys.exit(f"error: the workflow {name} ended with status {process.returncode}")
                else:
                    del running[name]
    row("scheduler_cpu", 100 * shares["ours"], f"% of a core, {JOBS} jobs", "before", shares["before"] / shares["ours"])


if __name__ == "__main__":
    main()
