"""Sounds for a page: small files that any browser plays, small pictures, and how loud each has to be played.

Files hold what was rendered, not louder and not shorter, coded as MP3. Where sounds are to be compared the player turns the
louder ones down.
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

QUALITY = 0.3  # of the encoder, 0 the best: 10 to 30 KB for a sound of four seconds
DARKEST, BRIGHTEST = (
    -7.0,
    7.0,
)  # natural logarithm of mel power that the colours span; the floor of the features is -6.9
QUIET = 1e-4  # RMS below which a sound counts as silence and is not what others are turned down to


def write_mp3(audio: Float[np.ndarray, " samples"], sample_rate: int, path: Path) -> None:
    """Write a sound; what exceeds full scale is turned down as a whole, as MP3 would clip it."""
    loud = np.abs(audio).max(initial=0.0)
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        soundfile.write(
            file, audio / max(1.0, loud), sample_rate, format="MP3", subtype="MPEG_LAYER_III",
            compression_level=QUALITY, bitrate_mode="VARIABLE",
        )  # fmt: skip


def volumes(sounds: list[Float[np.ndarray, " samples"]]) -> list[float]:
    """How far to turn each of some sounds down, so that all are as loud (RMS) as the quietest that is not silent.

    Returns:
        Factors in (0, 1], 1 for silence.
    """
    # what a file holds, see `write_mp3`
    loudness = [float(np.sqrt(np.mean(s**2))) / max(1.0, float(np.abs(s).max(initial=0.0))) for s in sounds]
    least = min((rms for rms in loudness if rms > QUIET), default=1.0)
    return [min(1.0, least / rms) if rms > QUIET else 1.0 for rms in loudness]


def picture(log_mel: Float[np.ndarray, "mels frames"]) -> str:
    """Give a spectrogram, low bands below, as the address of a picture that is in the page itself."""
    share = np.clip((log_mel[::-1] - DARKEST) / (BRIGHTEST - DARKEST), 0, 1)
    levels = (share * 63).astype(np.uint8)  # few colours: a small file
    image = Image.frombytes("P", levels.shape[::-1], levels.tobytes())
    colours = (np.asarray(mpl.colormaps["magma"](np.linspace(0, 1, 64)))[:, :3] * 255).astype(np.uint8)
    image.putpalette(colours.flatten().tolist())
    data = io.BytesIO()
    image.save(data, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()
