"""Checksums: recorded at the end of a job, verified at the start of the next one; every damage is an error."""

import os
import subprocess
from pathlib import Path

import pytest

from flowsynth.core import integrity

CONTENT = b"id,part\n0a,train\n1b,test\n"
PATH = Path("results/quick/amsynth16/split/grouped.csv")


@pytest.fixture(autouse=True)
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    PATH.parent.mkdir(parents=True)
    PATH.write_bytes(CONTENT)
    integrity.record(PATH)


def overwrite(path: Path, content: bytes) -> None:
    """Write to a file, but keep its time stamps, as a bad disk does."""
    status = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    integrity._digests.clear()  # as in a new process


def test_sha256sum_accepts_the_checksum():
    subprocess.run(["sha256sum", "--check", "--status", integrity.checksum_path(PATH)], check=True)


def test_unchanged_file_is_accepted():
    integrity.verify(PATH)
    integrity.verify_inputs([PATH])


@pytest.mark.parametrize("place", range(0, len(CONTENT), 5))
def test_flipped_byte_is_an_error(place: int):
    overwrite(PATH, CONTENT[:place] + bytes([CONTENT[place] ^ 1]) + CONTENT[place + 1 :])
    for check in (integrity.verify, lambda path: integrity.verify_inputs([path])):
        with pytest.raises(ValueError, match=rf"{PATH} is damaged, or was changed: .*Delete it and run again"):
            check(PATH)


@pytest.mark.parametrize("size", [0, 1, len(CONTENT) - 1])
def test_cut_file_is_an_error(size: int):
    overwrite(PATH, CONTENT[:size])
    with pytest.raises(ValueError, match="is damaged"):
        integrity.verify(PATH)


@pytest.mark.parametrize("checksum", ["", "\x00", "0" * 64, f"{'0' * 64}  {PATH}"])
def test_damaged_checksum_is_an_error(checksum: str):
    integrity.checksum_path(PATH).write_text(checksum)
    with pytest.raises(ValueError, match="is damaged"):
        integrity.verify(PATH)


def test_missing_checksum_of_an_input_is_an_error_with_a_remedy():
    integrity.checksum_path(PATH).unlink()
    integrity.verify(PATH)  # of no run, or made by a command: nothing to compare with
    with pytest.raises(FileNotFoundError, match="has no checksum") as error:
        integrity.verify_inputs([PATH])
    subprocess.run(str(error.value).partition("instead: ")[2], shell=True, check=True)
    integrity.verify_inputs([PATH])


def test_file_of_another_fold_is_an_error():
    """Its checksum is right, as it was copied too."""
    other = Path("results/quick/amsynth16/split/random.csv")
    other.write_bytes(CONTENT)
    integrity.checksum_path(other).write_bytes(integrity.checksum_path(PATH).read_bytes())
    with pytest.raises(ValueError, match=f"{other} is a copy of {PATH}"):
        integrity.verify_inputs([other])


def test_files_that_jobs_do_not_make_need_no_checksum():
    """Baselines are verified by their manifest; other data belong to the user."""
    inputs = [Path("results/baselines/amsynth16/scores.csv"), Path("mine.csv"), Path("results/quick/train.tsv")]
    for path in inputs:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(CONTENT)
    integrity.verify_inputs(inputs)


def test_moved_run_is_accepted(tmp_path: Path):
    Path("results").rename("copy")
    integrity.verify(Path("copy") / PATH.relative_to("results"))


def test_unchanged_file_is_hashed_once(monkeypatch: pytest.MonkeyPatch):
    integrity._digests.clear()
    integrity.verify(PATH)
    monkeypatch.setattr(integrity.hashlib, "file_digest", None)
    integrity.verify(PATH)
