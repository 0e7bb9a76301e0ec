"""Rendering is bit-identical in any order, and a failure affects only its own item."""

import faulthandler
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from multiprocessing import Pipe
from pathlib import Path

import h5py
import numpy as np
import psutil
import pytest
from waiting import DEADLINE, children, has_ended, wait_until

from flowsynth.core import hdf5
from flowsynth.data import presets
from flowsynth.rendering import render
from flowsynth.rendering.host import Host, Note, fingerprint
from flowsynth.rendering.render import render_shard, rerender
from flowsynth.rendering.worker import STATUS, classify, render_forked, render_reloaded
from flowsynth.synths import spec as synths

NOTE = Note(22050, 512, 60, 100, 3.0, 4.0)
SYNTH = synths.load("amsynth")

SHARDS = """
import sys
from multiprocessing import Pipe
from pathlib import Path
import numpy as np
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import render_shard
from flowsynth.synths import spec as synths
values = np.load(sys.argv[1])
order = np.random.default_rng(int(sys.argv[3])).permutation(len(values))
for number, rows in enumerate(np.array_split(order, int(sys.argv[4]))):
    ids = [str(row) for row in rows]
    path = Path(sys.argv[2]) / f"{number}.h5"
    render_shard(synths.load("amsynth"), Note(22050, 512, 60, 100, 3.0, 4.0), ids, values[rows], path, 20)
"""

HANGS = """
import os, sys, time
import numpy as np
from flowsynth.rendering.worker import render_forked
def play(vector):
    print(os.getpid(), flush=True)
    time.sleep(10000)
list(render_forked(play, np.zeros((1, 1), np.float32), 4, 10000, int(sys.argv[1])))
"""


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    table, _ = presets.collect(SYNTH, SYNTH.names, limit=24, seed=3)
    return table[list(SYNTH.names)].to_numpy()


def sounds(folder: Path) -> dict[str, bytes]:
    audio_by_id = {}
    for path in folder.glob("*.h5"):
        with h5py.File(path) as file:
            audio_by_id.update(zip(hdf5.ids(file), (audio.tobytes() for audio in file["audio"]), strict=True))
    return audio_by_id


@pytest.mark.slow
def test_audio_does_not_depend_on_order_shards_or_process(values: np.ndarray, tmp_path: Path):
    np.save(tmp_path / "values.npy", values)
    runs = []
    for seed, shards in ((1, 1), (2, 5)):
        folder = tmp_path / str(shards)
        subprocess.run(
            [sys.executable, "-c", SHARDS, str(tmp_path / "values.npy"), str(folder), str(seed), str(shards)],
            check=True,
        )
        runs.append(sounds(folder))
    assert len(runs[0]) == 24
    assert runs[0] == runs[1]
    assert len(set(runs[0].values())) > 22  # the sounds differ


@pytest.mark.slow
def test_reloading_and_forking_give_identical_audio(values: np.ndarray):
    vectors = values[:3].astype(np.float32)
    by_fork = [r.audio.tobytes() for r in render.render(SYNTH, NOTE, vectors, 20)]
    by_reload = [r.audio.tobytes() for r in render_reloaded(lambda: Host(SYNTH, NOTE), vectors)]
    assert by_fork == by_reload


def test_a_reused_instance_is_not_reproducible(values: np.ndarray):
    """The reason for the worker; if this fails, the plugin has changed and rendering can be simplified."""
    vectors = values[:20].astype(np.float32)
    host = Host(SYNTH, NOTE)
    first = [host.play(vector).tobytes() for vector in vectors]
    second = [host.play(vector).tobytes() for vector in vectors]
    assert first != second


