"""Render the estimates of a model."""

from pathlib import Path

from flowsynth.core.progress import job, log
from flowsynth.rendering.host import Note
from flowsynth.rendering.resynthesis import resynthesise
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    note, timeout = Note(**snakemake.params.render), snakemake.config["render"]["timeout"]
    synth, _ = dataset(snakemake.wildcards.dataset)
    predictions, path = Path(snakemake.input.predictions), Path(snakemake.output.audio)
    count = resynthesise(synth, note, predictions, path, timeout)
    log.info("resynthesise %s: %s", path, ", ".join(f"{key} {value}" for key, value in count.items()))
