"""Voices of a Yamaha DX7: system exclusive files, with or without the headers of their messages.

A voice has 145 numbers and a name of 10 characters. A bulk message holds 32 voices, packed into 128 bytes each; a voice
message holds one, a byte per number. Files of several messages are read whole; messages of other devices and of other
kinds are skipped with a warning. A file without headers is a row of packed voices.

The package dexed-py reads packed voices too, but rescales values beyond their range without a word.

References:
    Yamaha 1983, "DX7 Digital Programmable Algorithm Synthesizer", operating manual: MIDI data format.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from flowsynth.core.progress import log
from flowsynth.core.provenance import atomic_write
from flowsynth.synths.spec import Parameter, Synth

FORMATS = (".syx", ".dx7")
START, END, YAMAHA, UNIVERSAL = 0xF0, 0xF7, 0x43, (0x7E, 0x7F)
VOICE, BULK = 0, 9  # formats of a message that holds one voice and 32 voices
VOICES, PACKED, UNPACKED, NAME = 32, 128, 155, 10  # voices of a bulk message; bytes of a voice; characters of its name
SIZES = {VOICE: UNPACKED, BULK: VOICES * PACKED}
LISTED = 20  # problems of a file in a message

# where each number of a voice is in a packed voice: byte, lowest bit, number of bits
_OPERATOR = (
    *((byte, 0, 7) for byte in range(11)),
    *((11, 0, 2), (11, 2, 2), (12, 0, 3), (13, 0, 2), (13, 2, 3), (14, 0, 7)),
    *((15, 0, 1), (15, 1, 5), (16, 0, 7), (12, 3, 4)),
)
_GLOBAL = (
    *((byte, 0, 7) for byte in range(102, 110)),
    *((110, 0, 5), (111, 0, 3), (111, 3, 1), (112, 0, 7), (113, 0, 7), (114, 0, 7), (115, 0, 7)),
    *((116, 0, 1), (116, 1, 3), (116, 4, 3), (117, 0, 7)),
)
LAYOUT = (*((17 * operator + byte, low, bits) for operator in range(6) for byte, low, bits in _OPERATOR), *_GLOBAL)


def unpack(packed: bytes) -> bytes:
    """Unpack a voice of 128 bytes to 155."""
    return bytes(packed[byte] >> low & 2**bits - 1 for byte, low, bits in LAYOUT) + packed[-NAME:]


def pack(voice: bytes) -> bytes:
    """Pack a voice of 155 bytes into 128."""
    packed = bytearray(PACKED)
    for (byte, low, _), value in zip(LAYOUT, voice[:-NAME], strict=True):
        packed[byte] |= value << low
    packed[-NAME:] = voice[-NAME:]
    return bytes(packed)


def checksum(data: bytes) -> int:
    """Compute the checksum of the data of a message: with it, their sum is a multiple of 128."""
    return -sum(data) % 128


def read(path: Path, synth: Synth) -> list[tuple[str, dict[str, float]]]:
    """Read all voices of a file.

    Args:
        path: File of messages, or of packed voices without headers.
        synth: The parameter table, with a parameter per number of a voice.

    Returns:
        Name of each voice, and its values by parameter in the units of the table. Values may be outside of the range.

    Raises:
        ValueError: If anything in the file is damaged; the message lists the first problems and their number.
    """
    data = path.read_bytes()
    problems: list[str] = []
    voices = list(_voices(data, path, problems))
    if problems:
        more = [f"and {len(problems) - LISTED} more problems"] if len(problems) > LISTED else []
        count = f"{len(problems)} problems beside {len(voices)} readable voices; fix or remove the file"
        raise ValueError("\n".join([*(f"{path}: {problem}" for problem in problems[:LISTED]), *more, count]))
    return [(_name(voice), _values(voice, synth.parameters)) for voice in voices]


def _name(voice: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else "?" for byte in voice[-NAME:]).strip() or "?"


def _values(voice: bytes, parameters: Sequence[Parameter]) -> dict[str, float]:
    return {p.name: p.low + value for p, value in zip(parameters, voice[:-NAME], strict=True)}


def _voices(data: bytes, path: Path, problems: list[str]) -> Iterator[bytes]:
    """Yield the readable voices of a file, as 155 bytes each, and collect what is damaged."""
    if not data:
        problems.append("is empty, expected DX7 voices")
    elif START in data:
        yield from _voices_of_messages(data, path, problems)
    elif len(data) % PACKED or max(data) > 127:
        problems.append(
            f"has {len(data)} bytes and no message, expected messages that begin with F0, or packed voices of {PACKED} "
            "bytes whose highest bit is 0"
        )
    else:
        yield from (unpack(data[start : start + PACKED]) for start in range(0, len(data), PACKED))


def _voices_of_messages(data: bytes, path: Path, problems: list[str]) -> Iterator[bytes]:
    skipped: dict[str, int] = {}
    has_voices, position = False, 0
    while position < len(data):
        start = data.find(START, position)
        between = data[position : start if start >= 0 else len(data)].strip(b"\0")
        if between:
            problems.append(f"byte {position}: {len(between)} bytes outside of any message")
        if start < 0:
            break
        end = next((at for at in range(start + 1, len(data)) if data[at] > 127), len(data))
        position = end + 1 if end < len(data) and data[end] == END else end
        if position == end:
            problems.append(f"byte {start}: a message that does not end with F7, it may be truncated")
            continue
        body = data[start + 1 : end]
        other = _other(body)
        if other:
            skipped[other] = skipped.get(other, 0) + 1
            continue
        has_voices = True
        problem = _problem(body)
        if problem:
            problems.append(f"byte {start}: {problem}")
        elif body[2] == VOICE:
            yield body[5:-1]
        else:
            yield from (unpack(body[at : at + PACKED]) for at in range(5, len(body) - 1, PACKED))
    for other, count in skipped.items():
        log.warning("%s: skipped %d messages: %s", path, count, other)
    if not has_voices and not problems:
        problems.append(f"has no DX7 voices, only {', '.join(skipped)}")


def _other(body: bytes) -> str:
    """Describe a message that holds no DX7 voices; else return an empty string."""
    if not body:
        return "empty message"
    if body[0] != YAMAHA:
        return "universal message" if body[0] in UNIVERSAL else f"message of another manufacturer ({body[0]:02X})"
    if len(body) < 2 or body[1] >> 4 != 0:
        return "parameter change or request of Yamaha"
    if len(body) > 2 and body[2] not in SIZES:
        return f"other Yamaha data (format {body[2]})"
    return ""


def _problem(body: bytes) -> str:
    """Describe what is damaged in a message of DX7 voices; else return an empty string."""
    if len(body) < 6:
        return f"a voice message of {len(body)} bytes, it may be truncated"
    size, data = SIZES[body[2]], body[5:-1]
    kind = "voice" if body[2] == VOICE else f"{VOICES} voices"
    if body[3] << 7 | body[4] != size:
        return f"{kind}: the message claims {body[3] << 7 | body[4]} bytes, expected {size}"
    if len(data) != size:
        return f"{kind}: got {len(data)} bytes, expected {size}"
    if body[-1] != checksum(data):
        return f"{kind}: checksum {body[-1]}, expected {checksum(data)}"
    return ""


def write(
    path: Path, synth: Synth, names: Iterable[str], values: Float[np.ndarray, "voices parameters"]
) -> Float[np.ndarray, "voices parameters"]:
    """Write voices as messages that a DX7 and Dexed load: one voice as a voice message, more as cartridges of 32.

    A cartridge that is not full ends with copies of the base patch, named INIT VOICE.

    Args:
        path: Output file.
        synth: The parameter table.
        names: Names of the voices, cut to ten characters of ASCII.
        values: All parameters in the order of the table, in [0, 1].

    Returns:
        Values read back from the file, without those copies: they render to the sound of the file bit by bit.
    """
    voices = [_voice(name, row, synth) for name, row in zip(names, values, strict=True)]
    if len(voices) == 1:
        message = _message(VOICE, voices[0])
    else:
        filler = _voice("INIT VOICE", synth.base, synth)
        full = [*voices, *[filler] * (-len(voices) % VOICES)]
        cartridges = [full[start : start + VOICES] for start in range(0, len(full), VOICES)]
        message = b"".join(_message(BULK, b"".join(map(pack, cartridge))) for cartridge in cartridges)
    with atomic_write(path) as temporary:
        temporary.write_bytes(message)
    written = read(path, synth)[: len(voices)]
    return np.array([[p.normalise(v[p.name]) for p in synth.parameters] for _, v in written], dtype=np.float32)


def _voice(name: str, values: np.ndarray, synth: Synth) -> bytes:
    numbers = [round(float(value) * (p.high - p.low)) for value, p in zip(values, synth.parameters, strict=True)]
    return bytes(numbers) + name.encode("ascii", errors="replace")[:NAME].ljust(NAME)


def _message(kind: int, data: bytes) -> bytes:
    return bytes([START, YAMAHA, 0, kind, SIZES[kind] >> 7, SIZES[kind] & 127, *data, checksum(data), END])
