"""Cost of a model: its number of weights, training time and inference time.

Times depend on the machine and its load. They are not scores and differ from run to run.
"""

import statistics
import time
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import torch

from flowsynth.core.readers import read_csv
from flowsynth.data.dataset import Items
from flowsynth.inference.predict import predict
from flowsynth.training.checkpoints import load

ROUNDS = 20  # timed predictions, of one sound each


def cost(checkpoints: Mapping[str, Path], timings: Mapping[str, Path], items: Items) -> pd.DataFrame:
    """Measure the cost of models.

    Args:
        checkpoints: Checkpoints by model name, all of one fold.
        timings: Benchmark tables of the training jobs by model name, with a column ``s``: the seconds of the job, since
            it was last resumed.
        items: Items to predict for, at least one.

    Returns:
        Columns model, weights (trained ones), train_s, infer_ms (median for one sound and one sample, on one thread).
    """
    torch.set_num_threads(1)
    inputs = [items[row % len(items)] for row in range(ROUNDS + 1)]
    rows = []
    for name, path in checkpoints.items():
        model = load(path).model
        weights = sum(parameter.numel() for parameter in model.parameters())
        train_seconds = float(read_csv(timings[name], sep="\t")["s"].iloc[0])
        durations = []
        with torch.no_grad():
            for log_mel, values in inputs:
                start = time.perf_counter()
                predict(model, torch.from_numpy(log_mel)[None], torch.from_numpy(values)[None], 1)
                durations.append(time.perf_counter() - start)
        # the first prediction is a warm-up
        rows.append((name, weights, train_seconds, 1000 * statistics.median(durations[1:])))
    return pd.DataFrame(rows, columns=["model", "weights", "train_s", "infer_ms"])
