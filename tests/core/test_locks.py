"""Temporary files and logs have one writer; leftovers of killed processes are removed."""

import errno
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import pytest

from flowsynth.core import locks, provenance

WRITES = """
import sys
from pathlib import Path
from flowsynth.core.provenance import atomic_write
with atomic_write(Path(sys.argv[1])) as temporary:
    temporary.write_text(sys.argv[2])
    print("writing", flush=True)
    sys.stdin.readline()
"""
LOGS = """
import sys
from pathlib import Path
from flowsynth.core.progress import job, log
with job(Path(sys.argv[1])):
    log.info("made by %s", sys.argv[2])
    print("working", flush=True)
    sys.stdin.readline()
"""


FOLDER = """
import sys
from flowsynth.core.locks import temporary_folder
with temporary_folder() as folder:
    (folder / "file").write_text("text")
    print(folder, flush=True)
    sys.stdin.readline()
"""


@contextmanager
def running(code: str, *arguments: object) -> Iterator[subprocess.Popen]:
    """A process that ends when a line is sent to it."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def temporaries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob(".*.tmp"))


def test_processes_use_separate_temporary_files(tmp_path: Path):
    path = tmp_path / "file.txt"
    with running(WRITES, path, "a") as one, running(WRITES, path, "b") as other:
        assert one.stdout.readline() == other.stdout.readline() == "writing\n"
        assert len(temporaries(tmp_path)) == 2  # the second has not removed the first one's
        for process, text in ((one, "a"), (other, "b")):
            _, errors = process.communicate("\n")
            assert process.returncode == 0, errors
            assert path.read_text() == text
    assert temporaries(tmp_path) == []


def test_leftovers_of_killed_processes_are_removed(tmp_path: Path):
    path = tmp_path / "file.h5"
    (tmp_path / ".file.h5.json.01234567.tmp").write_text("of another file")
    with running(WRITES, path, "half") as process:
        process.stdout.readline()
        process.kill()
        process.wait()
    assert len(temporaries(tmp_path)) == 2
    provenance.write_text(path, "whole")
    assert path.read_text() == "whole"
    assert temporaries(tmp_path) == [".file.h5.json.01234567.tmp"]


def test_folders_of_killed_processes_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    for name in ("flowsynth-tmp-notes", "flowsynth-main", "other"):
        (tmp_path / name).mkdir()
    before = set(tmp_path.iterdir())
    with running(FOLDER) as live, running(FOLDER) as killed:
        folders = [Path(process.stdout.readline().strip()) for process in (live, killed)]
        assert {*folders} | before == set(tmp_path.iterdir())  # none has removed that of another
        killed.kill()
        killed.wait()
        with locks.temporary_folder(tmp_path) as own:
            assert {own, folders[0]} | before == set(tmp_path.iterdir())
            assert (folders[0] / "file").read_text() == "text"
        live.communicate("\n")
    assert set(tmp_path.iterdir()) == before


def test_hdf5_is_written_under_a_lock(tmp_path: Path):
    path = tmp_path / "file.h5"
    with provenance.atomic_write(path) as temporary, h5py.File(temporary, "w", locking=False) as file:
        file["x"] = [1, 2]
        provenance.write_text(tmp_path / "other", "")
        with provenance.atomic_write(path):  # does not remove it
            assert temporary.exists()
    with h5py.File(path) as file:
        assert file["x"][:].tolist() == [1, 2]


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS])
def test_file_systems_without_locks_are_supported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int):
    def refuse(*arguments):
        raise OSError(number, "no locks")

    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    (tmp_path / ".file.txt.01234567.tmp").touch()  # may belong to a live process
    provenance.write_text(tmp_path / "file.txt", "text")
    assert (tmp_path / "file.txt").read_text() == "text"
    assert temporaries(tmp_path) == [".file.txt.01234567.tmp"]
    (tmp_path / "flowsynth-tmp-01234567").mkdir()
    with locks.temporary_folder(tmp_path):
        assert (tmp_path / "flowsynth-tmp-01234567").exists()
    with locks.exclusive_log(tmp_path / "log", pytest.fail):
        assert "no file locks" in (tmp_path / "log").read_text()


def test_other_lock_errors_propagate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*arguments):
        raise OSError(errno.EIO, "broken disk")

    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    with pytest.raises(OSError, match="broken disk"):
        provenance.write_text(tmp_path / "file.txt", "text")


def test_a_job_waits_for_the_same_job(tmp_path: Path):
    path = tmp_path / "logs" / "job.log"
    with running(LOGS, path, "the first") as first:
        assert first.stdout.readline() == "working\n"
        with running(LOGS, path, "the second") as second:
            message = second.stderr.readline()
            assert f"PID {first.pid} on " in message
            assert str(path) in message
            assert "made by the first" in path.read_text()  # not emptied before the lock is acquired
            first.communicate("\n")
            assert second.stdout.readline() == "working\n"
            text = path.read_text()
            assert text.startswith(f"PID {second.pid} on ")
            assert "made by the second" in text
            assert "the first" not in text


def test_a_log_deleted_meanwhile_is_recreated(tmp_path: Path):
    path = tmp_path / "job.log"
    with running(LOGS, path, "the first") as first:
        first.stdout.readline()
        with running(LOGS, path, "the second") as second:
            second.stderr.readline()
            path.unlink()
            first.communicate("\n")
            assert second.stdout.readline() == "working\n"
            assert "made by the second" in path.read_text()
