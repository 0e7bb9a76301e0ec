"""Training: stopped and taken up again, it ends with the same weights."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd
import pytest
import torch

from flowsynth.core.seeding import derive_seed
from flowsynth.data.dataset import Items
from flowsynth.models import base as models
from flowsynth.models.nn.networks import Size
from flowsynth.training import loop
from flowsynth.training.batches import EpochOrder
from flowsynth.training.checkpoints import load
from flowsynth.training.config import Plan, plan_of
from flowsynth.training.fit import fit
from flowsynth.training.loop import Training

PLAN = Plan(epochs=6, batch_size=16, learning_rate=0.01, patience=0, threads=1, accelerator="auto", precision="32-true")
TRAINED = [name for name in models.names() if not issubclass(models.find(name), models.Control)]


def run(name: str, folder: Path, parts: tuple[Items, Items], size: Size, plan: Plan = PLAN, seed: int = 5) -> Path:
    fit(name, *parts, size, plan, seed, folder / "checkpoint.pt", folder / "history.csv", folder / "progress")
    return folder / "checkpoint.pt"


@pytest.fixture(autouse=True)
def after_each_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a checkpoint of each epoch, whatever time that takes."""
    monkeypatch.setattr(loop, "SAVING", math.inf)


@contextmanager
def stopped(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A power cut in the third step of epoch 3."""
    set_rate, steps = Training._set_rate, []

    def stop(self: Training):
        steps.append(len(self.history))
        if steps.count(3) == 3:
            raise InterruptedError("power cut")
        set_rate(self)

    with monkeypatch.context() as patch, pytest.raises(InterruptedError):
        patch.setattr(Training, "_set_rate", stop)
        yield


@pytest.fixture
def epochs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Numbers of the epochs that are trained, as they begin."""
    begun: list[int] = []
    epoch = Training.epoch
    monkeypatch.setattr(
        Training, "epoch", lambda self, *given: (begun.append(len(self.history)), epoch(self, *given))[1]
    )
    return begun


@pytest.mark.parametrize("name", TRAINED)
def test_a_stopped_training_ends_in_the_same_file(
    name: str, tmp_path: Path, parts: tuple[Items, Items], size: Size, monkeypatch: pytest.MonkeyPatch,
    epochs: list[int],
):  # fmt: skip
    undisturbed = run(name, tmp_path / "undisturbed", parts, size)

    with stopped(monkeypatch):
        run(name, tmp_path / "stopped", parts, size)
    assert not (tmp_path / "stopped" / "checkpoint.pt").exists()
    epochs.clear()
    again = run(name, tmp_path / "stopped", parts, size)
    assert epochs == [3, 4, 5]  # it went on, it did not begin again
    assert again.read_bytes() == undisturbed.read_bytes()
    assert (tmp_path / "stopped" / "history.csv").read_text() == (tmp_path / "undisturbed" / "history.csv").read_text()
    rates = pd.read_csv(tmp_path / "stopped" / "history.csv")["learning_rate"]
    assert rates.iloc[0] == 0.01


def test_without_patience_the_rate_falls_along_half_a_cosine_whether_stopped_or_not(
    tmp_path: Path, parts: tuple[Items, Items], size: Size, monkeypatch: pytest.MonkeyPatch
):
    plan = replace(PLAN, patience=None)
    undisturbed = run("mlp", tmp_path / "undisturbed", parts, size, plan).read_bytes()
    with stopped(monkeypatch):
        run("mlp", tmp_path / "stopped", parts, size, plan)
    assert run("mlp", tmp_path / "stopped", parts, size, plan).read_bytes() == undisturbed
    rates = pd.read_csv(tmp_path / "stopped" / "history.csv")["learning_rate"]
    assert rates.tolist() == pytest.approx([0.01 * (1 + math.cos(math.pi * epoch / 6)) / 2 for epoch in range(6)])


def test_the_rate_falls_with_each_step_so_that_few_epochs_end_as_many_do(
    tmp_path: Path, parts: tuple[Items, Items], size: Size, monkeypatch: pytest.MonkeyPatch
):
    rates = []
    learn = Training._learn
    monkeypatch.setattr(
        Training,
        "_learn",
        lambda self, loss: (rates.append(float(self.optimizer.param_groups[0]["lr"])), learn(self, loss))[1],
    )
    run("mlp", tmp_path, parts, size, replace(PLAN, patience=None, epochs=2))
    steps = len(rates)
    assert steps == 2 * math.ceil(70 / PLAN.batch_size)
    assert rates == pytest.approx([0.01 * (1 + math.cos(math.pi * at / steps)) / 2 for at in range(steps)])


def test_a_stopped_training_on_more_than_memory_holds_ends_in_the_same_file(
    tmp_path: Path, parts: tuple[Items, Items], size: Size, monkeypatch: pytest.MonkeyPatch
):
    def streamed() -> tuple[Items, Items]:
        return Items(parts[0].paths, parts[0].ids, parts[0].names, window=64), parts[1]

    undisturbed = run("mlp", tmp_path / "undisturbed", streamed(), size).read_bytes()
    with stopped(monkeypatch):
        run("mlp", tmp_path / "stopped", streamed(), size)
    assert run("mlp", tmp_path / "stopped", streamed(), size).read_bytes() == undisturbed
    assert run("mlp", tmp_path / "in_memory", parts, size).read_bytes() != undisturbed  # another order


@pytest.mark.parametrize("changed", ["plan", "seed", "data", "size"])
def test_an_unfinished_training_of_something_else_is_not_taken_up(
    changed: str, tmp_path: Path, parts: tuple[Items, Items], size: Size, monkeypatch: pytest.MonkeyPatch
):
    few = Items(parts[0].paths, parts[0].ids[:60], parts[0].names), parts[1]
    other = {
        "plan": (parts, size, replace(PLAN, learning_rate=0.02), 5),
        "seed": (parts, size, PLAN, 6),
        "data": (few, size, PLAN, 5),
        "size": (parts, replace(size, units=8), PLAN, 5),
    }[changed]
    undisturbed = run("mlp", tmp_path / "undisturbed", *other).read_bytes()
    with stopped(monkeypatch):
        run("mlp", tmp_path / "stopped", parts, size)
    assert (tmp_path / "stopped" / "progress" / "last.ckpt").exists()
    assert run("mlp", tmp_path / "stopped", *other).read_bytes() == undisturbed


def test_an_unfinished_training_in_a_folder_that_was_moved_goes_on(
    tmp_path: Path, parts: tuple[Items, Items], size: Size, monkeypatch: pytest.MonkeyPatch, epochs: list[int]
):
    undisturbed = run("mlp", tmp_path / "undisturbed", parts, size).read_bytes()
    with stopped(monkeypatch):
        run("mlp", tmp_path / "stopped", parts, size)
    (tmp_path / "stopped").rename(tmp_path / "moved")
    epochs.clear()
    assert run("mlp", tmp_path / "moved", parts, size).read_bytes() == undisturbed
    assert epochs == [3, 4, 5]


def test_a_finished_training_leaves_nothing_to_be_taken_up(tmp_path: Path, parts: tuple[Items, Items], size: Size):
    first = run("mlp", tmp_path, parts, size, replace(PLAN, epochs=2)).read_bytes()
    assert [path.name for path in (tmp_path / "progress").iterdir()] == ["tensorboard"]
    assert run("mlp", tmp_path, parts, size, replace(PLAN, epochs=2)).read_bytes() == first
    assert run("mlp", tmp_path, parts, size, replace(PLAN, epochs=3)).read_bytes() != first


def test_the_rate_is_halved_where_the_validation_loss_stalls(tmp_path: Path, parts: tuple[Items, Items], size: Size):
    run("mlp", tmp_path, parts, size, replace(PLAN, epochs=25, learning_rate=0.05))
    history = pd.read_csv(tmp_path / "history.csv")
    assert list(history.columns) == ["epoch", "learning_rate", "train/loss", "valid/loss"]
    best, rate = float("inf"), 0.05
    for row in history.itertuples():
        assert row.learning_rate == pytest.approx(rate)
        loss = history["valid/loss"][row.epoch]
        if loss < best * (1 - 1e-4):
            best = loss
        else:
            rate /= 2
    assert rate < 0.05


def test_the_same_seed_gives_the_same_file_and_another_seed_another(
    tmp_path: Path, parts: tuple[Items, Items], size: Size
):
    short = replace(PLAN, epochs=2)
    files = [run("mlp", tmp_path / str(i), parts, size, short, seed).read_bytes() for i, seed in enumerate((1, 1, 2))]
    assert files[0] == files[1] != files[2]


def test_the_epoch_that_is_best_on_the_validation_part_is_kept(tmp_path: Path, parts: tuple[Items, Items], size: Size):
    path = run("mlp", tmp_path, parts, size, replace(PLAN, epochs=25, learning_rate=0.1))
    history = pd.read_csv(tmp_path / "history.csv")["valid/loss"]
    assert history.iloc[-1] > history.min()  # else this test shows nothing
    model, _ = load(path)
    with torch.no_grad():
        loss = model.loss(parts[1].all())["loss"].item()
    assert loss == pytest.approx(history.min(), rel=1e-5)


def test_no_epoch_of_a_warm_up_is_chosen_or_counts_as_stalled(
    tmp_path: Path, parts: tuple[Items, Items], size: Size, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):  # fmt: skip
    caplog.set_level("INFO", "flowsynth")
    monkeypatch.setattr(loop, "EVERY", 0)
    ae, loss = models.find("ae"), models.find("ae").parameter_loss
    monkeypatch.setattr(ae, "parameter_loss", lambda self, *given: loss(self, *given) * (1 if self.gamma else 0.01))
    path = run("ae", tmp_path, parts, size, replace(PLAN, epochs=10, learning_rate=0.5))
    history = pd.read_csv(tmp_path / "history.csv")
    chosen = history["valid/selection"].idxmin()
    assert (history["valid/selection"][:3] == float("inf")).all()  # gamma is 0 until epoch 2 of 10
    told = [message for message in caplog.messages if ": epoch " in message]
    assert ["too early to choose from" in message for message in told] == [True] * 3 + [False] * 7
    assert (history["valid/selection"][3:] == history["valid/parameters"][3:]).all()
    assert history["valid/parameters"].idxmin() < 3
    assert (history["learning_rate"][:5] == 0.5).all()
    assert history["learning_rate"].iloc[-1] < 0.5
    model, _ = load(path)
    with torch.no_grad():
        found = model.loss(parts[1].all())["parameters"].item()
    assert found == pytest.approx(history["valid/parameters"][chosen], rel=1e-5)


def test_a_model_is_told_every_epoch_also_of_a_resumed_training(
    tmp_path: Path, parts: tuple[Items, Items], size: Size, monkeypatch: pytest.MonkeyPatch
):
    told = []

    def stop_in_epoch_2(self: models.Model, epoch: int, epochs: int) -> None:
        told.append((epoch, epochs))
        if told == [(0, 4), (1, 4), (2, 4)]:
            raise InterruptedError("power cut")

    monkeypatch.setattr(models.Model, "at_epoch", stop_in_epoch_2)
    with pytest.raises(InterruptedError):
        run("mlp", tmp_path, parts, size, replace(PLAN, epochs=4))
    run("mlp", tmp_path, parts, size, replace(PLAN, epochs=4))
    assert told == [(0, 4), (1, 4), (2, 4), (2, 4), (3, 4)]


@pytest.mark.parametrize("name", models.names())
def test_a_checkpoint_loads_without_trust_and_answers_as_before(
    name: str, tmp_path: Path, parts: tuple[Items, Items], size: Size
):
    path = run(name, tmp_path, parts, size, replace(PLAN, epochs=1))
    raw = torch.load(path, weights_only=True)
    assert {"flowsynth", "commit", "seed"} <= raw["maker"].keys()
    (first, names), (second, _) = load(path), load(path)
    assert names == ["a", "b", "c"]
    assert not first.training
    assert all(torch.equal(a, b) for a, b in zip(first.state_dict().values(), raw["state"].values(), strict=True))
    mel = parts[1].all().mel
    if name != "oracle":
        answers = []
        for model in (first, second):
            torch.manual_seed(0)
            with torch.no_grad():
                answers.append(model.infer(mel, 2))
        assert torch.equal(*answers)


def test_statistics_are_those_of_the_training_part(tmp_path: Path, parts: tuple[Items, Items], size: Size):
    model, _ = load(run("mean", tmp_path, parts, size))
    mel = parts[0].all().mel
    assert model.mel_mean.item() == pytest.approx(mel.mean().item(), rel=1e-5)
    assert model.mel_std.item() == pytest.approx(mel.std().item(), rel=1e-5)


def test_a_loss_that_is_not_finite_stops_with_its_terms(
    tmp_path: Path, parts: tuple[Items, Items], size: Size, monkeypatch: pytest.MonkeyPatch
):
    nan = torch.tensor(float("nan"))
    monkeypatch.setattr(models.find("mlp"), "loss", lambda self, batch: {"loss": nan, "part": torch.tensor(2.0)})
    with pytest.raises(FloatingPointError, match="the train loss in epoch 0 is not finite: loss = nan, part = 2"):
        run("mlp", tmp_path, parts, size)


def test_a_last_batch_of_one_item_does_no_harm(tmp_path: Path, parts: tuple[Items, Items], size: Size):
    items = Items(parts[0].paths, parts[0].ids[:33], parts[0].names)
    run("mlp", tmp_path, (items, parts[1]), size, replace(PLAN, epochs=1))


@pytest.mark.parametrize("window", [64, 70])
def test_the_order_of_an_epoch_depends_on_nothing_but_seed_and_epoch(parts: tuple[Items, Items], window: int):
    items = Items(parts[0].paths, parts[0].ids, parts[0].names, window)

    def order(seed: int, epoch: int) -> list[int]:
        return EpochOrder(items, seed).rows(epoch).tolist()

    assert sorted(order(1, 0)) == list(range(70))
    torch.manual_seed(123)
    first = order(1, 4)
    torch.manual_seed(321)
    assert order(1, 4) == first
    assert order(1, 5) != first != order(2, 4)


@pytest.mark.parametrize("passes", [1, 2])
def test_epochs_of_some_items_go_on_where_the_last_one_stopped(parts: tuple[Items, Items], passes: int):
    def orders(size: int | None, epochs: int) -> list[int]:
        order = EpochOrder(parts[0], 3, passes, size)
        rows = []
        for epoch in range(epochs):
            rows += order.rows(epoch).tolist()
            assert len(rows) == (epoch + 1) * order.size
        return rows

    whole = orders(None, 4)
    assert orders(28, 10) == whole  # of 70 items
    assert orders(140, 2) == whole
    assert sorted(whole[:70]) == list(range(70))


def test_a_training_in_epochs_of_some_items_goes_on_too(
    tmp_path: Path, parts: tuple[Items, Items], size: Size, monkeypatch: pytest.MonkeyPatch
):
    plan = replace(PLAN, patience=None, epoch_items=40)
    undisturbed = run("mlp", tmp_path / "undisturbed", parts, size, plan).read_bytes()
    with stopped(monkeypatch):
        run("mlp", tmp_path / "stopped", parts, size, plan)
    assert run("mlp", tmp_path / "stopped", parts, size, plan).read_bytes() == undisturbed


def test_seeds_of_different_purposes_differ():
    assert len({derive_seed(1, a, b) for a in range(20) for b in ("order", "noise", "infer")}) == 60


def test_a_plan_is_taken_from_a_budget():
    budget = {**asdict(PLAN), "folds": 3, "network": {}}
    assert plan_of(budget) == PLAN


def test_several_passes_are_an_epoch_of_as_many_different_orders(parts: tuple[Items, Items]):
    train, _ = parts
    order = EpochOrder(train, 3, passes=3)
    rows = order.rows(0).tolist()
    assert len(rows) == order.size == 3 * len(train)
    passes = [rows[start : start + len(train)] for start in range(0, len(rows), len(train))]
    assert all(sorted(found) == list(range(len(train))) for found in passes)
    assert len({tuple(found) for found in passes}) == 3
    assert EpochOrder(train, 3).rows(0).tolist() == passes[0]
