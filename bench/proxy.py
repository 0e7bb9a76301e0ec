"""The proxy of the synthesizer: CPU time of its training and of its predictions, against its first version and against `ast`.

The first version is kept here: four harmonics, batches of the budget, 32 passes an epoch, and a descent for each sound by
itself in which all starts take all steps.
"""

import statistics
import time
from collections.abc import Callable
from math import pi

import torch
from report import row
from torch import Tensor, nn

from flowsynth.data.dataset import Batch
from flowsynth.metrics.distances import log_mel_distances
from flowsynth.models import base as models
from flowsynth.models.nn.networks import Size
from flowsynth.models.surrogates.proxy import Block

ROUNDS, ITEMS, KNOWN, SOUNDS, PARAMETERS = 3, 512, 2048, 4, 16
SIZE = Size(layers=5, channels=16, kernel=5, mlp_layers=3, units=256, dropout=0.0)  # of the budget `quick`
BATCH, RATE = 32, 0.002
HARMONICS, PASSES, STARTS, STEPS, SLOPE, EDGE = 4, 32, 64, 40, 0.16, 0.005  # of the first version


class First(nn.Module):
    """The network and the descent of the first version."""

    def __init__(self) -> None:
        super().__init__()
        blocks = [Block(SIZE.units) for _ in range(SIZE.layers)]
        first = nn.Linear(PARAMETERS * (1 + 2 * HARMONICS), SIZE.units)
        self.network = nn.Sequential(first, *blocks, nn.Linear(SIZE.units, 64 * 80))

    def play(self, values: Tensor) -> Tensor:
        """Predict sounds."""
        angles = [pi * 2**harmonic * values for harmonic in range(HARMONICS)]
        shown = torch.cat([values, *map(torch.sin, angles), *map(torch.cos, angles)], dim=1)
        return 0.5 + 2.0 * self.network(shown).unflatten(1, (64, 80))

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Mean absolute difference."""
        return {"loss": (self.play(batch.values) - batch.mel).abs().mean()}

    def predict(self, target: Tensor, values: Tensor, known: Tensor, n: int) -> Tensor:
        """Descend to one sound."""
        nearest = log_mel_distances(known, target).topk(STARTS, largest=False)
        best, least = values[nearest.indices], nearest.values
        free = (best > 0) & (best < 1)
        logits = torch.logit(EDGE + (1 - 2 * EDGE) * best).requires_grad_()
        optimizer = torch.optim.Adam([logits], lr=SLOPE)
        for _ in range(STEPS):
            squashed = (torch.sigmoid(logits) - EDGE) / (1 - 2 * EDGE)
            moved = squashed + (squashed.clamp(0, 1) - squashed).detach()
            distance = (self.play(moved) - target).abs().mean(dim=(1, 2))
            (gradient,) = torch.autograd.grad(distance.sum(), logits)
            logits.grad = gradient * free
            closer = distance.detach() < least
            least = torch.where(closer, distance.detach(), least)
            best = torch.where(closer[:, None], moved.detach(), best)
            optimizer.step()
        return best[least.argsort()][:n]


def a_pass(model: nn.Module, train: Batch, size: int) -> Callable[[], None]:
    """Give a pass over the items."""
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE, fused=True)

    def run() -> None:
        for rows in torch.randperm(len(train.mel)).split(size):
            optimizer.zero_grad()
            model.loss(Batch(train.mel[rows], train.values[rows]))["loss"].backward()
            optimizer.step()

    return run


def made(name: str, train: Batch) -> models.Model:
    torch.manual_seed(0)
    model = models.find(name)(64, 80, PARAMETERS, SIZE)
    model.calibrate(train)
    return model


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    train = Batch(torch.randn(ITEMS, 64, 80), torch.rand(ITEMS, PARAMETERS))
    known = Batch(torch.randn(KNOWN, 64, 80), torch.rand(KNOWN, PARAMETERS))
    first, proxy, ast = First(), made("proxy", known), made("ast", train)
    with torch.no_grad():
        sounds = proxy.predict_mel(torch.rand(SOUNDS, PARAMETERS))
        played = torch.cat([first.play(some) for some in known.values.split(1024)])
    answering = made("proxy", known).eval()

    def before(n: int) -> list[Tensor]:
        return [first.predict(target, known.values, played, n) for target in sounds]

    ways: dict[str, Callable[[], object]] = {
        "pass_first": a_pass(First(), train, BATCH),
        "pass": a_pass(proxy, train, BATCH * proxy.batch_factor),
        "pass_ast": a_pass(ast, train, BATCH * ast.batch_factor),
        "answer_first": lambda: before(1),
        "answer": lambda: answering.infer(sounds, 1),
        "16_answers": lambda: answering.infer(sounds, 16),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()
    for _ in range(ROUNDS):
        for name, way in ways.items():
            start = time.process_time()
            way()
            taken[name].append((time.process_time() - start) / (ITEMS if name.startswith("pass") else SOUNDS))

    def report(name: str, way: str, times: int, unit: str, baseline: str, other: str, others: int) -> None:
        ratio = statistics.median(b * others / (a * times) for a, b in zip(taken[way], taken[other], strict=True))
        row(name, statistics.median(taken[way]) * times, unit, baseline, ratio)

    thousand = 1000
    report("proxy_pass", "pass", thousand, "CPU s/1000 items", "first version", "pass_first", thousand)
    epoch = thousand * proxy.passes
    report("proxy_epoch", "pass", epoch, "CPU s/1000 items", "first version", "pass_first", thousand * PASSES)
    report("proxy_epoch", "pass", epoch, "CPU s/1000 items", "ast", "pass_ast", thousand * ast.passes)
    report("proxy_answer", "answer", 1, "CPU s/sound", "first version", "answer_first", 1)
    report("proxy_16_answers", "16_answers", 1, "CPU s/sound", "first version", "answer_first", 1)


if __name__ == "__main__":
    main()