def test_plugin_is_reloaded_without_fork(values: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    expected = next(iter(render.render(SYNTH, NOTE, values[:1], 20))).audio
    monkeypatch.delattr(os, "fork")
    assert np.array_equal(next(iter(render.render(SYNTH, NOTE, values[:1], 20))).audio, expected)


def test_each_preset_has_its_own_child_process():
    def play(vector: np.ndarray) -> np.ndarray:
        return np.full(4, os.getpid() % 2**20, np.float32)

    pids = [r.audio[0] for r in render_forked(play, np.zeros((5, 1), np.float32), 4, 5)]
    assert len(set(pids)) == 5
    assert os.getpid() % 2**20 not in pids


def test_crashes_and_errors_fail_only_their_items():
    def play(vector: np.ndarray) -> np.ndarray:
        match int(vector[0]):
            case 1:
                faulthandler.disable()
                os.kill(os.getpid(), signal.SIGSEGV)
            case 2:
                raise RuntimeError("no such preset")
            case 3:
                os._exit(7)
            case 4:
                return np.full(8, np.nan, np.float32)
        return np.full(8, 0.5, np.float32)

    results = list(render_forked(play, np.arange(6, dtype=np.float32)[:, None], 8, timeout=DEADLINE))
    assert [r.status for r in results] == ["ok", *["failed"] * 4, "ok"]
    reasons = [r.reason for r in results[1:5]]
    assert reasons == [
        "killed by SIGSEGV",
        "RuntimeError: no such preset",
        "ended with status 7",
        "the sound is not finite",
    ]
    assert all((r.audio == 0).all() for r in results[1:5])
    assert not any(has_ended(child) for child in psutil.Process().children())  # no zombies


def test_a_hanging_preset_fails_after_the_timeout():
    def play(vector: np.ndarray) -> np.ndarray:
        time.sleep(10000)
        return np.zeros(8, np.float32)

    (result,) = render_forked(play, np.zeros((1, 1), np.float32), 8, timeout=0.5)
    assert (result.status, result.reason) == ("failed", "gave no sound within 0.5 s")
    assert (result.audio == 0).all()
    assert not any(has_ended(child) for child in psutil.Process().children())


@pytest.mark.parametrize(
    ("peak", "status"), [(0.0, "silent"), (0.00099, "silent"), (0.001, "ok"), (0.999, "ok"), (1.0, "clipped")]
)
def test_status_depends_on_the_peak(peak: float, status: str):
    audio = np.zeros(10, np.float32)
    audio[3] = -peak
    assert classify(audio).status == status
    assert status in STATUS


def test_shard_contents_and_rerendering(values: np.ndarray, tmp_path: Path):
    path = tmp_path / "0.h5"
    count = render_shard(SYNTH, NOTE, ["a", "b", "c"], values[:3], path, 20)
    assert count == {"ok": 3, "silent": 0, "clipped": 0, "failed": 0}
    with hdf5.reading(path) as file:
        assert hdf5.ids(file).tolist() == ["a", "b", "c"]
        assert hdf5.names(file) == SYNTH.names
        assert file["audio"].shape == (3, 88200)
        assert file["audio"].chunks == (1, 88200)
        assert np.array_equal(file["values"][:], values[:3].astype(np.float32))
        assert fingerprint(SYNTH, NOTE).items() <= hdf5.settings(file).items()
    assert rerender(SYNTH, NOTE, path, [2, 0], 20) == []
    with h5py.File(path, "r+") as file:
        file["audio"][1, 500] += 1e-7
    assert rerender(SYNTH, NOTE, path, [2, 1, 0], 20) == ["b"]


def test_shard_with_another_note_is_rejected(values: np.ndarray, tmp_path: Path):
    render_shard(SYNTH, NOTE, ["a"], values[:1], tmp_path / "0.h5", 20)
    with pytest.raises(ValueError, match=r"velocity"):
        rerender(SYNTH, Note(22050, 512, 60, 127, 3.0, 4.0), tmp_path / "0.h5", [0], 20)


def test_note_and_parameters_affect_the_sound(values: np.ndarray):
    def play(note: Note, vector: np.ndarray) -> np.ndarray:
        return next(iter(render.render(SYNTH, note, [vector], 20))).audio

    base = SYNTH.base.astype(np.float32)
    low, high = play(NOTE, base), play(Note(22050, 512, 72, 100, 3.0, 4.0), base)
    spectrum = [np.abs(np.fft.rfft(a[:22050])).argmax() for a in (low, high)]
    assert abs(spectrum[0] - 261.6) < 3
    assert abs(spectrum[1] - 523.3) < 3
    quiet = base.copy()
    quiet[SYNTH.names.index("master_vol")] = 0.1
    assert np.abs(play(NOTE, quiet)).max() < 0.2 * np.abs(low).max()
    assert np.abs(low[-10:]).max() < 1e-3 < np.abs(low[22050 * 2]).max() + np.abs(low[:22050]).max()  # released at 3 s


def test_worker_ends_with_the_generator():
    before = set(children())
    sounds = render.render(SYNTH, NOTE, iter([SYNTH.base] * 3), 20)
    next(sounds)
    (worker,) = set(children()) - before
    sounds.close()
    assert has_ended(worker)


def test_death_of_the_worker_raises(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(RuntimeError, match="amsynth ended with status 1"):
        list(render.render(SYNTH, NOTE, [SYNTH.base], 20))


def test_a_plugin_that_hangs_while_it_loads_can_be_interrupted(tmp_path: Path):
    os.mkfifo(tmp_path / "x.so")  # opening it waits for a writer
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)  # processes of pytest-xdist ignore it
    timer = threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            list(render.render(replace(SYNTH, plugin=tmp_path / "x.so"), NOTE, [], 20))
    finally:
        signal.signal(signal.SIGINT, previous)


def test_worker_imports_nothing_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "dawdreamer.py").write_text("raise SystemExit('imported')")
    monkeypatch.chdir(tmp_path)
    for path in ("", os.pathsep):
        monkeypatch.setenv("PYTHONPATH", path)
        assert list(render.render(SYNTH, NOTE, [], 20)) == []


@pytest.mark.parametrize("ending", ["client disconnects", "worker is killed"])
def test_worker_leaves_no_hanging_child(ending: str):
    client, worker_end = socket.socketpair()
    command = [sys.executable, "-c", HANGS, str(worker_end.fileno())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, pass_fds=[worker_end.fileno()]) as worker:
        worker_end.close()
        child = psutil.Process(int(worker.stdout.readline()))
        if ending == "worker is killed":
            worker.kill()
        else:
            client.close()
        worker.wait(DEADLINE)
        wait_until(lambda: has_ended(child), "the child has ended")
    client.close()


@pytest.mark.parametrize("request_sent", [False, True])
def test_worker_ends_in_silence_if_its_client_has_ended(request_sent: bool):
    client, worker_end = Pipe()
    if request_sent:
        client.send((SYNTH, NOTE, 20))
        client.send(SYNTH.base)
    client.close()
    command = [sys.executable, "-c", f"from flowsynth.rendering.worker import main; main({worker_end.fileno()})"]
    run = subprocess.run(command, pass_fds=[worker_end.fileno()], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
