"""Build the pages of an incomplete run from its partial results."""

from pathlib import Path

from flowsynth.core.progress import job, log
from flowsynth.evaluation.incomplete_runs import PARTIAL_PAGE
from flowsynth.report.run_page import Run, build_page

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    for results, run in snakemake.params.runs.items():
        folder = Path(results) / PARTIAL_PAGE
        size = build_page(Run(Path(results), **run), folder)
        log.info("%s: %.1f MB", folder / "index.html", size / 1e6)
