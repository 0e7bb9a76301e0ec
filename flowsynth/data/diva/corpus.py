"""Presets of the published archive; invalid files are left out and listed."""

import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from flowsynth.core.progress import log, track
from flowsynth.data.diva import numpy_objects, safe_pickle
from flowsynth.data.diva.parameter_sets import SETS, TAG_PAIRS

PLUGIN_PARAMETERS = 281  # number of parameters of the plugin
SAMPLES = 88_320
CONSTANT = 1e-4  # maximum range of the values of a parameter that does not vary
ROUNDING = 1e-6  # tolerance of the range [0, 1]
MAX_BYTES = 2**23  # of the file of one preset, or of a member in it; typical files have 180,000
REFERENCE_SOUNDS = 12  # presets whose published sound is kept, to compare a plugin with
DAMAGED = (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError)


@dataclass(frozen=True)
class Corpus:
    """Published presets, sorted by name.

    Attributes:
        presets: Names of the presets, which are the hashes in their file names.
        names: Names of the parameters, sorted.
        values: One row per preset, in [0, 1].
        tags: For each pair of `TAG_PAIRS`, 1 for the first word, -1 for the second, 0 if unknown.
        sounds: Published sounds of some presets, by preset name.
        left_out: Reasons by name of invalid files.
    """

    presets: tuple[str, ...]
    names: tuple[str, ...]
    values: Float[np.ndarray, "presets parameters"]
    tags: Int[np.ndarray, "presets pairs"]
    sounds: dict[str, Float[np.ndarray, " samples"]]
    left_out: dict[str, str]

    @property
    def varying(self) -> frozenset[str]:
        """Names of the parameters that are not equal in all presets."""
        ranges = np.ptp(self.values, axis=0)
        return frozenset(name for name, width in zip(self.names, ranges, strict=True) if width > CONSTANT)


class _File(NamedTuple):
    """Content of the file of one preset; values are in the order of the sorted names."""

    preset: str
    names: frozenset[str]
    values: np.ndarray
    tags: list[int]
    sound: np.ndarray | None


def read(path: Path) -> Corpus:
    """Read all presets of the archive; invalid files are left out and named in the log.

    Args:
        path: ``diva_raw.zip``, or the folder it was unpacked to.

    Raises:
        FileNotFoundError: If the path does not exist.
        ValueError: If it is not the archive, has duplicate file names, or no valid file.
    """
    contents: dict[str, _File] = {}
    left_out: dict[str, str] = {}
    interned: dict[frozenset[str], frozenset[str]] = {}  # share equal sets of names to save memory
    with _files(path) as files:
        for file, load in track(files.items(), len(files), f"read {path}"):
            try:
                content = _read_file(parse_preset_name(file), load(), keep_sound=len(contents) < REFERENCE_SOUNDS)
                contents[file] = content._replace(names=interned.setdefault(content.names, content.names))
            except DAMAGED as error:
                left_out[file] = str(error) or type(error).__name__
    # the parameters of most files are taken to be right
    names = frozenset().union(*(key for key, _ in Counter(c.names for c in contents.values()).most_common(1)))
    for file, content in contents.items():
        if content.names != names:
            missing, unexpected = (
                ", ".join(sorted(difference)[:5]) or "none"
                for difference in (names - content.names, content.names - names)
            )
            left_out[file] = f"param: names differ from most files: missing {missing}, unexpected {unexpected}"
    for file, reason in sorted(left_out.items()):
        log.warning("%s: %s is left out: %s", path, file, reason)
    valid = [content for file, content in sorted(contents.items()) if file not in left_out]
    if not valid:
        first = ": ".join(next(iter(left_out.items())))
        raise ValueError(f"{path}: none of {len(left_out)} files is valid; {first}")
    if len(names) != PLUGIN_PARAMETERS or SETS[128] - names:
        raise ValueError(
            f"{path}: param: got {len(names)} parameters, expected {PLUGIN_PARAMETERS} of Diva, including the published ones; "
            f"missing: {sorted(SETS[128] - names)}"
        )
    sounds = {content.preset: content.sound for content in valid if content.sound is not None}
    values, tags = np.array([content.values for content in valid]), np.array([content.tags for content in valid])
    presets = tuple(content.preset for content in valid)
    return Corpus(presets, tuple(sorted(names)), np.clip(values, 0, 1), tags, sounds, left_out)


