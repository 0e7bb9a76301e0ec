"""Mel spectrograms: power for the metrics, log power for the networks.

Equal to librosa's ``melspectrogram`` (centred Hann windows, power, Slaney filters), but computed in batches and on the
device of the audio. Two other functions compute the same:

* `flowsynth.metrics.spectral.mel_power`, in numpy, so that `flowsynth.metrics.evaluate` needs no torch.
* `flowsynth.inference.search_task.log_mel_extractor`, with librosa's transform, for searches.

All share the filters of `flowsynth.core.mel_filters`. They are not one function, as their Fourier transforms round
differently: 82 to 87 % of the values differ in the last bits, the logarithms by up to 6e-6. Scores would differ only beyond
the digits shown, but a search amplifies a difference: it would render other candidates than those of the stored results.

References:
    Esling et al., "Universal audio synthesizer control with normalizing flows", 2019: 64 bands, FFT 2048, hop 1024,
    30 to 11,000 Hz, natural logarithm of power + 1e-3, first 80 frames.
"""

from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowsynth.core import hdf5
from flowsynth.core.mel_filters import check_bands, hann, mel_bank
from flowsynth.core.progress import track

BATCH = 4  # sounds transformed at once; they fit in the cache of a CPU core


class Mel(nn.Module):
    """Mel power spectrogram.

    Args:
        sample_rate: Hz.
        n_mels: Number of mel bands.
        n_fft: Window length in samples.
        hop_length: Hop between windows in samples.
        fmin: Lowest frequency, Hz.
        fmax: Highest frequency, Hz.
        frames: Number of frames kept, from the start.
        floor: Offset added to the power before the logarithm.

    Raises:
        ValueError: If the frequencies contradict each other or the sample rate, or a mel band would be empty.
    """

    bank: Tensor
    window: Tensor

    def __init__(
        self,
        sample_rate: int,
        n_mels: int = 64,
        n_fft: int = 2048,
        hop_length: int = 1024,
        fmin: float = 30,
        fmax: float = 11000,
        frames: int = 80,
        floor: float = 1e-3,
    ):
        super().__init__()
        check_bands(sample_rate, n_fft, n_mels, fmin, fmax)
        bank = mel_bank(sample_rate, n_fft, n_mels, fmin, fmax)
        self.sample_rate, self.n_fft, self.hop_length = sample_rate, n_fft, hop_length
        self.frames, self.floor = frames, floor
        self.register_buffer("bank", torch.from_numpy(bank), persistent=False)
        self.register_buffer("window", torch.from_numpy(hann(n_fft)), persistent=False)

    def forward(self, audio: Float[Tensor, "items samples"]) -> Float[Tensor, "items mels frames"]:
        """Compute the mel power of sounds of full scale 1.

        Raises:
            ValueError: If a sound is too short to fill the frames.
        """
        available = 1 + audio.shape[-1] // self.hop_length
        if available < self.frames:
            raise ValueError(
                f"a sound of {audio.shape[-1]} samples has {available} frames, expected at least {self.frames}"
            )
        half = self.n_fft // 2
        # drop the samples after the last frame that is kept
        padded = nn.functional.pad(audio, (half, half))[:, : (self.frames - 1) * self.hop_length + self.n_fft]
        spectrum = torch.fft.rfft(padded.unfold(1, self.n_fft, self.hop_length) * self.window)
        power = spectrum.real.square() + spectrum.imag.square()
        return (power @ self.bank.T).transpose(1, 2)

    def log(self, power: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
        """Compute the natural logarithm of power + floor."""
        return torch.log(power + self.floor)


# default arguments of `Mel`, without the sample rate
DEFAULTS = {name: parameter.default for name, parameter in signature(Mel).parameters.items() if name != "sample_rate"}


def spectrogram_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Select the arguments of `Mel` from the settings of a features file; empty if one of them is missing."""
    names = ("sample_rate", *DEFAULTS)
    return {name: settings[name] for name in names} if settings.keys() >= set(names) else {}


def extract(shard: Path, path: Path, settings: Mapping[str, Any]) -> None:
    """Write a features file for a shard of audio: ``values``, ``mel`` (items x bands x frames), ``status``.

    Args:
        shard: Audio file written by `flowsynth.rendering.render.render_shard`.
        path: Output file.
        settings: Arguments of `Mel` except the sample rate, which is read from the shard.

    Raises:
        ValueError: If the shard is damaged, or a spectrogram is not finite.
    """
    with hdf5.reading(shard) as source:
        audio_settings = hdf5.settings(source)
        mel = Mel(audio_settings["sample_rate"], **settings)
        shape = (mel.bank.shape[0], mel.frames)
        ids, audio = hdf5.ids(source), source["audio"]
        merged = {**audio_settings, **settings}
        with hdf5.writing(path, ids, source["values"][:], hdf5.names(source), merged) as file:
            target = hdf5.add_items(file, "mel", shape)
            hdf5.add_items(file, "status", (), hdf5.TEXT)[:] = source["status"][:]
            starts = range(0, len(ids), BATCH)
            for start in track(starts, len(starts), f"features {path}"):
                rows = slice(start, start + BATCH)
                log_mel = mel.log(mel(torch.from_numpy(audio[rows]))).numpy()
                if not np.isfinite(log_mel).all():
                    row = start + int(np.isfinite(log_mel).all(axis=(1, 2)).argmin())
                    raise ValueError(
                        f"{path}: the spectrogram of {ids[row]} is not finite: check the features of config.yaml, and its "
                        f"sound in {shard}"
                    )
                target[rows] = log_mel


def numpy_mel(mel: Mel, audio: Float[np.ndarray, "items samples"]) -> Float[np.ndarray, "items mels frames"]:
    """Compute the mel power of arrays, `BATCH` sounds at a time."""
    batches = (torch.from_numpy(audio[start : start + BATCH]) for start in range(0, len(audio), BATCH))
    return np.concatenate([mel(batch).numpy() for batch in batches])
