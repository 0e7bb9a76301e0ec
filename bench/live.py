"""Latency on one core: from a sound in memory to parameters, and from a latent to parameters."""

import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from report import row
from synthetic import SPACE
from training import SIZE

from flowsynth.data.dataset import Batch
from flowsynth.data.features import DEFAULTS
from flowsynth.inference.search_task import log_mel_extractor
from flowsynth.models import base as models

ROUNDS = 100
MAX_LATENCY = {"encode": 50.0, "move": 5.0}  # ms; a longer latency is noticeable


def milliseconds(action: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        action()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    log_mel = log_mel_extractor(22050, DEFAULTS)
    audio = np.random.default_rng(0).normal(0, 0.1, 88200).astype(np.float32)
    for name in ("flow_reg", "vae"):
        model = models.find(name)(64, 80, SPACE, SIZE)
        model.calibrate(Batch(torch.randn(8, 64, 80), torch.rand(8, 16)))
        model.eval()

        @torch.no_grad()
        def move(model=model) -> torch.Tensor:
            return model.decode_parameters(torch.zeros(1, model.latent), 1)

        @torch.no_grad()
        def encode(model=model) -> torch.Tensor:
            return model.decode_parameters(model.encode(torch.from_numpy(log_mel(audio)).float()[None]), 1)

        for action in (encode, move):
            latency, limit = milliseconds(action), MAX_LATENCY[action.__name__]
            row(f"live_{action.__name__}_{name}", latency, "ms", f"{limit:g} ms", limit / latency)


if __name__ == "__main__":
    main()
