"""A neural proxy of the synthesizer, and descent through it.

The network goes the other way round than all others here: it predicts the sound of a preset. Where a synthesizer has no
gradient, its proxy has one: presets descend along it until their predicted sound is close to the target.

References:
    Barkan et al. 2023, "InverSynth II: sound matching via self-supervised synthesizer-proxy and inference-time finetuning".
    Combes et al. 2025, "Neural proxies for sound synthesizers".
    Tancik et al. 2020, "Fourier features let networks learn high frequency functions in low dimensional domains".
    Kennedy and O'Hagan 2000, "Predicting the output from a complex computer code when fast approximations are available":
        what is cheap is corrected by a Gaussian process through its errors at what is dear.
"""

from collections.abc import Callable, Sequence
from math import pi
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import silu

from flowsynth.data.dataset import Batch
from flowsynth.metrics.distances import log_mel_distances
from flowsynth.models.nn.networks import Size
from flowsynth.models.surrogates.base import Surrogate

# chosen on validation sounds, all down to NUGGET:
HARMONICS = 1  # sines and cosines of each parameter that are inputs beside it; with more the network overfits
AT_ONCE = 4  # sounds whose presets descend together: a lone sound is padded to so many
STAGES = ((5, 32), (10, 16), (45, 4))  # steps of a descent, and presets of a sound that take them: the closest so far
STEPS = 40  # of the descent from presets that were rendered
RATE = 0.16  # of Adam, on the logits of presets
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
    """Descends, by the proxy's log-mel L1, from the training presets that are closest to the sound by that distance.

    The n-th prediction is the n-th closest after the descent, again by the proxy. The network is trained by log-mel L1, has as
    many blocks as the stacks of convolutions have layers, and is as wide as the perceptrons. There are no convolutions in
    it, so that a pass through the training part costs a fraction of what it costs the other models. Nearly all of a step is
    spent on the output layer, whose weights are as many as the width times the bins of a spectrogram: batches are larger
    than those of the other models, as most of what a batch costs there doesn't grow with its items.
    """

    capturable = True
    passes: ClassVar[int] = 16
    batch: ClassVar[int] = 4
    at_once: ClassVar[int] = AT_ONCE
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
        """Forget the predicted sounds of the training presets, which change in a training."""
        self._known = None
        return super().train(mode)

    def play(self, values: Float[Tensor, "items parameters"]) -> Float[Tensor, "items mels frames"]:
        """Predict the log-mel spectrograms of presets."""
        angles = [pi * 2**harmonic * values for harmonic in range(HARMONICS)]
        shown = torch.cat([values, *map(torch.sin, angles), *map(torch.cos, angles)], dim=1)
        return self.mel_mean + self.mel_std * self.network(shown).unflatten(1, (self.mels, self.frames))

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Mean absolute difference of the log-mel spectrograms."""
        return {"loss": (self.play(batch.values) - batch.mel).abs().mean()}

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Descend to some sounds at a time, always as many, so that no bits of a prediction depend on other sounds."""
        if self._known is None:
            with torch.no_grad():
                self._known = torch.cat([self.play(some) for some in self.values.split(1024)])
        found = []
        for some in mel.split(AT_ONCE):
            padded = torch.cat([some, some[:1].expand(AT_ONCE - len(some), -1, -1)])
            found.append(self._closest(padded, n)[: len(some)])
        return torch.cat(found).transpose(0, 1)

    def _closest(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "items n parameters"]:
        """Give the closest presets of the descents to each sound; at least as many descend as there are answers."""
        assert self._known is not None
        count = min(max(n, STAGES[0][1]), len(self.values))
        least, rows = torch.stack([log_mel_distances(self._known, sound) for sound in mel]).topk(
            count, dim=1, largest=False
        )
        stages = [(steps, max(n, presets)) for steps, presets in STAGES]
        best = _descent(self.play, mel, self.values[rows], least, stages)
        # fewer training presets than answers: they come round again
        return best.repeat(1, n, 1)[:, :n]

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

        least = log_mel_distances(sounds, heard)[None]
        found = _descent(corrected, heard[None], tried[None], least, [(STEPS, len(tried))])[0]
        new = (found[:, None] - tried).abs().amax(2).amin(1) > NEW
        return found[int(new.int().argmax())]  # the first, if none is new


def _alike(
    some: Float[Tensor, "items parameters"], others: Float[Tensor, "others parameters"]
) -> Float[Tensor, "items others"]:
    """How much the errors at some presets are like those at others: 1 where they are the same, 0 far away."""
    return torch.exp(-(some[:, None] - others).square().mean(2) / (2 * REACH**2))


def _descent(
    play: Callable[[Tensor], Tensor],
    heard: Float[Tensor, "items mels frames"],
    starts: Float[Tensor, "items presets parameters"],
    least: Float[Tensor, "items presets"],
    stages: Sequence[tuple[int, int]],
) -> Float[Tensor, "items kept parameters"]:
    """Descend to each sound from several presets by Adam, and drop those that stay behind.

    A parameter that a start has at an edge stays there: people leave much at 0 and 1 on purpose, and a proxy that may turn
    it on as well believes itself to be closer than it is.

    Args:
        play: Predicts the log-mel spectrograms of presets.
        heard: Log-mel spectrograms of the sounds.
        starts: Presets to start from.
        least: Log-mel L1 of the starts.
        stages: Steps, and the number of presets of each sound that take them.

    Returns:
        The best presets on the way of each descent of the last stage, closest first.
    """
    free = ((starts > 0) & (starts < 1)).to(starts)
    logits = torch.logit(EDGE + (1 - 2 * EDGE) * starts)
    # of each preset: the closest on its way, what may move, where it is, and Adam's two moments
    state, taken = torch.stack([starts, free, logits, torch.zeros_like(starts), torch.zeros_like(starts)]), 0
    for steps, presets in stages:
        order = least.argsort(dim=1, stable=True)[:, :presets]
        least = least.gather(1, order)
        best, free, logits, mean, square = state.take_along_dim(order[None, :, :, None], dim=2)
        for _ in range(steps):
            taken += 1
            with torch.enable_grad():
                logits = logits.detach().requires_grad_()
                values = _squashed(logits)
                sounds = play(values.flatten(0, 1)).unflatten(0, values.shape[:2])
                distance = (sounds - heard[:, None]).abs().mean(dim=(2, 3))
                (gradient,) = torch.autograd.grad(distance.sum(), logits)
            closer = distance.detach() < least
            least = torch.where(closer, distance.detach(), least)
            best = torch.where(closer[:, :, None], values.detach(), best)
            mean = mean.lerp(gradient * free, 0.1)
            square = square.lerp((gradient * free).square(), 0.001)
            step = mean / (1 - 0.9**taken) / ((square / (1 - 0.999**taken)).sqrt() + 1e-8)
            logits = logits.detach() - RATE * step
        state = torch.stack([best, free, logits, mean, square])
    return best.take_along_dim(least.argsort(dim=1, stable=True)[:, :, None], dim=1)


def _squashed(logits: Tensor) -> Tensor:
    """Presets from their logits; beyond the edges the gradient goes on, so that what went too far comes back."""
    free = (torch.sigmoid(logits) - EDGE) / (1 - 2 * EDGE)
    return free + (free.clamp(0, 1) - free).detach()
