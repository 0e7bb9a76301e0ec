"""Train one model on one fold; a training that was stopped goes on."""

from pathlib import Path

from flowsynth.data import part
from flowsynth.networks import Size
from flowsynth.plan import plan_of
from flowsynth.progress import job
from flowsynth.seeds import derive_seed
from flowsynth.synths import dataset
from flowsynth.systems import model_of
from flowsynth.train import fit

with job(Path(snakemake.log[0])):
    to, wildcards, budget = snakemake.output, snakemake.wildcards, snakemake.params.budget
    paths, sampled = ([Path(path) for path in files] for files in (snakemake.input.features, snakemake.input.sampled))
    _, names = dataset(wildcards.dataset)
    fold, split = int(wildcards.fold), Path(snakemake.input.split)
    checkpoint = Path(to.checkpoint)
    fit(
        model_of(wildcards.model),
        part(split, fold, "train", paths, names, sampled, budget["in_memory"]),
        part(split, fold, "valid", paths, names),
        Size(**budget["network"]),
        plan_of(budget),
        derive_seed(snakemake.params.seed, wildcards.dataset, wildcards.split, fold, wildcards.model),
        checkpoint,
        Path(to.history),
        checkpoint.parent / "progress",
    )
