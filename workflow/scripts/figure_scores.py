"""Draw the figure of scores."""

from pathlib import Path

from flowsynth.figures import save, scores
from flowsynth.progress import job
from flowsynth.tables import gather

with job(Path(snakemake.log[0])):
    table = gather([Path(snakemake.input.scores)])
    title = f"{snakemake.wildcards.dataset}, budget {snakemake.wildcards.budget}: folds (dots), items (quartiles)"
    save(scores(table, snakemake.params.models, title), Path(snakemake.output[0]))
