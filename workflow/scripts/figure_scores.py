"""Draw the figure of scores."""

from pathlib import Path

from flowsynth.figures import save, scores
from flowsynth.progress import job
from flowsynth.tables import gather

with job(Path(snakemake.log[0])):
    table = gather([Path(snakemake.input.scores)])
    title = (
        f"{snakemake.wildcards.dataset}, budget {snakemake.wildcards.budget}. "
        "Dot: mean of a fold. Bar: half of the items, from first to third quartile. Stroke: median."
    )
    save(scores(table, snakemake.params.models, title), Path(snakemake.output[0]))
