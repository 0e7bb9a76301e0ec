"""Tests of training: an interrupted and resumed training ends with the same weights."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from full_disk import file_size_limit, free_space
from small import space

from flowsynth.core.seeding import derive_seed
from flowsynth.data.dataset import Items
from flowsynth.models import base as models
from flowsynth.models.nn.networks import Size
from flowsynth.training import loop
from flowsynth.training.batches import EpochOrder
from flowsynth.training.checkpoints import load
from flowsynth.training.fit import fit
from flowsynth.training.plan import Plan, plan_from_budget
from flowsynth.training.trainer import Trainer

PLAN = Plan(epochs=6, batch_size=16, learning_rate=0.01, patience=0, threads=1, accelerator="auto", precision="32-true")
TRAINED = [name for name in models.names() if not issubclass(models.find(name), models.Control)]


def run(name: str, folder: Path, parts: tuple[Items, Items], size: Size, plan: Plan = PLAN, seed: int = 5) -> Path:
    fit(name, space(3), *parts, size, plan, seed, folder / "checkpoint.pt", folder / "history.csv", folder / "progress")
    return folder / "checkpoint.pt"


@pytest.fixture(autouse=True)
def checkpoint_each_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save the training state after each epoch, however long that takes."""
    monkeypatch.setattr(loop, "CHECKPOINT_TIME_SHARE", math.inf)


@contextmanager
def interrupted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Interrupt the training in the third step of epoch 3."""
    set_rate, step_epochs = Trainer._set_rate, []

    def interrupt(self: Trainer):
        step_epochs.append(len(self.history))
        if step_epochs.count(3) == 3:
            raise InterruptedError("power cut")
        set_rate(self)

    with monkeypatch.context() as patch, pytest.raises(InterruptedError):
        patch.setattr(Trainer, "_set_rate", interrupt)
        yield


@pytest.fixture
def epochs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Indices of the epochs that have started."""
    started: list[int] = []
    train_epoch = Trainer.train_epoch
    monkeypatch.setattr(
        Trainer,
        "train_epoch",
        lambda self, *arguments: (started.append(len(self.history)), train_epoch(self, *arguments))[1],
    )
    return started


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINED)
def test_interrupted_training_writes_the_same_files(
    name: str, tmp_path: Path, parts: tuple[Items, Items], size: Size, monkeypatch: pytest.MonkeyPatch,
    epochs: list[int],
):  # fmt: skip
    uninterrupted = run(name, tmp_path / "uninterrupted", parts, size)

    with interrupted(monkeypatch):
        run(name, tmp_path / "interrupted", parts, size)
    assert not (tmp_path / "interrupted" / "checkpoint.pt").exists()
    epochs.clear()
    resumed = run(name, tmp_path / "interrupted", parts, size)
    assert epochs == [3, 4, 5]
    assert resumed.read_bytes() == uninterrupted.read_bytes()
    assert (tmp_path / "interrupted" / "history.csv").read_text() == (
        tmp_path / "uninterrupted" / "history.csv"
    ).read_text()
    rates = pd.read_csv(tmp_path / "interrupted" / "history.csv")["learning_rate"]
    assert rates.iloc[0] == 0.01


def test_cosine_schedule_of_an_interrupted_training(
    tmp_path: Path, parts: tuple[Items, Items], size: Size, monkeypatch: pytest.MonkeyPatch
):
    plan = replace(PLAN, patience=None)
    uninterrupted = run("mlp", tmp_path / "uninterrupted", parts, size, plan).read_bytes()
    with interrupted(monkeypatch):
        run("mlp", tmp_path / "interrupted", parts, size, plan)
    assert run("mlp", tmp_path / "interrupted", parts, size, plan).read_bytes() == uninterrupted
    rates = pd.read_csv(tmp_path / "interrupted" / "history.csv")["learning_rate"]
    assert rates.tolist() == pytest.approx([0.01 * (1 + math.cos(math.pi * epoch / 6)) / 2 for epoch in range(6)])


