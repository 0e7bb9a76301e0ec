"""Play what a model answered."""

from pathlib import Path

from flowsynth.host import Note
from flowsynth.progress import job, log
from flowsynth.resynthesise import resynthesise
from flowsynth.synths import dataset

with job(Path(snakemake.log[0])):
    note, timeout = Note(**snakemake.params.render), snakemake.config["render"]["timeout"]
    synth, _ = dataset(snakemake.wildcards.dataset)
    predictions, path = Path(snakemake.input.predictions), Path(snakemake.output.audio)
    count = resynthesise(synth, note, predictions, path, timeout)
    log.info("resynthesise %s: %s", path, ", ".join(f"{key} {value}" for key, value in count.items()))
