"""Compute the symmetry-aware parameter errors."""

from pathlib import Path

import numpy as np

from flowsynth.core.hdf5 import reading
from flowsynth.core.layout import SystemPaths
from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv
from flowsynth.evaluation.symmetry import audible_mse, summarise_errors
from flowsynth.metrics.parameters import category_accuracy, parameter_mse
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    synth, names = dataset(snakemake.wildcards.dataset)
    space = synth.space(names)
    category = np.array([kind == "category" for kind in space.kinds])
    steps = np.array([count or 0 for count in space.steps])[category]
    errors: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    correct: dict[str, list[np.ndarray]] = {}
    for path in map(Path, snakemake.input.predictions):
        with reading(path) as file:
            truth, estimate = file["values"][:], file["estimates"][:, 0]
        plain, audible = parameter_mse(truth, estimate), audible_mse(synth, names, truth, estimate)
        errors.setdefault(SystemPaths.parse(path).name, []).append((plain, audible))
        if category.any():
            accuracy = category_accuracy(truth[:, category], estimate[:, category], steps)
            correct.setdefault(SystemPaths.parse(path).name, []).append(accuracy)
    all_folds = {
        model: tuple(np.concatenate(parts) for parts in zip(*folds, strict=True)) for model, folds in errors.items()
    }
    table = summarise_errors(all_folds)
    table["category_accuracy"] = table["model"].map(
        {name: np.concatenate(folds).mean() for name, folds in correct.items()}
    )
    write_csv(table, Path(snakemake.output[0]))
