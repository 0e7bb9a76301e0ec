"""The proxy predicts sounds, and presets descend along it."""

import numpy as np
import pytest
import torch

from flowsynth.data.dataset import Batch
from flowsynth.inference.surrogate_search import refine
from flowsynth.models.nn.networks import Size
from flowsynth.models.registry import UNCORRECTED
from flowsynth.models.surrogates.proxy import AT_ONCE, STAGES, Proxy, _descent

SIZE = Size(layers=2, channels=4, kernel=3, mlp_layers=2, units=32, dropout=0.0)


def sounds(values: torch.Tensor) -> torch.Tensor:
    """Sounds of presets, by a made-up synthesizer that is neither linear nor the same for each parameter."""
    angles = values @ torch.tensor([[3.0, 0.5], [0.0, 2.0], [1.0, 1.0]])
    bands, frames = torch.linspace(0, 1, 8), torch.linspace(0, 1, 10)
    return torch.sin(4 * bands[:, None] + angles[:, 0, None, None]) + torch.cos(3 * frames + angles[:, 1, None, None])


@pytest.fixture(scope="module")
def trained() -> tuple[Proxy, Batch]:
    torch.manual_seed(0)
    values = torch.rand(400, 3)
    train = Batch(sounds(values), values)
    model = Proxy(8, 10, 3, SIZE)
    model.calibrate(train)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    for _ in range(300):
        optimizer.zero_grad()
        model.loss(train)["loss"].backward()
        optimizer.step()
    return model.eval(), train


def test_it_plays_what_it_was_not_shown(trained: tuple[Proxy, Batch]):
    model, train = trained
    values = torch.rand(50, 3)
    error = (model.play(values) - sounds(values)).abs().mean()
    assert error < 0.2 * (train.mel.mean(0) - sounds(values)).abs().mean()


def test_the_descent_comes_closer_than_any_training_preset(trained: tuple[Proxy, Batch]):
    model, train = trained
    heard = sounds(torch.rand(20, 3))
    nearest = (train.mel[:, None] - heard).abs().mean((2, 3)).min(dim=0).values
    with torch.no_grad():
        found = model.infer(heard, 16)
    distances = (sounds(found.flatten(0, 1)).unflatten(0, (16, 20)) - heard).abs().mean((2, 3))
    assert distances[0].mean() < 0.5 * nearest.mean()
    assert distances.min(dim=0).values.mean() < 0.4 * nearest.mean()
    believed = (model.play(found.flatten(0, 1)).unflatten(0, (16, 20)) - heard).abs().mean((2, 3))
    assert (believed.diff(dim=0) >= -1e-6).all()  # in the order in which they sound closer to the proxy


@pytest.mark.parametrize("n", [1, 16])
def test_the_bits_of_an_answer_do_not_depend_on_the_other_sounds(trained: tuple[Proxy, Batch], n: int):
    model, _ = trained
    torch.manual_seed(2)
    heard = sounds(torch.rand(2 * AT_ONCE + 1, 3))
    before = torch.get_rng_state()
    with torch.no_grad():
        together = model.infer(heard, n)
        # other neighbours, and another place among them
        assert torch.equal(model.infer(heard.flip(0), n).flip(1), together)
        for few in (1, 2, AT_ONCE - 1):
            apart = torch.cat([model.infer(some, n) for some in heard.split(few)], dim=1)
            assert torch.equal(apart, together)
        loud = torch.cat([heard[:1], torch.full_like(heard[1:], 1e6)])
        assert torch.equal(model.infer(loud, n)[:, 0], together[:, 0])
    assert torch.equal(torch.get_rng_state(), before)


def test_starts_that_are_left_behind_cost_nothing(trained: tuple[Proxy, Batch]):
    model, _ = trained
    heard = sounds(torch.rand(20, 3))
    with torch.no_grad():
        found = model.infer(heard, 1)[0]
        unpruned = model.infer(heard, STAGES[0][1])[0]  # as many answers as starts: none may be left behind
    distances = [(sounds(values) - heard).abs().mean() for values in (found, unpruned)]
    assert distances[0] < 1.1 * distances[1]


def test_the_best_on_the_way_is_kept_and_the_closest_come_first():
    """A slope that Adam overshoots on: its last step is not its best."""
    heard = torch.tensor([0.5, 0.2])[:, None, None].expand(2, 2, 3)
    starts = torch.tensor([[0.9], [0.51], [0.3]]).expand(2, 3, 1)
    least = (starts[..., 0] - heard[:, None, 0, 0]).abs()

    def play(values: torch.Tensor) -> torch.Tensor:
        return values[:, :, None].expand(-1, 2, 3)

    none = _descent(play, heard, starts, least, [(0, 2)])
    assert torch.equal(none, torch.tensor([[[0.51], [0.3]], [[0.3], [0.51]]]))
    found = (_descent(play, heard, starts, least, [(9, 3), (9, 2)])[..., 0] - heard[:, :1, 0]).abs()
    assert (found <= least.sort(dim=1).values[:, :2] + 1e-6).all()
    assert (found.diff(dim=1) >= 0).all()


