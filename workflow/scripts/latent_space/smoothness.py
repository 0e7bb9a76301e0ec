"""Measure the smoothness of latent dimensions and parameters."""

from pathlib import Path

import torch

from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv
from flowsynth.latent_space.rendered import read_rendered
from flowsynth.latent_space.smoothness import measure_controls, summarise

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    torch.set_num_threads(snakemake.threads)
    pairs = zip(snakemake.input.vectors, snakemake.input.audio, strict=True)
    latent, native = (read_rendered(Path(vectors), Path(audio)) for vectors, audio in pairs)
    rows = measure_controls(latent, native)
    write_csv(rows, Path(snakemake.output.lines))
    write_csv(summarise(rows, snakemake.params.seed), Path(snakemake.output.summary), seed=snakemake.params.seed)
