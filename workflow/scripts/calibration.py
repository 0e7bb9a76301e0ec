"""Say how well the models that draw presets are calibrated."""

from pathlib import Path

import numpy as np
import pandas as pd

from flowsynth.core.hdf5 import reading
from flowsynth.core.progress import job, log
from flowsynth.core.provenance import write_csv
from flowsynth.data.dataset import part
from flowsynth.evaluation.calibration import coverage, ranks, table
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0])):
    given, params = snakemake.input, snakemake.params
    _, names = dataset(snakemake.wildcards.dataset)
    train = part(Path(given.split), 0, "train", [Path(path) for path in given.features], names).all()
    prior = train.values.numpy().std(axis=0)
    tables, curves = [], []
    for system in params.systems:
        found = []
        for path in [Path(path) for path in given.candidates if Path(path).parent.name == system]:
            with reading(path) as file:
                found.append((file["values"][:], file["estimates"][:]))
        truth, draws = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
        if (draws == draws[:, :1]).all():
            log.info("calibration: %s has one answer to each sound, there is nothing to calibrate", system)
            continue
        tables.append(table(system, names, truth, draws, prior, params.seed))
        curve = coverage(ranks(truth, draws, params.seed).flatten(), draws.shape[1])
        curves.append(curve.assign(model=system)[["model", "expected", "found"]])
    if not tables:
        raise ValueError(f"none of {', '.join(params.systems)} draws several answers: there is nothing to calibrate")
    write_csv(pd.concat(tables), Path(snakemake.output.table), seed=params.seed)
    write_csv(pd.concat(curves), Path(snakemake.output.coverage), seed=params.seed)
