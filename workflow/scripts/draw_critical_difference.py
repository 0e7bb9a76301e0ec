"""Draw mean ranks of the models and their critical difference."""

from pathlib import Path

from flowsynth.core.progress import job
from flowsynth.evaluation.summary import gather
from flowsynth.figures.critical_difference import draw
from flowsynth.figures.style import save

with job(Path(snakemake.log[0])):
    wildcards = snakemake.wildcards
    title = (
        f"{wildcards.dataset}, budget {wildcards.budget}. Models beside the same red line can't be told apart by ranks."
    )
    figure = draw(gather([Path(snakemake.input.scores)]), snakemake.params.models, title)
    save(figure, *map(Path, snakemake.output))
