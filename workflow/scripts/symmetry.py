"""Say how much of the errors of parameters could be heard."""

from pathlib import Path

import numpy as np

from flowsynth.core.hdf5 import reading
from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv
from flowsynth.evaluation.symmetry import audible_mse, table
from flowsynth.metrics.parameters import parameter_mse
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0])):
    synth, names = dataset(snakemake.wildcards.dataset)
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for path in map(Path, snakemake.input.predictions):
        with reading(path) as file:
            truth, estimate = file["values"][:], file["estimates"][:, 0]
        errors = parameter_mse(truth, estimate), audible_mse(synth, names, truth, estimate)
        found.setdefault(path.parent.name, []).append(errors)
    joined = {
        model: tuple(np.concatenate(parts) for parts in zip(*folds, strict=True)) for model, folds in found.items()
    }
    write_csv(table(joined), Path(snakemake.output[0]))
