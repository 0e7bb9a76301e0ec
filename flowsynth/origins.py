"""What scores come from: the data that they are of, and the commits of the code that made them and all before them.

Scores can be compared if the data are the same; they can be made again if all code is that of a commit.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from flowsynth import store
from flowsynth.checkpoints import maker_of
from flowsynth.provenance import commit, same_since
from flowsynth.systems import last_step

SCORING = ("metrics/*.py", "features.py", "score.py")  # whose code a score depends on, once there is a sound


def hashes(presets: Path, split: Path, audio: Sequence[Path]) -> dict[str, str]:
    """Hash what scores are of: presets, split, the content of all sounds, and the code that scores.

    Args:
        presets: Table of presets.
        split: Table of the split.
        audio: All shards; their number and the commit that made them don't matter.
    """
    sounds: dict[str, str] = {}
    for path in audio:
        with store.reading(path) as file:
            for row, name in enumerate(store.ids(file)):
                sounds[name] = hashlib.sha256(file["audio"][row].tobytes()).hexdigest()
    return {
        "presets": _digest(presets.read_bytes()),
        "split": _digest(split.read_bytes()),
        "audio": _digest("\n".join(f"{name} {sounds[name]}" for name in sorted(sounds)).encode()),
        "scoring": _digest(b"".join(file.read_bytes() for file in scoring())),
    }


def scoring() -> list[Path]:
    """Files whose code scores depend on."""
    return [file for pattern in SCORING for file in sorted(Path(__file__).parent.glob(pattern))]


def commits(answers: Iterable[Path], tables: Iterable[Path]) -> list[str]:
    """The commits of this code and of all that made scores.

    Args:
        answers: Files of answers, each in the folder of its system. What they come from counts too: their model and sounds,
            and those of systems that they go on from.
        tables: Files of scores.

    Raises:
        ValueError: If something was made by code that is no commit, or scores by other code than this one scores with.
    """
    made = {path: str(json.loads(path.with_name(f"{path.name}.json").read_text())["commit"]) for path in tables}
    stale = [path for path, name in made.items() if _is_commit(name) and not same_since(name, *scoring())]
    before = dict.fromkeys(
        file for path in answers for file in _before(path.parent)
    )  # each once, some stand behind several
    made.update((file, _maker(file)) for file in before)
    unclean = [path for path, name in made.items() if not _is_commit(name)]
    if not _is_commit(commit()):
        raise ValueError(f"the code is of commit {commit()}: commit first, or nobody could make this again")
    if unclean:
        raise ValueError(
            f"{_first(unclean)} was made by commit {made[unclean[0]]}, which nobody could make again: delete what was made "
            "so, and make it again with the code committed"
        )
    if stale:
        raise ValueError(
            f"{_first(stale)} was scored by commit {made[stale[0]]}, with other code than that which scores now: delete what "
            "was, and score it again"
        )
    return sorted({commit(), *made.values()})


def _before(folder: Path) -> Iterator[Path]:
    """The files that answers in a folder come from."""
    names = ("predictions.h5", "candidates.h5", "audio.h5", "checkpoint.pt")
    yield from (folder / name for name in names if (folder / name).exists())
    step = last_step(folder.name)
    if step:
        yield from _before(folder.with_name(step.of))


def _maker(path: Path) -> str:
    if path.suffix == ".pt":
        return str(maker_of(path)["commit"])
    with store.reading(path) as file:
        return str(store.settings(file)["commit"])


def _is_commit(name: str) -> bool:
    return name != "unknown" and not name.endswith("-dirty")


def _first(paths: Sequence[Path]) -> str:
    return f"{paths[0]}" + (f" (and {len(paths) - 1} more)" if len(paths) > 1 else "")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
