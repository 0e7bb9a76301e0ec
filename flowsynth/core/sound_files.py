"""Sound files of users: read completely, or refused with the fault and a remedy.

libsndfile reads what it can: half a file is a shorter sound to it, and a text file named ``a.au`` is noise. So the length
in the header is compared with the data, formats are recognised by content alone, and samples must be plausible.
"""

import math
import os
import stat
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from jaxtyping import Float

SUFFIXES = (
    *(".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff", ".caf"),
    *(".aifc", ".bwf", ".oga", ".rf64", ".w64", ".wave"),
)
UNREADABLE_SUFFIXES = (".aac", ".ape", ".m4a", ".mka", ".raw", ".wma", ".wv")  # sounds that libsndfile can't read

MIN_RATE, MAX_RATE = 2_000, 1_000_000  # Hz
MAX_PEAK = 2.0**31  # largest sample of any integer format; full scale is 1
BLOCK = 2**20  # frames read at once: a header may promise more than memory holds
MAX_FRAMES = 2**40  # a larger number of frames means that the header states none
MP3_FRAMES = 2304  # samples by which the encoder's delay may be counted differently
MAX_TAIL = 4096  # bytes after the last chunk: tags and padding
OGG_PAGE, OGG_HEADER = 2**16, 27  # bytes: largest page and its header, rounded up; header without its table
# sizes that programs write that can't know them, because they write to a pipe
PLACEHOLDERS = {*range(0x7FFFF000, 0x80000001), *range(0xFFFFF000, 0x100000000)}
UNCHECKED = "whether the file is complete can't be checked"
REPLACE = "copy or export it again"
CONVERT = "convert it to WAV or FLAC"

# magic number: position of the first chunk, length of a chunk's identifier, format of its size, alignment
CHUNKS = {
    b"RIFF": (12, 4, "<I", 2),
    b"RIFX": (12, 4, ">I", 2),
    b"RF64": (12, 4, "<I", 2),
    b"FORM": (12, 4, ">I", 2),
    b"caff": (8, 4, ">q", 1),
    b"riff": (40, 16, "<q", 8),  # Wave64, whose sizes include the header of the chunk
}


class SoundFileError(ValueError):
    """A sound file that can't be used.

    Attributes:
        reason: Fault and remedy, to be read after the name of the file.
    """

    def __init__(self, path: Path, reason: str):
        super().__init__(f"{printable(path)} {reason}")
        self.reason = reason


@dataclass(frozen=True)
class SoundFile:
    """Content of a sound file.

    Attributes:
        samples: Float32, with full scale 1.
        sample_rate: Hz.
        duration: Duration of the whole file in s; infinite if unknown and not reached.
        remarks: What could not be checked; may be empty.
    """

    samples: Float[np.ndarray, "frames channels"]
    sample_rate: int
    duration: float
    remarks: tuple[str, ...]


