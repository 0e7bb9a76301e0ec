"""Mel spectrograms equal those of librosa."""

from pathlib import Path

import librosa
import numpy as np
import pytest
import torch

from flowsynth.core import hdf5
from flowsynth.data.features import Mel, extract, numpy_mel

SETTINGS = {"n_mels": 64, "n_fft": 2048, "hop_length": 1024, "fmin": 30, "fmax": 11000, "frames": 80, "floor": 1e-3}


def sounds() -> np.ndarray:
    rng = np.random.default_rng(0)
    time = np.arange(88200) / 22050
    sweep = 0.5 * np.sin(2 * np.pi * (50 + 1000 * time) * time)
    noise = rng.uniform(-0.8, 0.8, 88200) * np.exp(-3 * time)
    late = np.where(time > 3.5, 0.3 * np.sin(2 * np.pi * 440 * time), 0)
    return np.stack([sweep, noise, late, np.zeros(88200), 1e-4 * sweep]).astype(np.float32)


@pytest.mark.parametrize("n_mels", [64, 128])
def test_mel_equals_librosa(n_mels: int):
    audio = sounds()
    mel = Mel(22050, n_mels=n_mels)
    log_mel = mel.log(mel(torch.from_numpy(audio))).numpy()
    power = librosa.feature.melspectrogram(
        y=audio, sr=22050, n_fft=2048, hop_length=1024, n_mels=n_mels, fmin=30, fmax=11000
    )
    expected = np.log(power[..., :80] + 1e-3)
    assert log_mel.shape == (5, n_mels, 80)
    np.testing.assert_allclose(log_mel, expected, rtol=1e-5, atol=1e-5)


def test_batched_and_single_spectrograms_are_equal():
    mel, audio = Mel(22050), sounds()
    batched = numpy_mel(mel, audio)
    for row, sound in enumerate(audio):
        np.testing.assert_array_equal(batched[row], numpy_mel(mel, sound[None])[0])


def test_short_audio_and_high_fmax_raise():
    with pytest.raises(ValueError, match=r"44 frames.* 80"):
        Mel(22050)(torch.zeros(1, 44100))
    with pytest.raises(ValueError, match=r"fmax = 11000 Hz.* 16000"):
        Mel(16000)


def write_shard(path: Path, audio: np.ndarray) -> None:
    ids = [f"item{i}" for i in range(len(audio))]
    values = np.arange(len(audio) * 2).reshape(-1, 2) / 100
    with hdf5.writing(path, ids, values, ["a", "b"], {"sample_rate": 22050}) as file:
        hdf5.add_items(file, "audio", audio.shape[1:])[:] = audio
        hdf5.add_items(file, "status", (), hdf5.TEXT)[:] = ["ok"] * len(audio)


def test_extract_keeps_ids_values_and_status(tmp_path: Path):
    write_shard(tmp_path / "audio.h5", sounds())
    extract(tmp_path / "audio.h5", tmp_path / "features.h5", SETTINGS)
    with hdf5.reading(tmp_path / "features.h5") as file:
        assert hdf5.ids(file).tolist() == [f"item{i}" for i in range(5)]
        assert file["mel"].shape == (5, 64, 80)
        assert file["mel"].chunks == (1, 64, 80)
        assert file["values"][3].tolist() == pytest.approx([0.06, 0.07])
        assert file["status"].asstr()[0] == "ok"
        mel = Mel(22050)
        np.testing.assert_allclose(file["mel"][:], np.log(numpy_mel(mel, sounds()) + 1e-3), atol=1e-5)


def test_a_spectrogram_that_is_not_finite_is_refused(tmp_path: Path):
    audio = sounds()
    audio[3, 1000] = np.inf
    write_shard(tmp_path / "audio.h5", audio)
    with pytest.raises(ValueError, match=r"features\.h5: the spectrogram of item3 is not finite"):
        extract(tmp_path / "audio.h5", tmp_path / "features.h5", SETTINGS)
    assert not (tmp_path / "features.h5").exists()
