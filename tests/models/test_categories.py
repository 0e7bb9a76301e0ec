"""Categories: the layout of their logits, and the probability that a density gives them."""

from itertools import product

import pytest
import torch
from torch.nn.functional import one_hot

from flowsynth.data.dataset import Batch
from flowsynth.models import base as models
from flowsynth.models.density.base import DensityModel
from flowsynth.models.nn.categorical_factor import CategoricalFactor
from flowsynth.models.nn.categories import Categories
from flowsynth.models.nn.networks import Size
from flowsynth.synths.parameter_space import ParameterSpace

SPACE = ParameterSpace(
    ("wave", "level", "mode", "coarse", "shape"),
    ("category", "continuous", "category", "stepped", "category"),
    (4, None, 2, 8, 3),
)
ALL = torch.tensor(list(product(range(4), range(2), range(3))))


@pytest.fixture
def factor() -> CategoricalFactor:
    torch.manual_seed(0)
    factor = CategoricalFactor(Categories(SPACE), context=5)
    with torch.no_grad():
        for parameter in factor.parameters():
            parameter.normal_()
    return factor


def test_indices_vectors_and_values_agree():
    categories = Categories(SPACE)
    values = torch.rand(len(ALL), 5)
    values[:, [0, 2, 4]] = ALL / torch.tensor([3, 1, 2])
    assert torch.equal(categories.indices(values), ALL)
    expected = torch.cat([one_hot(ALL[:, column], steps) for column, steps in enumerate((4, 2, 3))], dim=1)
    assert torch.equal(categories.one_hot(ALL), expected.float())
    assert torch.equal(categories.merge(values[:, [1, 3]], ALL), values)


def test_probabilities_of_a_category_are_a_softmax_of_its_own_logits():
    logits = torch.randn(7, 9)
    probabilities = Categories(SPACE).log_probabilities(logits).exp()
    for category, part in enumerate(logits.split([4, 2, 3], dim=1)):
        torch.testing.assert_close(probabilities[:, category, : part.shape[1]], part.softmax(dim=1))
        assert (probabilities[:, category, part.shape[1] :] == 0).all()


def test_probabilities_of_all_combinations_sum_to_one(factor: CategoricalFactor):
    context = torch.randn(6, 1, 5).expand(-1, len(ALL), -1)
    with torch.no_grad():
        total = factor.log_probability(context, ALL.expand(6, -1, -1)).exp().sum(dim=1)
    torch.testing.assert_close(total, torch.ones(6))


def test_samples_follow_the_joint_probability(factor: CategoricalFactor):
    context, n = torch.randn(2, 5), 20_000
    with torch.no_grad():
        samples = factor.sample(context, n)
        for item in range(2):
            probability = factor.log_probability(context[item].expand(len(ALL), -1), ALL).exp()
            share = (samples[:, item, None] == ALL).all(dim=-1).float().mean(dim=0)
            # four standard errors of the share
            assert ((share - probability).abs() <= 4 * (probability * (1 - probability) / n).sqrt() + 1e-4).all()
    assert not torch.equal(samples[:, 0], samples[:, 1])


@pytest.mark.parametrize("name", ["mdn", "npe_nsf"])
def test_a_density_learns_which_categories_and_values_occur_together(name: str, monkeypatch: pytest.MonkeyPatch):
    """Two presets are equally probable for any sound: the level is high with one wave and low with the other."""
    torch.manual_seed(0)
    values = torch.tensor([[0.0, 0.2, 1.0, 1 / 7, 0.5], [1.0, 0.8, 0.0, 6 / 7, 1.0]]).repeat(8, 1)
    batch = Batch(torch.zeros(16, 16, 20), values)
    size = Size(layers=2, channels=4, kernel=3, mlp_layers=2, units=32, dropout=0.0)
    model = models.find(name)(16, 20, SPACE, size)
    assert isinstance(model, DensityModel)
    features = torch.zeros(1, model.encoder.features)
    monkeypatch.setattr(model.encoder, "forward", lambda mel: features.expand(len(mel), -1))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(300):
        optimizer.zero_grad()
        model.loss(batch)["loss"].backward()
        optimizer.step()
    with torch.no_grad():
        draws = model.eval().infer(batch.mel[:1], 100)[:, 0]
    near = (draws[:, None] - values[:2]).abs().max(dim=2).values < 0.1
    assert near.any(dim=1).float().mean() > 0.9
    assert 0.3 < near[:, 0].float().mean() < 0.7


def test_a_density_of_categories_alone_is_refused(size: Size):
    space = ParameterSpace(("wave",), ("category",), (4,))
    with pytest.raises(ValueError, match="all 1 parameters are categories"):
        models.find("npe_nsf")(16, 20, space, size)
