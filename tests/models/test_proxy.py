"""Proxy: prediction of sounds, gradient descent, corrections."""

import numpy as np
import pytest
import torch
from small import space

from flowsynth.data.dataset import Batch
from flowsynth.inference.surrogate_search import refine
from flowsynth.models.nn.networks import Size
from flowsynth.models.surrogates.proxy import STAGES, TARGETS, Proxy, _descend, _kernel
from flowsynth.models.systems import INITIAL_CANDIDATES
from flowsynth.synths.parameter_space import ParameterSpace

SIZE = Size(layers=2, channels=4, kernel=3, mlp_layers=2, units=32, dropout=0.0)


def sounds(values: torch.Tensor) -> torch.Tensor:
    """Render presets with a toy synthesizer that is nonlinear and has unequal parameters."""
    angles = values @ torch.tensor([[3.0, 0.5], [0.0, 2.0], [1.0, 1.0]])
    bands, frames = torch.linspace(0, 1, 8), torch.linspace(0, 1, 10)
    return torch.sin(4 * bands[:, None] + angles[:, 0, None, None]) + torch.cos(3 * frames + angles[:, 1, None, None])


def fit(model: Proxy, train: Batch) -> None:
    model.calibrate(train)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    for _ in range(300):
        optimizer.zero_grad()
        model.loss(train)["loss"].backward()
        optimizer.step()
    model.eval()


@pytest.fixture(scope="module")
def trained() -> tuple[Proxy, Batch]:
    torch.manual_seed(0)
    values = torch.rand(400, 3)
    train = Batch(sounds(values), values)
    model = Proxy(8, 10, space(3), SIZE)
    fit(model, train)
    return model.eval(), train


def test_it_predicts_sounds_of_unseen_presets(trained: tuple[Proxy, Batch]):
    model, train = trained
    values = torch.rand(50, 3)
    error = (model.predict_mel(values) - sounds(values)).abs().mean()
    assert error < 0.2 * (train.mel.mean(0) - sounds(values)).abs().mean()


def test_descent_is_closer_than_the_nearest_training_preset(trained: tuple[Proxy, Batch]):
    model, train = trained
    targets = sounds(torch.rand(20, 3))
    nearest = (train.mel[:, None] - targets).abs().mean((2, 3)).min(dim=0).values
    with torch.no_grad():
        predictions = model.infer(targets, 16)
    distances = (sounds(predictions.flatten(0, 1)).unflatten(0, (16, 20)) - targets).abs().mean((2, 3))
    assert distances[0].mean() < 0.5 * nearest.mean()
    assert distances.min(dim=0).values.mean() < 0.4 * nearest.mean()
    predicted_mel = model.predict_mel(predictions.flatten(0, 1)).unflatten(0, (16, 20))
    predicted_distances = (predicted_mel - targets).abs().mean((2, 3))
    assert (predicted_distances.diff(dim=0) >= -1e-6).all()  # ordered by the distance that the proxy predicts


@pytest.mark.slow
@pytest.mark.parametrize("n", [1, 5, 16])
def test_predictions_are_bit_identical_in_any_batch(trained: tuple[Proxy, Batch], n: int):
    model, _ = trained
    torch.manual_seed(2)
    targets = sounds(torch.rand(2 * TARGETS + 1, 3))
    before = torch.get_rng_state()
    with torch.no_grad():
        together = model.infer(targets, n)
        # other sounds in the batch, and another position in it
        assert torch.equal(model.infer(targets.flip(0), n).flip(1), together)
        for batch_size in (1, 2, TARGETS - 1):
            in_batches = torch.cat([model.infer(batch, n) for batch in targets.split(batch_size)], dim=1)
            assert torch.equal(in_batches, together)
        loud = torch.cat([targets[:1], torch.full_like(targets[1:], 1e6)])
        assert torch.equal(model.infer(loud, n)[:, 0], together[:, 0])
    assert torch.equal(torch.get_rng_state(), before)


def test_pruning_does_not_increase_the_distance(trained: tuple[Proxy, Batch]):
    model, _ = trained
    targets = sounds(torch.rand(20, 3))
    with torch.no_grad():
        pruned = model.infer(targets, 1)[0]
        unpruned = model.infer(targets, STAGES[0][1])[0]  # as many predictions as starts, so that none is pruned
    distances = [(sounds(values) - targets).abs().mean() for values in (pruned, unpruned)]
    assert distances[0] < 1.1 * distances[1]


