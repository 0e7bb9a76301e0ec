"""Sound matching for musicians: predict presets for sounds, render them, and write the closest as a bank.

The model, its synthesizer, the note and the spectrogram are those of a run in ``results/``. Sounds are preprocessed as
in the benchmark (`flowsynth.data.out_of_domain.preprocessing`): trimmed, shifted to the rendered note, and set to the
level of the synthesizer's sounds. Several predictions and the training preset that sounds closest are rendered; the
closest of all is the match, or the start of a search. A surrogate is corrected by each rendering before it predicts the
next preset.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.io import wavfile

from flowsynth.core.mel_filters import log_mel_distance
from flowsynth.core.seeding import derive_seed
from flowsynth.core.sound_files import SUFFIXES, UNREADABLE_SUFFIXES, SoundFileError, printable
from flowsynth.data import dx7
from flowsynth.data.out_of_domain import preprocessing
from flowsynth.data.presets import bank_suffix, safe_name, write_bank
from flowsynth.figures import match as picture
from flowsynth.figures.style import save
from flowsynth.inference.cma_es import minimise
from flowsynth.inference.surrogate_search import refine
from flowsynth.inference.trained_model import PlayableModel, RenderingError
from flowsynth.models.surrogates.base import Surrogate
from flowsynth.models.systems import INITIAL_CANDIDATES

CARTRIDGE = "all_matches.syx"
TARGET_SUFFIX = "_target"  # of the file name of the preprocessed target
DISTANCES = ("distance", "first", "answers", "nearest")
LISTED_SUFFIXES = (*SUFFIXES, *UNREADABLE_SUFFIXES)  # a sound in a folder is matched, or refused by name
MATCH_COLUMNS = ["sound", "status", *DISTANCES, "renderings", "pitch", "shift", "bank", "note"]


@dataclass(frozen=True)
class Match:
    """The match of a sound; distances are log-mel L1.

    Attributes:
        values: All parameters, in [0, 1].
        distance: Distance of the match.
        first: Distance of the model's first prediction.
        answers: Distance of the closest of the model's predictions.
        nearest: Distance of the nearest training preset.
        renderings: Number of renderings.
    """

    values: np.ndarray
    distance: float
    first: float
    answers: float
    nearest: float
    renderings: int


def find_sounds(paths: Sequence[Path], out: Path) -> list[Path]:
    """List the given sound files and those in the given folders, without those in the output folder.

    Raises:
        ValueError: If there are none, or if a given path is in the output folder and might be overwritten.
    """
    out, sounds = _resolve(out), []
    for path in paths:
        if out in (_resolve(path), *_resolve(path).parents):
            raise ValueError(f"{path} is in the output folder {out} and might be overwritten: choose another --out")
        if not os.path.isdir(path):  # noqa: PTH112, which raises nothing
            sounds.append(path)
            continue
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in LISTED_SUFFIXES and not p.is_dir())
        sounds += [p for p in inside if out not in _resolve(p).parents]
    if not sounds:
        raise ValueError(f"no sounds ({', '.join(SUFFIXES)}) in {', '.join(map(str, paths))}: choose another folder")
    return sounds


def _resolve(path: Path) -> Path:
    return Path(os.path.realpath(path))  # Path.resolve raises for a loop of links


def match(
    trained: PlayableModel,
    audio: Float[np.ndarray, " samples"],
    name: str,
    samples: int,
    renders: int,
    seed: int,
    progress: Callable[[], object] = lambda: None,
) -> Match:
    """Find a preset for a sound.

    Args:
        trained: Trained model.
        audio: Preprocessed target.
        name: Name of the sound; random draws depend on it.
        samples: Number of predictions to render.
        renders: Number of renderings of the subsequent search; 0: no search. Renderings saved by duplicate predictions
            are added.
        seed: Seed of predictions and search.
        progress: Called after each rendering.
    """
    target = trained.log_mel(audio)
    log_mels: dict[bytes, np.ndarray] = {}

    def render(values: np.ndarray) -> np.ndarray:
        key = values.tobytes()
        if key not in log_mels:
            log_mels[key] = trained.rendered_log_mel(values)
            progress()
        return log_mels[key]

    def distance(values: np.ndarray) -> float:
        return float(log_mel_distance(render(values), target))

    model, prediction_seed = trained.model, derive_seed(seed, "match", name)
    if isinstance(model, Surrogate):  # it is corrected by the sounds of its first candidates
        (initial,) = trained.infer(target[None], min(samples, INITIAL_CANDIDATES), prediction_seed)
        best, predicted = refine(model, target, initial, render, samples)
    else:
        (predictions,) = trained.infer(target[None], samples, prediction_seed)
        predicted = np.array([distance(values) for values in predictions])
        best = predictions[predicted.argmin()]
    nearest = trained.nearest(target)
    start = min(best, nearest, key=distance)
    best_distance = distance(start)
    if renders:
        remaining = samples + 1 + renders - len(log_mels)
        search_seed = derive_seed(seed, "search", name)
        start, best_distance = minimise(distance, start, remaining + 1, search_seed)  # its start is already rendered
    values = trained.synth.expand(start[None], trained.names)[0]
    return Match(values, best_distance, float(predicted[0]), float(predicted.min()), distance(nearest), len(log_mels))


def write_match(
    trained: PlayableModel, result: Match, target: Float[np.ndarray, " samples"], name: str, folder: Path
) -> Path:
    """Write a match: the bank, the sound of the preset in that bank, the preprocessed target, and a figure of both.

    Args:
        trained: Trained model.
        result: Match.
        target: Preprocessed target.
        name: Name of the preset, and stem of the file names.
        folder: Output folder.

    Returns:
        Path of the bank.

    Raises:
        RenderingError: If the synthesizer fails.
    """
    bank, note = folder / f"{name}{bank_suffix(trained.synth)}", trained.note
    (values,) = write_bank(bank, trained.synth, [name], result.values[None])
    audio = trained.render_preset(values)
    for suffix, sound in {"": audio, TARGET_SUFFIX: target}.items():
        wavfile.write(folder / f"{name}{suffix}.wav", note.sample_rate, sound)  # writes no date into the file
    title = f"{name}: log-mel L1 {result.distance:.2f} after {result.renderings} renderings"
    columns = trained.synth.columns(trained.names)
    figure = picture.plot(target, audio, note.sample_rate, values[columns], trained.names, title)
    save(figure, folder / f"{name}.png")
    return bank


def write_cartridge(trained: PlayableModel, banks: Sequence[Path], path: Path) -> None:
    """Collect matches that were written one by one in cartridges of 32 voices, for a synthesizer that loads those.

    Args:
        trained: Trained model.
        banks: Files of the matches.
        path: Output file.
    """
    voices = [voice for bank in banks for voice in dx7.read(bank, trained.synth)]
    values = np.array([[p.normalise(voice[p.name]) for p in trained.synth.parameters] for _, voice in voices])
    dx7.write(path, trained.synth, [name for name, _ in voices], values)


def match_all(
    trained: PlayableModel,
    paths: Sequence[Path],
    samples: int,
    renders: int,
    seed: int,
    folder: Path,
    progress: Callable[[], object] = lambda: None,
) -> Iterator[dict[str, Any]]:
    """Match sounds and write each match; a sound that fails does not affect the others.

    Yields:
        A row of `MATCH_COLUMNS` for each sound.
    """
    used_stems = {Path(CARTRIDGE).stem}
    for path in paths:
        row: dict[str, Any] = dict.fromkeys(MATCH_COLUMNS) | {"sound": printable(path)}
        name, number = safe_name(path.stem), 2
        while used_stems & set(_file_stems(name)):
            name, number = f"{safe_name(path.stem)}_{number}", number + 1
        used_stems.update(_file_stems(name))
        try:
            target = preprocessing.prepare_file(path, trained.note, trained.level)
        except SoundFileError as error:
            yield row | {"status": "refused", "note": error.reason}
            continue
        result = match(trained, target.audio, safe_name(path.name), samples, renders, seed, progress)
        try:
            bank = write_match(trained, result, target.audio, name, folder)
        except RenderingError as error:
            yield row | {"status": "refused", "note": str(error)}
            continue
        yield row | {
            "status": "ok",
            **{key: getattr(result, key) for key in DISTANCES},
            "renderings": result.renderings,
            "bank": bank.name,
            "pitch": target.pitch,
            "shift": target.shift,
            "note": target.note,
        }


def _file_stems(name: str) -> tuple[str, str]:
    """Stems of a match's files, case-folded for file systems that ignore case."""
    return name.casefold(), f"{name}{TARGET_SUFFIX}".casefold()