def printable(path: Path) -> str:
    """Return a path as a line of text: other characters and bytes that are not valid text are escaped.

    >>> printable(Path("new\\nline.wav"))
    'new\\\\nline.wav'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in str(path))


def read_sound_file(path: Path, max_duration: float = math.inf) -> SoundFile:
    """Read a sound file in any format of libsndfile.

    Args:
        path: File. Its format is recognised by its content.
        max_duration: Duration in s after which reading stops.

    Raises:
        SoundFileError: If the file can't be read, is cut off or damaged, is empty, states an impossible sample rate, or
            has samples that are not finite or beyond `MAX_PEAK`.
    """
    try:
        return _read(path, max_duration)
    except soundfile.LibsndfileError as error:
        fault = error.error_string.removeprefix("Error : ").rstrip(".")
        raise SoundFileError(path, f"can't be read ({fault}): {REPLACE}, or {CONVERT}") from error
    except OSError as error:
        fault = error.strerror or str(error)
        raise SoundFileError(path, f"can't be opened ({fault}): check the path and its permissions") from error
    except ValueError as error:
        raise SoundFileError(path, str(error)) from error


def _read(path: Path, max_duration: float) -> SoundFile:
    try:
        mode = path.stat().st_mode  # before opening, which waits for a pipe
    except FileNotFoundError:
        raise ValueError("is not there: check the path") from None
    if stat.S_ISDIR(mode):
        raise ValueError("is a folder: name a sound file in it")
    if not stat.S_ISREG(mode):
        raise ValueError("is no file but a pipe or device: save the sound as a file")
    with path.open("rb", buffering=0) as file:
        # by its descriptor, so that the name of the file says nothing about its format
        with _Stream(file.fileno(), closefd=False) as sound:
            rate, form, stated = sound.samplerate, sound.format, sound.frames
            if not MIN_RATE <= rate <= MAX_RATE:
                raise ValueError(
                    f"has a sample rate of {rate} Hz, expected {MIN_RATE} to {MAX_RATE}: correct the rate in its header"
                )
            expected = min(stated, math.ceil(max_duration * rate)) if math.isfinite(max_duration) else stated
            samples = _read_frames(sound, expected)
        size = os.fstat(file.fileno()).st_size
        remark = _check_length(file.fileno(), size, form)
    duration = stated / rate
    if stated > MAX_FRAMES:
        duration, remark = (math.inf if len(samples) == expected else len(samples) / rate), UNCHECKED
    elif len(samples) < expected - (MP3_FRAMES if form == "MP3" else 0):
        raise ValueError(
            f"is cut off or damaged ({len(samples) / rate:.2f} s of {duration:.2f} s can be read): {REPLACE}"
        )
    if len(samples) == 0:
        raise ValueError(f"has no samples: {REPLACE}")
    peak = float(np.abs(samples).max())
    if not peak <= MAX_PEAK:  # NaN too
        raise ValueError(f"has samples that are not finite or too large ({peak:.3g}, full scale is 1): {REPLACE}")
    return SoundFile(samples, rate, duration, (remark,) if remark else ())


class _Stream(soundfile.SoundFile):
    """A file that is read once: `soundfile` seeks after each read, which fails at the end of a FLAC file cut off."""

    def seekable(self) -> bool:
        return False


def _read_frames(sound: soundfile.SoundFile, count: int) -> Float[np.ndarray, "frames channels"]:
    blocks = []
    while count > 0:
        block = sound.read(min(count, BLOCK), dtype="float32", always_2d=True)
        blocks.append(block)
        count = count - len(block) if len(block) else 0
    return np.concatenate(blocks) if blocks else np.zeros((0, sound.channels), np.float32)


def _check_length(descriptor: int, size: int, form: str) -> str:
    """Compare the length in the header with the size of the file.

    Returns:
        A remark if it can't be compared, or an empty string.

    Raises:
        ValueError: If they differ.
    """
    start = os.pread(descriptor, 64, 0)
    if start[:4] in CHUNKS:
        return _check_chunks(descriptor, size, *CHUNKS[start[:4]])
    if form == "OGG":
        tail = os.pread(descriptor, OGG_PAGE, max(0, size - OGG_PAGE))
        page = tail[tail.rfind(b"OggS") :]
        body = OGG_HEADER + page[OGG_HEADER - 1] if len(page) >= OGG_HEADER else OGG_PAGE  # behind a table of sizes
        if len(page) < body + sum(page[OGG_HEADER:body]):
            raise ValueError(f"is cut off (its last page is not complete): {REPLACE}")
        return "" if page[5] & 4 else UNCHECKED  # many complete files do not mark the last page
    if form == "MP3":
        tags = 0
        if start[:3] == b"ID3":  # a size of four times seven bits
            tags = 10 + sum(byte << shift for byte, shift in zip(start[6:10], (21, 14, 7, 0), strict=True))
        frame = os.pread(descriptor, 256, tags)
        return "" if any(name in frame for name in (b"Xing", b"Info", b"VBRI")) else UNCHECKED
    return "" if form == "FLAC" else UNCHECKED


def _check_chunks(descriptor: int, size: int, position: int, name_length: int, layout: str, alignment: int) -> str:
    header = name_length + struct.calcsize(layout)
    sound_size, long_size = None, None
    while position + header <= size:
        chunk = os.pread(descriptor, header, position)
        name, (length,) = chunk[:4], struct.unpack(layout, chunk[name_length:])
        length -= header if name_length > 4 else 0
        if name == b"ds64":  # the sizes of RF64, of which that of the sound is the second
            long_size = int.from_bytes(os.pread(descriptor, 8, position + header + 8), "little")
        if name in (b"data", b"SSND", b"BODY"):
            if length == 2**32 - 1 and long_size is not None:
                length = long_size
            elif length < 0 or (header == 8 and length in PLACEHOLDERS):
                return UNCHECKED
            rest = size - position - header
            if length > rest:
                raise ValueError(f"is cut off (its header states {length} bytes of sound, it has {rest}): {REPLACE}")
            sound_size = length
        elif length < 0 or not name.isascii() or name[0] < 32:
            break  # no chunk
        position += header + length
        position += -position % alignment
    tail = size - position
    if tail > MAX_TAIL and sound_size is not None:
        raise ValueError(
            f"is longer than its header states ({sound_size} bytes of sound, {tail} more after it): {REPLACE}"
        )
    return ""
