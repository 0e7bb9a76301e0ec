"""Score one model on one fold."""

from pathlib import Path

import torch

from flowsynth.behaviour import fingerprint
from flowsynth.progress import job
from flowsynth.provenance import write_csv
from flowsynth.resynthesise import require_same_plugin
from flowsynth.score import score

with job(Path(snakemake.log[0])):
    torch.set_num_threads(snakemake.threads)
    targets = [Path(path) for path in snakemake.input.targets]
    require_same_plugin(targets, Path(snakemake.input.audio))
    wildcards = dict(snakemake.wildcards.items())
    labels = {key: wildcards[key] for key in ("budget", "dataset", "split", "model")} | {"fold": int(wildcards["fold"])}
    table = score(targets, Path(snakemake.input.predictions), Path(snakemake.input.audio), labels)
    write_csv(table, Path(snakemake.output[0]), **labels, scoring=fingerprint())
