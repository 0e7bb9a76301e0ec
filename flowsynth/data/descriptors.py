"""What a sound is like in five numbers, as figures show them: loudness, centroid, bandwidth, flatness and roll-off.

References:
    Esling et al. 2019: the five. The published code computes them of a mel spectrogram as if its bands were those of a
    Fourier transform, and has bandwidth and flatness exchanged; here they are of the Fourier transform.
    McFee et al. 2015, "librosa".
"""

import librosa
import numpy as np
from jaxtyping import Float

N_FFT = 2048  # samples
HOP = 512
QUIET = 1e-10  # power, -100 dB
UNITS = {"loudness": "dB", "centroid": "Hz", "bandwidth": "Hz", "flatness": "", "roll-off": "Hz"}


def describe(audio: Float[np.ndarray, " samples"], sample_rate: int) -> dict[str, float]:
    """Describe a sound.

    Args:
        audio: Mono, of full scale 1.
        sample_rate: Hz.

    Returns:
        loudness (RMS in dB of full scale), and means over frames, weighted by their power: centroid, bandwidth and roll-off
        (85 % of the power below) in Hz, flatness from 0 to 1.
    """
    power = np.abs(librosa.stft(audio, n_fft=N_FFT, hop_length=HOP)) ** 2
    weight = power.sum(axis=0) + QUIET
    found = {
        "centroid": librosa.feature.spectral_centroid(S=power, sr=sample_rate),
        "bandwidth": librosa.feature.spectral_bandwidth(S=power, sr=sample_rate),
        "flatness": librosa.feature.spectral_flatness(S=power, power=1.0),
        "roll-off": librosa.feature.spectral_rolloff(S=power, sr=sample_rate),
    }
    loudness = 10 * np.log10(np.mean(np.square(audio, dtype=np.float64)) + QUIET)
    return {"loudness": float(loudness)} | {
        name: float(np.average(values[0], weights=weight)) for name, values in found.items()
    }
