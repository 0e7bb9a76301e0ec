"""What scores come from: the data that they are of, and the commits of the code that made them and all before them.

Scores can be compared if the data are the same, and scoring does the same (`flowsynth.evaluation.fingerprint`); they can be
made again if all code is that of a commit.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from flowsynth.core import hdf5
from flowsynth.core.provenance import commit
from flowsynth.evaluation.fingerprint import differences, fingerprint
from flowsynth.models.registry import last_step
from flowsynth.training.checkpoints import read_maker


def hashes(presets: Path, split: Path, audio: Sequence[Path]) -> dict[str, str]:
    """Hash what scores are of: presets, split, and the content of all sounds.

    Args:
        presets: Table of presets.
        split: Table of the split.
        audio: All shards; their number and the commit that made them don't matter.
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


def commits(answers: Iterable[Path], tables: Iterable[Path]) -> list[str]:
    """The commits of this code and of all that made scores.

    Args:
        answers: Files of answers, each in the folder of its system. What they come from counts too: their model and sounds,
            and those of systems that they go on from.
        tables: Files of scores, which say what scoring did (``scoring``, of `flowsynth.evaluation.fingerprint.fingerprint`).

    Raises:
        ValueError: If something was made by code that is no commit, or scoring did something else for a file than it does
            now.
    """
    makers = {path: json.loads(path.with_name(f"{path.name}.json").read_text()) for path in tables}
    made = {path: str(maker["commit"]) for path, maker in makers.items()}
    stale = {path: told for path, maker in makers.items() if (told := _stale(maker))}
    before = dict.fromkeys(
        file for path in answers for file in _before(path.parent)
    )  # each once, some stand behind several
    made.update((file, _maker(file)) for file in before)
    unclean = [path for path, name in made.items() if not _is_commit(name)]
    require_commit()
    if unclean:
        raise ValueError(
            f"{_first(unclean)} was made by commit {made[unclean[0]]}, which nobody could make again: delete what was made "
            "so, and make it again with the code committed"
        )
    if stale:
        raise ValueError(
            f"{_first(list(stale))} was scored by commit {made[next(iter(stale))]}, and {next(iter(stale.values()))}: delete "
            "what was, and score it again"
        )
    return sorted({commit(), *made.values()})


def require_commit() -> None:
    """Refuse to make with code that is no commit what is to be made again.

    Raises:
        ValueError: If files are not committed, or there is no checkout.
    """
    if not _is_commit(commit()):
        raise ValueError(f"the code is of commit {commit()}: commit first, or nobody could make this again")


def _stale(maker: dict[str, Any]) -> str:
    """In what scoring did something else for a file of scores than it does now, if so."""
    if "scoring" not in maker:
        return "nothing says what scoring did then"
    return "; ".join(f"scoring now differs in {told}" for told in differences(fingerprint(), maker["scoring"]))


def _before(folder: Path) -> Iterator[Path]:
    """The files that answers in a folder come from."""
    names = ("predictions.h5", "candidates.h5", "audio.h5", "checkpoint.pt")
    yield from (folder / name for name in names if (folder / name).exists())
    step = last_step(folder.name)
    if step:
        yield from _before(folder.with_name(step.base))


def _maker(path: Path) -> str:
    if path.suffix == ".pt":
        return str(read_maker(path)["commit"])
    with hdf5.reading(path) as file:
        return str(hdf5.settings(file)["commit"])


def _is_commit(name: str) -> bool:
    return name != "unknown" and not name.endswith("-dirty")


def _first(paths: Sequence[Path]) -> str:
    return f"{paths[0]}" + (f" (and {len(paths) - 1} more)" if len(paths) > 1 else "")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
