"""Predict the parameters of the test part of a fold, or of sounds that are in no split; render and score the predictions."""

from pathlib import Path

import torch

from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv
from flowsynth.data.dataset import Items, part, usable
from flowsynth.evaluation.fingerprint import fingerprint
from flowsynth.evaluation.scoring import render_and_score, score_labels
from flowsynth.inference.predict import infer
from flowsynth.models.registry import training_of
from flowsynth.rendering.host import Note
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0])):
    torch.set_num_threads(snakemake.threads)
    note, timeout = Note(**snakemake.params.render), snakemake.config["render"]["timeout"]
    given, to, params, labels = snakemake.input, snakemake.output, snakemake.params, score_labels(snakemake.wildcards)
    synth, names = dataset(snakemake.wildcards.dataset)
    paths = [Path(path) for path in given.features]
    if given.get("split"):
        items = part(Path(given.split), labels["fold"], "test", paths, names)
    else:  # nothing is known of their parameters
        items = Items(paths, usable(paths), ())
    seed = params.seed + training_of(labels["model"]) - 1  # another training draws its predictions anew, too
    predictions = Path(to.predictions)
    infer(Path(given.checkpoint), items, params.samples, seed, predictions, params.accelerator)
    targets = [Path(path) for path in given.targets]
    table = render_and_score(synth, note, predictions, targets, Path(to.audio), labels, timeout)
    write_csv(table, Path(to.scores), **labels, scoring=fingerprint())
