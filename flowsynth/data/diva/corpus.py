"""The presets of the archive, file by file; what can't be taken is left out by name."""

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
from flowsynth.data.diva.parameter_sets import PAIRS, SETS

COUNT = 281  # parameters of the plugin
SAMPLES = 88_320
CONSTANT = 1e-4  # a parameter whose values are all within this does not vary
ROUNDING = 1e-6  # outside of [0, 1] by no more is inside
LARGEST = 2**23  # bytes of a file of one preset, or of a member in it; they have some 180,000
KEPT = 12  # presets whose published sound is kept, to compare a plugin with
DAMAGED = (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError)


@dataclass(frozen=True)
class Corpus:
    """Published presets, in the order of their names.

    Attributes:
        presets: Their names, the hashes that their files are called by.
        names: Of the parameters, sorted.
        values: One row a preset, in [0, 1].
        tags: For each pair of `PAIRS` 1 for the first word, -1 for the second, 0 where nothing is said.
        sounds: As published, of the first few presets.
        left_out: Why, by the names of files that were not taken.
    """

    presets: tuple[str, ...]
    names: tuple[str, ...]
    values: Float[np.ndarray, "presets parameters"]
    tags: Int[np.ndarray, "presets pairs"]
    sounds: dict[str, Float[np.ndarray, " samples"]]
    left_out: dict[str, str]

    @property
    def varying(self) -> frozenset[str]:
        """Names of the parameters that are not the same in all presets."""
        spread = np.ptp(self.values, axis=0)
        return frozenset(name for name, width in zip(self.names, spread, strict=True) if width > CONSTANT)


class _File(NamedTuple):
    """What the file of a preset holds; values in the order of the sorted names."""

    preset: str
    names: frozenset[str]
    values: np.ndarray
    tags: list[int]
    sound: np.ndarray | None


def read(path: Path) -> Corpus:
    """Read all presets of the archive; files that can't be taken are left out, and each is named in the log.

    Args:
        path: Of ``diva_raw.zip``, or of the folder it was unpacked to.

    Raises:
        FileNotFoundError: If there is nothing.
        ValueError: If it is not such an archive, has two files of one name, or none that can be taken.
    """
    found: dict[str, _File] = {}
    left_out: dict[str, str] = {}
    known: dict[frozenset[str], frozenset[str]] = {}  # one set of names for all files: thousands of them fill memory
    with _files(path) as files:
        for file, load in track(files.items(), len(files), f"read {path}"):
            try:
                one = _read_file(preset_of(file), load(), keep=len(found) < KEPT)
                found[file] = one._replace(names=known.setdefault(one.names, one.names))
            except DAMAGED as error:
                left_out[file] = str(error) or type(error).__name__
    # a file with other parameters than most is the one that is wrong
    usual = frozenset().union(*(names for names, _ in Counter(one.names for one in found.values()).most_common(1)))
    for file, one in found.items():
        if one.names != usual:
            lacks, brings = (
                ", ".join(sorted(names)[:5]) or "nothing" for names in (usual - one.names, one.names - usual)
            )
            left_out[file] = f"param: other names than in most files: it lacks {lacks}, and has {brings} besides"
    for file, why in sorted(left_out.items()):
        log.warning("%s: %s is left out: %s", path, file, why)
    kept = [one for file, one in sorted(found.items()) if file not in left_out]
    if not kept:
        first = ": ".join(next(iter(left_out.items())))
        raise ValueError(f"{path}: none of {len(left_out)} files can be taken; {first}")
    if len(usual) != COUNT or SETS[128] - usual:
        raise ValueError(
            f"{path}: param: got {len(usual)} parameters, expected {COUNT}, the published ones among them: "
            f"{sorted(SETS[128] - usual)} are missing. This is no data of Diva"
        )
    sounds = {one.preset: one.sound for one in kept if one.sound is not None}
    values, tags = np.array([one.values for one in kept]), np.array([one.tags for one in kept])
    presets = tuple(one.preset for one in kept)
    return Corpus(presets, tuple(sorted(usual)), np.clip(values, 0, 1), tags, sounds, left_out)


