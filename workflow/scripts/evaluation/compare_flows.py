"""Answer the questions about flows from the scores of the longest trainings."""

from pathlib import Path

from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv
from flowsynth.evaluation.flow_comparison import answer_flow_questions
from flowsynth.evaluation.summary import gather

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    scores = gather([Path(path) for path in snakemake.input.scores])
    table = answer_flow_questions(scores, snakemake.params.seed)
    folds = scores["fold"].nunique()
    label = f"{scores['dataset'].iloc[0]}, {snakemake.params.epochs} epochs, {folds} fold{'s' * (folds > 1)}"
    table.insert(0, "of", label)
    write_csv(table, Path(snakemake.output[0]), seed=snakemake.params.seed)
