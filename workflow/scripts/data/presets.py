"""Read the banks of a data set's synthesizer into one table, after checking its plugin."""

from pathlib import Path

from flowsynth.core.progress import job, log
from flowsynth.core.provenance import write_csv
from flowsynth.data.presets import collect
from flowsynth.rendering.host import Host, Note
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    synth, names = dataset(snakemake.wildcards.dataset)
    note = {key: value for key, value in snakemake.config["render"].items() if key != "timeout"}
    Host(synth, Note(**note))  # raises an error if the plugin is missing, or is another than specified
    limit = None if snakemake.params.limit == "all" else snakemake.params.limit
    table, counts = collect(synth, names, limit, snakemake.params.seed)
    log.info("presets: %s", ", ".join(f"{key} {value}" for key, value in counts.items()))
    write_csv(table, Path(snakemake.output[0]), inferred=list(names), counts=counts)
