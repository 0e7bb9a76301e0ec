"""A copy of the project with a tiny configuration, for tests of the workflow."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import forks
import yaml

ROOT = Path(__file__).resolve().parents[2]

TINY = {
    "budget": "tiny",
    "models": ["oracle", "mean", "cnn"],
    "out_of_domain": {},
    "baselines": {"budget": "tiny", "datasets": ["amsynth16"]},
    "budgets": {
        "tiny": {
            "datasets": ["amsynth16"],
            "presets": 60,
            "shards": 2,
            "synthetic_presets": 0,
            "cache_items": 64,
            "folds": 2,
            "samples": 2,
            "perception_items": 4,
            "out_of_domain": {"sounds": 3, "search_items": 1, "render_budget": 40},
            "epochs": 3,
            "epoch_items": None,
            "batch_size": 16,
            "learning_rate": 0.001,
            "patience": 5,
            "threads": 1,
            "accelerator": "cpu",
            "precision": "32-true",
            "network": {"layers": 3, "channels": 4, "kernel": 3, "mlp_layers": 2, "units": 16, "dropout": 0.1},
        }
    },
}


class Project:
    """A copy of the project in its own folder with a tiny configuration."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.results = folder / "results" / "tiny" / "amsynth16"
        self.environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    @classmethod
    def make(cls, folder: Path) -> "Project":
        for name in ("flowsynth", "workflow", "envs", "profiles"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("Snakefile", "pyproject.toml"):
            shutil.copy2(ROOT / name, folder / name)
        project = cls(folder)
        project.configure(**TINY)
        return project

    def configure(self, **changes) -> None:
        config = yaml.safe_load((ROOT / "config.yaml").read_text()) | TINY | changes
        (self.folder / "config.yaml").write_text(yaml.safe_dump(config))

    def commit(self) -> None:
        """Commit the folder to a new git repository, with a commit hash that depends only on the files."""
        dates = {f"GIT_{role}_DATE": "2020-01-01T00:00:00Z" for role in ("AUTHOR", "COMMITTER")}
        (self.folder / ".gitignore").write_text("results/\n.snakemake/\n__pycache__/\n*.egg-info/\n")
        for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "all"]):
            identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
            command = ["git", *identity, *arguments]
            subprocess.run(command, cwd=self.folder, check=True, capture_output=True, env=os.environ | dates)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]

    def snakemake(self, *arguments: str, timeout: float = 600) -> subprocess.CompletedProcess:
        """Run the workflow, forked with its jobs from a process that has imported libraries; ``stdout`` has both streams."""
        return self._fork([forks.SNAKEMAKE, "--cores", "2", *arguments], self.environment, timeout)

    def script(self, name: str, *arguments: str) -> subprocess.CompletedProcess:
        """Run a script of the workflow; ``stdout`` has both streams."""
        return self.python(self.folder / "workflow" / name, *arguments)

    def python(self, *arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess:
        """Run a script, or ``-m MODULE``, with the package of this project; ``stdout`` has both streams."""
        environment = self.environment | {"PYTHONPATH": str(self.folder)}
        return self._fork([str(argument) for argument in arguments], environment, 600, cwd)

    def _fork(
        self, arguments: list[str], environment: dict[str, str], timeout: float, cwd: Path | None = None
    ) -> subprocess.CompletedProcess:
        return forks.server().run(arguments, cwd or self.folder, environment, timeout)

    def planned(self, *arguments: str) -> dict[str, int]:
        """Return the number of jobs by rule of a dry run."""
        run = self.snakemake(*arguments, "--dry-run")
        assert run.returncode == 0, run.stdout
        lines = run.stdout.splitlines()
        if "Job stats:" not in lines:
            return {}
        table = lines[lines.index("Job stats:") + 3 :]
        rows = [line.split() for line in table[: table.index("")]]
        return {rule: int(count) for rule, count in rows if rule not in ("total", "all")}
