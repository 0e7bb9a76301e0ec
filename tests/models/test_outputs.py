"""Outputs of networks: scales by a sigmoid, categories by a softmax."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy, mse_loss

from flowsynth.metrics.parameters import category_accuracy
from flowsynth.models.nn.outputs import CATEGORY_WEIGHT, ParameterOutputs
from flowsynth.synths import spec as synths
from flowsynth.synths.parameter_space import Kind, ParameterSpace

SPACE = ParameterSpace(
    ("wave", "level", "mode", "coarse"), ("category", "continuous", "category", "stepped"), (5, None, 2, 8)
)


def space(kinds: list[tuple[Kind, int | None]]) -> ParameterSpace:
    return ParameterSpace(
        tuple(f"p{n}" for n in range(len(kinds))), tuple(k for k, _ in kinds), tuple(s for _, s in kinds)
    )


ANY_SPACE = st.lists(
    st.one_of(
        st.just(("continuous", None)),
        st.tuples(st.just("stepped"), st.integers(2, 9)),
        st.tuples(st.just("category"), st.integers(2, 9)),
    ),
    min_size=1,
    max_size=6,
).map(space)


def test_category_accuracy_of_exact_categories_is_one():
    outputs = ParameterOutputs(synths.dataset("dexed145")[0].space(synths.dataset("dexed145")[1]))
    raw = torch.randn(9, outputs.raw)
    predicted = outputs(raw)[:, outputs.categories.columns].numpy()
    steps = outputs.categories.steps.numpy()
    assert category_accuracy(predicted, predicted, steps) == pytest.approx(1)
    other = np.rint(np.random.default_rng(0).random(predicted.shape) * (steps - 1)) / (steps - 1)
    same = category_accuracy(other, predicted, steps).mean()
    assert same == pytest.approx((np.abs(other - predicted) < 1e-4).mean(), abs=1e-6)
    assert 0.1 < same < 0.5


def test_without_categories_it_is_a_sigmoid_and_the_squared_error():
    outputs = ParameterOutputs(space([("continuous", None), ("stepped", 4)]))
    raw, values = torch.randn(7, 2), torch.rand(7, 2)
    assert outputs.raw == 2
    assert torch.equal(outputs(raw), torch.sigmoid(raw))
    assert torch.equal(outputs.loss(raw, values), mse_loss(torch.sigmoid(raw), values))


def test_loss_by_hand():
    outputs = ParameterOutputs(SPACE)
    raw = torch.randn(6, outputs.raw)
    values = torch.stack(
        [torch.tensor([0, 1, 2, 3, 4, 4]) / 4, torch.rand(6), torch.tensor([0.0, 1] * 3), torch.rand(6)], 1
    )
    scales, wave, mode = raw.split([2, 5, 2], dim=1)
    squared = (torch.sigmoid(scales) - values[:, [1, 3]]).square().sum(dim=1).mean()
    entropy = cross_entropy(wave, torch.tensor([0, 1, 2, 3, 4, 4])) / math.log(5)
    entropy = entropy + cross_entropy(mode, torch.tensor([0, 1] * 3)) / math.log(2)
    assert outputs.loss(raw, values) == pytest.approx(float((squared + CATEGORY_WEIGHT * entropy) / 4), rel=1e-5)


@given(ANY_SPACE, st.integers(0, 99))
def test_predictions_keep_the_order_of_parameters_and_lie_on_steps(parameters: ParameterSpace, seed: int):
    outputs, generator = ParameterOutputs(parameters), torch.Generator().manual_seed(seed)
    raw = torch.randn(5, outputs.raw, generator=generator)
    values = outputs(raw)
    assert values.shape == (5, len(parameters))
    assert ((values >= 0) & (values <= 1)).all()
    start = sum(kind != "category" for kind in parameters.kinds)
    position = 0
    for column, (kind, steps) in enumerate(zip(parameters.kinds, parameters.steps, strict=True)):
        if kind == "category":
            expected = raw[:, start : start + (steps or 0)].argmax(dim=1) / ((steps or 0) - 1)
            start += steps or 0
        else:
            expected = torch.sigmoid(raw[:, position])
            position += 1
        assert torch.equal(values[:, column], expected)


@given(ANY_SPACE)
def test_true_categories_with_certainty_cost_nothing(parameters: ParameterSpace):
    outputs = ParameterOutputs(parameters)
    raw = 30 * torch.randn(4, outputs.raw)
    assert outputs.loss(raw, outputs(raw)) < 1


def test_every_parameter_of_dexed_has_an_output_that_can_be_learnt():
    synth, names = synths.dataset("dexed145")
    outputs = ParameterOutputs(synth.space(names))
    assert outputs.raw == 123 + 6 * (4 + 4 + 2) + 32 + 2 + 2 + 6
    values = torch.from_numpy(synth.base).float()[None]
    raw = torch.zeros(1, outputs.raw, requires_grad=True)
    optimizer = torch.optim.Adam([raw], lr=0.3)
    for _ in range(200):
        optimizer.zero_grad()
        outputs.loss(raw, values).backward()
        optimizer.step()
    assert torch.allclose(outputs(raw.detach()), values, atol=0.01)
