"""Tables of scores: their columns and their reader.

The column ``model`` names the system that predicted. What the name says about it, see `flowsynth.models.systems`, is
stored in columns of its own, so that reading a table depends neither on the grammar of names nor on installed packages:

=================  ===================================================================================================
column             meaning
=================  ===================================================================================================
``base_model``     the model that the system is built on
``is_control``     whether that model is a control
``renderings``     renderings per sound before the final prediction; missing if unknown
``training_seed``  number of the training of the model, 1 for the first; missing if unknown
=================  ===================================================================================================

The last two are unknown for predictions that were submitted as a file, and for ``search``.
"""

from pathlib import Path

import pandas as pd

from flowsynth.core.readers import read_csv
from flowsynth.models.registry import kind
from flowsynth.models.systems import System

SYSTEM_TYPES = {"base_model": str, "is_control": bool, "renderings": "Int64", "training_seed": "Int64"}
SYSTEM_COLUMNS = tuple(SYSTEM_TYPES)
KEY = ("budget", "dataset", "split", "fold", "model", "item", "sample", "metric")  # columns that identify a score
# of a score per item and sample
SCORE_COLUMNS = (*KEY[:5], *SYSTEM_COLUMNS, *KEY[5:], "value")


def read(path: Path) -> pd.DataFrame:
    """Read a table of scores, or of their summaries; add the columns of systems to an older table.

    Raises:
        ValueError: If the table has no column ``model``.
    """
    table = read_csv(path, dtype={"item": str, "renderings": "Int64", "training_seed": "Int64"})
    if "model" not in table:
        raise ValueError(f"columns of scores: got {list(table.columns)}, expected model among them ({path})")
    return with_systems(table)


def with_systems(table: pd.DataFrame) -> pd.DataFrame:
    """Add those columns of systems that a table lacks, from the names of its systems."""
    missing = [name for name in SYSTEM_COLUMNS if name not in table]
    if not missing:
        return table
    names = table["model"].unique()
    rows = pd.DataFrame([_describe(str(name)) for name in names], index=names, columns=SYSTEM_COLUMNS)
    return table.join(rows.astype(SYSTEM_TYPES)[missing], on="model")


def mean_over_samples(scores: pd.DataFrame) -> pd.DataFrame:
    """Return one score per item: of a model that samples, the mean over its samples, the expected score of one.

    Args:
        scores: Table with the columns of `SCORE_COLUMNS`.
    """
    if (scores["sample"] == 0).all():
        return scores
    keys = [name for name in SCORE_COLUMNS if name not in ("sample", "value")]
    means = scores.groupby(keys, sort=False, dropna=False, as_index=False)["value"].mean()
    return means.assign(sample=0)[list(SCORE_COLUMNS)]


def systems(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of systems, indexed by the names of the systems, in the order of the table."""
    return table.drop_duplicates("model").set_index("model")[list(SYSTEM_COLUMNS)]


def _describe(name: str) -> tuple[str, bool, int | None, int | None]:
    system = System.parse(name)
    known = kind(system.model) is not None
    return system.model, system.is_control, system.renderings if known else None, system.seed if known else None
