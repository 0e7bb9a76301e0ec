"""Sounds to presets by the command, as a musician would use it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image
from project import Project

from flowsynth.apps.match import COLUMNS, DISTANCES, listed, match, match_all
from flowsynth.apps.match_benchmark import finding, measure
from flowsynth.cli import main
from flowsynth.core import hdf5
from flowsynth.data.features import DEFAULTS
from flowsynth.data.presets import read_bank
from flowsynth.inference.search_task import log_mel_extractor
from flowsynth.inference.trained_model import TrainedModel, find_checkpoint, open_model
from flowsynth.metrics import PRIMARY_METRIC
from flowsynth.models.autoencoders.base import LatentModel
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import render
from flowsynth.rendering.worker import Rendered
from flowsynth.synths import spec as synths

SYNTH = synths.load("amsynth")
NOTE = Note(22050, 512, 60, 100, 3.0, 4.0)


def flowsynth(project: Project, *arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "flowsynth", *map(str, arguments)],
        cwd=cwd or project.folder,
        env=project.environment | {"PYTHONPATH": str(project.folder)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sounds of all kinds, good and bad."""
    folder = tmp_path_factory.mktemp("sounds")
    time = np.arange(3 * 44100) / 44100
    wave = 0.3 * np.sign(np.sin(2 * np.pi * 196 * time)) * np.exp(-time)
    soundfile.write(folder / "stereo.wav", np.stack([wave, wave], axis=1), 44100)
    soundfile.write(folder / "long.flac", np.tile(wave, 4), 44100)
    (folder / "deeper").mkdir()
    soundfile.write(folder / "deeper" / "stereo.wav", wave[::2], 22050)
    soundfile.write(folder / "short.wav", wave[:500], 44100)
    soundfile.write(folder / "silent.wav", np.zeros(44100), 44100)
    (folder / "broken.wav").write_text("no sound")
    return folder


