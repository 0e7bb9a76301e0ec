"""Paths of the files of a run, ``results/BUDGET/DATASET/...``.

The predictions of one system for one fold lie in ``SPLIT/foldN/SYSTEM/`` of that folder, those for out-of-domain sounds in
``outside/SPLIT/foldN/SYSTEM/``. The rules of the workflow spell the same patterns with wildcards.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

RUN = r"(?P<run>(?:.*/)?[a-z0-9_]+/[a-z]+[0-9]+)"
RUN_FILE = re.compile(rf"{RUN}/(?:(?:audio|features|split|tables)/)?[^/]+")
SYSTEM_FILE = re.compile(
    rf"{RUN}/(?P<outside>outside/)?(?P<split>[a-z]+)/fold(?P<fold>[0-9]+)/(?P<system>[a-z][a-z0-9_]*)/[^/]+"
)


def is_result(path: Path) -> bool:
    """Tell whether a path, relative to the folder of the workflow, is that of a file that jobs make.

    >>> is_result(Path("results/quick/amsynth16/presets.csv")), is_result(Path("results/baselines/amsynth16/scores.csv.gz"))
    (True, False)
    """
    return path.parts[:1] == ("results",) and path.parts[1:2] not in (("baselines",), ("published",))


@dataclass(frozen=True)
class RunPaths:
    """Paths of a data set in one budget.

    Attributes:
        folder: Folder of the run.
    """

    folder: Path

    @classmethod
    def parse(cls, path: Path) -> "RunPaths":
        """Get the run that a file belongs to: of its folder, or of its shards, splits or tables.

        Raises:
            ValueError: If the file is not there in a run.

        >>> RunPaths.parse(Path("results/quick/amsynth16/audio/0.h5")).dataset
        'amsynth16'
        """
        match = RUN_FILE.fullmatch(path.as_posix())
        if not match:
            raise ValueError(f"{path} is not in a run: expected results/BUDGET/DATA/, with one more folder at most")
        return cls(Path(match["run"]))

    @property
    def budget(self) -> str:
        """Name of the budget."""
        return self.folder.parent.name

    @property
    def dataset(self) -> str:
        """Name of the data set."""
        return self.folder.name

    @property
    def presets(self) -> Path:
        """Table of presets."""
        return self.folder / "presets.csv"

    @property
    def tables(self) -> Path:
        """Folder of summary tables."""
        return self.folder / "tables"

    @property
    def baselines(self) -> Path:
        """Folder of the frozen baselines of the data set, which all budgets share."""
        return self.folder.parents[1] / "baselines" / self.dataset

    @property
    def ood_sounds(self) -> Path:
        """Folder of the out-of-domain collections: sounds and manifests."""
        return self.folder / "outside" / "sounds"

    def split(self, name: str) -> Path:
        """Return the table of a split."""
        return self.folder / "split" / f"{name}.csv"

    def shards(self, kind: str) -> list[Path]:
        """List the existing shards of a kind, ``audio`` or ``features``."""
        return sorted((self.folder / kind).glob("*.h5"))

    def system(self, split: str, fold: int, name: str, out_of_domain: bool = False) -> "SystemPaths":
        """Return the paths of a system in a fold."""
        return SystemPaths(self, split, fold, name, out_of_domain)


@dataclass(frozen=True)
class SystemPaths:
    """Paths of a system, that is a model with its search steps, in one fold.

    Attributes:
        run: Paths of the run.
        split: Name of the split.
        fold: Number of the fold.
        name: Name of the system.
        out_of_domain: Whether its predictions are for the out-of-domain sounds.
    """

    run: RunPaths
    split: str
    fold: int
    name: str
    out_of_domain: bool = False

    @classmethod
    def parse(cls, path: Path) -> "SystemPaths":
        """Get the system that a file belongs to.

        Raises:
            ValueError: If the file is not in the folder of a system.

        >>> SystemPaths.parse(Path("results/quick/amsynth16/grouped/fold0/cnn/scores.csv")).name
        'cnn'
        """
        match = SYSTEM_FILE.fullmatch(path.as_posix())
        if not match:
            raise ValueError(
                f"{path} is not in a run: expected results/BUDGET/DATA/SPLIT/foldN/MODEL/; of a model that leaves its run, "
                "make a file of its own by flowsynth export"
            )
        return cls(
            RunPaths(Path(match["run"])), match["split"], int(match["fold"]), match["system"], bool(match["outside"])
        )

    @property
    def fold_folder(self) -> Path:
        """Folder of the fold, with one folder per system."""
        return self._fold_in(self.run.folder)

    @property
    def folder(self) -> Path:
        """Folder of the system."""
        return self.fold_folder / self.name

    @property
    def logs(self) -> Path:
        """Folder of the logs of its jobs."""
        return self._fold_in(self.run.folder / "logs") / self.name

    @property
    def checkpoint(self) -> Path:
        """Trained model."""
        return self.folder / "checkpoint.pt"

    @property
    def progress(self) -> Path:
        """Folder from which an interrupted training resumes."""
        return self.folder / "progress"

    @property
    def candidates(self) -> Path:
        """Predictions among which a search starts."""
        return self.folder / "candidates.h5"

    @property
    def predictions(self) -> Path:
        """Predictions."""
        return self.folder / "predictions.h5"

    @property
    def audio(self) -> Path:
        """Rendered predictions."""
        return self.folder / "audio.h5"

    @property
    def scores(self) -> Path:
        """Scores of the predictions."""
        return self.folder / "scores.csv"

    def traversals(self, kind: str) -> Path:
        """Return the latent traversals of a kind."""
        return self.folder / "explore" / f"{kind}.h5"

    def traversal_audio(self, kind: str) -> Path:
        """Return the rendered latent traversals of a kind."""
        return self.folder / "explore" / "audio" / f"{kind}.h5"

    def of(self, name: str) -> "SystemPaths":
        """Return the paths of another system in the same fold."""
        return replace(self, name=name)

    def _fold_in(self, folder: Path) -> Path:
        return folder / ("outside" if self.out_of_domain else "") / self.split / f"fold{self.fold}"


def find_systems(results: Path, fold: int = 0) -> Iterator[SystemPaths]:
    """Find the systems with a checkpoint in the runs of a folder, in the order of their paths; other files are skipped."""
    for path in sorted(results.glob(f"*/*/*/fold{fold}/*/checkpoint.pt")):
        if SYSTEM_FILE.fullmatch(path.as_posix()):
            yield SystemPaths.parse(path)
