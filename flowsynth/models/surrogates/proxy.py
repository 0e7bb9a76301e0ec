"""Neural synthesizer proxy, inverted by gradient descent.

Unlike all other networks here, the proxy predicts the sound of a preset. It is differentiable where the synthesizer is
not: presets are optimised until their predicted sound is close to the target.

References:
    Barkan et al. 2023, "InverSynth II: sound matching via self-supervised synthesizer-proxy and inference-time
        finetuning".
    Combes et al. 2025, "Neural proxies for sound synthesizers".
    Tancik et al. 2020, "Fourier features let networks learn high frequency functions in low dimensional domains".
    Kennedy and O'Hagan 2000, "Predicting the output from a complex computer code when fast approximations are
        available": a Gaussian process of the errors of a cheap model corrects it.
"""

from collections.abc import Callable, Sequence
from math import pi
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import pad, silu

from flowsynth.data.dataset import Batch
from flowsynth.data.distances import log_mel_distances
from flowsynth.models.nn.categories import Categories
from flowsynth.models.nn.networks import Size
from flowsynth.models.surrogates.base import Surrogate
from flowsynth.synths.parameter_space import ParameterSpace

# chosen on the validation set, up to NUGGET:
HARMONICS = 1  # sines and cosines of each parameter as additional inputs; with more the network overfits
TARGETS = 4  # sounds that are optimised together; fewer are padded to this number
STAGES = ((5, 32), (10, 16), (45, 4))  # steps of the descent, and how many of the closest presets per sound take them
DESCENT_STEPS = 40  # steps of the descent from rendered presets
LEARNING_RATE = 0.16  # learning rate of Adam on the logits of presets
LENGTH_SCALE = 0.2  # of the kernel of the errors, in root mean square differences of the parameters
NUGGET = 1e-3  # share of the variance of the errors that presets do not explain, which regularises near-duplicates
SAME_CATEGORY = 1e-3  # maximum difference of values of a category that are the same
MIN_CHANGE = 1e-3  # minimum difference of a proposal, in at least one parameter, from each rendered preset
MARGIN = 0.005  # presets are scaled into [MARGIN, 1 - MARGIN], so that 0 and 1 have finite logits
LANES = 32  # numbers that a processor takes at once, two vectors of AVX-512


class Block(nn.Module):
    """Residual block of two linear layers."""

    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner, self.outer = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Float[Tensor, "*items width"]) -> Float[Tensor, "*items width"]:
        """Transform the features."""
        return x + self.outer(silu(self.inner(self.norm(x))))


