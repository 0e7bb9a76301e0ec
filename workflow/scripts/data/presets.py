"""Read the banks of a data set's synthesizer into one table, after checking its plugin."""

from pathlib import Path

from flowsynth.core.progress import job, log
from flowsynth.core.provenance import write_csv
from flowsynth.data.presets import collect
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import render
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    synth, names = dataset(snakemake.wildcards.dataset)
    synth = synth.with_banks(snakemake.params.banks)
    note = dict(snakemake.config["render"])
    timeout = note.pop("timeout")
    list(render(synth, Note(**note), [], timeout))  # an error if the plugin is missing, or is another than specified
    limit = None if snakemake.params.limit == "all" else snakemake.params.limit
    table, counts = collect(synth, names, limit, snakemake.params.seed)
    log.info("presets: %s", ", ".join(f"{key} {value}" for key, value in counts.items()))
    write_csv(table, Path(snakemake.output[0]), inferred=list(names), counts=counts)
