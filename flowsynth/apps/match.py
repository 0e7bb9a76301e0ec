"""Sounds to presets, for musicians: what a trained model hears in a sound, rendered, chosen, and written down to be loaded.

The model, its synthesizer, the note and the spectrogram are those of a run in ``results/``. A sound is made fit as those of
the benchmark are (`flowsynth.data.out_of_domain.preprocessing`): trimmed, at the note that is played, as loud as the
synthesizer's own. The model answers several times; the answers and the training preset that sounds closest are rendered,
and the closest of them all is kept, or is where a search goes on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.io import wavfile

from flowsynth.core.seeding import derive_seed
from flowsynth.data.out_of_domain import preprocessing
from flowsynth.data.out_of_domain.collections import SUFFIXES
from flowsynth.data.presets import safe_name, write_bank
from flowsynth.figures import match as picture
from flowsynth.figures.style import save
from flowsynth.inference.cma_es import minimise
from flowsynth.inference.trained_model import RenderingError, TrainedModel

HEARD = "_heard"  # behind the name, of the sound that was heard
DISTANCES = ("distance", "first", "answers", "nearest")
COLUMNS = ["sound", "status", *DISTANCES, "renderings", "pitch", "shift", "bank", "note"]


@dataclass(frozen=True)
class Match:
    """What was found for a sound; distances are log-mel L1.

    Attributes:
        values: Of all parameters, in [0, 1].
        distance: Of what they sound like.
        first: Of the model's first answer.
        answers: Of the closest of the model's answers.
        nearest: Of the nearest training preset.
        renderings: How many it took.
    """

    values: np.ndarray
    distance: float
    first: float
    answers: float
    nearest: float
    renderings: int


def listed(paths: Sequence[Path], out: Path) -> list[Path]:
    """Sound files: those named, and all in the folders named, but those in the folder that is written into.

    Raises:
        ValueError: If there are none, or one that is named might be overwritten.
    """
    out, found = out.resolve(), []
    for path in paths:
        if out in (path.resolve(), *path.resolve().parents):
            raise ValueError(
                f"{path} is in {out}, which is written into, and might be lost: take another folder for --out"
            )
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        found += [p for p in inside if out not in p.resolve().parents] if path.is_dir() else [path]
    if not found:
        raise ValueError(f"no sounds ({', '.join(SUFFIXES)}) in {', '.join(map(str, paths))}")
    return found


def match(
    trained: TrainedModel, audio: Float[np.ndarray, " samples"], name: str, samples: int, renders: int, seed: int
) -> Match:
    """Find a preset for a sound.

    Args:
        trained: The trained model.
        audio: The sound, made fit.
        name: Of the sound: the same sound of another name has other chances.
        samples: Answers of the model that are rendered.
        renders: Renderings of a search behind them; none, if 0. It is also given those that equal answers save.
        seed: Of the answers and of the search.
    """
    goal = trained.log_mel(audio)
    rendered: dict[bytes, float] = {}

    def distance(values: np.ndarray) -> float:
        key = values.tobytes()
        if key not in rendered:
            rendered[key] = trained.distance(goal, values)
        return rendered[key]

    torch.manual_seed(derive_seed(seed, "match", name))
    tried = [*trained.predict(trained.model, goal, samples), *trained.predict(trained.nearest, goal, 1)]
    distances = [distance(values) for values in tried]
    best, least = tried[int(np.argmin(distances))], min(distances)
    if renders:
        left = samples + 1 + renders - len(rendered)
        best, least = minimise(distance, best, left + 1, derive_seed(seed, "search", name))  # its start is rendered
    *answers, nearest = distances
    values = trained.synth.expand(best[None], trained.names)[0]
    return Match(values, least, answers[0], min(answers), nearest, len(rendered))


def write(trained: TrainedModel, found: Match, heard: Float[np.ndarray, " samples"], name: str, folder: Path) -> Path:
    """Write a match: a bank, the sound of what is in that bank, the sound that was heard, and a picture of both.

    Args:
        trained: The trained model.
        found: The match.
        heard: The sound, made fit.
        name: What the preset is called, and the files begin with.
        folder: To write into.

    Returns:
        Path of the bank.

    Raises:
        RenderingError: If the synthesizer fails.
    """
    bank, note = folder / f"{name}.bank", trained.note
    (values,) = write_bank(bank, trained.synth, [name], found.values[None])
    audio = trained.render_preset(values)
    for suffix, sound in {"": audio, HEARD: heard}.items():
        wavfile.write(folder / f"{name}{suffix}.wav", note.sample_rate, sound)  # without a date in it
    title = f"{name}: log-mel L1 {found.distance:.2f} after {found.renderings} renderings"
    columns = trained.synth.columns(trained.names)
    figure = picture.plot(heard, audio, note.sample_rate, values[columns], trained.names, title)
    save(figure, folder / f"{name}.png")
    return bank


def match_all(
    trained: TrainedModel, paths: Sequence[Path], samples: int, renders: int, seed: int, folder: Path
) -> Iterator[dict[str, Any]]:
    """Match sounds and write each; one that is refused spoils no other.

    Yields:
        A row for each sound with the `COLUMNS`.
    """
    taken: set[str] = set()
    for path in paths:
        row: dict[str, Any] = dict.fromkeys(COLUMNS) | {"sound": str(path).encode(errors="replace").decode()}
        name, number = safe_name(path.stem), 2
        while taken & set(_stems(name)):
            name, number = f"{safe_name(path.stem)}_{number}", number + 1
        taken.update(_stems(name))
        try:
            heard = preprocessing.prepare(
                preprocessing.load(path, trained.note.sample_rate), trained.note, trained.level
            )
        except ValueError as error:
            yield row | {"status": "refused", "note": str(error)}
            continue
        found = match(trained, heard.audio, safe_name(path.name), samples, renders, seed)
        try:
            bank = write(trained, found, heard.audio, name, folder)
        except RenderingError as error:
            yield row | {"status": "refused", "note": str(error)}
            continue
        yield row | {
            "status": "ok",
            **{name: getattr(found, name) for name in DISTANCES},
            "renderings": found.renderings,
            "bank": bank.name,
            "pitch": heard.pitch,
            "shift": heard.shift,
            "note": heard.note,
        }


def _stems(name: str) -> tuple[str, str]:
    """What the files of a match are called, where capitals may make no difference."""
    return name.casefold(), f"{name}{HEARD}".casefold()