@contextmanager
def _files(path: Path) -> Iterator[dict[str, Callable[[], bytes]]]:
    """The files of presets by name, and how to read each."""
    if not path.exists():
        raise FileNotFoundError(f"there is no {path}: expected diva_raw.zip, or the folder it was unpacked to")
    if path.is_dir():
        folder = path / "raw" if (path / "raw").is_dir() else path
        found = sorted(file for file in folder.glob("*.npz") if not file.name.startswith("._"))
        _require(path, [file.name for file in found])
        yield {file.name: partial(_bounded, file.open, file.stat().st_size, "rb") for file in found}
        return
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path} is no zip archive, or not all of it ({error}): download it again") from error
    with archive:
        inside = [member for member in archive.infolist() if re.search(r"(^|/)raw/(?!\._)[^/]*\.npz$", member.filename)]
        _require(path, [member.filename.split("/")[-1] for member in inside])
        yield {
            member.filename.split("/")[-1]: partial(_bounded, archive.open, member.file_size, member)
            for member in inside
        }


def _require(path: Path, names: list[str]) -> None:
    if not names:
        raise ValueError(f"{path}: no file raw/NAME.npz in it, expected diva_raw.zip, or the folder it was unpacked to")
    double = sorted(name for name, count in Counter(names).items() if count > 1)
    if double:
        raise ValueError(f"{path}: several files are called {', '.join(double[:5])}: take all but one away")


def _bounded(open_: Callable, size: int, *arguments: object) -> bytes:
    """Read a file of a size that can be right."""
    if size > LARGEST:
        raise ValueError(f"{size:,} bytes, expected {LARGEST:,} at most")
    with open_(*arguments) as file:
        return file.read()


def preset_of(file: str) -> str:
    """Name of the preset that a file is of."""
    match = re.fullmatch(r"(.+)_60_100(\.npz)?", file)
    if not match:
        raise ValueError(f"the name {file!r}, expected NAME_60_100.npz, as the note is 60 and the velocity 100")
    return match[1]


def _read_file(preset: str, data: bytes, keep: bool) -> _File:
    """Parameters, tags and, if it is to be kept, sound in the file of a preset."""
    with zipfile.ZipFile(io.BytesIO(data)) as members:
        param, audio, chars = (_member(members, name) for name in ("param", "audio", "chars"))
    sound = _numbers(audio, "audio", (SAMPLES,), ("f2",)).astype(np.float32)
    if not np.isfinite(sound).all():
        raise ValueError("audio: a sample is not finite")
    said = _numbers(chars, "chars", (len(PAIRS), 3), ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"))
    tags = [0 if unknown else int(first > 0) - int(second > 0) for first, second, unknown in said.tolist()]
    values = dict(sorted(_parameters(param).items()))
    return _File(preset, frozenset(values), np.array([*values.values()]), tags, sound if keep else None)


def _member(members: zipfile.ZipFile, name: str) -> io.BytesIO:
    found = [member for member in members.infolist() if member.filename == f"{name}.npy"]
    if len(found) != 1:
        raise ValueError(f"got {len(found)} members {name}, expected one; it has {sorted(members.namelist())}")
    return io.BytesIO(_bounded(members.open, found[0].file_size, found[0]))


def header(file: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, order and type of the array of numpy that follows."""
    read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(file)
    if version not in read_header:
        raise ValueError(f"version {version} of the format of numpy, expected 1 or 2")
    try:
        return read_header[version](file)
    except Exception as error:  # numpy leaves what its parser of Python raises as it is
        raise ValueError(f"a damaged header: {type(error).__name__} {error}") from error


def _numbers(file: io.BytesIO, name: str, shape: tuple[int, ...], kinds: tuple[str, ...]) -> np.ndarray:
    """An array of numbers, which has to be as expected."""
    found, fortran, kind = header(file)
    if found != shape or kind.str[1:] not in kinds:
        raise ValueError(f"{name}: got {kind} of the shape {found}, expected {kinds[-1]}, {shape}")
    return np.frombuffer(file.read(), dtype=kind).reshape(shape, order="F" if fortran else "C")


def _parameters(file: io.BytesIO) -> dict[str, float]:
    """The parameters of a preset, in [0, 1]."""
    shape, _, kind = header(file)
    if shape != () or kind != np.dtype(object):
        raise ValueError(f"param: got {kind} of the shape {shape}, expected one dictionary")
    try:
        (table,) = numpy_objects.elements(safe_pickle.read(file))
        if not isinstance(table, dict):
            raise ValueError(f"a {numpy_objects.described(table)}, expected a dictionary")
        values = {numpy_objects.text(name): numpy_objects.number(value) for name, value in table.items()}
    except ValueError as error:
        raise ValueError(f"param: {error}") from error
    for name, value in values.items():
        if not -ROUNDING <= value <= 1 + ROUNDING:
            raise ValueError(f"param: {name!r} = {value}, expected 0..1")
    return values
