"""Write a data set into one folder, with checksums, a description and a data card."""

from pathlib import Path

from flowsynth.core.progress import job, log
from flowsynth.data.dataset_folder import write

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    inputs, folder = snakemake.input, Path(snakemake.output.checksums).parent
    files = [Path(path) for path in (inputs.presets, *inputs.splits, *inputs.audio, *inputs.features)]
    write(snakemake.wildcards.dataset, folder.parent, files, [Path(path) for path in inputs.banks], folder)
    log.info("dataset: %s", folder)
