"""Live: from a sound in memory to parameters, and from a move in the latent space to parameters, on one core."""

import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from report import row
from training import SIZE

from flowsynth.data.dataset import Batch
from flowsynth.data.features import DEFAULTS
from flowsynth.inference.search_task import log_mel_extractor
from flowsynth.models import base as models

ROUNDS = 100
ALLOWED = {"encode": 50.0, "move": 5.0}  # ms, beyond which an answer is felt to come late


def milliseconds(action: Callable[[], object]) -> float:
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        action()
        taken.append(1000 * (time.perf_counter() - start))
    return statistics.median(taken)


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    hear, audio = log_mel_extractor(22050, DEFAULTS), np.random.default_rng(0).normal(0, 0.1, 88200).astype(np.float32)
    for name in ("flow_reg", "vae"):
        model = models.find(name)(64, 80, 16, SIZE)
        model.calibrate(Batch(torch.randn(8, 64, 80), torch.rand(8, 16)))
        model.eval()

        @torch.no_grad()
        def move(model=model) -> torch.Tensor:
            return model.answer(torch.zeros(1, model.latent), 1)

        @torch.no_grad()
        def encode(model=model) -> torch.Tensor:
            return model.answer(model.encode(torch.from_numpy(hear(audio)).float()[None]), 1)

        for action in (encode, move):
            taken, allowed = milliseconds(action), ALLOWED[action.__name__]
            row(f"live_{action.__name__}_{name}", taken, "ms", f"{allowed:g} ms", allowed / taken)


if __name__ == "__main__":
    main()
