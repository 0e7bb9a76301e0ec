"""Test the significance of the differences between models."""

from pathlib import Path

from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv
from flowsynth.evaluation.statistics import anova, compare
from flowsynth.evaluation.summary import gather

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    scores = gather([Path(snakemake.input.scores)])
    write_csv(anova(scores), Path(snakemake.output.anova))
    seed = snakemake.params.seed
    write_csv(compare(scores, seed), Path(snakemake.output.comparisons), seed=seed)
