"""Log-mel spectrograms of one shard."""

from pathlib import Path

import torch

from flowsynth.features import extract
from flowsynth.progress import job

with job(Path(snakemake.log[0])):
    torch.set_num_threads(snakemake.threads)
    extract(Path(snakemake.input.audio), Path(snakemake.output.features), snakemake.params.features)
