"""Select the test items shown on pages and in figures."""

from pathlib import Path

from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv
from flowsynth.evaluation.example_selection import select
from flowsynth.evaluation.summary import gather

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    scores = gather([Path(snakemake.input.scores)])
    write_csv(select(scores, snakemake.params.seed), Path(snakemake.output[0]), seed=snakemake.params.seed)
