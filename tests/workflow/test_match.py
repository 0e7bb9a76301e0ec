"""The match command and its benchmark."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image
from project import Project

from flowsynth.apps.cli import main
from flowsynth.apps.match import DISTANCES, MATCH_COLUMNS, find_sounds, match, match_all
from flowsynth.apps.match_benchmark import finding, measure
from flowsynth.core import hdf5
from flowsynth.data.features import DEFAULTS
from flowsynth.data.presets import read_bank
from flowsynth.inference.run_model import RunModel, find_checkpoint, open_run_model
from flowsynth.inference.search_task import log_mel_extractor
from flowsynth.metrics import PRIMARY_METRIC
from flowsynth.models.autoencoders.base import LatentModel
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import render
from flowsynth.rendering.worker import Rendered
from flowsynth.synths import spec as synths

SYNTH = synths.load("amsynth")
NOTE = Note(22050, 512, 60, 100, 3.0, 4.0)


def match_with_run(project: Project, *arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess:
    return project.python("-m", "flowsynth", "match", "--results", "results", *arguments, cwd=cwd)


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Usable and unusable sounds."""
    folder = tmp_path_factory.mktemp("sounds")
    time = np.arange(3 * 44100) / 44100
    wave = 0.3 * np.sign(np.sin(2 * np.pi * 196 * time)) * np.exp(-time)
    soundfile.write(folder / "stereo.wav", np.stack([wave, wave], axis=1), 44100)
    soundfile.write(folder / "long.flac", np.tile(wave, 4), 44100)
    (folder / "deeper").mkdir()
    soundfile.write(folder / "deeper" / "stereo.wav", wave[::2], 22050)
    soundfile.write(folder / "short.wav", wave[:500], 44100)
    soundfile.write(folder / "silent.wav", np.zeros(44100), 44100)
    (folder / "broken.wav").write_text("not a sound")
    return folder


