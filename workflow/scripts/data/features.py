"""Compute the log-mel spectrograms of one shard."""

from pathlib import Path

import torch

from flowsynth.core.progress import job
from flowsynth.data.features import extract

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    torch.set_num_threads(snakemake.threads)
    extract(Path(snakemake.input.audio), Path(snakemake.output.features), snakemake.params.features)