class Proxy(Surrogate):
    """Minimises the log-mel L1 of the predicted sound by gradient descent from the closest training presets.

    The n-th prediction is the preset with the n-th smallest distance after the descent, according to the proxy. The
    network is trained by log-mel L1, has as many blocks as the stacks of convolutions have layers, and is as wide as
    the perceptrons. Categories enter it as one-hot vectors, and keep the value of their start in a descent. It has no
    convolutions, so a pass over the training set costs a fraction of that of the other models. Most of a training step
    is spent on the output layer, which has as many weights as the width times the bins of a spectrogram. Batches are
    larger than those of the other models because most of the cost of a batch does not depend on its size.
    """

    capturable = True
    passes: ClassVar[int] = 16
    batch_factor: ClassVar[int] = 4
    inference_batch: ClassVar[int] = TARGETS
    values: Tensor
    fixed: Tensor

    def __init__(self, mels: int, frames: int, parameters: ParameterSpace, size: Size):
        super().__init__(mels, frames, parameters, size)
        width = size.units
        self.categories = Categories(parameters)
        self.register_buffer("fixed", torch.tensor([kind == "category" for kind in parameters.kinds]), persistent=False)
        scales = self.num_parameters - self.categories.number
        self.register_buffer("values", torch.zeros(0, self.num_parameters))
        blocks = [Block(width) for _ in range(size.layers)]
        self.network = nn.Sequential(
            nn.Linear(scales * (1 + 2 * HARMONICS) + self.categories.logits, width),
            *blocks,
            nn.Linear(width, mels * frames),
        )
        self._training_mel: Tensor | None = None  # predicted sounds of the training presets

    def calibrate(self, train: Batch) -> None:
        """Also store the training presets, from which descents start."""
        super().calibrate(train)
        self.values = train.values.clone()

    def train(self, mode: bool = True) -> "Proxy":
        """Discard the predicted sounds of the training presets, which change during training."""
        self._training_mel = None
        return super().train(mode)

    def predict_mel(self, values: Float[Tensor, "items parameters"]) -> Float[Tensor, "items mels frames"]:
        """Predict the log-mel spectrograms of presets."""
        vectors = []
        if self.categories.number:
            vectors = [self.categories.one_hot(self.categories.indices(values))]
            values = values[:, self.categories.others]
        angles = [pi * 2**harmonic * values for harmonic in range(HARMONICS)]
        inputs = torch.cat([values, *map(torch.sin, angles), *map(torch.cos, angles), *vectors], dim=1)
        return self.mel_mean + self.mel_std * self.network(inputs).unflatten(1, (self.mels, self.frames))

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the mean absolute difference of the log-mel spectrograms."""
        return {"loss": (self.predict_mel(batch.values) - batch.mel).abs().mean()}

    def infer(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "n items parameters"]:
        """Optimise presets for a fixed number of sounds at a time: predictions have the same bits in any batch."""
        predictions = []
        for targets in mel.split(TARGETS):
            padded = torch.cat([targets, targets[:1].expand(TARGETS - len(targets), -1, -1)])
            predictions.append(self._optimise(padded, n)[: len(targets)])
        return torch.cat(predictions).transpose(0, 1)

    def _optimise(self, mel: Float[Tensor, "items mels frames"], n: int) -> Float[Tensor, "items n parameters"]:
        """Return the `n` closest presets to each sound after the descent, from at least `n` starts."""
        count = min(max(n, STAGES[0][1]), len(self.values))
        least, rows = torch.stack([log_mel_distances(self._predicted_training_mel(), target) for target in mel]).topk(
            count, dim=1, largest=False
        )
        stages = [(steps, max(n, presets)) for steps, presets in STAGES]
        best = _descend(self.predict_mel, mel, self.values[rows], least, self.fixed, stages)
        # with fewer than n training presets, repeat the predictions
        return best.repeat(1, n, 1)[:, :n]

    def _predicted_training_mel(self) -> Float[Tensor, "presets mels frames"]:
        """Predict the sounds of the training presets, once."""
        if self._training_mel is None:
            with torch.no_grad():
                self._training_mel = torch.cat([self.predict_mel(chunk) for chunk in self.values.split(1024)])
        return self._training_mel

    def descend(
        self, target: Float[Tensor, "mels frames"], starts: Float[Tensor, "starts parameters"], n: int
    ) -> Float[Tensor, "n parameters"]:
        """Descend from the closest of the starts and of the training presets, according to the proxy."""
        with torch.no_grad():
            predicted = torch.cat([self.predict_mel(starts), self._predicted_training_mel()])
        presets = torch.cat([starts, self.values])
        least, rows = log_mel_distances(predicted, target).topk(min(STAGES[0][1], len(presets)), largest=False)
        stages = [(steps, max(n, kept)) for steps, kept in STAGES]
        return _descend(self.predict_mel, target[None], presets[rows][None], least[None], self.fixed, stages)[0][:n]

    def propose_next(
        self,
        target: Float[Tensor, "mels frames"],
        presets: Float[Tensor, "renderings parameters"],
        renderings: Float[Tensor, "renderings mels frames"],
    ) -> Float[Tensor, " parameters"]:
        """Descend from the rendered presets, with the proxy corrected by a Gaussian process of its errors.

        The process interpolates the errors of the rendered presets and reverts to their mean far from all of them.
        """
        errors = renderings - self.predict_mel(presets)
        mean = errors.mean(0)
        covariance = _kernel(presets, presets, self.fixed) + NUGGET * torch.eye(len(presets), device=presets.device)
        weights = torch.linalg.solve(covariance, (errors - mean).flatten(1)).view_as(errors)

        def predict_corrected(values: Float[Tensor, "items parameters"]) -> Float[Tensor, "items mels frames"]:
            return self.predict_mel(values) + mean + torch.tensordot(_kernel(values, presets, self.fixed), weights, 1)

        least = log_mel_distances(renderings, target)[None]
        stages = [(DESCENT_STEPS, len(presets))]
        proposals = _descend(predict_corrected, target[None], presets[None], least, self.fixed, stages)[0]
        is_new = (proposals[:, None] - presets).abs().amax(2).amin(1) > MIN_CHANGE
        return proposals[int(is_new.int().argmax())]  # the first, if none is new


def _kernel(
    a: Float[Tensor, "first parameters"], b: Float[Tensor, "second parameters"], category: Bool[Tensor, " parameters"]
) -> Float[Tensor, "first second"]:
    """Compute the correlation of the errors at two sets of presets: 1 for equal presets, 0 for distant ones.

    The values of a category differ by 1.
    """
    difference = a[:, None] - b
    difference = torch.where(category, (difference.abs() > SAME_CATEGORY).to(difference), difference)
    return torch.exp(-difference.square().mean(2) / (2 * LENGTH_SCALE**2))


def _descend(
    predict_mel: Callable[[Tensor], Tensor],
    target: Float[Tensor, "items mels frames"],
    starts: Float[Tensor, "items presets parameters"],
    least: Float[Tensor, "items presets"],
    fixed: Bool[Tensor, " parameters"],
    stages: Sequence[tuple[int, int]],
) -> Float[Tensor, "items kept parameters"]:
    """Minimise the distance to each target from several presets by Adam, and prune the farthest presets.

    Parameters that are exactly 0 or 1 at the start are fixed: in human-designed presets these values are often
    deliberate, and a proxy that can change them underestimates its distance.

    Args:
        predict_mel: Predicts the log-mel spectrograms of presets.
        target: Log-mel spectrograms of the targets.
        starts: Presets to start from.
        least: Log-mel L1 of the starts.
        fixed: Mask of the parameters that keep the value of their start.
        stages: Pairs of a number of steps and the number of presets per target that take them.

    Returns:
        The best presets along each descent of the last stage, closest first.
    """
    free = ((starts > 0) & (starts < 1) & ~fixed).to(starts)
    logits = _by_row(torch.logit, MARGIN + (1 - 2 * MARGIN) * starts)
    # for each preset: the best so far, which parameters are free, the current logits, and the two moments of Adam
    state, step_count = torch.stack([starts, free, logits, torch.zeros_like(starts), torch.zeros_like(starts)]), 0
    for steps, presets in stages:
        order = least.argsort(dim=1, stable=True)[:, :presets]
        least = least.gather(1, order)
        best, free, logits, mean, square = state.take_along_dim(order[None, :, :, None], dim=2)
        for _ in range(steps):
            step_count += 1
            with torch.enable_grad():
                logits = logits.detach().requires_grad_()
                values = _to_values(logits)
                predictions = predict_mel(values.flatten(0, 1)).unflatten(0, values.shape[:2])
                distance = (predictions - target[:, None]).abs().mean(dim=(2, 3))
                (gradient,) = torch.autograd.grad(distance.sum(), logits)
            closer = distance.detach() < least
            least = torch.where(closer, distance.detach(), least)
            best = torch.where(closer[:, :, None], values.detach(), best)
            mean = mean.lerp(gradient * free, 0.1)
            square = square.lerp((gradient * free).square(), 0.001)
            step = mean / (1 - 0.9**step_count) / ((square / (1 - 0.999**step_count)).sqrt() + 1e-8)
            logits = logits.detach() - LEARNING_RATE * step
        state = torch.stack([best, free, logits, mean, square])
    return best.take_along_dim(least.argsort(dim=1, stable=True)[:, :, None], dim=1)


def _to_values(logits: Tensor) -> Tensor:
    """Map logits to presets in [0, 1]; clamping passes the gradient on, so that parameters can return from outside."""
    unclamped = (_by_row(torch.sigmoid, logits) - MARGIN) / (1 - 2 * MARGIN)
    return unclamped + (unclamped.clamp(0, 1) - unclamped).detach()


def _by_row(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Apply an element-wise function such that the bits of a row do not depend on where in the batch it is.

    torch computes the elements of a tensor in vectors, and what is left at its end by a formula that rounds otherwise.
    """
    return function(pad(x, (0, -x.shape[-1] % LANES)))[..., : x.shape[-1]]
