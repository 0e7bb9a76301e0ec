"""Resynthesis is rendering: true parameters give back the very bits of the data set."""

from pathlib import Path

import numpy as np

from flowsynth import presets, store, synths
from flowsynth.host import Note
from flowsynth.render import render_shard
from flowsynth.resynthesise import resynthesise

NOTE = Note(22050, 512, 60, 100, 3.0, 4.0)


def test_the_truth_sounds_like_the_truth_to_the_bit(tmp_path: Path):
    synth, names = synths.dataset("amsynth16")
    table, _ = presets.collect(synth, names, limit=6)
    values, ids = table[list(synth.names)].to_numpy(), table["id"].tolist()
    render_shard(synth, NOTE, ids, values, tmp_path / "target.h5", 20)
    truth = values[:, synth.columns(names)].astype(np.float32)
    estimates = np.stack([truth, truth[::-1]], axis=1)
    with store.writing(tmp_path / "predictions.h5", ids, truth, names, {}) as file:
        store.add_items(file, "estimates", estimates.shape[1:])[:] = estimates
    count = resynthesise(synth, NOTE, tmp_path / "predictions.h5", tmp_path / "audio.h5", 20)
    assert count["ok"] == 12
    with store.reading(tmp_path / "target.h5") as target, store.reading(tmp_path / "audio.h5") as audio:
        assert store.ids(audio).tolist() == [f"{i}/{s}" for i in ids for s in (0, 1)]
        assert np.array_equal(audio["audio"][::2], target["audio"][:])
        assert np.array_equal(audio["audio"][1::2], target["audio"][:][::-1])
