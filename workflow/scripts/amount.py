"""Put the scores of budgets with more and more drawn presets side by side."""

from pathlib import Path

from flowsynth.amount import amount
from flowsynth.progress import job
from flowsynth.provenance import write_csv
from flowsynth.tables import gather

with job(Path(snakemake.log[0])):
    paths = {
        drawn: [Path(path) for path in snakemake.input.scores if Path(path).parts[1] == budget]
        for budget, drawn in snakemake.params.drawn.items()
    }
    table = amount({drawn: gather(found) for drawn, found in paths.items()}, snakemake.params.seed)
    write_csv(table, Path(snakemake.output[0]), seed=snakemake.params.seed)
