"""Latent traversals: presets along lines in the latent space of a model, for figures and smoothness measurements.

Each kind of traversal is a function from a `LatentSpace` to `Traversals`: lines of several steps, each with a latent and the
preset predicted from it. They are written in the format of predictions (`flowsynth.inference.predict`), with a line as an
item and its steps as samples, so that `flowsynth.rendering.resynthesis` renders them.

References:
    Esling et al. 2019: macro-controls, neighbourhoods of noise N(0, 0.1), interpolation, semantic dimension. Dimensions range
    from -3 to 3 as in its figures; the published code uses 4.
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

LATENT_LIMIT = 3.0  # a dimension ranges over +-LATENT_LIMIT, which contains 99.7 % of the mass of the prior
LINE_STEPS = 8  # steps of a line
NEIGHBOURS = 5
NEIGHBOUR_STD = 0.1  # standard deviation of the noise between neighbours
PAIR_ROLES = ("best", "typical")  # roles of the two sounds of neighbourhoods and interpolation


@dataclass(frozen=True)
class LatentSpace:
    """Latent space of a model with the sounds of the test set.

    Attributes:
        model: Model with a latent space.
        items: Test set.
        selection: Items by role, as returned by `flowsynth.evaluation.example_selection.select`.
        seed: Seed of neighbours and of sampled predictions.
    """

    model: LatentModel
    items: Items
    selection: pd.DataFrame
    seed: int

    def presets(self, z: Float[Tensor, "lines steps latent"]) -> Float[Tensor, "lines steps parameters"]:
        """Predict presets from latents with common random numbers, so that they differ by the latents alone."""
        torch.manual_seed(derive_seed(self.seed, "explore"))
        return self.model.decode_parameters(z.flatten(0, 1), 1)[0].unflatten(0, z.shape[:2])

    def latents(self, ids: Sequence[str]) -> Float[Tensor, "items latent"]:
        """Encode sounds."""
        return self.model.encode(self.items.all().mel[self._rows(ids)])

    def true_presets(self, ids: Sequence[str]) -> Float[Tensor, "items parameters"]:
        """Return the true presets of sounds."""
        return self.items.all().values[self._rows(ids)]

    def _rows(self, ids: Sequence[str]) -> list[int]:
        rows = {name: row for row, name in enumerate(self.items.ids)}
        return [rows[name] for name in ids]


@dataclass(frozen=True)
class Traversals:
    """Lines of presets.

    Attributes:
        ids: Ids of the lines.
        truth: Reference preset of each line: that of its sound, or of the point it passes through.
        estimates: Presets of the steps.
        latent: Latents of the steps; NaN on a line outside the latent space.
    """

    ids: list[str]
    truth: Float[Tensor, "lines parameters"]
    estimates: Float[Tensor, "lines steps parameters"]
    latent: Float[Tensor, "lines steps latent"]


def sweep(
    points: Float[Tensor, "items dim"], axes: Sequence[int], low: float, high: float
) -> Float[Tensor, "lines steps dim"]:
    """Sweep points along axes from `low` to `high`: one line per point and axis, in this order."""
    lines = points[:, None, None].repeat(1, len(axes), LINE_STEPS, 1)
    for column, axis in enumerate(axes):
        lines[:, column, :, axis] = torch.linspace(low, high, LINE_STEPS)
    return lines.flatten(0, 1)


def space(latent_space: LatentSpace) -> Traversals:
    """Latents of all sounds of the test set: lines of one step, for a map."""
    ids = list(latent_space.items.ids)
    z = latent_space.latents(ids)[:, None]
    return Traversals(ids, latent_space.true_presets(ids), latent_space.presets(z), z)


def macro_controls(latent_space: LatentSpace) -> Traversals:
    """Sweep each latent dimension with the others at 0; the reference is the preset of the origin."""
    return _sweep_origin(latent_space, range(latent_space.model.latent))


def semantic(latent_space: LatentSpace) -> Traversals:
    """Sweep the first dimension alone, which encodes a pair of semantic tags in some models."""
    return _sweep_origin(latent_space, [0])


def _sweep_origin(latent_space: LatentSpace, dimensions: Sequence[int]) -> Traversals:
    origin = torch.zeros(1, latent_space.model.latent)
    z = sweep(origin, dimensions, -LATENT_LIMIT, LATENT_LIMIT)
    truth = latent_space.presets(origin[None])[0].expand(len(z), -1)
    return Traversals([f"z{d}" for d in dimensions], truth, latent_space.presets(z), z)


def neighbourhood(latent_space: LatentSpace) -> Traversals:
    """Two sounds, each with its own latent followed by neighbours."""
    ids = selected_items(latent_space.selection, *PAIR_ROLES)
    noise = torch.zeros(len(ids), 1 + NEIGHBOURS, latent_space.model.latent)
    for row, name in enumerate(ids):
        torch.manual_seed(derive_seed(latent_space.seed, "neighbourhood", name))
        noise[row, 1:] = NEIGHBOUR_STD * torch.randn_like(noise[row, 1:])
    z = latent_space.latents(ids)[:, None] + noise
    return Traversals(ids, latent_space.true_presets(ids), latent_space.presets(z), z)


def interpolation(latent_space: LatentSpace) -> Traversals:
    """Interpolate between two sounds linearly in the latent space (``latent``) and in the parameter space (``parameters``).

    Both lines have the same ends; the reference of both is the preset of the first sound.
    """
    ids = selected_items(latent_space.selection, *PAIR_ROLES)
    z = interpolate(latent_space.latents(ids))
    presets = latent_space.presets(z[None])[0]
    estimates = torch.stack([presets, interpolate(presets[[0, -1]])])
    no_latent = torch.full_like(z, torch.nan)
    truth = latent_space.true_presets(ids)[:1].expand(2, -1)
    return Traversals(["latent", "parameters"], truth, estimates, torch.stack([z, no_latent]))


def interpolate(ends: Float[Tensor, "2 dim"]) -> Float[Tensor, "steps dim"]:
    """Return equidistant points from one end to the other."""
    return torch.lerp(ends[:1], ends[1:], torch.linspace(0, 1, LINE_STEPS)[:, None])


def parameter_change(estimates: Float[np.ndarray, "lines steps parameters"]) -> Float[np.ndarray, " lines"]:
    """Compute how much the presets of a line change: the mean over parameters of their standard deviation over steps."""
    return estimates.std(axis=1).mean(axis=1)


def smoothness_latent(latent_space: LatentSpace) -> Traversals:
    """Sweep each latent dimension from the latents of randomly selected sounds; the reference is the predicted preset."""
    ids, dimensions = selected_items(latent_space.selection, "drawn"), range(latent_space.model.latent)
    centre = latent_space.latents(ids)
    z = sweep(centre, dimensions, -LATENT_LIMIT, LATENT_LIMIT)
    truth = latent_space.presets(centre[:, None])[:, 0].repeat_interleave(len(dimensions), dim=0)
    return Traversals([f"{i}/z{d}" for i in ids for d in dimensions], truth, latent_space.presets(z), z)


def smoothness_native(latent_space: LatentSpace) -> Traversals:
    """Sweep each parameter of the presets predicted for the same sounds from 0 to 1; these presets are the reference."""
    ids, names = selected_items(latent_space.selection, "drawn"), latent_space.items.names
    centre = latent_space.presets(latent_space.latents(ids)[:, None])[:, 0]
    presets = sweep(centre, range(len(names)), 0.0, 1.0)
    truth = centre.repeat_interleave(len(names), dim=0)
    no_latent = torch.full((*presets.shape[:2], latent_space.model.latent), torch.nan)
    return Traversals([f"{i}/{name}" for i in ids for name in names], truth, presets, no_latent)


KINDS: dict[str, Callable[[LatentSpace], Traversals]] = {
    kind.__name__: kind
    for kind in (space, macro_controls, semantic, neighbourhood, interpolation, smoothness_latent, smoothness_native)
}


def traverse(kind: str, checkpoint: Path, items: Items, selection: pd.DataFrame, seed: int, path: Path) -> None:
    """Write traversals: ``values`` (reference), ``estimates`` (lines x steps x parameters, in [0, 1]) and ``latent``.

    Args:
        kind: One of `KINDS`.
        checkpoint: Checkpoint of a fitted model with a latent space.
        items: Test set.
        selection: Items by role, as returned by `flowsynth.evaluation.example_selection.select`; not used by every kind.
        seed: Seed of neighbours and of sampled predictions.
        path: Path of the file to write.

    Raises:
        ValueError: If the kind is unknown, or the model has no latent space, was fitted to other parameters, or predicts
            values outside [0, 1].
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind of traversals {kind!r}, expected one of: {', '.join(KINDS)}")
    model = load(checkpoint).model
    if not isinstance(model, LatentModel):
        raise ValueError(f"{type(model).__name__} has no latent space; use a model such as vae or flow_reg")
    if model.parameter_space.names != items.names:
        raise ValueError(f"{checkpoint} infers {list(model.parameter_space.names)}, expected {list(items.names)}")
    with torch.no_grad():
        traversals = KINDS[kind](LatentSpace(model, items, selection, seed))
    estimates = traversals.estimates.numpy()
    if not ((estimates >= 0) & (estimates <= 1)).all():
        raise ValueError(f"{checkpoint} predicts {estimates.min()} to {estimates.max()}, expected 0..1")
    settings = {"checkpoint": str(checkpoint), "kind": kind, "seed": seed}
    with hdf5.writing(path, traversals.ids, np.asarray(traversals.truth), items.names, settings) as file:
        hdf5.add_items(file, "estimates", estimates.shape[1:])[:] = estimates
        hdf5.add_items(file, "latent", traversals.latent.shape[1:])[:] = traversals.latent.numpy()
