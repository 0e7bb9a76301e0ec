"""Presets along lines in the latent space of a model: what its figures show and its experiments measure.

Each kind of exploration is a function from a `Subject` to `Vectors`: lines of several steps, each step a latent and the
preset that the model answers it with. They are written as answers of a model are (`flowsynth.inference.predict`), a line as
an item and its steps as samples, so that `flowsynth.rendering.resynthesis` plays them.

References:
    Esling et al. 2019: macro-controls, neighbourhoods of noise N(0, 0.1), interpolation, semantic dimension. Dimensions go
    from -3 to 3 as in its figures; the published code has 4.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from flowsynth.core import hdf5
from flowsynth.core.seeding import derive_seed
from flowsynth.data.dataset import Items
from flowsynth.evaluation.example_selection import selected_items
from flowsynth.models.autoencoders.base import LatentModel
from flowsynth.training.checkpoints import load

REACH = 3.0  # a dimension goes from -REACH to REACH, where its prior has 99.7 % of its mass
STEPS = 8
NEIGHBOURS = 5
SPREAD = 0.1  # standard deviation of the noise that makes neighbours
PAIR = ("best", "typical")  # roles of the two sounds of neighbourhoods and interpolation


@dataclass(frozen=True)
class Subject:
    """What is explored.

    Attributes:
        model: With a latent.
        items: The test part.
        chosen: Items by role, as made by `flowsynth.evaluation.example_selection.select`.
        seed: Of neighbours, and of what is random in an answer.
    """

    model: LatentModel
    items: Items
    chosen: pd.DataFrame
    seed: int

    def presets(self, z: Float[Tensor, "lines steps latent"]) -> Float[Tensor, "lines steps parameters"]:
        """Answer latents; what is random in an answer is the same for all of them, so that they differ by latents alone."""
        torch.manual_seed(derive_seed(self.seed, "explore"))
        return self.model.answer(z.flatten(0, 1), 1)[0].unflatten(0, z.shape[:2])

    def latents(self, ids: Sequence[str]) -> Float[Tensor, "items latent"]:
        """The latent of each sound."""
        places = {name: row for row, name in enumerate(self.items.ids)}
        return self.model.encode(self.items.all().mel[[places[i] for i in ids]])

    def true(self, ids: Sequence[str]) -> Float[Tensor, "items parameters"]:
        """The presets that sounds were made with."""
        places = {name: row for row, name in enumerate(self.items.ids)}
        return self.items.all().values[[places[i] for i in ids]]


@dataclass(frozen=True)
class Vectors:
    """Lines of presets.

    Attributes:
        ids: Of the lines.
        truth: A preset to compare each line with: that of the sound it belongs to, or that of the point it goes through.
        estimates: The presets of the steps.
        latent: Of the steps; NaN on a line that is not in the latent space.
    """

    ids: list[str]
    truth: Float[Tensor, "lines parameters"]
    estimates: Float[Tensor, "lines steps parameters"]
    latent: Float[Tensor, "lines steps latent"]


def swept(
    points: Float[Tensor, "items dim"], axes: Sequence[int], low: float, high: float
) -> Float[Tensor, "lines steps dim"]:
    """Move points along axes from `low` to `high`: a line for each point and axis, in this order."""
    lines = points[:, None, None].repeat(1, len(axes), STEPS, 1)
    for place, axis in enumerate(axes):
        lines[:, place, :, axis] = torch.linspace(low, high, STEPS)
    return lines.flatten(0, 1)


def space(subject: Subject) -> Vectors:
    """Where the sounds of the test part are: lines of one step, to be mapped rather than heard."""
    ids = list(subject.items.ids)
    z = subject.latents(ids)[:, None]
    return Vectors(ids, subject.true(ids), subject.presets(z), z)


def macro_controls(subject: Subject) -> Vectors:
    """Each dimension of the latent in turn, the others 0; the truth is the preset of the origin."""
    return _from_origin(subject, range(subject.model.latent))


def semantic(subject: Subject) -> Vectors:
    """The first dimension alone, which of some models goes from one word of a pair to the other."""
    return _from_origin(subject, [0])


def _from_origin(subject: Subject, dimensions: Sequence[int]) -> Vectors:
    origin = torch.zeros(1, subject.model.latent)
    z = swept(origin, dimensions, -REACH, REACH)
    truth = subject.presets(origin[None])[0].expand(len(z), -1)
    return Vectors([f"z{d}" for d in dimensions], truth, subject.presets(z), z)


def neighbourhood(subject: Subject) -> Vectors:
    """Two sounds: each its own latent, and then neighbours of it."""
    ids = selected_items(subject.chosen, *PAIR)
    noise = torch.zeros(len(ids), 1 + NEIGHBOURS, subject.model.latent)
    for row, name in enumerate(ids):
        torch.manual_seed(derive_seed(subject.seed, "neighbourhood", name))
        noise[row, 1:] = SPREAD * torch.randn_like(noise[row, 1:])
    z = subject.latents(ids)[:, None] + noise
    return Vectors(ids, subject.true(ids), subject.presets(z), z)


def interpolation(subject: Subject) -> Vectors:
    """From one sound to another on two straight lines with the same ends, ``latent`` and ``parameters``, each in its space.

    The truth of both is the preset of the first sound.
    """
    ids = selected_items(subject.chosen, *PAIR)
    z = straight(subject.latents(ids))
    presets = subject.presets(z[None])[0]
    both = torch.stack([presets, straight(presets[[0, -1]])])
    nowhere = torch.full_like(z, torch.nan)
    truth = subject.true(ids)[:1].expand(2, -1)
    return Vectors(["latent", "parameters"], truth, both, torch.stack([z, nowhere]))


def straight(ends: Float[Tensor, "2 dim"]) -> Float[Tensor, "steps dim"]:
    """Points at equal distances from one end to the other."""
    return torch.lerp(ends[:1], ends[1:], torch.linspace(0, 1, STEPS)[:, None])


def smoothness_latent(subject: Subject) -> Vectors:
    """Each dimension of the latents of some sounds; the truth is the preset that the model answers the sound with."""
    ids, dimensions = selected_items(subject.chosen, "drawn"), range(subject.model.latent)
    centre = subject.latents(ids)
    z = swept(centre, dimensions, -REACH, REACH)
    truth = subject.presets(centre[:, None])[:, 0].repeat_interleave(len(dimensions), dim=0)
    return Vectors([f"{i}/z{d}" for i in ids for d in dimensions], truth, subject.presets(z), z)


def smoothness_native(subject: Subject) -> Vectors:
    """Each parameter, from 0 to 1, of the presets that the model answers the same sounds with: these are the truth."""
    ids, names = selected_items(subject.chosen, "drawn"), subject.items.names
    centre = subject.presets(subject.latents(ids)[:, None])[:, 0]
    presets = swept(centre, range(len(names)), 0.0, 1.0)
    truth = centre.repeat_interleave(len(names), dim=0)
    nowhere = torch.full((*presets.shape[:2], subject.model.latent), torch.nan)
    return Vectors([f"{i}/{name}" for i in ids for name in names], truth, presets, nowhere)


KINDS: dict[str, Callable[[Subject], Vectors]] = {
    kind.__name__: kind
    for kind in (space, macro_controls, semantic, neighbourhood, interpolation, smoothness_latent, smoothness_native)
}


def explore(kind: str, checkpoint: Path, items: Items, chosen: pd.DataFrame, seed: int, path: Path) -> None:
    """Write an exploration: ``values`` (the truth), ``estimates`` (lines x steps x parameters, in [0, 1]), ``latent``.

    Args:
        kind: One of `KINDS`.
        checkpoint: Of a fitted model with a latent.
        items: The test part.
        chosen: Items by role, as made by `flowsynth.evaluation.example_selection.select`; not every kind needs them.
        seed: Of neighbours, and of what is random in an answer.
        path: Of the file to write.

    Raises:
        ValueError: If the model has no latent, was fitted to other parameters, or answers outside [0, 1].
    """
    model, names = load(checkpoint)
    if not isinstance(model, LatentModel):
        raise ValueError(f"{type(model).__name__} has no latent to explore; take one that has, such as vae or flow_reg")
    if tuple(names) != items.names:
        raise ValueError(f"{checkpoint} infers {names}, expected {list(items.names)}")
    with torch.no_grad():
        found = KINDS[kind](Subject(model, items, chosen, seed))
    estimates = found.estimates.numpy()
    if not ((estimates >= 0) & (estimates <= 1)).all():
        raise ValueError(f"{checkpoint} answers {estimates.min()} to {estimates.max()}, expected 0..1")
    settings = {"checkpoint": str(checkpoint), "kind": kind, "seed": seed}
    with hdf5.writing(path, found.ids, np.asarray(found.truth), items.names, settings) as file:
        hdf5.add_items(file, "estimates", estimates.shape[1:])[:] = estimates
        hdf5.add_items(file, "latent", found.latent.shape[1:])[:] = found.latent.numpy()
