"""Synthetic scores of systems with given differences."""

import numpy as np
import pandas as pd

from flowsynth.evaluation.score_tables import with_systems

METRICS = ("log_mel_l1", "spectral_convergence", "mel_mse", "parameter_mse")
SYSTEMS = {
    "oracle": -0.4, "nearest": 0.0, "cnn": 0.4, "mlp": 0.5, "flow_reg": 0.5, "flow_reg_published": 0.5, "npe_nsf": 0.3,
    "npe_nsf_best16": -0.1, "mdn_best16": -0.05, "proxy_best16": -0.2,
}  # fmt: skip


def scores(shifts: dict[str, float], noise: float = 0.02) -> pd.DataFrame:
    """Scores of 3 folds and 100 items with a shift for each system and a little noise."""
    rng = np.random.default_rng(0)
    base = rng.gamma(4.0, 0.1, (3, 100))
    rows = [
        ("cpu", "amsynth16", "grouped", fold, model, f"{item:03d}", 0, metric, value)
        for model, shift in shifts.items()
        for metric in METRICS
        for fold, values in enumerate(base + shift + noise * rng.normal(size=base.shape))
        for item, value in enumerate(values)
    ]
    columns = ["budget", "dataset", "split", "fold", "model", "item", "sample", "metric", "value"]
    return with_systems(pd.DataFrame(rows, columns=columns))
