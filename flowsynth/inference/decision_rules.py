"""Decision rules: one preset from several draws of a density, without any rendering.

A draw and a point estimate have different purposes: a draw is one plausible preset, and has about twice the squared error
of the mean. These rules make densities comparable with models that predict one preset:

=============  ====================================================================================================
rule           decision
=============  ====================================================================================================
``mean``       mean of each parameter, which minimises the expected squared error
``median``     median of each parameter, which minimises the expected absolute error
``medoid``     the draw with the smallest mean absolute difference from all draws
``mode``       the draw with the highest density
``ranked``     the draw whose sound, predicted by a surrogate of the synthesizer, is the closest to the target
``descended``  the closest preset after a descent of the surrogate from draws and training presets
=============  ====================================================================================================

Of a category, the mean and the median are its most frequent value; two values differ by 1.

References:
    Berger 1985, "Statistical decision theory and Bayesian analysis": Bayes rules of losses.
"""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from flowsynth.data.distances import log_mel_distances
from flowsynth.models.base import HasDensity, Model
from flowsynth.models.surrogates.base import Surrogate
from flowsynth.synths.parameter_space import ParameterSpace

Draws = Float[np.ndarray, "draws items parameters"]
Decisions = Float[np.ndarray, "items parameters"]


def mean(draws: Draws, space: ParameterSpace) -> Decisions:
    """Return the mean of each parameter."""
    return _with_categories(draws.mean(axis=0, dtype=np.float64), draws, space)


def median(draws: Draws, space: ParameterSpace) -> Decisions:
    """Return the median of each parameter."""
    return _with_categories(np.median(draws, axis=0), draws, space)


def medoid(draws: Draws, space: ParameterSpace) -> Decisions:
    """Return the draw with the smallest mean absolute difference from all draws."""
    category = np.array([kind == "category" for kind in space.kinds])
    steps = np.array([steps or 2 for steps in space.steps])
    # flows on a latent draw categories as continuous values, which rendering rounds
    values = np.where(category, np.rint(draws * (steps - 1)), draws.astype(np.float64))
    rows = []
    for item in values.swapaxes(0, 1):
        difference = np.abs(item[:, None] - item)
        rows.append(np.where(category, difference > 0, difference).sum(axis=(1, 2)).argmin())
    return _chosen(draws, np.array(rows))


def mode(draws: Draws, mel: Float[Tensor, "items mels frames"], model: Model) -> Decisions:
    """Return the draw with the highest density.

    Raises:
        ValueError: If the model has no density, or it is not a number.
    """
    if not isinstance(model, HasDensity):
        raise ValueError(f"{type(model).__name__} has no density: a mode needs a model with the method log_prob")
    log_prob = model.log_prob(mel, torch.from_numpy(draws).to(mel))
    if log_prob.isnan().any():
        raise ValueError(f"the density of {type(model).__name__} is not a number")
    return _chosen(draws, log_prob.argmax(dim=0).cpu().numpy())


def ranked(draws: Draws, mel: Float[Tensor, "items mels frames"], surrogate: Surrogate) -> Decisions:
    """Return the draw whose predicted sound is the closest to the target."""
    rows = []
    for item, target in enumerate(mel):
        predicted = surrogate.predict_mel(torch.from_numpy(draws[:, item]).to(mel))
        rows.append(int(log_mel_distances(predicted, target).argmin()))
    return _chosen(draws, np.array(rows))


def descended(draws: Draws, mel: Float[Tensor, "items mels frames"], surrogate: Surrogate) -> Decisions:
    """Return the closest preset after a descent of a surrogate from the draws and its training presets."""
    starts = torch.from_numpy(draws).to(mel)
    presets = [surrogate.descend(target, starts[:, item], 1)[0] for item, target in enumerate(mel)]
    return torch.stack(presets).cpu().numpy()


def decision(
    rule: str, surrogate: Surrogate | None = None
) -> Callable[[Model, Float[Tensor, "items mels frames"], Draws], Decisions]:
    """Return the function of a model, target spectrograms and draws that applies a rule.

    Args:
        rule: Name of the rule, see above.
        surrogate: The surrogate of the last two rules; ignored by the others.

    Raises:
        ValueError: If there is no such rule, or it lacks its surrogate.
    """
    match rule:
        case "mean":
            return lambda model, mel, draws: mean(draws, model.parameter_space)
        case "median":
            return lambda model, mel, draws: median(draws, model.parameter_space)
        case "medoid":
            return lambda model, mel, draws: medoid(draws, model.parameter_space)
        case "mode":
            return lambda model, mel, draws: mode(draws, mel, model)
        case "ranked" if surrogate is not None:
            return lambda model, mel, draws: ranked(draws, mel, surrogate)
        case "descended" if surrogate is not None:
            return lambda model, mel, draws: descended(draws, mel, surrogate)
    raise ValueError(
        f"decision rule {rule!r}, expected mean, median, medoid, mode, or with a surrogate ranked or descended"
    )


def _chosen(draws: Draws, rows: Int[np.ndarray, " items"]) -> Decisions:
    return draws[rows, np.arange(draws.shape[1])]


def _with_categories(values: Decisions, draws: Draws, space: ParameterSpace) -> Decisions:
    """Replace categories by their most frequent values, the lowest of several."""
    for column, (kind, steps) in enumerate(zip(space.kinds, space.steps, strict=True)):
        if kind == "category" and steps is not None:
            indices = np.rint(draws[:, :, column] * (steps - 1)).astype(int)
            counts = [np.bincount(item, minlength=steps) for item in indices.T]
            values[:, column] = np.argmax(counts, axis=1) / (steps - 1)
    return values.astype(np.float32)
