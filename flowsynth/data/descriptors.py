"""Five descriptors of a sound, as shown in figures: loudness, centroid, bandwidth, flatness and roll-off.

References:
    Esling et al. 2019: the choice of descriptors. The published code computes them from a mel spectrogram as if its
    bands were Fourier bins, and swaps bandwidth and flatness; here they are computed from the Fourier transform.
    McFee et al. 2015, "librosa".
"""

import librosa
import numpy as np
from jaxtyping import Float

N_FFT = 2048  # samples
HOP = 512  # samples
EPSILON = 1e-10  # power, -100 dB
UNITS = {"loudness": "dB", "centroid": "Hz", "bandwidth": "Hz", "flatness": "", "roll-off": "Hz"}


def describe(audio: Float[np.ndarray, " samples"], sample_rate: int) -> dict[str, float]:
    """Compute the descriptors of a sound.

    Args:
        audio: Mono, full scale 1.
        sample_rate: Hz.

    Returns:
        loudness (RMS in dB of full scale), and power-weighted means over frames: centroid, bandwidth and roll-off (85 %
        of the power lies below) in Hz, flatness in [0, 1].
    """
    power = np.abs(librosa.stft(audio, n_fft=N_FFT, hop_length=HOP)) ** 2
    weights = power.sum(axis=0) + EPSILON
    frames = {
        "centroid": librosa.feature.spectral_centroid(S=power, sr=sample_rate),
        "bandwidth": librosa.feature.spectral_bandwidth(S=power, sr=sample_rate),
        "flatness": librosa.feature.spectral_flatness(S=power, power=1.0),
        "roll-off": librosa.feature.spectral_rolloff(S=power, sr=sample_rate),
    }
    loudness = 10 * np.log10(np.mean(np.square(audio, dtype=np.float64)) + EPSILON)
    return {"loudness": float(loudness)} | {
        name: float(np.average(values[0], weights=weights)) for name, values in frames.items()
    }
