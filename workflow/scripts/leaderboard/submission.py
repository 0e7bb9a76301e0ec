"""Read a submitted prediction file for the test set of a fold."""

from pathlib import Path

import numpy as np

from flowsynth.core import hdf5
from flowsynth.core.progress import job
from flowsynth.core.readers import read_csv
from flowsynth.data.dataset import part
from flowsynth.leaderboard.submissions import read_submission
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    inputs, fold = snakemake.input, int(snakemake.wildcards.fold)
    _, names = dataset(snakemake.wildcards.dataset)
    split = read_csv(Path(inputs.split), dtype={"id": str})
    expected = split[split["part"] == "test"].rename(columns={"id": "item"})[["fold", "item"]]
    submission = read_submission(Path(inputs.submission), names, expected)
    submission = submission[submission["fold"] == fold]
    items = part(Path(inputs.split), fold, "test", [Path(path) for path in inputs.features], names)
    estimates = submission.set_index("item").loc[list(items.ids), list(names)].to_numpy()
    settings = {"submission": str(inputs.submission)}
    path = Path(snakemake.output.predictions)
    with hdf5.writing(path, items.ids, items.all().values.numpy(), names, settings) as file:
        hdf5.add_items(file, "estimates", (1, len(names)))[:] = np.expand_dims(estimates, 1)
