"""A trained model in the folder of its run, with all that the run knows of what it was trained with.

The synthesizer, the note and the spectrogram are read from the files of the run, so that nothing has to be configured again.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float

from flowsynth.core import hdf5
from flowsynth.data.dataset import Items, part
from flowsynth.data.features import DEFAULTS
from flowsynth.data.out_of_domain.collections import usual_level
from flowsynth.data.presets import read_table
from flowsynth.inference.cma_es import ear
from flowsynth.inference.predict import answer
from flowsynth.metrics import PRIMARY_METRIC
from flowsynth.models import base as models
from flowsynth.models.controls.nearest import Nearest
from flowsynth.models.registry import is_control, model_of
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import Player
from flowsynth.synths.spec import Synth, dataset
from flowsynth.training.checkpoints import load

TIMEOUT = 20.0  # s until a rendering is given up


class Unplayable(ValueError):
    """A preset at which the synthesizer fails."""


@dataclass(frozen=True)
class Trained:
    """A trained model and what it was trained with.

    Attributes:
        checkpoint: Of the model.
        model: The model.
        synth: Its synthesizer.
        names: Of the parameters it infers.
        note: What is played.
        features: Of the spectrogram: arguments of `flowsynth.data.features.Mel` but the sample rate.
        level: Of the median training sound, by `flowsynth.data.out_of_domain.preprocessing.level_of`.
        train: The training part, without drawn presets.
        test: The test part.
        called: Names of the run's presets by id.
    """

    checkpoint: Path
    model: models.Model
    synth: Synth
    names: tuple[str, ...]
    note: Note
    features: dict[str, Any]
    level: float
    train: Items
    test: Items
    called: pd.Series

    @cached_property
    def hear(self) -> Callable[[np.ndarray], Float[np.ndarray, "mels frames"]]:
        """Gives the log-mel spectrograms that the model hears."""
        return ear(self.note.sample_rate, self.features)

    @cached_property
    def nearest(self) -> Nearest:
        """Answers with the training presets that sound closest."""
        found = Nearest(self.model.mels, self.model.frames, len(self.names), self.model.size)
        found.fit(self.train.all())
        return found

    @cached_property
    def player(self) -> Player:
        """Plays presets as they come."""
        return Player(self.synth, self.note, TIMEOUT)

    def play(self, values: Float[np.ndarray, " inferred"]) -> Float[np.ndarray, " samples"]:
        """What inferred values sound like; a failed rendering is silence."""
        return self.player(self.synth.expand(values[None], self.names)[0]).audio

    def rendered(self, values: Float[np.ndarray, " parameters"]) -> Float[np.ndarray, " samples"]:
        """What all parameters sound like, as in a file that is for somebody to hear.

        Raises:
            Unplayable: If the synthesizer fails.
        """
        played = self.player(values)
        if played.status == "failed":
            raise Unplayable(f"can't be rendered: {self.synth.name} failed, {played.reason}")
        return played.audio

    def distance(self, goal: Float[np.ndarray, "mels frames"], values: Float[np.ndarray, " inferred"]) -> float:
        """Log-mel L1 between a spectrogram and what inferred values sound like."""
        return float(np.abs(self.hear(self.play(values)) - goal).mean())

    def answers(self, model: models.Model, goal: Float[np.ndarray, "mels frames"], n: int) -> list[np.ndarray]:
        """What a model, this one or `nearest`, answers to a spectrogram: `n` times inferred values."""
        truth = torch.full((1, len(self.names)), torch.nan)
        with torch.no_grad():
            return [*answer(model, torch.from_numpy(goal).float()[None], truth, n)[:, 0]]


def find(results: Path, wanted: str | None = None, kind: type = models.Model, synth: str | None = None) -> Path:
    """Find a trained model: of that name, or of any, the one whose sounds were closest in its run.

    Args:
        results: Folder of runs.
        wanted: Name of a model, or path of a checkpoint.
        kind: What it has to be, where none is named.
        synth: Name of its synthesizer.

    Returns:
        Path of a checkpoint.

    Raises:
        ValueError: If there is none, the message says how to train one; or there are some of several synthesizers.
    """
    if wanted and Path(wanted).suffix == ".pt":
        if not Path(wanted).is_file():
            raise ValueError(f"there is no checkpoint {wanted}")
        return Path(wanted)
    found: dict[str, list[Path]] = {}
    for path in sorted(results.glob("*/*/*/fold0/*/checkpoint.pt")):
        name, played = path.parent.name, path.parents[3].name.rstrip("0123456789")
        suits = name == wanted if wanted else _is_trained(name, kind)
        if suits and synth in (None, played) and path.with_name("scores.csv").exists():
            found.setdefault(played, []).append(path)
    if not found:
        of = f"the model {wanted}" if wanted else "a model" if kind is models.Model else "a model with a latent"
        raise ValueError(
            f"{of}{f' of {synth}' if synth else ''} that is trained and scored is not in {results}/: "
            "run make reproduce first, or name a checkpoint"
        )
    if len(found) > 1:
        raise ValueError(f"there are models of {' and '.join(found)} in {results}/: say which by --synth")
    return closest(*found.values())


def _is_trained(name: str, kind: type) -> bool:
    """Whether that of a folder of results is a model of a kind, and neither a control nor of another version of this code."""
    known = model_of(name) in models.names() and not is_control(name)
    return known and issubclass(models.find(model_of(name)), kind)


def closest(checkpoints: Iterable[Path]) -> Path:
    """Choose among models that are scored that whose sounds were closest in its run."""

    def distance(checkpoint: Path) -> float:
        table = pd.read_csv(checkpoint.with_name("scores.csv"))
        return float(table.loc[table["metric"] == PRIMARY_METRIC, "value"].mean())

    return min(checkpoints, key=distance)


def open_model(checkpoint: Path) -> Trained:
    """Load a trained model and read from its run what it was trained with.

    Raises:
        ValueError: If the checkpoint is not in the folder of a run, or its sounds are gone.
    """
    fold = checkpoint.absolute().parents[1]
    run, number = fold.parents[1], fold.name.removeprefix("fold")
    audio, features = (sorted((run / kind).glob("*.h5")) for kind in ("audio", "features"))
    split = run / "split" / f"{fold.parent.name}.csv"
    if not (audio and features and split.exists() and number.isdigit()):
        raise ValueError(f"{checkpoint} is in no run: expected results/BUDGET/DATA/SPLIT/foldN/MODEL/, and {run}/audio")
    synth, names = dataset(run.name)
    with hdf5.reading(features[0]) as file:
        made = hdf5.settings(file)
    train, test = (part(split, int(number), name, features, names) for name in ("train", "test"))
    model, _ = load(checkpoint)
    note = Note(**{field: made[field] for field in Note.__dataclass_fields__})
    chosen = {name: made[name] for name in DEFAULTS}
    called = read_table(run / "presets.csv", synth).set_index("id")["name"]
    return Trained(checkpoint, model, synth, names, note, chosen, usual_level(audio, train.ids), train, test, called)
