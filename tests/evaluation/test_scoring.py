"""Every item and sample is scored once by every metric, against its own target, in any order of the files."""

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
from flowsynth.evaluation.score_tables import SCORE_COLUMNS
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
    """A sound unique to an item: a decaying tone in noise."""
    rng = np.random.default_rng(sum(ord(c) * 31**i for i, c in enumerate(name)))
    time = np.arange(LENGTH) / RATE
    tone = np.sin(2 * np.pi * rng.uniform(100, 2000) * time) * np.exp(-time * rng.uniform(0, 5))
    return (0.3 * tone + 0.02 * rng.standard_normal(LENGTH)).astype(np.float32)


def write_audio(
    path: Path, ids: Sequence[str], sounds: Sequence[np.ndarray], values: np.ndarray, status=None, rate: int = RATE
) -> Path:
    """Write a file like that of `flowsynth.rendering.render.render_shard`."""
    with hdf5.writing(path, ids, values, ALL, {"sample_rate": rate}) as file:
        hdf5.add_items(file, "audio", (len(sounds[0]),))[:] = np.stack(sounds)
        hdf5.add_items(file, "status", (), hdf5.TEXT)[:] = status or ["ok"] * len(ids)
        hdf5.add_items(file, "reason", (), hdf5.TEXT)[:] = [""] * len(ids)
    return path


def in_table_order(inferred: np.ndarray) -> np.ndarray:
    """All parameters of a preset: the inferred ones, and the base patch between them."""
    x, y = inferred
    return np.array([y, 0.5, x])


class Predictions:
    """Predictions for some items, their audio, and the targets in two files, in another order and among others."""

    def __init__(self, folder: Path, items: int, samples: int = 2):
        rng = np.random.default_rng(items)
        self.folder = folder
        self.ids = [f"{i:02x}" for i in rng.permutation(16)[:items]]
        self.rendering_ids = [f"{name}/{sample}" for name in self.ids for sample in range(samples)]
        self.truth = rng.random((items, 2), dtype=np.float32)
        self.estimates = rng.random((items, samples, 2), dtype=np.float32)
        self.file = folder / "predictions.h5"
        with hdf5.writing(self.file, self.ids, self.truth, INFERRED, {"seed": 1}) as file:
            hdf5.add_items(file, "estimates", (samples, 2))[:] = self.estimates
        ids = sorted([*self.ids, "other0", "other1"])
        self.target_ids = ids[1::2], ids[::2]
        self.targets = [self.write_targets(folder / f"{i}.h5", ids) for i, ids in enumerate(self.target_ids)]
        self.sounds = self.write_sounds([sound_of(name) for name in self.rendering_ids])

    def write_targets(self, path: Path, names: Sequence[str], sounds: Sequence[np.ndarray] | None = None, **options):
        """Write a shard of the data set: sounds of presets and their parameters."""
        truth = dict(zip(self.ids, self.truth, strict=True))
        values = [in_table_order(truth.get(name, np.ones(2))) for name in names]
        return write_audio(path, names, sounds or [sound_of(name) for name in names], np.stack(values), **options)

    def write_sounds(self, sounds: Sequence[np.ndarray], estimates: np.ndarray | None = None, **options) -> Path:
        """Write the file that `flowsynth.rendering.resynthesis.resynthesise` makes of the predictions."""
        flat = (self.estimates if estimates is None else estimates).reshape(-1, 2)
        values = np.stack([in_table_order(row) for row in flat])
        return write_audio(self.folder / "audio.h5", self.rendering_ids, sounds, values, **options)

    def score(self, targets: Sequence[Path] | None = None) -> pd.DataFrame:
        return score(targets or self.targets, self.file, self.sounds, LABELS)


def by_hand(predictions: Predictions, item: int, sample: int) -> dict[str, float]:
    """Scores of a single prediction."""
    name, mel = predictions.ids[item], Mel(RATE)
    sounds = [sound_of(name)[None], sound_of(f"{name}/{sample}")[None]]
    arguments = {"audio": (*sounds, RATE), "spectral": [mel(torch.from_numpy(sound)).numpy() for sound in sounds]}
    values = {m.name: m.function(*arguments[m.domain])[0] for m in registry().values() if m.domain in arguments}
    squares = (predictions.truth[item] - predictions.estimates[item, sample]) ** 2
    mean_square = (predictions.truth**2).mean()
    return {**values, "parameter_mse": squares.mean(), "parameter_mse_n": squares.mean() / mean_square}


@pytest.mark.parametrize("items", [1, 2, 3, 5])
def test_every_item_and_sample_is_scored_once_by_every_metric(tmp_path: Path, items: int):
    predictions = Predictions(tmp_path, items)
    table = predictions.score()
    assert tuple(table.columns) == SCORE_COLUMNS
    rows = set(zip(table["item"], table["sample"], table["metric"], strict=True))
    assert rows == {(name, sample, metric) for name in predictions.ids for sample in (0, 1) for metric in registry()}
    assert len(table) == len(rows) == items * 2 * len(registry())
    assert table["value"].notna().all()
    assert (table[list(LABELS)] == pd.Series(LABELS)).all(axis=None)