def test_descent_returns_the_best_presets_closest_first():
    """Adam overshoots here, so the last step is not the best."""
    targets = torch.tensor([0.5, 0.2])[:, None, None].expand(2, 2, 3)
    starts = torch.tensor([[0.9], [0.51], [0.3]]).expand(2, 3, 1)
    least = (starts[..., 0] - targets[:, None, 0, 0]).abs()

    def predict_mel(values: torch.Tensor) -> torch.Tensor:
        return values[:, :, None].expand(-1, 2, 3)

    without_steps = _descend(predict_mel, targets, starts, least, torch.tensor([False]), [(0, 2)])
    assert torch.equal(without_steps, torch.tensor([[[0.51], [0.3]], [[0.3], [0.51]]]))
    best = _descend(predict_mel, targets, starts, least, torch.tensor([False]), [(9, 3), (9, 2)])
    distances = (best[..., 0] - targets[:, :1, 0]).abs()
    assert (distances <= least.sort(dim=1).values[:, :2] + 1e-6).all()
    assert (distances.diff(dim=1) >= 0).all()


@pytest.mark.parametrize("edge", [0.0, 1.0])
def test_parameters_at_0_and_1_are_fixed_and_others_change(trained: tuple[Proxy, Batch], edge: float):
    model, _ = trained
    values = torch.rand(20, 3) * 0.2 + 0.4
    targets = sounds(values)

    def descend_from(start: float) -> torch.Tensor:
        starts, least = values.clone(), torch.full((20, 1), 9.0)
        starts[:, 1] = start
        return _descend(model.predict_mel, targets, starts[:, None], least, torch.zeros(3, dtype=torch.bool), STAGES)[
            :, 0, 1
        ]

    assert (descend_from(edge) == edge).all()
    assert (descend_from(abs(edge - 0.001)) - values[:, 1]).abs().median() < 0.3