@pytest.mark.parametrize("edge", [0.0, 1.0])
def test_a_parameter_at_an_edge_stays_and_one_beside_it_moves(trained: tuple[Proxy, Batch], edge: float):
    model, _ = trained
    values = torch.rand(20, 3) * 0.2 + 0.4
    heard = sounds(values)

    def found(start: float) -> torch.Tensor:
        starts = values.clone()
        starts[:, 1] = start
        return _descent(model.play, heard, starts[:, None], torch.full((20, 1), 9.0), STAGES)[:, 0, 1]

    assert (found(edge) == edge).all()
    assert (found(abs(edge - 0.001)) - values[:, 1]).abs().median() < 0.3


def test_what_it_is_told_brings_it_closer_than_as_many_answers(trained: tuple[Proxy, Batch]):
    model, _ = trained
    heard = sounds(torch.rand(20, 3))
    with torch.no_grad():
        found = model.infer(heard, 12)
    alone = (sounds(found.flatten(0, 1)).unflatten(0, (12, 20)) - heard).abs().mean((2, 3)).min(dim=0).values
    told = []
    for number, goal in enumerate(heard):
        first = found[:UNCORRECTED, number].numpy()
        rendered: list[torch.Tensor] = []

        def sound(values: np.ndarray, rendered: list[torch.Tensor] = rendered) -> np.ndarray:
            rendered.append(torch.from_numpy(values))
            return sounds(rendered[-1][None])[0].numpy()

        best, distances = refine(model, goal.numpy(), first, sound, 12)
        assert len(rendered) == len(distances) == 12
        assert all(((values >= 0) & (values <= 1)).all() for values in rendered)
        assert torch.equal(torch.from_numpy(best), rendered[distances.argmin()])
        assert distances.min() == pytest.approx(
            float((sounds(torch.from_numpy(best)[None]) - goal).abs().mean()), rel=1e-5
        )
        told.append(distances.min())
    assert np.mean(told) < 0.5 * alone.mean()


def test_no_more_is_rendered_than_may_be(trained: tuple[Proxy, Batch]):
    model, train = trained
    asked = []
    first = train.values[:3].numpy()
    best, distances = refine(model, train.mel[1].numpy(), first, lambda v: asked.append(v) or train.mel[0].numpy(), 3)
    assert len(asked) == len(distances) == 3
    assert np.array_equal(best, first[0])  # all sound the same: the first


def test_a_network_that_has_changed_plays_anew(trained: tuple[Proxy, Batch]):
    model, train = trained
    with torch.no_grad():
        before = model.infer(train.mel[:1], 4)
        weights = {name: value.clone() for name, value in model.state_dict().items()}
        model.train()
        for parameter in model.parameters():
            parameter.mul_(0.9)
        other = model.eval().infer(train.mel[:1], 4)
        model.train()
        model.load_state_dict(weights)
        again = model.eval().infer(train.mel[:1], 4)
    assert not torch.equal(before, other)
    assert torch.equal(before, again)


def test_more_answers_than_training_presets_come_round_again():
    values = torch.rand(5, 3)
    model = Proxy(8, 10, 3, SIZE)
    model.calibrate(Batch(sounds(values), values))
    found = model.eval().infer(sounds(values[:2]), 8)
    assert found.shape == (8, 2, 3)
    assert torch.equal(found[:3], found[5:])


def test_what_the_proxy_says_wrongly_everywhere_is_put_right_by_one_rendering(trained: tuple[Proxy, Batch]):
    model, _ = trained
    torch.manual_seed(1)
    wrong = 0.3 * torch.rand(8, 10)  # of the synthesizer, which the proxy was not trained with
    started, told = [], []
    for values in 0.2 + 0.6 * torch.rand(20, 3):
        tried = (values + 0.1 * torch.randn(3)).clamp(0, 1)[None]
        with torch.no_grad():
            heard = model.play(values[None])[0] + wrong
            answer = model.follow(heard, tried, model.play(tried) + wrong)
            for found, preset in ((started, tried), (told, answer[None])):
                found.append(float((model.play(preset)[0] + wrong - heard).abs().mean()))
    assert np.median(told) < 0.1 * np.median(started)
