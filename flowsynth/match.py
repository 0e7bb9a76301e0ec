"""Sounds to presets, for musicians: what a trained model hears in a sound, rendered, chosen, and written down to be loaded.

The model, its synthesizer, the note and the spectrogram are those of a run in ``results/``. A sound is made fit as those of
the benchmark are (`flowsynth.sounds`): trimmed, at the note that is played, as loud as the synthesizer's own. The model
answers several times; the answers are rendered, and the one that sounds closest is kept, or is where a search goes on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.io import wavfile

from flowsynth import models, sounds, store
from flowsynth.checkpoints import load
from flowsynth.figures import match as picture
from flowsynth.figures.common import save
from flowsynth.host import Note
from flowsynth.infer import answer
from flowsynth.outside import SUFFIXES, usual_level
from flowsynth.presets import read_bank, write_bank
from flowsynth.render import render
from flowsynth.search import ear, minimise, player
from flowsynth.seeds import derive_seed
from flowsynth.synths import Synth, dataset
from flowsynth.systems import is_control, model_of

JUDGE = "log_mel_l1"
FEATURES = ("n_mels", "n_fft", "hop_length", "fmin", "fmax", "frames", "floor")
TIMEOUT = 20.0  # s until a rendering is given up
COLUMNS = ["sound", "status", "distance", "first_distance", "renderings", "pitch", "shift", "bank", "note"]


@dataclass(frozen=True)
class Matcher:
    """A trained model and what it was trained with.

    Attributes:
        checkpoint: Of the model.
        model: The model.
        synth: Its synthesizer.
        names: Of the parameters it infers.
        note: What is played.
        features: Of the spectrogram: arguments of `flowsynth.features.Mel` but the sample rate.
        level: Of the median training sound, by `flowsynth.sounds.level_of`.
    """

    checkpoint: Path
    model: models.Model
    synth: Synth
    names: tuple[str, ...]
    note: Note
    features: dict[str, Any]
    level: float


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


def find(results: Path, wanted: str | None = None, kind: type = models.Model) -> Path:
    """Find a trained model: of that name, or of any, the one whose sounds were closest in its run.

    Args:
        results: Folder of runs.
        wanted: Name of a model, or path of a checkpoint.
        kind: What it has to be, where no checkpoint is named.

    Returns:
        Path of a checkpoint.

    Raises:
        ValueError: If there is none; the message says how to train one.
    """
    if wanted and Path(wanted).suffix == ".pt":
        if not Path(wanted).is_file():
            raise ValueError(f"there is no checkpoint {wanted}")
        return Path(wanted)
    found = {}
    for path in sorted(results.glob("*/*/*/fold0/*/checkpoint.pt")):
        scores, name = path.with_name("scores.csv"), path.parent.name
        suits = not is_control(name) and wanted in (None, name) and issubclass(models.find(model_of(name)), kind)
        if scores.exists() and suits:
            table = pd.read_csv(scores)
            found[path] = float(table.loc[table["metric"] == JUDGE, "value"].mean())
    if not found:
        of = f"the model {wanted}" if wanted else "a model" if kind is models.Model else f"a {kind.__name__}"
        raise ValueError(
            f"{of} that is trained and scored is not in {results}/: run make reproduce first, or name a checkpoint"
        )
    return min(found, key=lambda path: found[path])


def open_model(checkpoint: Path) -> Matcher:
    """Load a trained model and read from its run what it was trained with.

    Raises:
        ValueError: If the checkpoint is not in the folder of a run, or its sounds are gone.
    """
    fold = checkpoint.absolute().parents[1]
    run, number = fold.parents[1], fold.name.removeprefix("fold")
    audio, split = sorted((run / "audio").glob("*.h5")), run / "split" / f"{fold.parent.name}.csv"
    features = next(iter(sorted((run / "features").glob("*.h5"))), None)
    if not (audio and features and split.exists() and number.isdigit()):
        raise ValueError(f"{checkpoint} is in no run: expected results/BUDGET/DATA/SPLIT/foldN/MODEL/, and {run}/audio")
    synth, names = dataset(run.name)
    with store.reading(features) as file:
        made = store.settings(file)
    parts = pd.read_csv(split, dtype={"id": str})
    train = parts.loc[(parts["fold"] == int(number)) & (parts["part"] == "train"), "id"]
    model, _ = load(checkpoint)
    note = Note(**{field: made[field] for field in Note.__dataclass_fields__})
    chosen = {name: made[name] for name in FEATURES}
    return Matcher(checkpoint, model, synth, names, note, chosen, usual_level(audio, train.tolist()))


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


def match(matcher: Matcher, path: Path, samples: int, renders: int, seed: int) -> Match:
    """Find a preset for a sound.

    Args:
        matcher: The trained model.
        path: Of a sound file.
        samples: Answers of the model that are rendered.
        renders: Renderings of a search behind them; none, if 0.
        seed: Of the answers and of the search.

    Raises:
        ValueError: If the sound can't be read, is silent, or too short.
    """
    note = matcher.note
    heard = sounds.prepare(sounds.load(path, note.sample_rate), note, matcher.level)
    hear = ear(note.sample_rate, matcher.features)
    play = player(matcher.synth, note, matcher.names, TIMEOUT)
    goal = hear(heard.audio)

    def distance(values: np.ndarray) -> float:
        return float(np.abs(hear(play(values)) - goal).mean())

    torch.manual_seed(derive_seed(seed, "match", path.name))
    with torch.no_grad():
        truth = torch.full((1, len(matcher.names)), torch.nan)
        answers = answer(matcher.model, torch.from_numpy(goal).float()[None], truth, samples)[:, 0]
    distances = [distance(values) for values in answers]
    best, least = answers[int(np.argmin(distances))], min(distances)
    if renders:
        best, least = minimise(distance, best, renders, derive_seed(seed, "search", path.name))
    return Match(heard, matcher.synth.expand(best[None], matcher.names)[0], least, distances[0], samples + renders)


def write(matcher: Matcher, found: Match, name: str, folder: Path) -> Path:
    """Write a match: a bank, the sound of what is in that bank, the sound that was heard, and a picture of both.

    Args:
        matcher: The trained model.
        found: The match.
        name: What the preset is called, and the files begin with.
        folder: To write into.

    Returns:
        Path of the bank.
    """
    bank, note = folder / f"{name}.bank", matcher.note
    write_bank(bank, matcher.synth, [name], found.values[None])
    # what the bank says, and not what was meant to be written
    (preset,) = read_bank(bank, matcher.synth)
    values = np.array([p.normalise(preset.values[p.name]) for p in matcher.synth.parameters], dtype=np.float32)
    (played,) = render(matcher.synth, note, [values], TIMEOUT)
    for suffix, audio in {"": played.audio, "_heard": found.heard.audio}.items():
        wavfile.write(folder / f"{name}{suffix}.wav", note.sample_rate, audio)  # without a date in it
    title = f"{name}: log-mel L1 {found.distance:.2f} after {found.renderings} renderings"
    columns = matcher.synth.columns(matcher.names)
    figure = picture.draw(found.heard.audio, played.audio, note.sample_rate, values[columns], matcher.names, title)
    save(figure, folder / f"{name}.png")
    return bank


def match_all(
    matcher: Matcher, paths: Sequence[Path], samples: int, renders: int, seed: int, folder: Path
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
            found = match(matcher, path, samples, renders, seed)
        except ValueError as error:
            yield row | {"status": "refused", "note": str(error)}
            continue
        heard = asdict(found.heard)
        yield row | {
            "status": "ok",
            "distance": found.distance,
            "first_distance": found.first,
            "renderings": found.renderings,
            "bank": write(matcher, found, name, folder).name,
            **{key: heard[key] for key in ("pitch", "shift", "note")},
        }