def test_cosine_schedule_is_updated_at_each_step(
    tmp_path: Path, parts: tuple[Items, Items], size: Size, monkeypatch: pytest.MonkeyPatch
):
    rates = []
    update = Trainer._update
    monkeypatch.setattr(
        Trainer,
        "_update",
        lambda self, loss: (rates.append(float(self.optimizer.param_groups[0]["lr"])), update(self, loss))[1],
    )
    run("mlp", tmp_path, parts, size, replace(PLAN, patience=None, epochs=2))
    steps = len(rates)
    assert steps == 2 * math.ceil(70 / PLAN.batch_size)
    assert rates == pytest.approx([0.01 * (1 + math.cos(math.pi * step / steps)) / 2 for step in range(steps)])


def test_interrupted_training_with_streamed_items(
    tmp_path: Path, parts: tuple[Items, Items], size: Size, monkeypatch: pytest.MonkeyPatch
):
    def streamed() -> tuple[Items, Items]:
        return Items(parts[0].paths, parts[0].ids, parts[0].names, window=64), parts[1]

    uninterrupted = run("mlp", tmp_path / "uninterrupted", streamed(), size).read_bytes()
    with interrupted(monkeypatch):
        run("mlp", tmp_path / "interrupted", streamed(), size)
    assert run("mlp", tmp_path / "interrupted", streamed(), size).read_bytes() == uninterrupted
    assert run("mlp", tmp_path / "in_memory", parts, size).read_bytes() != uninterrupted  # another order


@pytest.mark.parametrize("changed", ["plan", "seed", "data", "size"])
def test_training_with_other_settings_is_not_resumed(
    changed: str, tmp_path: Path, parts: tuple[Items, Items], size: Size, monkeypatch: pytest.MonkeyPatch
):
    few = Items(parts[0].paths, parts[0].ids[:60], parts[0].names), parts[1]
    other = {
        "plan": (parts, size, replace(PLAN, learning_rate=0.02), 5),
        "seed": (parts, size, PLAN, 6),
        "data": (few, size, PLAN, 5),
        "size": (parts, replace(size, units=8), PLAN, 5),
    }[changed]
    uninterrupted = run("mlp", tmp_path / "uninterrupted", *other).read_bytes()
    with interrupted(monkeypatch):
        run("mlp", tmp_path / "interrupted", parts, size)
    assert (tmp_path / "interrupted" / "progress" / "last.ckpt").exists()
    assert run("mlp", tmp_path / "interrupted", *other).read_bytes() == uninterrupted


def test_training_is_resumed_in_a_moved_folder(
    tmp_path: Path, parts: tuple[Items, Items], size: Size, monkeypatch: pytest.MonkeyPatch, epochs: list[int]
):
    uninterrupted = run("mlp", tmp_path / "uninterrupted", parts, size).read_bytes()
    with interrupted(monkeypatch):
        run("mlp", tmp_path / "interrupted", parts, size)
    (tmp_path / "interrupted").rename(tmp_path / "moved")
    epochs.clear()
    assert run("mlp", tmp_path / "moved", parts, size).read_bytes() == uninterrupted
    assert epochs == [3, 4, 5]


def test_finished_training_leaves_no_state(tmp_path: Path, parts: tuple[Items, Items], size: Size):
    first = run("mlp", tmp_path, parts, size, replace(PLAN, epochs=2)).read_bytes()
    assert [path.name for path in (tmp_path / "progress").iterdir()] == ["tensorboard"]
    assert run("mlp", tmp_path, parts, size, replace(PLAN, epochs=2)).read_bytes() == first
    assert run("mlp", tmp_path, parts, size, replace(PLAN, epochs=3)).read_bytes() != first


@pytest.mark.parametrize("limit", [70, 10_000])
def test_a_full_disk_interrupts_with_one_error(
    tmp_path: Path, parts: tuple[Items, Items], size: Size, capfd: pytest.CaptureFixture, limit: int
):
    """At a limit of 70 bytes the curves fail, in a thread of their own; at the other one the training state."""
    expected = run("cnn", tmp_path / "expected", parts, size)
    with file_size_limit(limit), pytest.raises(OSError, match=r"full.*: no space"):
        run("cnn", tmp_path / "full", parts, size)
    assert capfd.readouterr().err == ""
    assert run("cnn", tmp_path / "full", parts, size).read_bytes() == expected.read_bytes()


