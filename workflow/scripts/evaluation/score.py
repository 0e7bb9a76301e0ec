"""Render and score the predictions of one system on one fold."""

from pathlib import Path

import torch

from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv
from flowsynth.evaluation.scoring import render_and_score, score_labels
from flowsynth.evaluation.scoring_fingerprint import fingerprint
from flowsynth.rendering.host import Note
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    torch.set_num_threads(snakemake.threads)
    note, timeout = Note(**snakemake.params.render), snakemake.config["render"]["timeout"]
    inputs, output, labels = snakemake.input, snakemake.output, score_labels(snakemake.wildcards)
    synth, _ = dataset(snakemake.wildcards.dataset)
    targets = [Path(path) for path in inputs.targets]
    table = render_and_score(synth, note, Path(inputs.predictions), targets, Path(output.audio), labels, timeout)
    write_csv(table, Path(output.scores), **labels, scoring=fingerprint())
