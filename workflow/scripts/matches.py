"""Match some sounds that the synthesizer did not make, with the model that did best with its own."""

from pathlib import Path

from flowsynth.apps.match_benchmark import measure
from flowsynth.cli import RENDERS, SAMPLES
from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv
from flowsynth.inference.trained_model import best_checkpoint, open_model

with job(Path(snakemake.log[0])):
    given = snakemake.params
    trained = open_model(best_checkpoint(map(Path, snakemake.input.checkpoints)))
    sounds = [Path(path) for path in snakemake.input.sounds]
    table = measure(trained, sounds, given.each, SAMPLES, RENDERS, given.seed)
    write_csv(table, Path(snakemake.output.csv), seed=given.seed, samples=SAMPLES, renders=RENDERS)
