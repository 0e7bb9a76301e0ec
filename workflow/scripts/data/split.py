"""Split a data set into folds, and count leaks between partitions."""

from pathlib import Path

from flowsynth.core.progress import job, log
from flowsynth.core.provenance import write_csv
from flowsynth.core.readers import read_csv
from flowsynth.data.dataset import Items, usable_ids
from flowsynth.data.splits import split
from flowsynth.synths.spec import dataset

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    paths = [Path(path) for path in snakemake.input.features]
    _, names = dataset(snakemake.wildcards.dataset)
    ids = usable_ids(paths)
    items = Items(paths, ids, names).all()
    kind, folds, seed = snakemake.wildcards.split, snakemake.params.folds, snakemake.params.seed
    limit = snakemake.params.same_parameters
    presets = [read_csv(Path(path), dtype=str).set_index("id") for path in snakemake.input.presets]
    banks = [bank for table in presets for bank in table["bank"][ids]]
    table, leaks = split(kind, ids, items.values.numpy(), items.mel.numpy(), folds, seed, banks, limit)
    for row in leaks.itertuples():
        log.info("fold %d: %d of %d test items have a training item within %g by %s", row.fold, row.leaked, row.items,
                 row.within, row.kind)  # fmt: skip
    settings = {"kind": kind, "folds": folds, "seed": seed, "same_parameters": limit}
    write_csv(table, Path(snakemake.output.split), **settings)
    write_csv(leaks, Path(snakemake.output.leaks), **settings)
