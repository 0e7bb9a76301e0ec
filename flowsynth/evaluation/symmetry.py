"""How much of an error of parameters could not be heard: parameters that do nothing, and presets that sound the same.

A synthesizer's table declares both (`flowsynth.synths.spec.Inactive`, `flowsynth.synths.spec.Symmetry`). An error of a
parameter that is inactive in the true preset is counted as none, and of all presets that the declared symmetries make of
the true one the nearest counts. What remains is an error that may be heard; it need not be, as what is declared is not all
there is.

References:
    Hayes et al. 2025, "Audio synthesizer inversion in symmetric parameter spaces with approximately equivariant flow
    matching": errors up to permutations.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from flowsynth.synths.spec import Synth

NEAR = 1e-6  # normalised values that differ by no more are equal

Full = Float[np.ndarray, "items all"]


def holds(synth: Synth, values: Full, when: Mapping[str, float]) -> Bool[np.ndarray, " items"]:
    """Whether presets have certain values.

    Args:
        synth: Of the presets.
        values: Full vectors, in [0, 1].
        when: Values by name, in the units of preset files.
    """
    found = np.ones(len(values), dtype=bool)
    for name, value in when.items():
        column = synth.names.index(name)
        found &= np.abs(values[:, column] - synth.parameters[column].normalise(value)) <= NEAR
    return found


def active(synth: Synth, values: Full) -> Bool[np.ndarray, "items all"]:
    """Which parameters of presets may be heard.

    Args:
        synth: Of the presets.
        values: Full vectors, in [0, 1].
    """
    found = np.ones(values.shape, dtype=bool)
    for rule in synth.inactive:
        silent = holds(synth, values, rule.when)
        found[np.ix_(silent, np.array(synth.columns(rule.parameters)))] = False
    return found


def images(synth: Synth, values: Full) -> Float[np.ndarray, "images items all"]:
    """All presets that the symmetries make of presets, these first; where a symmetry does not hold it changes nothing.

    Args:
        synth: Of the presets.
        values: Full vectors, in [0, 1].
    """
    found = [values]
    for rule in synth.symmetries:
        for image in list(found):
            changed, rows = image.copy(), holds(synth, image, rule.when)
            for pair in rule.exchange:
                one, other = synth.columns(pair)
                changed[rows, one], changed[rows, other] = image[rows, other], image[rows, one]
            for column in synth.columns(rule.mirror):
                changed[rows, column] = 1 - image[rows, column]
            found.append(changed)
    return np.stack(found)


def audible_mse(
    synth: Synth,
    names: tuple[str, ...],
    reference: Float[np.ndarray, "items parameters"],
    estimate: Float[np.ndarray, "items parameters"],
) -> Float[np.ndarray, " items"]:
    """Mean squared error of the parameters, without what could not be heard.

    Args:
        synth: Of the presets.
        names: Of the inferred parameters; an image of the true preset that differs in others does not count.
        reference: The true values, in [0, 1].
        estimate: The answers.

    Returns:
        One value an item, never above the plain mean squared error.
    """
    columns, full = synth.columns(names), synth.expand(reference, names).astype(np.float64)
    others = np.setdiff1d(np.arange(full.shape[1]), columns)
    least = np.full(len(full), np.inf)
    for image in images(synth, full):
        error = np.where(active(synth, image)[:, columns], (image[:, columns] - estimate) ** 2, 0).mean(axis=1)
        reachable = (np.abs(image[:, others] - full[:, others]) <= NEAR).all(axis=1)
        least = np.minimum(least, np.where(reachable, error, np.inf))
    return least


def table(errors: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> pd.DataFrame:
    """Sum up the errors of models.

    Args:
        errors: By model: the plain mean squared error of each item, and the one of `audible_mse`.

    Returns:
        Columns model, items, plain, audible (means over items), inaudible (share of the plain error).
    """
    rows = []
    for model, (plain, audible) in errors.items():
        share = 1 - audible.mean() / plain.mean() if plain.any() else 0.0
        rows.append((model, len(plain), float(plain.mean()), float(audible.mean()), float(share)))
    return pd.DataFrame(rows, columns=["model", "items", "plain", "audible", "inaudible"])
