"""The workflow runs in environments that are not those of its developers."""

import subprocess
import sysconfig
import venv
from pathlib import Path

from project import Project

RECORD = """
import os, sys
with open(os.environ["RECORD"], "a", encoding="utf-8") as file:
    print(*sys.orig_argv, file=file)
"""


def test_spaces_in_the_path_and_a_search_path_of_the_user(project: Project, tmp_path: Path):
    environment, own = tmp_path / "an environment é", tmp_path / "own"
    venv.create(environment, symlinks=True)
    libraries = next(environment.glob("lib/*/site-packages"))
    (libraries / "tests.pth").write_text(sysconfig.get_path("purelib"))
    own.mkdir()
    (own / "sitecustomize.py").write_text(RECORD)  # imported by every process that has the search path
    run = subprocess.run(
        [environment / "bin" / "python", "-m", "snakemake", "-c1", "results/tiny/amsynth16/presets.csv"],
        cwd=project.folder,
        env=project.environment | {"PYTHONPATH": str(own), "RECORD": str(tmp_path / "record")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert run.returncode == 0, run.stdout
    assert "presets.py" in (tmp_path / "record").read_text(encoding="utf-8")
