"""Audio and pictures for a page: compact files that every browser plays, and playback volumes that match loudness.

MP3 files keep the level and the length of the rendering; the player attenuates the louder ones of sounds to compare.
"""

import base64
import io
from pathlib import Path

import matplotlib as mpl
import numpy as np
import soundfile
from jaxtyping import Float
from PIL import Image

from flowsynth.core.provenance import atomic_write

QUALITY = 0.3  # MP3 compression level, 0 is best: 10 to 30 KB for four seconds
DARKEST, BRIGHTEST = -7.0, 7.0  # ln of mel power: range of the colour scale; the floor of the features is -6.9
SILENCE = 1e-4  # RMS below which a sound is silent and no reference for loudness


def write_mp3(audio: Float[np.ndarray, " samples"], sample_rate: int, path: Path) -> None:
    """Write audio as MP3; audio beyond full scale is attenuated as a whole, because MP3 would clip it."""
    peak = np.abs(audio).max(initial=0.0)
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        soundfile.write(
            file, audio / max(1.0, peak), sample_rate, format="MP3", subtype="MPEG_LAYER_III",
            compression_level=QUALITY, bitrate_mode="VARIABLE",
        )  # fmt: skip


def matching_volumes(sounds: list[Float[np.ndarray, " samples"]]) -> list[float]:
    """Compute playback volumes that match all sounds to the RMS of the quietest one that is not silent.

    Args:
        sounds: Audio as passed to `write_mp3`.

    Returns:
        Factors in (0, 1], 1 for silence.

    >>> matching_volumes([np.full(4, 0.5), np.full(4, 0.25), np.zeros(4)])
    [0.5, 1.0, 1.0]
    """
    # RMS in the file, see `write_mp3`
    levels = [float(np.sqrt(np.mean(s**2))) / max(1.0, float(np.abs(s).max(initial=0.0))) for s in sounds]
    quietest = min((rms for rms in levels if rms > SILENCE), default=1.0)
    return [min(1.0, quietest / rms) if rms > SILENCE else 1.0 for rms in levels]


def spectrogram_uri(log_mel: Float[np.ndarray, "mels frames"]) -> str:
    """Encode a log-mel spectrogram, low bands at the bottom, as the data URI of a PNG picture."""
    share = np.clip((log_mel[::-1] - DARKEST) / (BRIGHTEST - DARKEST), 0, 1)
    levels = (share * 63).astype(np.uint8)  # few colours: a small file
    image = Image.frombytes("P", levels.shape[::-1], levels.tobytes())
    colours = (np.asarray(mpl.colormaps["magma"](np.linspace(0, 1, 64)))[:, :3] * 255).astype(np.uint8)
    image.putpalette(colours.flatten().tolist())
    data = io.BytesIO()
    image.save(data, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()