def test_no_space_for_the_state_is_refused_before_a_training(
    tmp_path: Path, parts: tuple[Items, Items], size: Size, epochs: list[int]
):
    with free_space(50_000), pytest.raises(OSError, match=r"checkpoint\.pt: no space"):
        run("cnn", tmp_path, parts, size)
    assert epochs == []


def test_learning_rate_is_halved_on_a_plateau(tmp_path: Path, parts: tuple[Items, Items], size: Size):
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


def test_items_with_other_parameters_are_refused(tmp_path: Path, parts: tuple[Items, Items], size: Size):
    outputs = (tmp_path / name for name in ("checkpoint.pt", "history.csv", "progress"))
    with pytest.raises(ValueError, match=r"has the parameters \['a', 'b', 'c'\], expected \['a', 'b'\]"):
        fit("mlp", space(2), *parts, size, PLAN, 5, *outputs)


def test_seed_determines_the_checkpoint(tmp_path: Path, parts: tuple[Items, Items], size: Size):
    short = replace(PLAN, epochs=2)
    files = [run("mlp", tmp_path / str(i), parts, size, short, seed).read_bytes() for i, seed in enumerate((1, 1, 2))]
    assert files[0] == files[1] != files[2]


def test_best_validation_epoch_is_kept(tmp_path: Path, parts: tuple[Items, Items], size: Size):
    path = run("mlp", tmp_path, parts, size, replace(PLAN, epochs=25, learning_rate=0.1))
    history = pd.read_csv(tmp_path / "history.csv")["valid/loss"]
    assert history.iloc[-1] > history.min()  # precondition
    model = load(path).model
    with torch.no_grad():
        loss = model.loss(parts[1].all())["loss"].item()
    assert loss == pytest.approx(history.min(), rel=1e-5)


def test_warm_up_epochs_are_not_selected_and_not_a_plateau(
    tmp_path: Path, parts: tuple[Items, Items], size: Size, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):  # fmt: skip
    caplog.set_level("INFO", "flowsynth")
    monkeypatch.setattr(loop, "LOG_INTERVAL", 0)
    ae, parameter_loss = models.find("ae"), models.find("ae").parameter_loss
    monkeypatch.setattr(
        ae, "parameter_loss", lambda self, *inputs: parameter_loss(self, *inputs) * (1 if self.gamma else 0.01)
    )
    path = run("ae", tmp_path, parts, size, replace(PLAN, epochs=10, learning_rate=0.5))
    history = pd.read_csv(tmp_path / "history.csv")
    best_epoch = history["valid/selection"].idxmin()
    assert (history["valid/selection"][:3] == float("inf")).all()  # gamma is 0 until epoch 2 of 10
    messages = [message for message in caplog.messages if ": epoch " in message]
    assert ["warm-up" in message for message in messages] == [True] * 3 + [False] * 7
    assert (history["valid/selection"][3:] == history["valid/parameters"][3:]).all()
    assert history["valid/parameters"].idxmin() < 3
    assert (history["learning_rate"][:5] == 0.5).all()
    assert history["learning_rate"].iloc[-1] < 0.5
    model = load(path).model
    with torch.no_grad():
        loss = model.loss(parts[1].all())["parameters"].item()
    assert loss == pytest.approx(history["valid/parameters"][best_epoch], rel=1e-5)


def test_at_epoch_is_called_in_a_resumed_training(
    tmp_path: Path, parts: tuple[Items, Items], size: Size, monkeypatch: pytest.MonkeyPatch
):
    calls = []

    def interrupt_in_epoch_2(self: models.Model, epoch: int, epochs: int) -> None:
        calls.append((epoch, epochs))
        if calls == [(0, 4), (1, 4), (2, 4)]:
            raise InterruptedError("power cut")

    monkeypatch.setattr(models.Model, "at_epoch", interrupt_in_epoch_2)
    with pytest.raises(InterruptedError):
        run("mlp", tmp_path, parts, size, replace(PLAN, epochs=4))
    run("mlp", tmp_path, parts, size, replace(PLAN, epochs=4))
    assert calls == [(0, 4), (1, 4), (2, 4), (2, 4), (3, 4)]


