"""Rank the continuous parameters of a synthesizer."""

from pathlib import Path

import numpy as np

from flowsynth.host import Note
from flowsynth.parameter_choice import rank
from flowsynth.presets import collect
from flowsynth.progress import job, track
from flowsynth.provenance import write_csv
from flowsynth.render import render
from flowsynth.synths import load

with job(Path(snakemake.log[0])):
    note, timeout = Note(**snakemake.params.render), snakemake.config["render"]["timeout"]
    synth = load(snakemake.wildcards.synth)
    table, _ = collect(synth, synth.names)

    def distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Log-mel L1 between the sounds of two arrays of presets."""
        unique, place = np.unique(np.concatenate([first, second]), axis=0, return_inverse=True)
        results = track(render(synth, note, unique, timeout), len(unique), "render")
        audio = np.stack([result.audio for result in results])
        from flowsynth.features import Mel, numpy_mel  # torch: after the last fork
        from flowsynth.metrics.spectral import log_mel_l1

        mel = numpy_mel(Mel(note.sample_rate), audio)[place.ravel()]
        return log_mel_l1(mel[: len(first)], mel[len(first) :])

    continuous = tuple(p.name for p in synth.parameters if p.kind == "continuous")
    ranked = rank(table, continuous, distance, snakemake.params.presets, snakemake.params.seed)
    write_csv(ranked, Path(snakemake.output[0]), presets=snakemake.params.presets, seed=snakemake.params.seed)