@pytest.fixture(scope="module")
def matched(finished: Project, sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "of" / "it"
    run = match_with_run(finished, sounds, "--out", out, "--samples", 2, "--renders", 20)
    assert run.returncode == 1, run.stdout  # three are refused
    assert re.search("6 sounds, model cnn of amsynth", run.stdout)
    assert "6 of 6, " in run.stdout
    assert "3 of 6 sounds matched" in run.stdout
    error, *refused = run.stdout[run.stdout.index("error: ") :].splitlines()
    assert error == "error: 3 of 6 sounds refused"
    assert [Path(line.split()[0]).name for line in refused] == ["broken.wav", "short.wav", "silent.wav"]
    return out


def test_usable_sounds_are_matched_and_others_refused(matched: Path):
    table = pd.read_csv(matched / "matches.csv")
    table["sound"] = ["/".join(Path(path).parts[-2:]) for path in table["sound"]]
    table = table.set_index(table["sound"].str.replace("^sounds[0-9]+/", "", regex=True))
    refused = table.loc[["broken.wav", "short.wav", "silent.wav"], ["status", "note"]]
    assert (refused["status"] == "refused").all()
    reasons = ("can't be read", "is too short", "is silent")
    assert all(reason in note for reason, note in zip(reasons, refused["note"], strict=True)), refused["note"].tolist()
    matches = table.loc[["deeper/stereo.wav", "long.flac", "stereo.wav"]]
    assert (matches["status"] == "ok").all()
    assert matches["bank"].nunique() == 3  # two of them have the same name
    assert (matches["distance"] <= matches["first"]).all()
    assert (matches["distance"] <= matches["nearest"]).all()
    assert (matches["answers"] <= matches["first"]).all()
    assert (matches["renderings"] == 23).all()
    assert matches["pitch"].to_numpy() == pytest.approx(55, abs=0.1)  # G3
    assert matches["shift"].to_numpy() == pytest.approx(5, abs=0.1)


def test_the_written_sound_and_distance_are_those_of_the_bank(matched: Path):
    table = pd.read_csv(matched / "matches.csv").dropna(subset="bank")
    log_mel = log_mel_extractor(NOTE.sample_rate, DEFAULTS)
    for row in table.itertuples():
        (preset,) = read_bank(matched / row.bank, SYNTH)
        values = np.array([p.normalise(preset.values[p.name]) for p in SYNTH.parameters])
        (rendered,) = render(SYNTH, NOTE, [values], 20)
        name = Path(row.bank).stem
        written, rate = soundfile.read(matched / f"{name}.wav", dtype="float32")
        assert rate == NOTE.sample_rate
        assert np.array_equal(written, rendered.audio)
        target, _ = soundfile.read(matched / f"{name}_target.wav", dtype="float32")
        assert np.abs(log_mel(target) - log_mel(written)).mean() == pytest.approx(row.distance, rel=1e-3)
        with Image.open(matched / f"{name}.png") as picture:
            assert picture.width > 1000


def test_matching_is_reproducible(finished: Project, sounds: Path, matched: Path, tmp_path: Path):
    run = match_with_run(finished, sounds / "stereo.wav", "--out", tmp_path, "--samples", 2, "--renders", 20)
    assert run.returncode == 0, run.stdout
    table = pd.read_csv(matched / "matches.csv").dropna(subset="bank")
    before = table.loc[[Path(path).parts[-2] != "deeper" and path.endswith("stereo.wav") for path in table["sound"]]]
    assert (tmp_path / "stereo.wav").read_bytes() == (matched / f"{Path(before['bank'].iloc[0]).stem}.wav").read_bytes()


def test_the_benchmark_compares_with_the_nearest_preset(finished: Project, tmp_path: Path):
    rows = [7, 3]  # of the first shard, as an out-of-domain collection
    with hdf5.reading(finished.results / "audio" / "0.h5") as file:
        audio, names = file["audio"][rows[::-1]][::-1], [hdf5.ids(file)[row] for row in rows]
    with hdf5.writing(tmp_path / "collection.h5", names, np.zeros((2, 0)), (), {}) as file:
        hdf5.add_items(file, "audio", audio.shape[1:])[:] = audio
    trained = open_run_model(finished.results / "grouped" / "fold0" / "cnn" / "checkpoint.pt")
    table = measure(trained, [tmp_path / "collection.h5"], 1, samples=2, renders=10, seed=1)
    assert table[["collection", "item", "model"]].to_numpy().tolist() == [["collection", names[0], "cnn"]]
    assert (table["renderings"] == 13).all()
    row = table.iloc[0]
    assert row["distance"] <= min(row["answers"], row["nearest"])
    assert row["searched"] <= row["nearest"]
    result = match(trained, audio[0], names[0], 2, 10, 1)
    assert [getattr(result, name) for name in DISTANCES] == row[list(DISTANCES)].tolist()


@pytest.mark.parametrize(("samples", "renders", "total"), [(1, 0, 2), (5, 0, 2), (5, 10, 16)])
def test_duplicate_predictions_are_rendered_once(finished: Project, samples: int, renders: int, total: int):
    # predictions of cnn are identical
    trained = open_run_model(finished.results / "grouped" / "fold0" / "cnn" / "checkpoint.pt")
    with hdf5.reading(finished.results / "audio" / "0.h5") as file:
        audio = file["audio"][3]
    rendered, play = [], trained.render_estimate

    def counting(values: np.ndarray) -> np.ndarray:
        rendered.append(values.tobytes())
        return play(values)

    vars(trained)["render_estimate"] = counting
    result = match(trained, audio, "sound", samples, renders, 1)
    assert result.renderings == len(rendered) == len(set(rendered)) == total


def test_the_finding_counts_closer_matches():
    table = pd.DataFrame(
        {"distance": [1.0, 2, 3], "nearest": [2.0, 2, 4], "answers": [3.0, 3, 3], "searched": [1.5, 1, 3]}
    ).assign(model="cnn", renderings=117)
    text = finding(table)
    assert text.startswith("With `cnn` and 117 renderings ")
    assert "for 2 of 3 sounds;" in text
    assert "predictions alone is closer for 1." in text
    assert text.endswith("without the model for 1, and farther for 1.\n")


@pytest.fixture(scope="module")
def trained(finished: Project) -> RunModel:
    return open_run_model(finished.results / "grouped" / "fold0" / "cnn" / "checkpoint.pt")


def test_files_of_different_sounds_never_collide(trained: RunModel, sounds: Path, tmp_path: Path):
    names = [
        "voice_target.wav",
        "voice.wav",
        "VOICE.wav",
        "Ke$ha $b_$.wav",
        f"{'long ' * 48}.wav",
        os.fsdecode(b"\xfc.wav"),
    ]
    paths = [Path(shutil.copy(sounds / "deeper" / "stereo.wav", tmp_path / name)) for name in names]
    rows = list(match_all(trained, paths, 1, 0, 1, tmp_path / "out"))
    assert [row["status"] for row in rows] == ["ok"] * len(names)
    assert [row["bank"] for row in rows[:4]] == ["voice_target.bank", "voice_2.bank", "VOICE_3.bank", "Ke$ha $b_$.bank"]
    written = [path.name for path in (tmp_path / "out").iterdir()]
    assert len(written) == len({name.casefold() for name in written}) == 4 * len(names)
    pd.DataFrame(rows).to_csv(tmp_path / "matches.csv")


def test_a_sound_whose_match_can_not_be_rendered_is_refused(
    trained: RunModel, sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    failed = Rendered(np.zeros(NOTE.samples, np.float32), "failed", "killed by SIGSEGV")
    monkeypatch.setitem(vars(trained), "renderer", lambda values: failed)
    (row,) = match_all(trained, [sounds / "stereo.wav"], 1, 0, 1, tmp_path)
    assert (row["status"], row["note"]) == ("refused", "can't be rendered: amsynth failed, killed by SIGSEGV")


def test_finished_matches_are_kept_when_interrupted(
    finished: Project, sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def interrupted(*_):
        yield dict.fromkeys(MATCH_COLUMNS) | {"sound": "a.wav", "status": "ok", "distance": 0.5, "renderings": 3}
        raise KeyboardInterrupt

    monkeypatch.setattr("flowsynth.apps.match.match_all", interrupted)
    with pytest.raises(SystemExit, match="130"):
        main(["match", str(sounds), "--out", str(tmp_path), "--results", str(finished.folder / "results")])
    assert pd.read_csv(tmp_path / "matches.csv")["sound"].tolist() == ["a.wav"]


def test_sounds_in_the_output_folder_are_excluded(tmp_path: Path):
    for name in ("a.wav", "out/b.wav", "in/c.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert find_sounds([tmp_path], tmp_path / "out") == [tmp_path / "a.wav", tmp_path / "in" / "c.wav"]
    for path, out in (("a.wav", "."), (".", "."), ("out/b.wav", "out"), ("in", "."), ("out", "in/../out")):
        with pytest.raises(ValueError, match=f"{tmp_path / path} is in the output folder"):
            find_sounds([tmp_path / path], tmp_path / out)


def test_models_are_searched_by_name_class_and_synthesizer(tmp_path: Path):
    for path, value in (("amsynth16/cnn", 2), ("amsynth30/vae", 1), ("faust16/mlp", 0.5), ("faust16/gone", 0.1)):
        data, name = path.split("/")
        folder = tmp_path / "quick" / data / "grouped" / "fold0" / name
        folder.mkdir(parents=True)
        (folder / "checkpoint.pt").write_text("")
        (folder / "scores.csv").write_text(f"metric,value\n{PRIMARY_METRIC},{value}\n")

    def model_found(*args, **kwargs) -> str:
        return "/".join(find_checkpoint(tmp_path, *args, **kwargs).parts[-5::3])

    assert model_found(synth="amsynth") == "amsynth30/vae"
    assert model_found(synth="faust") == "faust16/mlp"  # gone is not an installed model
    assert model_found("cnn") == "amsynth16/cnn"
    assert model_found(None, LatentModel) == "amsynth30/vae"
    assert model_found("mlp", LatentModel) == "faust16/mlp"  # a named model is not filtered by class
    with pytest.raises(ValueError, match="contains models of amsynth and faust"):
        find_checkpoint(tmp_path)
    with pytest.raises(ValueError, match="latent-variable model of faust"):
        find_checkpoint(tmp_path, None, LatentModel, "faust")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.wav"], "nowhere.wav: refused, is not there"),
        (["."], "error: no sounds (.wav, "),  # rglob does not follow links
        (["x.wav", "--model", "npe_nsf"], "error: no trained and scored model npe_nsf in results/"),
        (["x.wav", "--model", "nowhere.pt"], "error: there is no checkpoint nowhere.pt"),
        (["x.wav", "--model", "lost.pt"], "lost.pt is not in a run: expected results/BUDGET/DATA/SPLIT/foldN/MODEL/"),
        (["x.wav", "--model", "empty.pt"], "empty.pt is damaged or not a checkpoint"),
        (["x.wav", "--samples", "0"], "error: --samples 0"),
    ],
)
def test_errors_are_messages_without_a_traceback(finished: Project, arguments: list[str], message: str, tmp_path: Path):
    shutil.copy(finished.results / "grouped" / "fold0" / "cnn" / "checkpoint.pt", tmp_path / "lost.pt")
    (tmp_path / "empty.pt").write_text("")
    (tmp_path / "results").symlink_to(finished.folder / "results")
    run = match_with_run(finished, *arguments, "--out", "out", cwd=tmp_path)
    assert run.returncode == 1
    assert message in run.stdout
    assert "Traceback" not in run.stdout
