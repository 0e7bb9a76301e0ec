"""Export a trained model with its card, as one file that applications use without the run."""

from pathlib import Path

from flowsynth.core.progress import job
from flowsynth.core.provenance import write_text
from flowsynth.evaluation import score_tables
from flowsynth.evaluation.model_card import markdown, model_card
from flowsynth.inference.exported_model import export
from flowsynth.inference.run_model import open_run_model

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    model = open_run_model(Path(snakemake.input.checkpoint))
    scores = score_tables.read(Path(snakemake.input.scores))
    items = {"train": len(model.train), "synthetic": snakemake.params.synthetic, "test": len(model.test)}
    card = model_card(scores, model.name, items, model.provenance, snakemake.params.seed)
    export(model, card, Path(snakemake.output.model))
    write_text(Path(snakemake.output.card), markdown(card))
