"""Put the scores of budgets with more and more drawn presets, or epochs, side by side."""

from pathlib import Path

from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv
from flowsynth.evaluation.scaling import amount
from flowsynth.evaluation.summary import gather

with job(Path(snakemake.log[0])):
    paths = {
        given: [Path(path) for path in snakemake.input.scores if Path(path).parts[1] == budget]
        for budget, given in snakemake.params.amounts.items()
    }
    table = amount({given: gather(found) for given, found in paths.items()}, snakemake.params.seed)
    write_csv(table, Path(snakemake.output[0]), seed=snakemake.params.seed)
