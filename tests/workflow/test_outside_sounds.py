"""A folder of somebody's sounds goes through every model, to a table, without anything else being made again."""

import h5py
import numpy as np
import pandas as pd
import soundfile
from project import Project

from flowsynth.metrics import registry


def test_a_folder_of_sounds_goes_through_every_model(copy: Project):
    mine = copy.folder / "mine"
    mine.mkdir()
    rng, time = np.random.default_rng(1), np.arange(2 * 44100) / 44100
    for number, pitch in enumerate((110, 330)):
        wave = 0.3 * np.sign(np.sin(2 * np.pi * pitch * time)) + 0.01 * rng.normal(size=len(time))
        soundfile.write(mine / f"{number}.wav", np.stack([wave, wave], axis=1), 44100)
    (mine / "broken.wav").write_text("no sound")
    away = {"kind": "folder", "path": "/nowhere/at/all", "package": "no-such-package"}
    copy.configure(outside={"mine": {"kind": "folder", "path": "mine"}, "away": away})
    plan = copy.planned()
    once = ["outside", "features_outside", "search", "outside_scores", "build_page", "train_control"]  # of nearest
    once = dict.fromkeys(once, 1)
    assert plan == once | {"infer_outside": 3, "score_outside": 1}
    matches = str((copy.results / "tables" / "matches.csv").relative_to(copy.folder))
    assert copy.planned(matches) == {"outside": 1, "matches": 1}
    run = copy.snakemake()
    assert run.returncode == 0, run.stdout
    assert "broken.wav is left out" in run.stdout
    assert copy.planned() == {}
    soundfile.write(mine / "1.wav", wave[::-1], 44100)  # another sound in the place of one
    assert copy.planned()["outside"] == 1

    manifest = pd.read_csv(copy.results / "outside" / "sounds" / "mine.csv").set_index("file")
    assert manifest["status"].to_dict() == {"0.wav": "ok", "1.wav": "ok", "broken.wav": "refused"}
    table = pd.read_csv(copy.results / "tables" / "outside.csv")
    assert set(table["metric"]) == {name for name, metric in registry().items() if metric.domain != "parameters"}
    every = table[table["sounds"] == "all"]
    assert list(dict.fromkeys(every["model"])) == ["mean", "cnn"]
    assert (every["items"] == 2).all()
    searched = table[(table["sounds"] == "searched") & (table["metric"] == "log_mel_l1")].set_index("model")
    assert (searched["items"] == 1).all()
    text = (copy.results / "tables" / "outside.md").read_text()
    assert "## mine: 2 sounds" in text
    assert "Left out: away, as these packages are not installed: no-such-package." in text

    # what a page needs: the sound asked for, the answers and what they sound like, all in the same order
    ids = manifest.loc[manifest["status"] == "ok", "id"].tolist()
    found = {}
    for model in ("mean", "cnn", "search"):
        folder = copy.results / "outside" / "grouped" / "fold0" / model
        with h5py.File(folder / "predictions.h5") as answers, h5py.File(folder / "audio.h5") as audio:
            asked = answers["id"].asstr()[:].tolist()
            assert asked == (ids[:1] if model == "search" else ids)
            assert np.isnan(answers["values"][:]).all()
            assert audio["audio"].shape[0] == answers["estimates"].shape[0] * answers["estimates"].shape[1]
            assert audio["values"].shape[1] == 41
            found[model] = audio["audio"][0]
    assert not np.array_equal(found["search"], found["mean"])


def test_a_folder_that_is_not_there_is_told(project: Project):
    project.configure(outside={"mine": {"kind": "folder", "path": "nowhere"}})
    run = project.snakemake("--dry-run")
    assert run.returncode != 0
    assert "config: outside.mine: nowhere does not exist" in run.stdout
    assert "Traceback" not in run.stdout
