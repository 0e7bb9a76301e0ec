"""Resynthesis of the true parameters reproduces the data set bit by bit."""

from pathlib import Path

import numpy as np
import pytest

from flowsynth.core import hdf5
from flowsynth.data import presets
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import render_shard
from flowsynth.rendering.resynthesis import require_same_plugin, resynthesise
from flowsynth.synths import spec as synths

NOTE = Note(22050, 512, 60, 100, 3.0, 4.0)


@pytest.mark.slow
def test_true_parameters_reproduce_the_audio_exactly(tmp_path: Path):
    synth, names = synths.dataset("amsynth16")
    table, _ = presets.collect(synth, names, limit=3)
    values, ids = table[list(synth.names)].to_numpy(), table["id"].tolist()
    render_shard(synth, NOTE, ids, values, tmp_path / "target.h5", 20)
    truth = values[:, synth.columns(names)].astype(np.float32)
    estimates = np.stack([truth, truth[::-1]], axis=1)
    with hdf5.writing(tmp_path / "predictions.h5", ids, truth, names, {}) as file:
        hdf5.add_items(file, "estimates", estimates.shape[1:])[:] = estimates
    count = resynthesise(synth, NOTE, tmp_path / "predictions.h5", tmp_path / "audio.h5", 20)
    assert count["ok"] == 6
    with hdf5.reading(tmp_path / "target.h5") as target, hdf5.reading(tmp_path / "audio.h5") as audio:
        assert hdf5.ids(audio).tolist() == [f"{i}/{s}" for i in ids for s in (0, 1)]
        assert np.array_equal(audio["audio"][::2], target["audio"][:])
        assert np.array_equal(audio["audio"][1::2], target["audio"][:][::-1])


def test_sounds_of_different_plugin_versions_are_rejected(tmp_path: Path):
    for name, settings in {
        "targets": {"plugin_sha256": "a" * 64, "dawdreamer": "1"},
        "outside": {"sample_rate": 22050},  # not rendered by a synthesizer
        "same": {"plugin_sha256": "a" * 64, "dawdreamer": "1"},
        "other": {"plugin_sha256": "b" * 64, "dawdreamer": "1"},
    }.items():
        with hdf5.writing(tmp_path / f"{name}.h5", ["x"], np.zeros((1, 1)), ("a",), settings):
            pass
    targets = [tmp_path / "targets.h5", tmp_path / "outside.h5"]
    require_same_plugin(targets, tmp_path / "same.h5")
    with pytest.raises(ValueError, match=r"plugin_sha256 \(a{12} and b{12}\)"):
        require_same_plugin(targets, tmp_path / "other.h5")