def test_every_prediction_is_compared_with_its_own_target(tmp_path: Path):
    predictions = Predictions(tmp_path, 2)
    values = predictions.score().set_index(["item", "sample", "metric"])["value"]
    for item, name in enumerate(predictions.ids):
        for sample in (0, 1):
            expected_values = by_hand(predictions, item, sample)
            assert expected_values.keys() == registry().keys()
            for metric, expected in expected_values.items():
                assert values[name, sample, metric] == pytest.approx(expected, rel=1e-4), metric


def test_identical_audio_is_exactly_perfect(tmp_path: Path):
    predictions = Predictions(tmp_path, 5)
    predictions.write_sounds([sound_of(name.split("/")[0]) for name in predictions.rendering_ids])
    table = predictions.score()
    for metric in registry().values():
        if metric.domain != "parameters":
            assert (table.loc[table["metric"] == metric.name, "value"] == metric.perfect).all(), metric.name


def test_order_of_target_files_does_not_matter(tmp_path: Path):
    predictions = Predictions(tmp_path, 2)
    pd.testing.assert_frame_equal(predictions.score(), predictions.score(predictions.targets[::-1]))


def test_missing_target_is_named_with_the_files(tmp_path: Path):
    predictions = Predictions(tmp_path, 3)
    first = next(name for name in predictions.ids if name in predictions.target_ids[0])
    with pytest.raises(ValueError, match=rf"{first}.*1\.h5"):
        predictions.score(predictions.targets[1:])


def test_missing_rendering_is_named(tmp_path: Path):
    predictions = Predictions(tmp_path, 3)
    name = predictions.rendering_ids.pop()
    predictions.estimates = predictions.estimates.reshape(-1, 2)[:-1]
    predictions.write_sounds([sound_of(name) for name in predictions.rendering_ids])
    with pytest.raises(ValueError, match=rf"{name}.*audio\.h5"):
        predictions.score()


def test_audio_of_other_predictions_is_rejected(tmp_path: Path):
    """The same items, but another model's predictions."""
    predictions = Predictions(tmp_path, 3)
    predictions.write_sounds([sound_of(name) for name in predictions.rendering_ids], 1 - predictions.estimates)
    with pytest.raises(ValueError, match=r"audio\.h5"):
        predictions.score()


def test_targets_of_other_parameters_are_rejected(tmp_path: Path):
    """The same items, rendered before their parameters were changed."""
    predictions = Predictions(tmp_path, 3)
    predictions.truth = 1 - predictions.truth
    predictions.write_targets(predictions.targets[1], predictions.target_ids[1])
    with pytest.raises(ValueError, match=r"1\.h5"):
        predictions.score()


def test_audio_at_another_sample_rate_is_rejected(tmp_path: Path):
    predictions = Predictions(tmp_path, 2)
    predictions.write_sounds([sound_of(name) for name in predictions.rendering_ids], rate=44100)
    with pytest.raises(ValueError, match=r"audio\.h5 has 44100 Hz"):
        predictions.score()


def test_targets_of_different_sample_rates_are_rejected(tmp_path: Path):
    predictions = Predictions(tmp_path, 3)
    predictions.write_targets(predictions.targets[0], predictions.target_ids[0], rate=44100)
    with pytest.raises(ValueError, match="44100 Hz"):
        predictions.score()


def test_failed_rendering_is_scored_as_silence_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    predictions = Predictions(tmp_path, 3)
    sounds = [sound_of(name) for name in predictions.rendering_ids]
    sounds[2] = np.zeros(LENGTH, np.float32)  # first sample of the second item
    predictions.write_sounds(sounds, status=["ok", "silent", "failed", "clipped", "silent", "ok"])
    with caplog.at_level(logging.WARNING, "flowsynth"):
        table = predictions.score()
    convergence = table[table["metric"] == "spectral_convergence"].set_index(["item", "sample"])["value"]
    assert convergence[predictions.ids[1], 0] == 1
    assert (convergence.drop(index=(predictions.ids[1], 0)) != 1).all()
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "audio.h5: 1 of 3 renderings failed" in warnings[0]


def test_no_warning_without_a_failed_rendering(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    Predictions(tmp_path, 2).score()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_undefined_metric_has_an_empty_value(tmp_path: Path):
    predictions = Predictions(tmp_path, 2)
    names = predictions.ids
    sounds = [np.zeros(LENGTH, np.float32), *(sound_of(name) for name in names[1:])]
    targets = predictions.write_targets(tmp_path / "targets.h5", names, sounds, status=["silent", "ok"])
    table = predictions.score([targets])
    empty = table[table["value"].isna()]
    assert set(zip(empty["item"], empty["metric"], strict=True)) == {(names[0], "spectral_convergence")}
    assert len(empty) == 2


def test_truncated_file_is_named(tmp_path: Path):
    predictions = Predictions(tmp_path, 1)
    predictions.sounds.write_bytes(predictions.sounds.read_bytes()[:5000])
    with pytest.raises(ValueError, match=r"audio\.h5"):
        predictions.score()
