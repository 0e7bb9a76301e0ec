"""Every item and sample is scored once by every metric, against its own target, whatever the order of the files."""

import logging
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from flowsynth.core import hdf5
from flowsynth.data.features import Mel
from flowsynth.evaluation.columns import COLUMNS
from flowsynth.evaluation.scoring import score
from flowsynth.metrics import registry

RATE = 22050
LENGTH = 4 * RATE
INFERRED = ("x", "y")
ALL = ("y", "base", "x")
LABELS = {"budget": "tiny", "dataset": "toy2", "split": "grouped", "fold": 1, "model": "cnn"}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@cache
def sound_of(name: str) -> np.ndarray:
    """A sound that no other item has: a decaying tone in noise."""
    rng = np.random.default_rng(sum(ord(c) * 31**i for i, c in enumerate(name)))
    time = np.arange(LENGTH) / RATE
    tone = np.sin(2 * np.pi * rng.uniform(100, 2000) * time) * np.exp(-time * rng.uniform(0, 5))
    return (0.3 * tone + 0.02 * rng.standard_normal(LENGTH)).astype(np.float32)


def write_audio(
    path: Path, ids: Sequence[str], sounds: Sequence[np.ndarray], values: np.ndarray, status=None, rate: int = RATE
) -> Path:
    """A file as `flowsynth.rendering.render.render_shard` makes it."""
    with hdf5.writing(path, ids, values, ALL, {"sample_rate": rate}) as file:
        hdf5.add_items(file, "audio", (len(sounds[0]),))[:] = np.stack(sounds)
        hdf5.add_items(file, "status", (), hdf5.TEXT)[:] = status or ["ok"] * len(ids)
        hdf5.add_items(file, "reason", (), hdf5.TEXT)[:] = [""] * len(ids)
    return path


def in_table_order(inferred: np.ndarray) -> np.ndarray:
    """All parameters of a preset: the inferred ones, and the base patch between them."""
    x, y = inferred
    return np.array([y, 0.5, x])


class Answers:
    """Predictions for some items, what they sound like, and the targets in two files, in another order and among others."""

    def __init__(self, folder: Path, items: int, samples: int = 2):
        rng = np.random.default_rng(items)
        self.folder = folder
        self.ids = [f"{i:02x}" for i in rng.permutation(16)[:items]]
        self.answers = [f"{name}/{sample}" for name in self.ids for sample in range(samples)]
        self.truth = rng.random((items, 2), dtype=np.float32)
        self.estimates = rng.random((items, samples, 2), dtype=np.float32)
        self.predictions = folder / "predictions.h5"
        with hdf5.writing(self.predictions, self.ids, self.truth, INFERRED, {"seed": 1}) as file:
            hdf5.add_items(file, "estimates", (samples, 2))[:] = self.estimates
        every = sorted([*self.ids, "other0", "other1"])
        self.held = every[1::2], every[::2]
        self.targets = [self.write_targets(folder / f"{number}.h5", names) for number, names in enumerate(self.held)]
        self.sounds = self.write_sounds([sound_of(name) for name in self.answers])

    def write_targets(self, path: Path, names: Sequence[str], sounds: Sequence[np.ndarray] | None = None, **options):
        """What a shard of the data set holds: sounds of some presets and their parameters."""
        truth = dict(zip(self.ids, self.truth, strict=True))
        values = [in_table_order(truth.get(name, np.ones(2))) for name in names]
        return write_audio(path, names, sounds or [sound_of(name) for name in names], np.stack(values), **options)

    def write_sounds(self, sounds: Sequence[np.ndarray], estimates: np.ndarray | None = None, **options) -> Path:
        """What `flowsynth.rendering.resynthesis.resynthesise` makes of the predictions."""
        flat = (self.estimates if estimates is None else estimates).reshape(-1, 2)
        values = np.stack([in_table_order(row) for row in flat])
        return write_audio(self.folder / "audio.h5", self.answers, sounds, values, **options)

    def score(self, targets: Sequence[Path] | None = None) -> pd.DataFrame:
        return score(targets or self.targets, self.predictions, self.sounds, LABELS)


def by_hand(answers: Answers, item: int, sample: int) -> dict[str, float]:
    """Scores of one answer alone."""
    name, mel = answers.ids[item], Mel(RATE)
    sounds = [sound_of(name)[None], sound_of(f"{name}/{sample}")[None]]
    compared = {"audio": (*sounds, RATE), "spectral": [mel(torch.from_numpy(sound)).numpy() for sound in sounds]}
    found = {m.name: m.function(*compared[m.domain])[0] for m in registry().values() if m.domain in compared}
    squares = (answers.truth[item] - answers.estimates[item, sample]) ** 2
    mean_square = (answers.truth**2).mean()
    return {**found, "parameter_mse": squares.mean(), "parameter_mse_n": squares.mean() / mean_square}


@pytest.mark.parametrize("items", [1, 2, 3, 5])
def test_every_item_and_sample_is_scored_once_by_every_metric(tmp_path: Path, items: int):
    answers = Answers(tmp_path, items)
    table = answers.score()
    assert tuple(table.columns) == COLUMNS
    rows = set(zip(table["item"], table["sample"], table["metric"], strict=True))
    assert rows == {(name, sample, metric) for name in answers.ids for sample in (0, 1) for metric in registry()}
    assert len(table) == len(rows) == items * 2 * len(registry())
    assert table["value"].notna().all()
    assert (table[list(LABELS)] == pd.Series(LABELS)).all(axis=None)


