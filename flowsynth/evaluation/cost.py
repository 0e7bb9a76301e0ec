"""What a model costs: its weights, the time it took to train, the time it takes to answer.

Times are of the machine they were taken on and of what else ran there; they are no scores, and differ from run to run.
"""

import statistics
import time
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import torch

from flowsynth.data.dataset import Items
from flowsynth.inference.predict import predict
from flowsynth.training.checkpoints import load

ROUNDS = 20  # answers that are timed, one sound each


def cost(checkpoints: Mapping[str, Path], timings: Mapping[str, Path], items: Items) -> pd.DataFrame:
    """Measure models.

    Args:
        checkpoints: Of the models, by name, all of one fold.
        timings: Of their trainings, by name: tables with a column ``s``, the seconds of the job, of one that was stopped those
            since it went on.
        items: To answer to, at least one.

    Returns:
        Columns model, weights (trained ones), train_s, infer_ms (the median of one sound, one sample, on one thread).
    """
    torch.set_num_threads(1)
    heard = [items[row % len(items)] for row in range(ROUNDS + 1)]
    rows = []
    for name, path in checkpoints.items():
        model, _ = load(path)
        weights = sum(parameter.numel() for parameter in model.parameters())
        seconds = float(pd.read_csv(timings[name], sep="\t")["s"].iloc[0])
        taken = []
        with torch.no_grad():
            for mel, values in heard:
                start = time.perf_counter()
                predict(model, torch.from_numpy(mel)[None], torch.from_numpy(values)[None], 1)
                taken.append(time.perf_counter() - start)
        # the first answer warms up
        rows.append((name, weights, seconds, 1000 * statistics.median(taken[1:])))
    return pd.DataFrame(rows, columns=["model", "weights", "train_s", "infer_ms"])
