"""Build the page of a run."""

from pathlib import Path

from flowsynth.core.layout import RunPaths
from flowsynth.core.progress import job, log
from flowsynth.report.run_page import Run, build_page

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    folder = Path(snakemake.output.index).parent
    size = build_page(Run(RunPaths.parse(folder).folder, **snakemake.params.run), folder)
    log.info("%s: %.1f MB", snakemake.output.index, size / 1e6)
