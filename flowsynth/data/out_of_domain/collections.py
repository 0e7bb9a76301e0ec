"""Out-of-domain collections, written as audio files in the format of a data set.

A collection is a folder of sound files, the instruments of a SoundFont, or synthetic hums. Sounds are sampled by a hash
of their identity, so that one file more or less hardly changes the sample. Unusable sounds are listed in the manifest
with the reason, and replaced by the next ones.

References:
    Esling et al. 2019, 2020, "out-of-domain generalization" and "vocal sketching".
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from flowsynth import __version__
from flowsynth.core import debian, hdf5
from flowsynth.core.progress import log
from flowsynth.core.provenance import write_csv
from flowsynth.core.seeding import derive_seed, uniform_by_id
from flowsynth.core.sound_files import SUFFIXES, SoundFileError
from flowsynth.data.out_of_domain import debian_licences, preprocessing, soundfont, synthetic_hums
from flowsynth.data.out_of_domain.preprocessing import LoadedSound
from flowsynth.rendering.audio import read_audio
from flowsynth.rendering.host import Note

MANIFEST_COLUMNS = (
    "id", "collection", "file", "package", "licence", "status", "duration", "pitch", "shift", "gain", "note",
)  # fmt: skip


@dataclass(frozen=True)
class Source:
    """A sound of a collection that is not loaded yet.

    Attributes:
        identity: Name within the collection.
        file: Path or description of its origin.
        licence: Short name.
        load: Function that returns the sound, at the note's sample rate, or raises ValueError.
        pitch: MIDI note, if known.
    """

    identity: str
    file: str
    licence: str
    load: Callable[[], LoadedSound]
    pitch: float | None = None


def median_level(paths: Sequence[Path], ids: Sequence[str]) -> float:
    """Compute the median level (`flowsynth.data.out_of_domain.preprocessing.measure_level`) of sounds of a data set.

    Args:
        paths: Audio files.
        ids: Ids of the sounds, usually those of the training set.
    """
    with hdf5.reading(paths[0]) as file:
        rate = hdf5.settings(file)["sample_rate"]
    return float(np.median([preprocessing.measure_level(audio, rate) for audio in read_audio(paths, ids).values()]))


def collect(
    name: str, config: Mapping[str, str], note: Note, level: float, limit: int, seed: int, path: Path, manifest: Path
) -> None:
    """Write the sounds of a collection (``audio``: items x samples, float32; ``status``) and its manifest.

    Args:
        name: Name of the collection.
        config: Its kind, path and package, as in the configuration.
        note: The note of the data set.
        level: Level of the median training sound.
        limit: Maximum number of sounds.
        seed: Seed of the sample.
        path: Output audio file; its ``values`` have no columns, as there are no true parameters.
        manifest: Output CSV file with the columns `MANIFEST_COLUMNS`: original duration in s and pitch in MIDI notes,
            shift in semitones, gain in dB. Unusable sounds have the status ``refused``, and the reason as their note.

    Raises:
        ValueError: If no sound is usable.
    """
    package = config.get("package", "")
    origin = (
        f"{package} {debian.version(package)}" if package else f"flowsynth {__version__}" * (config["kind"] == "hums")
    )
    sources = {source.identity: source for source in _sources(config, note, limit, seed)}
    order = sorted(zip(uniform_by_id(sources, seed, "outside", name), sources, strict=True))
    audio: list[np.ndarray] = []
    rows: list[dict] = []
    for _, identity in order:
        if len(audio) == limit:
            break
        source = sources[identity]
        label = f"{name}-{sha256(f'{name}:{identity}'.encode()).hexdigest()[:12]}"
        row = {"id": label, "collection": name, "file": source.file, "package": origin, "licence": source.licence}
        rows.append(dict.fromkeys(MANIFEST_COLUMNS) | row)
        try:
            sound = source.load()
            rows[-1]["duration"] = round(len(sound.audio) / note.sample_rate, 3)
            prepared = preprocessing.prepare(sound.audio, note, level, source.pitch, sound.remarks)
        except ValueError as error:
            reason = error.reason if isinstance(error, SoundFileError) else str(error)
            log.warning("%s: %s is left out: it %s", name, source.file, reason)
            rows[-1].update(status="refused", note=reason)
            continue
        pitch = None if prepared.pitch is None else round(prepared.pitch, 2)
        shift, gain = round(prepared.shift, 2), round(prepared.gain, 2)
        rows[-1].update(status="ok", pitch=pitch, shift=shift, gain=gain, note=prepared.note)
        audio.append(prepared.audio)
    if not audio:
        reasons = [f"{row['file']} {row['note']}" for row in rows[:3]]
        raise ValueError(
            "\n".join([f"out_of_domain.{name}: no usable sound among {len(rows)} ({dict(config)})", *reasons])
        )
    table = pd.DataFrame(rows, columns=list(MANIFEST_COLUMNS))
    kept = table.loc[table["status"] == "ok", "id"]
    settings = {"source": dict(config), "seed": seed, "level": level, **asdict(note)}
    with hdf5.writing(path, kept, np.zeros((len(kept), 0)), (), settings) as file:
        hdf5.add_items(file, "audio", (note.samples,))[:] = np.stack(audio)
        hdf5.add_items(file, "status", (), hdf5.TEXT)[:] = ["ok"] * len(kept)
    write_csv(table, manifest, **settings)
    log.info("%s: %d of %d sounds kept, %d refused", name, len(kept), len(sources), len(table) - len(kept))


def _generate(function: Callable[..., np.ndarray], *arguments: Any) -> LoadedSound:
    return LoadedSound(function(*arguments), ())


def _sources(config: Mapping[str, str], note: Note, limit: int, seed: int) -> Iterator[Source]:
    """Yield all sounds that a collection can be sampled from."""
    package, kind = config.get("package", ""), config["kind"]
    path = Path(config.get("path", ""))
    if kind == "hums":
        for number in range(limit):
            load = partial(_generate, synthetic_hums.hum, derive_seed(seed, "hum", number), note.sample_rate)
            yield Source(str(number), f"hum {number}", "MIT", load)
    elif kind == "soundfont":
        licence = debian_licences.licence(package, path.name)
        for program in soundfont.PROGRAMS:
            load = partial(_generate, soundfont.render_note, path, program, note)
            yield Source(str(program), f"{path.name}, program {program}", licence, load, note.pitch)
    else:
        for file in sorted(path.rglob("*")):
            if file.suffix.lower() in SUFFIXES and file.is_file():
                licence = debian_licences.licence(package, file.name) if package else "not stated"
                name = file.relative_to(path).as_posix()
                yield Source(name, name, licence, partial(preprocessing.load, file, note.sample_rate))
