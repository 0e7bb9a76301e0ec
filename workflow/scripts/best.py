"""Keep the best of a model's answers."""

from pathlib import Path

import numpy as np

from flowsynth.core.progress import job, log
from flowsynth.inference.best_of_n import best
from flowsynth.rendering.host import Note
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0])):
    given = snakemake.input
    note, timeout = Note(**snakemake.params.render), snakemake.config["render"]["timeout"]
    synth, _ = dataset(snakemake.wildcards.dataset)
    path = Path(snakemake.output.predictions)
    targets = [Path(target) for target in given.targets]
    distances = best(synth, note, Path(given.candidates), targets, snakemake.params.features, timeout, path)
    means = np.mean(distances[:, 0]), np.mean(distances.min(axis=1))
    log.info("best %s: log-mel L1 of the first answer %.3f, of the best %.3f", path, *means)
