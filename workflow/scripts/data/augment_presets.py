"""Draw synthetic presets for the training set of a fold, render them, and store their log-mel spectrograms."""

from pathlib import Path

import numpy as np
import torch

from flowsynth.core.disk_space import require_space
from flowsynth.core.locks import temporary_folder
from flowsynth.core.progress import job, log
from flowsynth.core.readers import read_csv
from flowsynth.core.seeding import derive_seed
from flowsynth.data.augmentation import drop_near_duplicates, sample_for_fold
from flowsynth.data.dataset import part
from flowsynth.data.features import extract
from flowsynth.data.presets import identity, read_table
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import render_shard
from flowsynth.synths.spec import dataset

with (
    job(Path(snakemake.log[0]), snakemake.input, snakemake.output),
    temporary_folder(Path(snakemake.resources.tmpdir)) as folder,
):
    note, timeout = Note(**snakemake.params.render), snakemake.config["render"]["timeout"]
    wildcards, params, count = snakemake.wildcards, snakemake.params, snakemake.params.presets
    synth, names = dataset(wildcards.dataset)
    split = read_csv(Path(snakemake.input.split), dtype={"id": str})
    seed = derive_seed(params.seed, "sample", wildcards.dataset, wildcards.split, wildcards.fold, wildcards.shard)
    presets = read_table(Path(snakemake.input.presets), synth)
    values = sample_for_fold(presets, split[split["fold"] == int(wildcards.fold)], synth, names, count, seed)
    audio, features = folder / "audio.h5", Path(snakemake.output.features)
    mel = count * params.features["n_mels"] * params.features["frames"] * 4
    require_space(folder, count * note.samples * 4 + mel)
    require_space(features, mel)
    counts = render_shard(synth, note, [identity(row) for row in values.tolist()], values, audio, timeout)
    log.info("sample %s: %s", features, ", ".join(f"{key} {value}" for key, value in counts.items()))
    torch.set_num_threads(snakemake.threads)
    unfiltered = folder / "features.h5"
    extract(audio, unfiltered, params.features)
    fold, paths = int(wildcards.fold), [Path(path) for path in snakemake.input.features]
    parts = [part(Path(snakemake.input.split), fold, name, paths, names) for name in ("valid", "test")]
    kept, total = drop_near_duplicates(
        unfiltered, np.concatenate([items.all().mel.numpy() for items in parts]), features
    )
    log.info("sample %s: %d of %d kept, without near-duplicates of held-out sounds", features, kept, total)