@torch.no_grad()
def test_a_descent_uses_given_starts_and_training_presets(trained: tuple[Proxy, Batch]):
    model, _ = trained
    torch.manual_seed(5)
    values = torch.rand(12, 3) * 0.8 + 0.1

    def predicted(presets: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return (model.predict_mel(presets) - target).abs().mean((1, 2))

    for target, truth in zip(sounds(values), values, strict=True):
        own = predicted(model.infer(target[None], 1)[0], target)
        for starts in (torch.full((3, 3), 0.02), (truth + 0.02 * torch.randn(3, 3)).clamp(0.01, 0.99)):
            presets = model.descend(target, starts, 3)
            assert presets.shape == (3, 3)
            assert (predicted(presets, target).diff() >= -1e-6).all()  # closest first
            # bad starts do not hurt: the training presets are starts too
            assert predicted(presets, target)[0] <= 1.2 * own[0] + 0.01


def test_categories_are_recovered_and_do_not_change_in_a_descent():
    torch.manual_seed(0)
    parameters = ParameterSpace(("a", "wave", "b"), ("continuous", "category", "continuous"), (None, 3, None))

    def draw(count: int) -> Batch:
        values = torch.rand(count, 3)
        wave = torch.randint(3, (count,))
        values[:, 1] = wave / 2
        shapes = torch.tensor([[0.0, 1.0], [2.0, 0.0], [1.0, 3.0]])  # no order: the third is not beyond the second
        mel = sounds(torch.stack([values[:, 0], shapes[wave, 0], values[:, 2] + shapes[wave, 1]], dim=1))
        return Batch(mel, values)

    train, test = draw(600), draw(40)
    model = Proxy(8, 10, parameters, SIZE)
    fit(model, train)
    predictions = model.eval().infer(test.mel, 4).detach()
    waves = predictions[..., 1] * 2
    assert torch.allclose(waves, waves.round(), atol=1e-5)
    assert (waves[0].round() == test.values[:, 1] * 2).float().mean() > 0.9
    # other values are no nearer to each other by their number
    values = torch.tensor([[0.5, 0.0, 0.5], [0.5, 0.5, 0.5], [0.5, 1.0, 0.5]])
    kernel = _kernel(values, values, model.fixed)
    assert torch.allclose(kernel, kernel[0, 1] + (1 - kernel[0, 1]) * torch.eye(3))
    proposal = model.propose_next(test.mel[0], predictions[:, 0], test.mel[:4])
    assert float(proposal[1] * 2) == pytest.approx(round(float(proposal[1] * 2)), abs=1e-5)


@pytest.mark.slow
def test_corrections_beat_best_of_n(trained: tuple[Proxy, Batch]):
    model, _ = trained
    targets = sounds(torch.rand(5, 3))
    with torch.no_grad():
        predictions = model.infer(targets, 12)
    distances_of_n = (sounds(predictions.flatten(0, 1)).unflatten(0, (12, 5)) - targets).abs().mean((2, 3))
    best_of_n = distances_of_n.min(dim=0).values
    corrected = []
    for index, target in enumerate(targets):
        first = predictions[:INITIAL_CANDIDATES, index].numpy()
        rendered: list[torch.Tensor] = []

        def sound(values: np.ndarray, rendered: list[torch.Tensor] = rendered) -> np.ndarray:
            rendered.append(torch.from_numpy(values))
            return sounds(rendered[-1][None])[0].numpy()

        best, distances = refine(model, target.numpy(), first, sound, 12)
        assert len(rendered) == len(distances) == 12
        assert all(((values >= 0) & (values <= 1)).all() for values in rendered)
        assert torch.equal(torch.from_numpy(best), rendered[distances.argmin()])
        assert distances.min() == pytest.approx(
            float((sounds(torch.from_numpy(best)[None]) - target).abs().mean()), rel=1e-5
        )
        corrected.append(distances.min())
    assert np.mean(corrected) < 0.5 * best_of_n.mean()


def test_the_render_budget_is_not_exceeded(trained: tuple[Proxy, Batch]):
    model, train = trained
    rendered = []
    first = train.values[:3].numpy()
    best, distances = refine(
        model, train.mel[1].numpy(), first, lambda v: rendered.append(v) or train.mel[0].numpy(), 3
    )
    assert len(rendered) == len(distances) == 3
    assert np.array_equal(best, first[0])  # the first of equal distances


def test_predictions_follow_changes_of_the_network(trained: tuple[Proxy, Batch]):
    model, train = trained
    with torch.no_grad():
        before = model.infer(train.mel[:1], 4)
        weights = {name: value.clone() for name, value in model.state_dict().items()}
        model.train()
        for parameter in model.parameters():
            parameter.mul_(0.9)
        changed = model.eval().infer(train.mel[:1], 4)
        model.train()
        model.load_state_dict(weights)
        restored = model.eval().infer(train.mel[:1], 4)
    assert not torch.equal(before, changed)
    assert torch.equal(before, restored)


def test_predictions_repeat_beyond_the_number_of_presets():
    values = torch.rand(5, 3)
    model = Proxy(8, 10, space(3), SIZE)
    model.calibrate(Batch(sounds(values), values))
    predictions = model.eval().infer(sounds(values[:2]), 8)
    assert predictions.shape == (8, 2, 3)
    assert torch.equal(predictions[:3], predictions[5:])


def test_one_rendering_corrects_a_constant_error(trained: tuple[Proxy, Batch]):
    model, _ = trained
    torch.manual_seed(1)
    offset = 0.3 * torch.rand(8, 10)  # a difference between the synthesizer and the proxy
    initial, corrected = [], []
    for values in 0.2 + 0.6 * torch.rand(20, 3):
        presets = (values + 0.1 * torch.randn(3)).clamp(0, 1)[None]
        with torch.no_grad():
            target = model.predict_mel(values[None])[0] + offset
            proposal = model.propose_next(target, presets, model.predict_mel(presets) + offset)
            for distances, preset in ((initial, presets), (corrected, proposal[None])):
                distances.append(float((model.predict_mel(preset)[0] + offset - target).abs().mean()))
    assert np.median(corrected) < 0.1 * np.median(initial)


def test_several_renderings_correct_an_error_that_varies(trained: tuple[Proxy, Batch]):
    model, _ = trained
    torch.manual_seed(1)
    bands = torch.linspace(0, 1, 8)[:, None]

    def synthesizer(values: torch.Tensor) -> torch.Tensor:
        return model.predict_mel(values) + 0.6 * torch.sin(4 * values[:, 1, None, None] + 3 * bands)

    initial, corrected = [], []
    for values in 0.2 + 0.6 * torch.rand(20, 3):
        # near the target, and anywhere
        presets = torch.cat([(values + 0.1 * torch.randn(4, 3)).clamp(0, 1), torch.rand(4, 3)])
        with torch.no_grad():
            target = synthesizer(values[None])[0]
            proposal = model.propose_next(target, presets, synthesizer(presets))
            initial.append(float((synthesizer(presets) - target).abs().mean((1, 2)).min()))
            corrected.append(float((synthesizer(proposal[None])[0] - target).abs().mean()))
    assert np.median(corrected) < 0.3 * np.median(initial)
