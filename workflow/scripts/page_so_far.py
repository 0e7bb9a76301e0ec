"""Make the pages of a run that has not finished, with what there is."""

from pathlib import Path

from flowsynth.incomplete import PAGE
from flowsynth.page.run import Run, make
from flowsynth.progress import job, log

with job(Path(snakemake.log[0])):
    for results, run in snakemake.params.runs.items():
        folder = Path(results) / PAGE
        size = make(Run(Path(results), **run), folder)
        log.info("%s: %.1f MB", folder / "index.html", size / 1e6)
