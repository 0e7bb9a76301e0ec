"""Sounds to presets, for musicians: what a trained model hears in a sound, rendered, chosen, and written down to be loaded.

The model, its synthesizer, the note and the spectrogram are those of a run in ``results/``. A sound is made fit as those of
the benchmark are (`flowsynth.sounds`): trimmed, at the note that is played, as loud as the synthesizer's own. The model
answers several times; the answers are rendered, and the one that sounds closest is kept, or is where a search goes on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.io import wavfile

from flowsynth import sounds
from flowsynth.figures import match as picture
from flowsynth.figures.common import save
from flowsynth.infer import answer
from flowsynth.outside import SUFFIXES
from flowsynth.presets import read_bank, write_bank
from flowsynth.render import render
from flowsynth.search import minimise
from flowsynth.seeds import derive_seed
from flowsynth.trained import TIMEOUT, Trained

COLUMNS = ["sound", "status", "distance", "first_distance", "renderings", "pitch", "shift", "bank", "note"]


@dataclass(frozen=True)
class Match:
    """What was found for a sound.

    Attributes:
        heard: The sound as it was made fit.
        values: Of all parameters, in [0, 1].
        distance: Log-mel L1 of what they sound like.
        first: That of the model's first answer.
        renderings: How many it took.
    """

    heard: sounds.Prepared
    values: np.ndarray
    distance: float
    first: float
    renderings: int


def listed(paths: Sequence[Path]) -> list[Path]:
    """Sound files: those named, and all in the folders named.

    Raises:
        ValueError: If there are none.
    """
    found = []
    for path in paths:
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        found += inside if path.is_dir() else [path]
    if not found:
        raise ValueError(f"no sounds ({', '.join(SUFFIXES)}) in {', '.join(map(str, paths))}")
    return found


def match(trained: Trained, path: Path, samples: int, renders: int, seed: int) -> Match:
    """Find a preset for a sound.

    Args:
        trained: The trained model.
        path: Of a sound file.
        samples: Answers of the model that are rendered.
        renders: Renderings of a search behind them; none, if 0.
        seed: Of the answers and of the search.

    Raises:
        ValueError: If the sound can't be read, is silent, or too short.
    """
    note = trained.note
    heard = sounds.prepare(sounds.load(path, note.sample_rate), note, trained.level)
    goal = trained.hear(heard.audio)

    def distance(values: np.ndarray) -> float:
        return float(np.abs(trained.hear(trained.play(values)) - goal).mean())

    torch.manual_seed(derive_seed(seed, "match", path.name))
    with torch.no_grad():
        truth = torch.full((1, len(trained.names)), torch.nan)
        answers = answer(trained.model, torch.from_numpy(goal).float()[None], truth, samples)[:, 0]
    distances = [distance(values) for values in answers]
    best, least = answers[int(np.argmin(distances))], min(distances)
    if renders:
        best, least = minimise(distance, best, renders, derive_seed(seed, "search", path.name))
    return Match(heard, trained.synth.expand(best[None], trained.names)[0], least, distances[0], samples + renders)


def write(trained: Trained, found: Match, name: str, folder: Path) -> Path:
    """Write a match: a bank, the sound of what is in that bank, the sound that was heard, and a picture of both.

    Args:
        trained: The trained model.
        found: The match.
        name: What the preset is called, and the files begin with.
        folder: To write into.

    Returns:
        Path of the bank.
    """
    bank, note = folder / f"{name}.bank", trained.note
    write_bank(bank, trained.synth, [name], found.values[None])
    # what the bank says, and not what was meant to be written
    (preset,) = read_bank(bank, trained.synth)
    values = np.array([p.normalise(preset.values[p.name]) for p in trained.synth.parameters], dtype=np.float32)
    (played,) = render(trained.synth, note, [values], TIMEOUT)
    for suffix, audio in {"": played.audio, "_heard": found.heard.audio}.items():
        wavfile.write(folder / f"{name}{suffix}.wav", note.sample_rate, audio)  # without a date in it
    title = f"{name}: log-mel L1 {found.distance:.2f} after {found.renderings} renderings"
    columns = trained.synth.columns(trained.names)
    figure = picture.draw(found.heard.audio, played.audio, note.sample_rate, values[columns], trained.names, title)
    save(figure, folder / f"{name}.png")
    return bank


def match_all(
    trained: Trained, paths: Sequence[Path], samples: int, renders: int, seed: int, folder: Path
) -> Iterator[dict[str, Any]]:
    """Match sounds and write each; one that is refused spoils no other.

    Yields:
        A row for each sound with the `COLUMNS`.
    """
    taken: set[str] = set()
    for path in paths:
        row: dict[str, Any] = dict.fromkeys(COLUMNS) | {"sound": str(path)}
        name, number = path.stem, 2
        while name in taken:
            name, number = f"{path.stem}_{number}", number + 1
        taken.add(name)
        try:
            found = match(trained, path, samples, renders, seed)
        except ValueError as error:
            yield row | {"status": "refused", "note": str(error)}
            continue
        heard = found.heard
        yield row | {
            "status": "ok",
            "distance": found.distance,
            "first_distance": found.first,
            "renderings": found.renderings,
            "bank": write(trained, found, name, folder).name,
            "pitch": heard.pitch,
            "shift": heard.shift,
            "note": heard.note,
        }
