"""Voices of a DX7: every number of every voice is read and written exactly, and what is damaged is named."""

from collections.abc import Callable
from pathlib import Path

import dexed
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs import skip_or_fail

from flowsynth.data import dx7, presets
from flowsynth.synths import spec as synths

SYNTH = synths.load("dexed")
HEXTER = Path("/usr/share/hexter")
INIT = dx7._voice("INIT VOICE", SYNTH.base, SYNTH)
NUMBERS = st.tuples(*(st.integers(0, round(p.high - p.low)) for p in SYNTH.parameters))


def message(kind: int, data: bytes, **changes: int) -> bytearray:
    """A message of voices, with changed bytes by position, as in ``at4=0``."""
    built = bytearray(dx7._message(kind, data))
    for position, value in changes.items():
        built[int(position.removeprefix("at"))] = value
    return built


BULK = bytes(message(dx7.BULK, dx7.pack(INIT) * 32))
SINGLE = bytes(message(dx7.VOICE, INIT))


@pytest.fixture
def file(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(data: bytes) -> Path:
        path = tmp_path / "mine.syx"
        path.write_bytes(data)
        return path

    return write


@given(NUMBERS)
def test_a_packed_voice_is_unpacked_to_the_same_numbers_as_by_dexed(numbers: tuple[int, ...]):
    voice = bytes(numbers) + b"ten  chars"
    packed = dx7.pack(voice)
    assert dx7.unpack(packed) == voice
    assert dexed.Patch.from_packed(packed).to_sysex()[: len(voice)] == voice


def test_all_voices_of_hexter_survive_a_round_trip(tmp_path: Path):
    if not HEXTER.exists():
        skip_or_fail("hexter is not installed: sh envs/packages.sh tests")
    table, counts = presets.collect(SYNTH, SYNTH.names)
    assert (counts["read"], counts["kept"], counts["values_clamped"]) == (464, 450, 0)
    values = table[list(SYNTH.names)].to_numpy()
    path = tmp_path / "all.syx"
    assert np.array_equal(presets.write_bank(path, SYNTH, table["name"], values), values.astype(np.float32))
    assert len(dx7.read(path, SYNTH)) == 480  # whole cartridges
    assert [name for name, _ in dx7.read(path, SYNTH)[:450]] == table["name"].tolist()


def test_files_of_every_layout_are_read(file: Callable[[bytes], Path], caplog: pytest.LogCaptureFixture):
    headerless = dx7.pack(INIT) * 3
    other = bytes([0xF0, 0x43, 0x10, 0x01, 0x1B, 0x40, 0xF7, 0xF0, 0x41, 0x10, 0x42, 0xF7, 0xF0, 0x7E, 0x00, 0xF7])
    for data, count in ((BULK, 32), (SINGLE, 1), (headerless, 3), (BULK + SINGLE + BULK, 65), (other + SINGLE, 1)):
        voices = dx7.read(file(data), SYNTH)
        assert len(voices) == count
        for name, values in voices:
            assert name == "INIT VOICE"
            assert values == {p.name: p.default for p in SYNTH.parameters}
    assert "parameter change or request of Yamaha" in caplog.text
    assert "another manufacturer (41)" in caplog.text
    assert "universal message" in caplog.text


def test_any_channel_is_read(file: Callable[[bytes], Path]):
    assert len(dx7.read(file(bytes(message(dx7.BULK, dx7.pack(INIT) * 32, at2=15))), SYNTH)) == 32


DAMAGED = {
    "empty": (b"", "is empty"),
    "text": (b"amsynth\n<preset> <name> a\n", "26 bytes and no message"),
    "odd length": (dx7.pack(INIT)[:-1], "127 bytes and no message"),
    "high bits": (b"\x80" + dx7.pack(INIT)[1:], "highest bit is 0"),
    "truncated bulk": (BULK[:2000], "byte 0: a message that does not end with F7"),
    "truncated, then another": (BULK[:2000] + SINGLE, "byte 0: a message that does not end with F7"),
    "checksum of a bulk": (BULK[:-2] + bytes([BULK[-2] ^ 1, 0xF7]), "32 voices: checksum"),
    "changed bit": (BULK[:100] + bytes([BULK[100] ^ 1]) + BULK[101:], "32 voices: checksum"),
    "checksum of a voice": (SINGLE[:-2] + bytes([SINGLE[-2] ^ 1, 0xF7]), "voice: checksum"),
    "short bulk": (BULK[:4000] + BULK[-2:], "32 voices: got 3994 bytes, expected 4096"),
    "long voice": (SINGLE[:-2] + b"\0" + SINGLE[-2:], "voice: got 156 bytes, expected 155"),
    "claimed length": (bytes(message(dx7.VOICE, INIT, at5=28)), "voice: the message claims 156 bytes"),
    "a few bytes": (bytes([0xF0, 0x43, 0, 9, 0xF7]), "a voice message of 3 bytes"),
    "bytes between messages": (SINGLE + b"abc" + SINGLE, "3 bytes outside of any message"),
    "bytes after the last": (SINGLE + b"abc", "3 bytes outside of any message"),
    "only other messages": (bytes([0xF0, 0x41, 0x10, 0xF7]), "no DX7 voices, only message of another manufacturer"),
    "other Yamaha data": (bytes([0xF0, 0x43, 0, 5, 1, 2, 3, 0xF7]), r"only other Yamaha data \(format 5\)"),
}


@pytest.mark.parametrize(("data", "problem"), DAMAGED.values(), ids=DAMAGED)
def test_damage_is_named_with_its_place(data: bytes, problem: str, file: Callable[[bytes], Path]):
    path = file(data)
    with pytest.raises(ValueError, match=problem) as error:
        dx7.read(path, SYNTH)
    assert str(path) in str(error.value)


def test_all_problems_of_a_file_are_listed(file: Callable[[bytes], Path]):
    damaged = SINGLE[:-2] + bytes([SINGLE[-2] ^ 1, 0xF7])
    with pytest.raises(ValueError, match="30 problems beside 2 readable voices; fix or remove the file") as error:
        dx7.read(file(SINGLE + 30 * damaged + SINGLE), SYNTH)
    assert str(error.value).count("checksum") == dx7.LISTED
    assert "and 10 more problems" in str(error.value)


def test_a_value_beyond_its_range_is_clamped_and_counted(tmp_path: Path):
    loud = bytes([127]) + INIT[1:]
    (tmp_path / "a.syx").write_bytes(dx7._message(dx7.VOICE, loud))
    table, counts = presets.collect(SYNTH.with_banks(str(tmp_path / "*.syx")), SYNTH.names)
    assert counts["values_clamped"] == 1
    assert table["op6_eg_rate_1"].tolist() == [1.0]


def test_a_missing_bank_beside_others_is_no_smaller_data_set(tmp_path: Path):
    (tmp_path / "a.syx").write_bytes(SINGLE)
    synth = synths.read(synths.FOLDER / "dexed.yaml")
    incomplete = synth.with_banks(str(tmp_path / "*.syx"))
    object.__setattr__(incomplete, "banks", (*incomplete.banks, str(tmp_path / "*.dx7")))
    with pytest.raises(ValueError, match=r"no bank matches .*\.dx7; name banks that exist"):
        presets.collect(incomplete, synth.names)


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes):
    problems: list[str] = []
    voices = list(dx7._voices(data, Path("any.syx"), problems))
    assert voices or problems
    assert all(len(voice) == dx7.UNPACKED for voice in voices)
