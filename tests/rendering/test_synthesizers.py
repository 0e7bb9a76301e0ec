"""Contract that every synthesizer of the package fulfils: its presets, its banks, and the bits that it renders."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flowsynth.data import augmentation, presets, splits
from flowsynth.data.features import Mel, numpy_mel
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import render
from flowsynth.synths import spec as synths

SYNTHS = ("amsynth", "dexed", "faust")
DATASETS = [f"{name}{size}" for name in SYNTHS for size in sorted(synths.load(name).sets)]
NOTE = Note(22050, 512, 60, 100, 0.6, 1.0)
COUNT = 16  # presets per data set


EACH_SYNTH = pytest.mark.parametrize("synth", [synths.load(name) for name in SYNTHS], ids=lambda synth: synth.name)


def on_steps(synth: synths.Synth, values: np.ndarray) -> np.ndarray:
    """Round presets to values that exist in the synthesizer."""
    steps = np.array([(parameter.steps or 0) - 1 for parameter in synth.parameters])
    return np.where(steps > 0, np.rint(values * steps) / np.maximum(steps, 1), values).astype(np.float32)


def test_all_synthesizers_are_tested():
    assert list(SYNTHS) == sorted(synths.available())


@pytest.mark.parametrize("name", DATASETS)
def test_presets_of_a_data_set_are_distinct_on_their_steps_and_else_the_base_patch(name: str):
    synth, names = synths.dataset(name)
    table, counts = presets.collect(synth, names, limit=200)
    values = table[list(synth.names)].to_numpy()
    free = np.isin(synth.names, names)
    assert counts["kept"] == len(table) == table["id"].nunique() == 200
    assert ((values >= 0) & (values <= 1)).all()
    assert np.allclose(values[:, ~free], synth.base[~free])
    # some banks of amsynth hold values between its steps, which it rounds
    if synth.name != "amsynth":
        assert np.allclose(values, on_steps(synth, values), atol=1e-6)


@pytest.mark.parametrize("name", DATASETS)
def test_a_data_set_renders_the_same_bits_in_any_order(name: str):
    synth, names = synths.dataset(name)
    table, _ = presets.collect(synth, names, limit=COUNT)
    values = table[list(synth.names)].to_numpy(np.float32)
    order = np.random.default_rng(1).permutation(COUNT)
    forward = list(render(synth, NOTE, values, 20))
    shuffled = list(render(synth, NOTE, values[order], 20))
    assert {result.status for result in forward} <= {"ok", "silent"}
    for index, row in enumerate(order):
        assert np.array_equal(forward[row].audio, shuffled[index].audio)
    audio = np.stack([result.audio for result in forward if result.status == "ok"])
    assert len(audio) > COUNT / 2
    assert audio.shape[1] == NOTE.samples
    assert 1e-4 < np.abs(audio).max() <= 1
    assert np.isfinite(np.log(numpy_mel(Mel(NOTE.sample_rate, frames=20), audio) + 1e-3)).all()


@EACH_SYNTH
@pytest.mark.parametrize("seed", range(5))
def test_banks_keep_every_preset(synth: synths.Synth, seed: int, tmp_path: Path):
    values = on_steps(synth, np.random.default_rng(seed).random((5, len(synth.names))))
    path = tmp_path / f"mine{presets.bank_suffix(synth)}"
    written = presets.write_bank(path, synth, [f"preset {number}" for number in range(5)], values)
    # a bank of Dexed holds whole numbers, so a continuous parameter is rounded by half a step of 99 at most
    assert np.abs(written - values).max() <= (0.5 / 99 + 1e-6 if synth.package else 1e-6)
    table, _ = presets.collect(synth.with_banks(str(path)), synth.names)
    assert set(table["name"][5:]) <= {"INIT VOICE"}  # which fills a cartridge
    assert table["name"][:5].tolist() == [f"preset {number}" for number in range(5)]
    assert np.allclose(table[list(synth.names)].to_numpy()[:5], written, atol=1e-6)


@EACH_SYNTH
def test_a_saved_preset_renders_the_bits_of_its_bank(synth: synths.Synth, tmp_path: Path):
    table, _ = presets.collect(synth, synth.names, limit=4, seed=3)
    path = tmp_path / f"mine{presets.bank_suffix(synth)}"
    written = presets.write_bank(path, synth, table["name"], table[list(synth.names)].to_numpy(np.float32))
    loaded, _ = presets.collect(synth.with_banks(str(path)), synth.names)
    read = loaded[list(synth.names)].to_numpy(np.float32)[: len(written)]
    for first, second in zip(render(synth, NOTE, written, 20), render(synth, NOTE, read, 20), strict=True):
        assert np.array_equal(first.audio, second.audio)


@EACH_SYNTH
def test_every_value_of_a_parameter_is_restored_from_its_normalised_one(synth: synths.Synth):
    for parameter in synth.parameters:
        for value in np.linspace(parameter.low, parameter.high, parameter.steps or 50):
            assert parameter.value(parameter.normalise(value)) == pytest.approx(value, abs=1e-6 * (1 + abs(value)))


@pytest.mark.parametrize("name", DATASETS)
def test_synthetic_presets_stay_on_steps_and_take_all_categories_of_one_preset(name: str):
    synth, names = synths.dataset(name)
    table, _ = presets.collect(synth, names, limit=100)
    table = table[["id"]].join(pd.DataFrame(on_steps(synth, table[list(synth.names)].to_numpy()), columns=synth.names))
    rows = pd.DataFrame({"id": table["id"], "part": np.resize(["train", "train", "valid", "test"], len(table))})
    sampled = augmentation.sample_for_fold(table, rows, synth, names, 40, seed=1)
    assert np.allclose(sampled, on_steps(synth, sampled), atol=1e-6)
    train = table[list(synth.names)].to_numpy()[rows["part"] == "train"]
    category = [parameter.kind == "category" for parameter in synth.parameters]
    assert {*map(tuple, sampled[:, category].round(4))} <= {*map(tuple, train[:, category].round(4))}


@pytest.mark.parametrize("name", DATASETS)
def test_near_duplicates_by_parameters_are_in_one_partition(name: str):
    synth, names = synths.dataset(name)
    table, _ = presets.collect(synth, names, limit=300)
    values = table[list(names)].to_numpy(np.float32)
    distant = np.zeros((len(table), 8, 8), dtype=np.float32) + np.arange(len(table))[:, None, None]
    limit = {"same_parameters": synth.same_parameters}
    split, _ = splits.split("grouped", table["id"].tolist(), values, distant, 2, 1, **limit)
    close = splits.close_parameters(values, synth.same_parameters)
    for _, fold in split.groupby("fold"):
        part = fold.set_index("id")["part"].loc[table["id"]].to_numpy()
        # groups that are too large for a held-out partition stay in the training set
        assert (part[close.first] == part[close.second]).all()