@contextmanager
def _files(path: Path) -> Iterator[dict[str, Callable[[], bytes]]]:
    """Map the names of preset files to functions that read them."""
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: expected diva_raw.zip, or the folder it was unpacked to")
    if path.is_dir():
        folder = path / "raw" if (path / "raw").is_dir() else path
        files = sorted(file for file in folder.glob("*.npz") if not file.name.startswith("._"))
        _check_names(path, [file.name for file in files])
        yield {file.name: partial(_read_bounded, file.open, file.stat().st_size, "rb") for file in files}
        return
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path} is not a zip archive, or truncated ({error}): download it again") from error
    with archive:
        members = [
            member for member in archive.infolist() if re.search(r"(^|/)raw/(?!\._)[^/]*\.npz$", member.filename)
        ]
        _check_names(path, [member.filename.split("/")[-1] for member in members])
        yield {
            member.filename.split("/")[-1]: partial(_read_bounded, archive.open, member.file_size, member)
            for member in members
        }


def _check_names(path: Path, names: list[str]) -> None:
    if not names:
        raise ValueError(f"{path}: no files raw/NAME.npz, expected diva_raw.zip, or the folder it was unpacked to")
    duplicates = sorted(name for name, count in Counter(names).items() if count > 1)
    if duplicates:
        raise ValueError(f"{path}: duplicate file names {', '.join(duplicates[:5])}: remove all but one")


def _read_bounded(open_: Callable, size: int, *arguments: object) -> bytes:
    """Read a file of at most `MAX_BYTES`."""
    if size > MAX_BYTES:
        raise ValueError(f"{size:,} bytes, expected at most {MAX_BYTES:,}")
    with open_(*arguments) as file:
        return file.read()


def parse_preset_name(file: str) -> str:
    """Extract the name of the preset from the name of its file."""
    match = re.fullmatch(r"(.+)_60_100(\.npz)?", file)
    if not match:
        raise ValueError(f"file name {file!r}, expected NAME_60_100.npz for note 60 and velocity 100")
    return match[1]


def _read_file(preset: str, data: bytes, keep_sound: bool) -> _File:
    """Parse the file of a preset."""
    with zipfile.ZipFile(io.BytesIO(data)) as members:
        param, audio, chars = (_member(members, name) for name in ("param", "audio", "chars"))
    sound = _numbers(audio, "audio", (SAMPLES,), ("f2",)).astype(np.float32)
    if not np.isfinite(sound).all():
        raise ValueError("audio: a sample is not finite")
    rows = _numbers(chars, "chars", (len(TAG_PAIRS), 3), ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"))
    tags = [0 if unknown else int(first > 0) - int(second > 0) for first, second, unknown in rows.tolist()]
    values = dict(sorted(_parameters(param).items()))
    return _File(preset, frozenset(values), np.array([*values.values()]), tags, sound if keep_sound else None)


def _member(members: zipfile.ZipFile, name: str) -> io.BytesIO:
    matches = [member for member in members.infolist() if member.filename == f"{name}.npy"]
    if len(matches) != 1:
        raise ValueError(f"got {len(matches)} members {name}, expected one of {sorted(members.namelist())}")
    return io.BytesIO(_read_bounded(members.open, matches[0].file_size, matches[0]))


def read_header(file: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Read the header of a file in numpy's format: shape, Fortran order and dtype."""
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(file)
    if version not in readers:
        raise ValueError(f"version {version} of numpy's format, expected 1 or 2")
    try:
        return readers[version](file)
    except Exception as error:  # numpy passes on whatever its header parser raises
        raise ValueError(f"damaged header: {type(error).__name__} {error}") from error


def _numbers(file: io.BytesIO, name: str, shape: tuple[int, ...], kinds: tuple[str, ...]) -> np.ndarray:
    """Read an array of numbers of the given shape and one of the given dtypes."""
    actual, fortran, dtype = read_header(file)
    if actual != shape or dtype.str[1:] not in kinds:
        raise ValueError(f"{name}: got {dtype} of shape {actual}, expected {kinds[-1]} of shape {shape}")
    return np.frombuffer(file.read(), dtype=dtype).reshape(shape, order="F" if fortran else "C")


def _parameters(file: io.BytesIO) -> dict[str, float]:
    """Read the parameters of a preset, in [0, 1]."""
    shape, _, dtype = read_header(file)
    if shape != () or dtype != np.dtype(object):
        raise ValueError(f"param: got {dtype} of shape {shape}, expected one dictionary")
    try:
        (table,) = numpy_objects.to_list(safe_pickle.read(file))
        if not isinstance(table, dict):
            raise ValueError(f"got {numpy_objects.describe(table)}, expected a dictionary")
        values = {numpy_objects.to_text(name): numpy_objects.to_number(value) for name, value in table.items()}
    except ValueError as error:
        raise ValueError(f"param: {error}") from error
    for name, value in values.items():
        if not -ROUNDING <= value <= 1 + ROUNDING:
            raise ValueError(f"param: {name!r} = {value}, expected 0..1")
    return values
