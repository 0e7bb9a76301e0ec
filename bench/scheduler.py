"""CPU usage of the Snakemake process for a workflow of many short jobs.

The jobs sleep, and two run at a time. The baseline runs concurrently: the same jobs with their code as a hundred input files
and Snakemake's default limit of the job rate.
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
CODE_FILES = 100

RULES = """
rule all:
    input:
        expand("out/{{number}}", number=range({jobs})),


rule one:{input}
    output:
        "out/{{number}}",
    params:
        code="digest",
    shell:
        "sleep 1; touch {{output}}"
"""


def write_workflow(folder: Path, current: bool) -> None:
    """Write a workflow of sleeping jobs."""
    folder.mkdir()
    code = [f"code/{number}.py" for number in range(CODE_FILES)]
    for file in code:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).touch()
    text = RULES.format(jobs=JOBS, input="" if current else f"\n    input:\n        {code!r},")
    if current:
        shutil.copytree(ROOT / "profiles", folder / "profiles")
        rules = [f'include: "{ROOT}/workflow/rules/{name}.smk"' for name in ("run_log", "slurm")]
        text = "\n".join([*rules, text])
    (folder / "Snakefile").write_text(text, encoding="utf-8")


def start(folder: Path) -> subprocess.Popen:
    """Start the workflow."""
    command = [sys.executable, "-m", "snakemake", "-c2", "--nolock"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=sys.stderr, stderr=subprocess.DEVNULL)


def cpu_seconds(pid: int) -> float | None:
    """Return the CPU seconds of a process without its children, or None if it has exited."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
    if fields[0] == "Z":
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        running, shares = {}, {}
        for name in ("current", "baseline"):
            write_workflow(Path(folder) / name, name == "current")
            running[name] = start(Path(folder) / name), time.monotonic()
        while running:
            time.sleep(0.5)
            for name, (process, started) in list(running.items()):
                used = cpu_seconds(process.pid)
                if used is not None:
                    shares[name] = used / (time.monotonic() - started)
                elif process.wait():
                    sys.exit(f"error: the workflow {name} exited with status {process.returncode}")
                else:
                    del running[name]
    ratio = shares["baseline"] / shares["current"]
    row("scheduler_cpu", 100 * shares["current"], f"% of a core, {JOBS} jobs", "before", ratio)


if __name__ == "__main__":
    main()
