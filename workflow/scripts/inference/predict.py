"""Predict the parameters of the test set of a fold or of an out-of-domain collection; render and score the predictions."""

from pathlib import Path

import torch

from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv
from flowsynth.data.dataset import Items, part, usable_ids
from flowsynth.evaluation.scoring import render_and_score, score_labels
from flowsynth.evaluation.scoring_fingerprint import fingerprint
from flowsynth.inference.predict import infer
from flowsynth.models.systems import System
from flowsynth.rendering.host import Note
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    torch.set_num_threads(snakemake.threads)
    note, timeout = Note(**snakemake.params.render), snakemake.config["render"]["timeout"]
    inputs, outputs, params = snakemake.input, snakemake.output, snakemake.params
    labels = score_labels(snakemake.wildcards)
    synth, names = dataset(snakemake.wildcards.dataset)
    paths = [Path(path) for path in inputs.features]
    if inputs.get("split"):
        items = part(Path(inputs.split), labels["fold"], "test", paths, names)
    else:  # out-of-domain sounds have no true parameters
        items = Items(paths, usable_ids(paths), ())
    seed = params.seed + System.parse(labels["model"]).seed - 1  # another training also samples other predictions
    predictions = Path(outputs.predictions)
    infer(Path(inputs.checkpoint), items, params.samples, seed, predictions, params.accelerator)
    targets = [Path(path) for path in inputs.targets]
    table = render_and_score(synth, note, predictions, targets, Path(outputs.audio), labels, timeout)
    write_csv(table, Path(outputs.scores), **labels, scoring=fingerprint())
