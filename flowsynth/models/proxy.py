"""A neural proxy of the synthesizer, and descent through it: the network learns to play, and listens to itself.

The network goes the other way round than all others here: from a preset to its sound. Where a synthesizer has no gradient,
its proxy has one, and presets are moved along it until the proxy sounds like what was heard.

References:
    Barkan et al. 2023, "InverSynth II: sound matching via self-supervised synthesizer-proxy and inference-time finetuning".
    Combes et al. 2025, "Neural proxies for sound synthesizers".
    Tancik et al. 2020, "Fourier features let networks learn high frequency functions in low dimensional domains".
    Kennedy and O'Hagan 2000, "Predicting the output from a complex computer code when fast approximations are available":
        what is cheap is corrected by a Gaussian process through its errors at what is dear.
"""

from collections.abc import Callable
from math import pi
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import silu

from flowsynth.data import Batch
from flowsynth.models.nearest import distances
from flowsynth.networks import Size
from flowsynth.surrogate import Surrogate

HARMONICS = 4  # sines and cosines of each parameter that the network is shown beside it
STARTS = 64  # presets that descend, or as many as there are answers
STEPS = 40  # of the descent
RATE = 0.16  # of Adam, on the logits of presets
# chosen on validation sounds, both:
REACH = 0.2  # root mean square of the parameters' differences over which errors stay alike
NUGGET = 1e-3  # of the errors' variance that presets don't explain: keeps near-duplicates from being told apart
NEW = 1e-3  # a parameter at least is so far from what it was in all presets that were rendered
EDGE = 0.005  # presets are squashed by so much, so that 0 and 1 have logits


class Block(nn.Module):
    """Two layers with a path around them."""

    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner, self.outer = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Float[Tensor, "*items width"]) -> Float[Tensor, "*items width"]:
        """Add to the features."""
        return x + self.outer(silu(self.inner(self.norm(x))))


class Proxy(Surrogate):
    """Descends, by the proxy's log-mel L1, from the training presets that the proxy plays closest to what was heard.

    The n-th answer is the n-th closest after the descent, as the proxy hears it. The network is trained by log-mel L1, has
    as many blocks as the stacks of convolutions have layers, and is as wide as the perceptrons. Without convolutions a pass
    through the training part costs a fraction of what it costs the other models.
    """

    passes: ClassVar[int] = 32
    values: Tensor

    def __init__(self, mels: int, frames: int, parameters: int, size: Size):
        super().__init__(mels, frames, parameters, size)
        width = size.units
        self.register_buffer("values", torch.zeros(0, parameters))
        blocks = [Block(width) for _ in range(size.layers)]
        self.network = nn.Sequential(
            nn.Linear(parameters * (1 + 2 * HARMONICS), width), *blocks, nn.Linear(width, mels * frames)
        )
        self._known: Tensor | None = None

    def calibrate(self, train: Batch) -> None:
        """Remember the presets that descents may start from, too."""
        super().calibrate(train)
        self.values = train.values.clone()

    def train(self, mode: bool = True) -> "Proxy":
        """Forget how the proxy plays the presets that it knows: that changes in a training."""
        self._known = None
        return super().train(mode)

    def play(self, values: Float[Tensor, "items parameters"]) -> Float[Tensor, "items mels frames"]:
        """Give the log-mel spectrograms that presets are thought to have."""
        angles = [pi * 2**harmonic * values for harmonic in range(HARMONICS)]
        shown = torch.cat([values, *map(torch.sin, angles), *map(torch.cos, angles)], dim=1)
        return self.mel_mean + self.mel_std * self.network(shown).unflatten(1, (self.mels, self.frames))

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Mean absolute difference of the log-mel spectrograms."""
        return {"loss": (self.play(batch.values) - batch.mel).abs().mean()}

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Descend to each sound."""
        if self._known is None:
            with torch.no_grad():
                self._known = torch.cat([self.play(some) for some in self.values.split(1024)])
        with torch.enable_grad():
            return torch.stack([self._descend(heard, n) for heard in mel], dim=1)

    def _descend(self, heard: Float[Tensor, "mels frames"], n: int) -> Float[Tensor, "n parameters"]:
        """The best presets that descents to one sound come by."""
        assert self._known is not None
        count = min(max(n, STARTS), len(self.values))
        nearest = distances(self._known, heard).topk(count, largest=False)
        best = _descent(self.play, heard, self.values[nearest.indices], nearest.values)
        # fewer training presets than answers: they come round again
        return best.repeat(n, 1)[:n]

    def follow(
        self,
        heard: Float[Tensor, "mels frames"],
        tried: Float[Tensor, "renderings parameters"],
        sounds: Float[Tensor, "renderings mels frames"],
    ) -> Float[Tensor, " parameters"]:
        """Descend from the presets that were rendered, by the proxy and its errors at them.

        Between them errors are interpolated, and far from all of them they are the mean.
        """
        errors = sounds - self.play(tried)
        mean = errors.mean(0)
        alike = _alike(tried, tried) + NUGGET * torch.eye(len(tried), device=tried.device)
        weights = torch.linalg.solve(alike, (errors - mean).flatten(1)).view_as(errors)

        def corrected(values: Float[Tensor, "items parameters"]) -> Float[Tensor, "items mels frames"]:
            return self.play(values) + mean + torch.tensordot(_alike(values, tried), weights, 1)

        with torch.enable_grad():
            found = _descent(corrected, heard, tried, distances(sounds, heard))
        new = (found[:, None] - tried).abs().amax(2).amin(1) > NEW
        return found[int(new.int().argmax())]  # the first, if none is new


def _alike(
    some: Float[Tensor, "items parameters"], others: Float[Tensor, "others parameters"]
) -> Float[Tensor, "items others"]:
    """How much the errors at some presets are like those at others: 1 where they are the same, 0 far away."""
    return torch.exp(-(some[:, None] - others).square().mean(2) / (2 * REACH**2))


def _descent(
    play: Callable[[Tensor], Tensor],
    heard: Float[Tensor, "mels frames"],
    starts: Float[Tensor, "presets parameters"],
    least: Float[Tensor, " presets"],
) -> Float[Tensor, "presets parameters"]:
    """The best presets that descents to a sound come by, closest first; `least` are the distances of the starts.

    A parameter that a start has at an edge stays there: people leave much at 0 and 1 on purpose, and a proxy that may turn
    it on as well believes itself to be closer than it is.
    """
    best, free = starts, (starts > 0) & (starts < 1)
    logits = torch.logit(EDGE + (1 - 2 * EDGE) * starts).requires_grad_()
    optimizer = torch.optim.Adam([logits], lr=RATE)
    for _ in range(STEPS):
        values = _squashed(logits)
        distance = (play(values) - heard).abs().mean(dim=(1, 2))
        (gradient,) = torch.autograd.grad(distance.sum(), logits)
        logits.grad = gradient * free
        closer = distance.detach() < least
        least = torch.where(closer, distance.detach(), least)
        best = torch.where(closer[:, None], values.detach(), best)
        optimizer.step()
    return best[least.argsort()]


def _squashed(logits: Tensor) -> Tensor:
    """Presets from their logits; beyond the edges the gradient goes on, so that what went too far comes back."""
    free = (torch.sigmoid(logits) - EDGE) / (1 - 2 * EDGE)
    return free + (free.clamp(0, 1) - free).detach()
