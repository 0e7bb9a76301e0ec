"""Symmetry-aware parameter error: inactive parameters, and presets that are equivalent by symmetry, count as no error.

The specification of a synthesizer declares both (`flowsynth.synths.spec.Inactive`, `flowsynth.synths.spec.Symmetry`).
The error of a parameter that is inactive in the true preset is zero, and the error is taken to the nearest symmetric
image of the true preset. The remaining error is an upper bound of the audible one, as the declarations are not
complete.

References:
    Hayes et al. 2025, "Audio synthesizer inversion in symmetric parameter spaces with approximately equivariant flow
    matching": errors up to permutations.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from flowsynth.synths.spec import Synth

TOLERANCE = 1e-6  # largest difference of equal normalised values

Presets = Float[np.ndarray, "items all"]


def satisfies(synth: Synth, values: Presets, condition: Mapping[str, float]) -> Bool[np.ndarray, " items"]:
    """Test which presets have certain parameter values.

    Args:
        synth: Synthesizer of the presets.
        values: Values of all parameters, in [0, 1].
        condition: Values by parameter name, in the units of preset files.
    """
    satisfied = np.ones(len(values), dtype=bool)
    for name, value in condition.items():
        column = synth.names.index(name)
        satisfied &= np.abs(values[:, column] - synth.parameters[column].normalise(value)) <= TOLERANCE
    return satisfied


def active_parameters(synth: Synth, values: Presets) -> Bool[np.ndarray, "items all"]:
    """Mark the parameters of presets that may affect the sound.

    Args:
        synth: Synthesizer of the presets.
        values: Values of all parameters, in [0, 1].
    """
    active = np.ones(values.shape, dtype=bool)
    for rule in synth.inactive:
        rows = satisfies(synth, values, rule.when)
        active[np.ix_(rows, np.array(synth.columns(rule.parameters)))] = False
    return active


def symmetry_images(synth: Synth, values: Presets) -> Float[np.ndarray, "images items all"]:
    """Compute all images of presets under the symmetries, the presets themselves first.

    Presets to which a symmetry does not apply are unchanged by it. Images that are equal for all presets are given once.

    Args:
        synth: Synthesizer of the presets.
        values: Values of all parameters, in [0, 1].
    """
    images = [values]
    for rule in synth.symmetries:
        for image in list(images):
            rows = satisfies(synth, image, rule.when)
            if not rows.any():
                continue
            new_image = image.copy()
            for pair in rule.exchange:
                first, second = synth.columns(pair)
                new_image[rows, first], new_image[rows, second] = image[rows, second], image[rows, first]
            for column in synth.columns(rule.mirror):
                new_image[rows, column] = 1 - image[rows, column]
            if not any(np.array_equal(new_image, other) for other in images):
                images.append(new_image)
    return np.stack(images)


def audible_mse(
    synth: Synth,
    names: tuple[str, ...],
    reference: Float[np.ndarray, "items parameters"],
    estimate: Float[np.ndarray, "items parameters"],
) -> Float[np.ndarray, " items"]:
    """Compute the symmetry-aware mean squared error of the parameters.

    Args:
        synth: Synthesizer of the presets.
        names: Names of the inferred parameters; images of the true preset that differ in other parameters are excluded.
        reference: True values, in [0, 1].
        estimate: Predicted values, in [0, 1].

    Returns:
        One value per item, never above the plain mean squared error.
    """
    columns, full = synth.columns(names), synth.expand(reference, names).astype(np.float64)
    others = np.setdiff1d(np.arange(full.shape[1]), columns)
    smallest = np.full(len(full), np.inf)
    for rows in _same_symmetries(synth, full):
        for image in symmetry_images(synth, full[rows]):
            active = active_parameters(synth, image)[:, columns]
            error = np.where(active, (image[:, columns] - estimate[rows]) ** 2, 0).mean(axis=1)
            reachable = (np.abs(image[:, others] - full[np.ix_(rows, others)]) <= TOLERANCE).all(axis=1)
            smallest[rows] = np.minimum(smallest[rows], np.where(reachable, error, np.inf))
    return smallest


def _same_symmetries(synth: Synth, values: Presets) -> list[Int[np.ndarray, " some"]]:
    """Group the presets by the symmetries that apply, since the number of images grows with that of different rules."""
    applies = np.array([satisfies(synth, values, rule.when) for rule in synth.symmetries], dtype=bool)
    applies = applies.reshape(len(synth.symmetries), len(values))
    group = np.unique(applies, axis=1, return_inverse=True)[1].ravel() if len(applies) else np.zeros(len(values), int)
    return [np.flatnonzero(group == number) for number in np.unique(group)]


def summarise_errors(errors: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> pd.DataFrame:
    """Summarise the errors of models.

    Args:
        errors: The plain mean squared error and that of `audible_mse` for each item, by model.

    Returns:
        Columns model, items, plain, audible (means over items), inaudible (share of the plain error).
    """
    rows = []
    for model, (plain, audible) in errors.items():
        share = 1 - audible.mean() / plain.mean() if plain.any() else 0.0
        rows.append((model, len(plain), float(plain.mean()), float(audible.mean()), float(share)))
    return pd.DataFrame(rows, columns=["model", "items", "plain", "audible", "inaudible"])
