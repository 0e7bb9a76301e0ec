"""Rank parameters of a synthesizer by their effect on the sound."""

from pathlib import Path

import numpy as np

from flowsynth.core.progress import job, track
from flowsynth.core.provenance import write_csv
from flowsynth.data.features import Mel, numpy_mel
from flowsynth.data.parameter_selection import rank
from flowsynth.data.presets import collect
from flowsynth.metrics.spectral import log_mel_l1
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import render
from flowsynth.synths.spec import load

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    note, timeout = Note(**snakemake.params.render), snakemake.config["render"]["timeout"]
    synth = load(snakemake.wildcards.synth)
    table, _ = collect(synth, synth.names)

    def distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Compute the log-mel L1 between the sounds of two arrays of presets."""
        unique, row = np.unique(np.concatenate([first, second]), axis=0, return_inverse=True)
        results = track(render(synth, note, unique, timeout), len(unique), "render")
        audio = np.stack([result.audio for result in results])
        mel = numpy_mel(Mel(note.sample_rate), audio)[row.ravel()]
        return log_mel_l1(mel[: len(first)], mel[len(first) :])

    ranked = rank(table, synth.ranked, distance, snakemake.params.presets, snakemake.params.seed)
    write_csv(ranked, Path(snakemake.output[0]), presets=snakemake.params.presets, seed=snakemake.params.seed)
