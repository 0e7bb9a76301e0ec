"""Tell a model what its answers sounded like, and keep the best of what it then answers."""

from pathlib import Path

import torch

from flowsynth.core.progress import job
from flowsynth.inference.surrogate_search import correct
from flowsynth.rendering.host import Note
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0])):
    torch.set_num_threads(snakemake.threads)
    given, params = snakemake.input, snakemake.params
    note, timeout = Note(**snakemake.params.render), snakemake.config["render"]["timeout"]
    synth, _ = dataset(snakemake.wildcards.dataset)
    correct(
        synth, note, Path(given.checkpoint), Path(given.candidates), [Path(path) for path in given.targets],
        params.features, int(snakemake.wildcards.renderings), timeout, Path(snakemake.output.predictions),
        params.accelerator,
    )  # fmt: skip
