"""Match out-of-domain sounds with the model that scored best on the synthesizer's own sounds."""

from pathlib import Path

from flowsynth.apps.cli import RENDERS, SAMPLES
from flowsynth.apps.match_benchmark import measure
from flowsynth.core.progress import job
from flowsynth.core.provenance import write_csv
from flowsynth.inference.run_model import best_checkpoint, open_run_model

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    params = snakemake.params
    trained = open_run_model(best_checkpoint(map(Path, snakemake.input.checkpoints)))
    sounds = [Path(path) for path in snakemake.input.sounds]
    table = measure(trained, sounds, params.each, SAMPLES, RENDERS, params.seed)
    write_csv(table, Path(snakemake.output.csv), seed=params.seed, samples=SAMPLES, renders=RENDERS)
