"""Compare the scores of budgets with increasing numbers of drawn presets or epochs."""

from pathlib import Path

from flowsynth.core.layout import SystemPaths
from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv
from flowsynth.evaluation.scaling import scores_by_amount
from flowsynth.evaluation.summary import gather

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    systems = [SystemPaths.parse(Path(path)) for path in snakemake.input.scores]
    paths = {
        amount: [system.scores for system in systems if system.run.budget == budget]
        for budget, amount in snakemake.params.amounts.items()
    }
    scores = {amount: gather(files) for amount, files in paths.items()}
    table = scores_by_amount(scores, snakemake.params.seed)
    write_csv(table, Path(snakemake.output[0]), seed=snakemake.params.seed)
