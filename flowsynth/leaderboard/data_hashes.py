"""Provenance of scores: hashes of the data, and the commits of all code involved.

Scores are comparable if data and scoring (`flowsynth.evaluation.scoring_fingerprint`) are equal; they are reproducible if all
code was committed.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from flowsynth.core import hdf5
from flowsynth.core.layout import SystemPaths
from flowsynth.core.provenance import commit
from flowsynth.core.readers import read_json
from flowsynth.evaluation.scoring_fingerprint import differences, fingerprint
from flowsynth.models.systems import System
from flowsynth.training.checkpoints import read_maker


def hash_data(presets: Path, split: Path, audio: Sequence[Path]) -> dict[str, str]:
    """Hash presets, split, and the content of all sounds.

    Args:
        presets: Table of presets.
        split: Table of the split.
        audio: All shards; the hash depends neither on their number nor on their provenance.
    """
    sounds: dict[str, str] = {}
    for path in audio:
        with hdf5.reading(path) as file:
            for row, name in enumerate(hdf5.ids(file)):
                sounds[name] = hashlib.sha256(file["audio"][row].tobytes()).hexdigest()
    return {
        "presets": _digest(presets.read_bytes()),
        "split": _digest(split.read_bytes()),
        "audio": _digest("\n".join(f"{name} {sounds[name]}" for name in sorted(sounds)).encode()),
    }


def collect_commits(predictions: Iterable[Path], tables: Iterable[Path]) -> list[str]:
    """Collect the commits of this code and of all code that contributed to scores.

    Args:
        predictions: Prediction files of systems in a run. The commits of their models and sounds count
            too, and those of the systems that they are derived from.
        tables: Files of scores, whose provenance has the fingerprint of scoring (``scoring``).

    Raises:
        ValueError: If a file was made by uncommitted code, or was scored with another fingerprint than now.
    """
    makers = {path: read_json(path.with_name(f"{path.name}.json"), ["commit"]) for path in tables}
    commits = {path: str(maker["commit"]) for path, maker in makers.items()}
    stale = {path: change for path, maker in makers.items() if (change := _scoring_change(maker))}
    sources = dict.fromkeys(
        file for path in predictions for file in _source_files(SystemPaths.parse(path))
    )  # without duplicates
    commits.update((file, _commit_of(file)) for file in sources)
    unclean = [path for path, name in commits.items() if not _is_clean(name)]
    require_commit()
    if unclean:
        raise ValueError(
            f"{_first_of(unclean)} was made by commit {commits[unclean[0]]}, so it is not reproducible: delete such "
            "files, and make them again with the code committed"
        )
    if stale:
        raise ValueError(
            f"{_first_of(list(stale))} was scored by commit {commits[next(iter(stale))]}, "
            f"{next(iter(stale.values()))}: delete such files, and score again"
        )
    return sorted({commit(), *commits.values()})


def require_commit() -> None:
    """Require that the code is committed, so that results are reproducible.

    Raises:
        ValueError: If there are uncommitted changes, or no checkout.
    """
    if not _is_clean(commit()):
        remedy = "run in a git checkout that git may read" if commit() == "unknown" else "commit first"
        raise ValueError(f"the code is of commit {commit()}, so results would not be reproducible: {remedy}")


def _scoring_change(maker: dict[str, Any]) -> str:
    """Describe how scoring differs from that of a file of scores; empty if it does not."""
    if "scoring" not in maker:
        return "without a fingerprint of scoring"
    return "; ".join(f"scoring now differs in {metric}" for metric in differences(fingerprint(), maker["scoring"]))


def _source_files(system: SystemPaths) -> Iterator[Path]:
    """Find the files that the predictions of a system are derived from."""
    for name in reversed(System.parse(system.name).lineage):
        paths = system.of(name)
        files = (paths.predictions, paths.candidates, paths.audio, paths.checkpoint)
        yield from (path for path in files if path.exists())


def _commit_of(path: Path) -> str:
    if path.suffix == ".pt":
        return str(read_maker(path)["commit"])
    with hdf5.reading(path) as file:
        return str(hdf5.settings(file)["commit"])


def _is_clean(name: str) -> bool:
    return name != "unknown" and not name.endswith("-dirty")


def _first_of(paths: Sequence[Path]) -> str:
    return f"{paths[0]}" + (f" (and {len(paths) - 1} more)" if len(paths) > 1 else "")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