@pytest.mark.parametrize("name", models.names())
def test_checkpoint_restores_the_model(name: str, tmp_path: Path, parts: tuple[Items, Items], size: Size):
    path = run(name, tmp_path, parts, size, replace(PLAN, epochs=1))
    content = torch.load(path, weights_only=True)
    assert {"flowsynth", "commit", "seed"} <= content["maker"].keys()
    first, second = load(path).model, load(path).model
    assert first.parameter_space == space(3)
    assert not first.training
    assert all(torch.equal(a, b) for a, b in zip(first.state_dict().values(), content["state"].values(), strict=True))
    mel = parts[1].all().mel
    if name != "oracle":
        predictions = []
        for model in (first, second):
            torch.manual_seed(0)
            with torch.no_grad():
                predictions.append(model.infer(mel, 2))
        assert torch.equal(*predictions)


def test_statistics_are_those_of_the_training_set(tmp_path: Path, parts: tuple[Items, Items], size: Size):
    model = load(run("mean", tmp_path, parts, size)).model
    mel = parts[0].all().mel
    assert model.mel_mean.item() == pytest.approx(mel.mean().item(), rel=1e-5)
    assert model.mel_std.item() == pytest.approx(mel.std().item(), rel=1e-5)


def test_non_finite_loss_raises_with_its_terms(
    tmp_path: Path, parts: tuple[Items, Items], size: Size, monkeypatch: pytest.MonkeyPatch
):
    nan = torch.tensor(float("nan"))
    monkeypatch.setattr(models.find("mlp"), "loss", lambda self, batch: {"loss": nan, "part": torch.tensor(2.0)})
    with pytest.raises(FloatingPointError, match=r"train loss in epoch 0 .* loss = nan, part = 2"):
        run("mlp", tmp_path, parts, size)


def test_last_batch_of_one_item_is_dropped(tmp_path: Path, parts: tuple[Items, Items], size: Size):
    items = Items(parts[0].paths, parts[0].ids[:33], parts[0].names)
    run("mlp", tmp_path, (items, parts[1]), size, replace(PLAN, epochs=1))


@pytest.mark.parametrize("window", [64, 70])
def test_order_depends_on_seed_and_epoch_alone(parts: tuple[Items, Items], window: int):
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
def test_short_epochs_continue_the_order(parts: tuple[Items, Items], passes: int):
    def orders(size: int | None, epochs: int) -> list[int]:
        order = EpochOrder(parts[0], 3, passes, size)
        rows = []
        for epoch in range(epochs):
            rows += order.rows(epoch).tolist()
            assert len(rows) == (epoch + 1) * order.size
        return rows

    expected = orders(None, 4)
    assert orders(28, 10) == expected  # of 70 items
    assert orders(140, 2) == expected
    assert sorted(expected[:70]) == list(range(70))


def test_interrupted_training_with_short_epochs(
    tmp_path: Path, parts: tuple[Items, Items], size: Size, monkeypatch: pytest.MonkeyPatch
):
    plan = replace(PLAN, patience=None, epoch_items=40)
    uninterrupted = run("mlp", tmp_path / "uninterrupted", parts, size, plan).read_bytes()
    with interrupted(monkeypatch):
        run("mlp", tmp_path / "interrupted", parts, size, plan)
    assert run("mlp", tmp_path / "interrupted", parts, size, plan).read_bytes() == uninterrupted


def test_seeds_of_different_purposes_differ():
    assert len({derive_seed(1, a, b) for a in range(20) for b in ("order", "noise", "infer")}) == 60


def test_plan_from_budget():
    budget = {**asdict(PLAN), "folds": 3, "network": {}}
    assert plan_from_budget(budget) == PLAN


def test_passes_of_an_epoch_have_different_orders(parts: tuple[Items, Items]):
    train, _ = parts
    order = EpochOrder(train, 3, passes=3)
    rows = order.rows(0).tolist()
    assert len(rows) == order.size == 3 * len(train)
    passes = [rows[start : start + len(train)] for start in range(0, len(rows), len(train))]
    assert all(sorted(order) == list(range(len(train))) for order in passes)
    assert len({tuple(order) for order in passes}) == 3
    assert EpochOrder(train, 3).rows(0).tolist() == passes[0]
