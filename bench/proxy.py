"""Neural synthesizer proxy: CPU time of training and prediction; baselines: its first version, and `ast`.

The first version is implemented here: four harmonics, the batch size of the budget, 32 passes per epoch, and a separate
descent for each sound in which all starts take all steps.
"""

import statistics
import time
from collections.abc import Callable
from math import pi

import torch
from report import row
from synthetic import SPACE
from torch import Tensor, nn

from flowsynth.data.dataset import Batch
from flowsynth.data.distances import log_mel_distances
from flowsynth.models import base as models
from flowsynth.models.nn.networks import Size
from flowsynth.models.surrogates.proxy import Block, Proxy

ROUNDS, ITEMS, KNOWN, SOUNDS, PARAMETERS = 3, 512, 2048, 4, 16
SIZE = Size(layers=5, channels=16, kernel=5, mlp_layers=3, units=256, dropout=0.0)  # of the budget `quick`
BATCH, RATE = 32, 0.002
HARMONICS, PASSES, STARTS, STEPS, SLOPE, EDGE = 4, 32, 64, 40, 0.16, 0.005  # settings of the first version


class First(nn.Module):
    """Network and descent of the first version."""

    def __init__(self) -> None:
        super().__init__()
        blocks = [Block(SIZE.units) for _ in range(SIZE.layers)]
        first = nn.Linear(PARAMETERS * (1 + 2 * HARMONICS), SIZE.units)
        self.network = nn.Sequential(first, *blocks, nn.Linear(SIZE.units, 64 * 80))

    def predict_mel(self, values: Tensor) -> Tensor:
        """Predict log-mel spectrograms."""
        angles = [pi * 2**harmonic * values for harmonic in range(HARMONICS)]
        inputs = torch.cat([values, *map(torch.sin, angles), *map(torch.cos, angles)], dim=1)
        return 0.5 + 2.0 * self.network(inputs).unflatten(1, (64, 80))

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the mean absolute difference."""
        return {"loss": (self.predict_mel(batch.values) - batch.mel).abs().mean()}

    def predict(self, target: Tensor, values: Tensor, known: Tensor, n: int) -> Tensor:
        """Predict presets of one sound by gradient descent."""
        nearest = log_mel_distances(known, target).topk(STARTS, largest=False)
        best, least = values[nearest.indices], nearest.values
        free = (best > 0) & (best < 1)
        logits = torch.logit(EDGE + (1 - 2 * EDGE) * best).requires_grad_()
        optimizer = torch.optim.Adam([logits], lr=SLOPE)
        for _ in range(STEPS):
            unclamped = (torch.sigmoid(logits) - EDGE) / (1 - 2 * EDGE)
            presets = unclamped + (unclamped.clamp(0, 1) - unclamped).detach()
            distance = (self.predict_mel(presets) - target).abs().mean(dim=(1, 2))
            (gradient,) = torch.autograd.grad(distance.sum(), logits)
            logits.grad = gradient * free
            closer = distance.detach() < least
            least = torch.where(closer, distance.detach(), least)
            best = torch.where(closer[:, None], presets.detach(), best)
            optimizer.step()
        return best[least.argsort()][:n]


def training_pass(model: models.Model | First, train: Batch, size: int) -> Callable[[], None]:
    """Return a function that trains for one pass over the items."""
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE, fused=True)

    def run() -> None:
        for rows in torch.randperm(len(train.mel)).split(size):
            optimizer.zero_grad()
            model.loss(Batch(train.mel[rows], train.values[rows]))["loss"].backward()
            optimizer.step()

    return run


def make_model(name: str, train: Batch) -> models.Model:
    torch.manual_seed(0)
    model = models.find(name)(64, 80, SPACE, SIZE)
    model.calibrate(train)
    return model


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    train = Batch(torch.randn(ITEMS, 64, 80), torch.rand(ITEMS, PARAMETERS))
    known = Batch(torch.randn(KNOWN, 64, 80), torch.rand(KNOWN, PARAMETERS))
    first, proxy, ast = First(), make_model("proxy", known), make_model("ast", train)
    assert isinstance(proxy, Proxy)
    with torch.no_grad():
        sounds = proxy.predict_mel(torch.rand(SOUNDS, PARAMETERS))
        known_mel = torch.cat([first.predict_mel(presets) for presets in known.values.split(1024)])
    predictor = make_model("proxy", known).eval()

    def predict_with_first(n: int) -> list[Tensor]:
        return [first.predict(target, known.values, known_mel, n) for target in sounds]

    actions: dict[str, Callable[[], object]] = {
        "pass_first": training_pass(First(), train, BATCH),
        "pass": training_pass(proxy, train, BATCH * proxy.batch_factor),
        "pass_ast": training_pass(ast, train, BATCH * ast.batch_factor),
        "predict_first": lambda: predict_with_first(1),
        "predict": lambda: predictor.infer(sounds, 1),
        "predict_16": lambda: predictor.infer(sounds, 16),
    }
    times: dict[str, list[float]] = {name: [] for name in actions}
    for action in actions.values():
        action()
    for _ in range(ROUNDS):
        for name, action in actions.items():
            start = time.process_time()
            action()
            times[name].append((time.process_time() - start) / (ITEMS if name.startswith("pass") else SOUNDS))

    def report(
        name: str, action: str, factor: int, unit: str, baseline: str, baseline_action: str, baseline_factor: int
    ) -> None:
        pairs = zip(times[action], times[baseline_action], strict=True)
        ratio = statistics.median(b * baseline_factor / (a * factor) for a, b in pairs)
        row(name, statistics.median(times[action]) * factor, unit, baseline, ratio)

    thousand = 1000
    report("proxy_pass", "pass", thousand, "CPU s/1000 items", "first version", "pass_first", thousand)
    epoch = thousand * proxy.passes
    report("proxy_epoch", "pass", epoch, "CPU s/1000 items", "first version", "pass_first", thousand * PASSES)
    report("proxy_epoch", "pass", epoch, "CPU s/1000 items", "ast", "pass_ast", thousand * ast.passes)
    report("proxy_prediction", "predict", 1, "CPU s/sound", "first version", "predict_first", 1)
    report("proxy_16_predictions", "predict_16", 1, "CPU s/sound", "first version", "predict_first", 1)


if __name__ == "__main__":
    main()