def test_every_answer_is_compared_with_its_own_target(tmp_path: Path):
    answers = Answers(tmp_path, 2)
    found = answers.score().set_index(["item", "sample", "metric"])["value"]
    for item, name in enumerate(answers.ids):
        for sample in (0, 1):
            alone = by_hand(answers, item, sample)
            assert alone.keys() == registry().keys()
            for metric, expected in alone.items():
                assert found[name, sample, metric] == pytest.approx(expected, rel=1e-4), metric


def test_an_answer_that_sounds_like_its_target_is_perfect_to_the_last_bit(tmp_path: Path):
    answers = Answers(tmp_path, 5)
    answers.write_sounds([sound_of(name.split("/")[0]) for name in answers.answers])
    table = answers.score()
    for metric in registry().values():
        if metric.domain != "parameters":
            assert (table.loc[table["metric"] == metric.name, "value"] == metric.perfect).all(), metric.name


def test_the_order_of_the_target_files_does_not_matter(tmp_path: Path):
    answers = Answers(tmp_path, 2)
    pd.testing.assert_frame_equal(answers.score(), answers.score(answers.targets[::-1]))


def test_an_item_without_a_target_is_named_and_so_are_the_files(tmp_path: Path):
    answers = Answers(tmp_path, 3)
    first = next(name for name in answers.ids if name in answers.held[0])
    with pytest.raises(ValueError, match=rf"items, the first of them {first}, are in none of .*1\.h5"):
        answers.score(answers.targets[1:])


def test_an_answer_without_a_sound_is_named(tmp_path: Path):
    answers = Answers(tmp_path, 3)
    name = answers.answers.pop()
    answers.estimates = answers.estimates.reshape(-1, 2)[:-1]
    answers.write_sounds([sound_of(name) for name in answers.answers])
    with pytest.raises(ValueError, match=rf"1 items, the first of them {name}, are in none of .*audio\.h5"):
        answers.score()


def test_sounds_of_other_predictions_are_refused(tmp_path: Path):
    """The same items, but another model's answers."""
    answers = Answers(tmp_path, 3)
    answers.write_sounds([sound_of(name) for name in answers.answers], 1 - answers.estimates)
    with pytest.raises(ValueError, match=r"audio\.h5"):
        answers.score()


def test_targets_of_other_parameters_are_refused(tmp_path: Path):
    """The same items, rendered before their parameters were changed."""
    answers = Answers(tmp_path, 3)
    answers.truth = 1 - answers.truth
    answers.write_targets(answers.targets[1], answers.held[1])
    with pytest.raises(ValueError, match=r"1\.h5 holds sounds of other parameters"):
        answers.score()


def test_sounds_at_another_sample_rate_are_refused(tmp_path: Path):
    answers = Answers(tmp_path, 2)
    answers.write_sounds([sound_of(name) for name in answers.answers], rate=44100)
    with pytest.raises(ValueError, match=r"audio\.h5 has 44100 Hz, the targets have 22050 Hz"):
        answers.score()


def test_targets_of_different_sample_rates_are_refused(tmp_path: Path):
    answers = Answers(tmp_path, 3)
    answers.write_targets(answers.targets[0], answers.held[0], rate=44100)
    with pytest.raises(ValueError, match=r"sounds of different sample rates: .*44100 Hz"):
        answers.score()


def test_a_failed_rendering_is_scored_as_silence_and_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    answers = Answers(tmp_path, 3)
    sounds = [sound_of(name) for name in answers.answers]
    sounds[2] = np.zeros(LENGTH, np.float32)  # of the second item, its first sample
    answers.write_sounds(sounds, status=["ok", "silent", "failed", "clipped", "silent", "ok"])
    with caplog.at_level(logging.WARNING, "flowsynth"):
        table = answers.score()
    convergence = table[table["metric"] == "spectral_convergence"].set_index(["item", "sample"])["value"]
    assert convergence[answers.ids[1], 0] == 1
    assert (convergence.drop(index=(answers.ids[1], 0)) != 1).all()
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warned) == 1
    assert "audio.h5: 1 of 3 renderings failed and are scored as silence" in warned[0]


def test_nothing_is_warned_of_where_nothing_failed(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    Answers(tmp_path, 2).score()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_metric_that_is_not_defined_for_a_target_leaves_its_value_empty(tmp_path: Path):
    answers = Answers(tmp_path, 2)
    names = answers.ids
    sounds = [np.zeros(LENGTH, np.float32), *(sound_of(name) for name in names[1:])]
    targets = answers.write_targets(tmp_path / "targets.h5", names, sounds, status=["silent", "ok"])
    table = answers.score([targets])
    empty = table[table["value"].isna()]
    assert set(zip(empty["item"], empty["metric"], strict=True)) == {(names[0], "spectral_convergence")}
    assert len(empty) == 2


def test_a_truncated_file_is_named(tmp_path: Path):
    answers = Answers(tmp_path, 1)
    answers.sounds.write_bytes(answers.sounds.read_bytes()[:5000])
    with pytest.raises(ValueError, match=r"audio\.h5 is truncated"):
        answers.score()
