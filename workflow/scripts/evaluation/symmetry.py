"""Compute the symmetry-aware parameter errors."""

from pathlib import Path

import numpy as np

from flowsynth.core.hdf5 import reading
from flowsynth.core.layout import SystemPaths
from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv
from flowsynth.evaluation.symmetry import audible_mse, summarise_errors
from flowsynth.metrics.parameters import parameter_mse
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    synth, names = dataset(snakemake.wildcards.dataset)
    errors: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for path in map(Path, snakemake.input.predictions):
        with reading(path) as file:
            truth, estimate = file["values"][:], file["estimates"][:, 0]
        plain, audible = parameter_mse(truth, estimate), audible_mse(synth, names, truth, estimate)
        errors.setdefault(SystemPaths.parse(path).name, []).append((plain, audible))
    all_folds = {
        model: tuple(np.concatenate(parts) for parts in zip(*folds, strict=True)) for model, folds in errors.items()
    }
    write_csv(summarise_errors(all_folds), Path(snakemake.output[0]))