@pytest.fixture(scope="module")
def matched(finished: Project, sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "of" / "it"
    run = flowsynth(finished, "match", sounds, "--out", out, "--samples", 2, "--renders", 20)
    assert run.returncode == 0, run.stdout
    assert "cnn/checkpoint.pt hears, amsynth plays: 6 sounds" in run.stdout
    assert "6 of 6, " in run.stdout
    assert "3 of 6 sounds matched" in run.stdout
    return out


def test_good_sounds_are_matched_and_bad_ones_refused_by_name(matched: Path):
    table = pd.read_csv(matched / "matches.csv")
    table["sound"] = ["/".join(Path(path).parts[-2:]) for path in table["sound"]]
    table = table.set_index(table["sound"].str.replace("^sounds[0-9]+/", "", regex=True))
    said = table.loc[["broken.wav", "short.wav", "silent.wav"], ["status", "note"]]
    assert (said["status"] == "refused").all()
    reasons = ("can't be read", "is too short", "is silent")
    assert all(reason in note for reason, note in zip(reasons, said["note"], strict=True)), said["note"].tolist()
    good = table.loc[["deeper/stereo.wav", "long.flac", "stereo.wav"]]
    assert (good["status"] == "ok").all()
    assert good["bank"].nunique() == 3  # two of them have the same name
    assert (good["distance"] <= good["first"]).all()
    assert (good["distance"] <= good["nearest"]).all()
    assert (good["answers"] <= good["first"]).all()
    assert (good["renderings"] == 23).all()
    assert good["pitch"].to_numpy() == pytest.approx(55, abs=0.1)  # G3
    assert good["shift"].to_numpy() == pytest.approx(5, abs=0.1)


def test_the_sound_beside_a_bank_is_what_the_bank_plays_to_the_bit_and_as_close_as_is_said(matched: Path):
    table = pd.read_csv(matched / "matches.csv").dropna(subset="bank")
    hear = log_mel_extractor(NOTE.sample_rate, DEFAULTS)
    for row in table.itertuples():
        (preset,) = read_bank(matched / row.bank, SYNTH)
        values = np.array([p.normalise(preset.values[p.name]) for p in SYNTH.parameters])
        (played,) = render(SYNTH, NOTE, [values], 20)
        name = Path(row.bank).stem
        written, rate = soundfile.read(matched / f"{name}.wav", dtype="float32")
        assert rate == NOTE.sample_rate
        assert np.array_equal(written, played.audio)
        heard, _ = soundfile.read(matched / f"{name}_heard.wav", dtype="float32")
        assert np.abs(hear(heard) - hear(written)).mean() == pytest.approx(row.distance, rel=1e-3)
        with Image.open(matched / f"{name}.png") as picture:
            assert picture.width > 1000


def test_the_same_again_is_the_same(finished: Project, sounds: Path, matched: Path, tmp_path: Path):
    run = flowsynth(finished, "match", sounds / "stereo.wav", "--out", tmp_path, "--samples", 2, "--renders", 20)
    assert run.returncode == 0, run.stdout
    table = pd.read_csv(matched / "matches.csv").dropna(subset="bank")
    before = table.loc[[Path(path).parts[-2] != "deeper" and path.endswith("stereo.wav") for path in table["sound"]]]
    assert (tmp_path / "stereo.wav").read_bytes() == (matched / f"{Path(before['bank'].iloc[0]).stem}.wav").read_bytes()


def test_matches_are_measured_against_the_nearest_preset_and_a_search_from_it(finished: Project, tmp_path: Path):
    rows = [7, 3]  # of the first shard, as if they came from outside
    with hdf5.reading(finished.results / "audio" / "0.h5") as file:
        audio, names = file["audio"][rows[::-1]][::-1], [hdf5.ids(file)[row] for row in rows]
    with hdf5.writing(tmp_path / "mine.h5", names, np.zeros((2, 0)), (), {}) as file:
        hdf5.add_items(file, "audio", audio.shape[1:])[:] = audio
    trained = open_model(finished.results / "grouped" / "fold0" / "cnn" / "checkpoint.pt")
    table = measure(trained, [tmp_path / "mine.h5"], 1, samples=2, renders=10, seed=1)
    assert table[["collection", "item", "model"]].to_numpy().tolist() == [["mine", names[0], "cnn"]]
    assert (table["renderings"] == 13).all()
    row = table.iloc[0]
    assert row["distance"] <= min(row["answers"], row["nearest"])
    assert row["searched"] <= row["nearest"]
    found = match(trained, audio[0], names[0], 2, 10, 1)
    assert [getattr(found, name) for name in DISTANCES] == row[list(DISTANCES)].tolist()


@pytest.mark.parametrize(("samples", "renders", "all_told"), [(1, 0, 2), (5, 0, 2), (5, 10, 16)])
def test_no_answer_is_rendered_twice_and_the_search_has_what_that_saves(
    finished: Project, samples: int, renders: int, all_told: int
):
    trained = open_model(finished.results / "grouped" / "fold0" / "cnn" / "checkpoint.pt")  # it has one answer
    with hdf5.reading(finished.results / "audio" / "0.h5") as file:
        audio = file["audio"][3]
    played, play = [], trained.render_estimate

    def counting(values: np.ndarray) -> np.ndarray:
        played.append(values.tobytes())
        return play(values)

    vars(trained)["render_estimate"] = counting
    found = match(trained, audio, "it", samples, renders, 1)
    assert found.renderings == len(played) == len(set(played)) == all_told


def test_what_is_said_of_matches_is_what_was_measured():
    table = pd.DataFrame(
        {"distance": [1.0, 2, 3], "nearest": [2.0, 2, 4], "answers": [3.0, 3, 3], "searched": [1.5, 1, 3]}
    ).assign(model="cnn", renderings=117)
    said = finding(table)
    assert said.startswith(
        "With `cnn` and 117 renderings it comes closer than the nearest training preset to 2 of 3 sounds;"
    )
    assert "the best of the model's answers alone does to 1." in said
    assert said.endswith("is beaten on 1 and wins on 1.\n")


@pytest.fixture(scope="module")
def trained(finished: Project) -> TrainedModel:
    return open_model(finished.results / "grouped" / "fold0" / "cnn" / "checkpoint.pt")


def test_names_of_all_kinds_are_those_of_files_that_do_not_meet(trained: TrainedModel, sounds: Path, tmp_path: Path):
    names = [
        "voice_heard.wav",
        "voice.wav",
        "VOICE.wav",
        "Ke$ha $b_$.wav",
        f"{'long ' * 48}.wav",
        os.fsdecode(b"\xfc.wav"),
    ]
    paths = [Path(shutil.copy(sounds / "deeper" / "stereo.wav", tmp_path / name)) for name in names]
    rows = list(match_all(trained, paths, 1, 0, 1, tmp_path / "out"))
    assert [row["status"] for row in rows] == ["ok"] * len(names)
    assert [row["bank"] for row in rows[:4]] == ["voice_heard.bank", "voice_2.bank", "VOICE_3.bank", "Ke$ha $b_$.bank"]
    written = [path.name for path in (tmp_path / "out").iterdir()]
    assert len(written) == len({name.casefold() for name in written}) == 4 * len(names)
    pd.DataFrame(rows).to_csv(tmp_path / "matches.csv")


def test_a_sound_whose_preset_can_not_be_rendered_is_refused(
    trained: TrainedModel, sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    failed = Rendered(np.zeros(NOTE.samples, np.float32), "failed", "killed by SIGSEGV")
    monkeypatch.setitem(vars(trained), "player", lambda values: failed)
    (row,) = match_all(trained, [sounds / "stereo.wav"], 1, 0, 1, tmp_path)
    assert (row["status"], row["note"]) == ("refused", "can't be rendered: amsynth failed, killed by SIGSEGV")


def test_what_is_done_is_kept_when_it_is_stopped(
    finished: Project, sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def stopped(*_):
        yield dict.fromkeys(COLUMNS) | {"sound": "a.wav", "status": "ok", "distance": 0.5, "renderings": 3}
        raise KeyboardInterrupt

    monkeypatch.setattr("flowsynth.apps.match.match_all", stopped)
    with pytest.raises(SystemExit, match="stopped"):
        main(["match", str(sounds), "--out", str(tmp_path), "--results", str(finished.folder / "results")])
    assert pd.read_csv(tmp_path / "matches.csv")["sound"].tolist() == ["a.wav"]


def test_what_is_written_into_is_not_read_from(tmp_path: Path):
    for name in ("a.wav", "out/b.wav", "in/c.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert listed([tmp_path], tmp_path / "out") == [tmp_path / "a.wav", tmp_path / "in" / "c.wav"]
    for path, out in (("a.wav", "."), (".", "."), ("out/b.wav", "out"), ("in", "."), ("out", "in/../out")):
        with pytest.raises(ValueError, match="which is written into, and might be lost: take another folder for --out"):
            listed([tmp_path / path], tmp_path / out)


def test_a_model_is_looked_for_among_those_of_one_synthesizer(tmp_path: Path):
    for path, value in (("amsynth16/cnn", 2), ("amsynth30/vae", 1), ("faust16/mlp", 0.5), ("faust16/gone", 0.1)):
        data, name = path.split("/")
        folder = tmp_path / "quick" / data / "grouped" / "fold0" / name
        folder.mkdir(parents=True)
        (folder / "checkpoint.pt").write_text("")
        (folder / "scores.csv").write_text(f"metric,value\n{PRIMARY_METRIC},{value}\n")

    def found(*arguments, **named) -> str:
        return "/".join(find_checkpoint(tmp_path, *arguments, **named).parts[-5::3])

    assert found(synth="amsynth") == "amsynth30/vae"
    assert found(synth="faust") == "faust16/mlp"  # there is no model of the name gone
    assert found("cnn") == "amsynth16/cnn"
    assert found(None, LatentModel) == "amsynth30/vae"
    assert found("mlp", LatentModel) == "faust16/mlp"  # what it lacks is told by who needs it
    with pytest.raises(ValueError, match="models of amsynth and faust: select one with --synth"):
        find_checkpoint(tmp_path)
    with pytest.raises(ValueError, match="no trained and scored latent-variable model of faust"):
        find_checkpoint(tmp_path, None, LatentModel, "faust")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.wav"], "nowhere.wav: refused, it is not there"),
        (["."], "error: no sounds (.wav, "),  # rglob does not follow links
        (["x.wav", "--model", "npe_nsf"], "error: no trained and scored model npe_nsf in results/"),
        (["x.wav", "--model", "nowhere.pt"], "error: there is no checkpoint nowhere.pt"),
        (["x.wav", "--model", "lost.pt"], "lost.pt is not in a run: expected results/BUDGET/DATA/SPLIT/foldN/MODEL/"),
        (["x.wav", "--samples", "0"], "error: --samples 0"),
    ],
)
def test_what_can_not_be_done_is_told(finished: Project, arguments: list[str], said: str, tmp_path: Path):
    (tmp_path / "lost.pt").write_text("")
    (tmp_path / "results").symlink_to(finished.folder / "results")
    run = flowsynth(finished, "match", *arguments, "--out", "out", cwd=tmp_path)
    assert run.returncode == 1
    assert said in run.stdout
    assert "Traceback" not in run.stdout
