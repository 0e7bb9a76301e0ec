"""Filter banks and windows are bit-identical to librosa's."""

import warnings

import librosa
import numpy as np
import pytest

from flowsynth.core.mel_filters import hann, mel_bank


@pytest.mark.parametrize("n_fft", [220, 551, 1103, 2048, 2205, 4096])
@pytest.mark.parametrize("sample_rate", [8000, 16000, 22050, 44100, 48000])
def test_mel_bank_equals_librosa(sample_rate: int, n_fft: int):
    for n_mels, fmin, fmax in (
        (64, 30, min(11000, sample_rate / 2)),
        (128, 0.0, None),
        (32, 0.0, None),
        (80, 1200, 3900),
    ):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Empty filters")
            expected = librosa.filters.mel(sr=sample_rate, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax)
        bank = mel_bank(sample_rate, n_fft, n_mels, fmin, fmax)
        assert bank.dtype == expected.dtype
        assert np.array_equal(bank, expected)


@pytest.mark.parametrize("length", [220, 221, 551, 1102, 1103, 2048, 2205, 4096])
def test_hann_equals_librosa(length: int):
    assert np.array_equal(hann(length), librosa.filters.get_window("hann", length).astype(np.float32))
