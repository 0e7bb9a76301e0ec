"""Measure the calibration of models that draw presets."""

from pathlib import Path

import numpy as np
import pandas as pd

from flowsynth.core.hdf5 import reading
from flowsynth.core.layout import SystemPaths
from flowsynth.core.progress import job, log
from flowsynth.core.provenance import write_csv
from flowsynth.data.dataset import part
from flowsynth.evaluation.calibration import calibration_table, coverage, ranks
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    inputs, params = snakemake.input, snakemake.params
    _, names = dataset(snakemake.wildcards.dataset)
    train = part(Path(inputs.split), 0, "train", [Path(path) for path in inputs.features], names).all()
    prior = train.values.numpy().std(axis=0)
    tables, curves = [], []
    for system in params.systems:
        folds = []
        for path in [Path(path) for path in inputs.candidates if SystemPaths.parse(Path(path)).name == system]:
            with reading(path) as file:
                folds.append((file["values"][:], file["estimates"][:]))
        truth, draws = (np.concatenate(arrays) for arrays in zip(*folds, strict=True))
        if (draws == draws[:, :1]).all():
            log.info("calibration: %s is deterministic and skipped", system)
            continue
        tables.append(calibration_table(system, names, truth, draws, prior, params.seed))
        curve = coverage(ranks(truth, draws, params.seed).flatten(), draws.shape[1])
        curves.append(curve.assign(model=system)[["model", "expected", "found"]])
    if not tables:
        raise ValueError(f"all of {', '.join(params.systems)} are deterministic, expected a model that draws presets")
    write_csv(pd.concat(tables), Path(snakemake.output.table), seed=params.seed)
    write_csv(pd.concat(curves), Path(snakemake.output.coverage), seed=params.seed)
