"""Train one model on one fold; resume an interrupted training."""

from pathlib import Path

from flowsynth.core.layout import SystemPaths
from flowsynth.core.progress import job
from flowsynth.core.seeding import derive_seed
from flowsynth.data.dataset import part
from flowsynth.models.nn.networks import Size
from flowsynth.models.systems import System
from flowsynth.synths.spec import dataset
from flowsynth.training.fit import fit
from flowsynth.training.plan import plan_from_budget

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    outputs, wildcards, budget = snakemake.output, snakemake.wildcards, snakemake.params.budget
    paths, sampled = ([Path(path) for path in files] for files in (snakemake.input.features, snakemake.input.sampled))
    synth, names = dataset(wildcards.dataset)
    fold, split = int(wildcards.fold), Path(snakemake.input.split)
    checkpoint = Path(outputs.checkpoint)
    fit(
        System.parse(wildcards.model).model,
        synth.space(names),
        part(split, fold, "train", paths, names, sampled, budget["cache_items"]),
        part(split, fold, "valid", paths, names),
        Size(**budget["network"]),
        plan_from_budget(budget),
        derive_seed(snakemake.params.seed, wildcards.dataset, wildcards.split, fold, wildcards.model),
        checkpoint,
        Path(outputs.history),
        SystemPaths.parse(checkpoint).progress,
    )
