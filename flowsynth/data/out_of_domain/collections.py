"""Collections of sounds that the synthesizer did not make, as files of audio like those of a data set.

A collection is a folder of sound files, the instruments of a sound font, or hums made by rule. Which of its sounds are
taken is drawn by their identity, so that a sound more or less in a folder changes little else. What can't be used is
named in the manifest with its reason, and the next one takes its place.

References:
    Esling et al. 2019, 2020, "out-of-domain generalization" and "vocal sketching".
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd

from flowsynth import __version__
from flowsynth.core import hdf5
from flowsynth.core.progress import log
from flowsynth.core.provenance import write_csv
from flowsynth.core.seeding import derive_seed, uniform_by_id
from flowsynth.data.out_of_domain import debian_licences, preprocessing, soundfont, synthetic_hums
from flowsynth.rendering.audio import read_audio
from flowsynth.rendering.host import Note

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff")
COLUMNS = ("id", "collection", "file", "package", "licence", "status", "duration", "pitch", "shift", "gain", "note")


@dataclass(frozen=True)
class Source:
    """A sound that can be had.

    Attributes:
        identity: Its name within the collection.
        file: What it is made from, in words or as a path.
        licence: Short name.
        load: Gives the sound, mono at the note's rate, or raises ValueError.
        pitch: Its MIDI note, where it is known.
    """

    identity: str
    file: str
    licence: str
    load: Callable[[], np.ndarray]
    pitch: float | None = None


def usual_level(paths: Sequence[Path], ids: Sequence[str]) -> float:
    """Median over sounds of a data set of the level that `flowsynth.data.out_of_domain.preprocessing.level_of` gives.

    Args:
        paths: Files of audio.
        ids: Which sounds; the training part.
    """
    with hdf5.reading(paths[0]) as file:
        rate = hdf5.settings(file)["sample_rate"]
    return float(np.median([preprocessing.level_of(audio, rate) for audio in read_audio(paths, ids).values()]))


def collect(
    name: str, given: Mapping[str, str], note: Note, level: float, limit: int, seed: int, path: Path, manifest: Path
) -> None:
    """Write the sounds of a collection: ``audio`` (items x samples, float32), ``status``; and its manifest as a table.

    Args:
        name: Of the collection.
        given: Its kind, path and package, as configured.
        note: Of the data set.
        level: Of the data set's median training sound.
        limit: Sounds at most.
        seed: Of the choice.
        path: Of the file of audio; its ``values`` have no columns, as there are no true parameters.
        manifest: Of the table with the columns of `COLUMNS`: duration in s and pitch in MIDI notes before, shift in
            semitones, gain in dB; refused sounds have the status refused, and the reason as their note.

    Raises:
        ValueError: If no sound is left.
    """
    package = given.get("package", "")
    held = (
        f"{package} {debian_licences.version(package)}"
        if package
        else f"flowsynth {__version__}" * (given["kind"] == "hums")
    )
    listed = {source.identity: source for source in _sources(given, note, limit, seed)}
    order = sorted(zip(uniform_by_id(listed, seed, "outside", name), listed, strict=True))
    audio: list[np.ndarray] = []
    rows: list[dict] = []
    for _, identity in order:
        if len(audio) == limit:
            break
        source = listed[identity]
        label = f"{name}-{sha256(f'{name}:{identity}'.encode()).hexdigest()[:12]}"
        row = dict.fromkeys(COLUMNS) | {"id": label, "collection": name, "file": source.file, "package": held}
        rows.append(row | {"licence": source.licence})
        try:
            heard = source.load()
            rows[-1]["duration"] = round(len(heard) / note.sample_rate, 3)
            made = preprocessing.prepare(heard, note, level, source.pitch)
        except ValueError as error:
            log.warning("%s: %s is left out, it %s", name, source.file, error)
            rows[-1].update(status="refused", note=str(error))
            continue
        pitch = None if made.pitch is None else round(made.pitch, 2)
        rows[-1].update(status="ok", pitch=pitch, shift=round(made.shift, 2), gain=round(made.gain, 2), note=made.note)
        audio.append(made.audio)
    if not audio:
        why = [f"{row['file']} {row['note']}" for row in rows[:3]]
        raise ValueError("\n".join([f"outside.{name}: none of {len(rows)} sounds can be used ({dict(given)})", *why]))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    kept = table.loc[table["status"] == "ok", "id"]
    settings = {"source": dict(given), "seed": seed, "level": level, **asdict(note)}
    with hdf5.writing(path, kept, np.zeros((len(kept), 0)), (), settings) as file:
        hdf5.add_items(file, "audio", (note.samples,))[:] = np.stack(audio)
        hdf5.add_items(file, "status", (), hdf5.TEXT)[:] = ["ok"] * len(kept)
    write_csv(table, manifest, **settings)
    log.info("%s: %d sounds of %d, %d refused", name, len(kept), len(listed), len(table) - len(kept))


def _sources(given: Mapping[str, str], note: Note, limit: int, seed: int) -> Iterator[Source]:
    """Whatever a collection has to choose from."""
    package, kind = given.get("package", ""), given["kind"]
    place = Path(given.get("path", ""))
    if kind == "hums":
        for number in range(limit):
            load = partial(synthetic_hums.hum, derive_seed(seed, "hum", number), note.sample_rate)
            yield Source(str(number), f"hum {number}", "MIT", load)
    elif kind == "soundfont":
        licence = debian_licences.licence(package, place.name)
        for program in soundfont.PROGRAMS:
            load = partial(soundfont.play, place, program, note)
            yield Source(str(program), f"{place.name}, program {program}", licence, load, note.pitch)
    else:
        for file in sorted(place.rglob("*")):
            if file.suffix.lower() in SUFFIXES and file.is_file():
                licence = debian_licences.licence(package, file.name) if package else "not stated"
                inside = file.relative_to(place).as_posix()
                yield Source(inside, inside, licence, partial(preprocessing.load, file, note.sample_rate))
