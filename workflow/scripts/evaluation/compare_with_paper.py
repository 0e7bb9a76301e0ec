"""Compare our scores with the paper's."""

from pathlib import Path

from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv, write_text
from flowsynth.core.readers import read_csv
from flowsynth.evaluation.paper_comparison import markdown, with_published
from flowsynth.evaluation.summary import gather
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    inputs = snakemake.input
    scores = gather([Path(inputs.scores)])
    published, reasons = read_csv(Path(inputs.published)), read_csv(Path(inputs.reasons))
    _, names = dataset(snakemake.wildcards.dataset)
    table = with_published(scores, published, reasons, len(names))
    write_csv(table, Path(snakemake.output.csv))
    write_text(Path(snakemake.output.md), markdown(table))
