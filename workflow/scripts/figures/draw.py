"""Draw a figure with the function that has the name of the rule, from the module that its parameter ``module`` names."""

import sys
from importlib import import_module
from inspect import signature
from pathlib import Path

from flowsynth.core.progress import job
from flowsynth.figures.style import save

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    draw = getattr(import_module(f"flowsynth.figures.{snakemake.params.module}"), snakemake.rule)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(snakemake.threads)
    files = {
        name: Path(value) if isinstance(value, str) else [Path(path) for path in value]
        for name, value in snakemake.input.items()
    }
    values = {**dict(snakemake.wildcards.items()), **dict(snakemake.params.items()), **files}
    figure = draw(**{name: values[name] for name in signature(draw).parameters})
    save(figure, *map(Path, snakemake.output))
