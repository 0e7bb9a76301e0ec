"""Select the best of N predictions of a model."""

from pathlib import Path

import numpy as np

from flowsynth.core.progress import job, log
from flowsynth.inference.best_of_n import select_best
from flowsynth.inference.search_task import RenderContext
from flowsynth.rendering.host import Note
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    inputs, params = snakemake.input, snakemake.params
    synth, _ = dataset(snakemake.wildcards.dataset)
    context = RenderContext(synth, Note(**params.render), snakemake.config["render"]["timeout"], params.features)
    path = Path(snakemake.output.predictions)
    distances = select_best(context, Path(inputs.candidates), [Path(target) for target in inputs.targets], path)
    means = np.mean(distances[:, 0]), np.mean(distances.min(axis=1))
    log.info("best %s: log-mel L1 of the first prediction %.3f, of the best %.3f", path, *means)
