"""Render the predictions of one system on one fold, and score them."""

from pathlib import Path

import torch

from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv
from flowsynth.evaluation.fingerprint import fingerprint
from flowsynth.evaluation.scoring import labels_of, render_and_score
from flowsynth.rendering.host import Note
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0])):
    torch.set_num_threads(snakemake.threads)
    note, timeout = Note(**snakemake.params.render), snakemake.config["render"]["timeout"]
    given, to, labels = snakemake.input, snakemake.output, labels_of(snakemake.wildcards)
    synth, _ = dataset(snakemake.wildcards.dataset)
    targets = [Path(path) for path in given.targets]
    table = render_and_score(synth, note, Path(given.predictions), targets, Path(to.audio), labels, timeout)
    write_csv(table, Path(to.scores), **labels, scoring=fingerprint())
