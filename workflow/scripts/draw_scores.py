"""Draw the scores."""

from pathlib import Path

from flowsynth.core.progress import job
from flowsynth.evaluation.summary import gather
from flowsynth.figures.scores import draw
from flowsynth.figures.style import save

with job(Path(snakemake.log[0])):
    table = gather([Path(snakemake.input.scores)])
    title = (
        f"{snakemake.wildcards.dataset}, budget {snakemake.wildcards.budget}. "
        "Dot: mean of a fold. Bar: half of the items, from first to third quartile. Stroke: median."
    )
    save(draw(table, snakemake.params.models, title), *map(Path, snakemake.output))
