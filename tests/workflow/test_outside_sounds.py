"""Out-of-domain sounds from a folder are predicted by every model and tabulated; nothing else is rerun."""

import re

import h5py
import numpy as np
import pandas as pd
import soundfile
from project import Project

from flowsynth.metrics import registry


def test_folder_of_sounds_is_predicted_by_every_model(copy: Project):
    folder = copy.folder / "mine"
    folder.mkdir()
    rng, time = np.random.default_rng(1), np.arange(2 * 44100) / 44100
    for number, pitch in enumerate((110, 330)):
        wave = 0.3 * np.sign(np.sin(2 * np.pi * pitch * time)) + 0.01 * rng.normal(size=len(time))
        soundfile.write(folder / f"{number}.wav", np.stack([wave, wave], axis=1), 44100)
    (folder / "broken.wav").write_text("no sound")
    unavailable = {"kind": "folder", "path": "/nowhere/at/all", "package": "no-such-package"}
    copy.configure(out_of_domain={"mine": {"kind": "folder", "path": "mine"}, "away": unavailable})
    plan = copy.planned()
    # the control is nearest, where the search starts
    once = [
        "collect_sounds",
        "features_out_of_domain",
        "search_cma_es",
        "summarise_out_of_domain",
        "run_report",
        "train_control",
    ]
    assert plan == dict.fromkeys(once, 1) | {"predict_out_of_domain": 3, "score_out_of_domain": 1}
    matches = str((copy.results / "tables" / "matches.csv").relative_to(copy.folder))
    assert copy.planned(matches) == {"collect_sounds": 1, "benchmark_match": 1}
    run = copy.snakemake()
    assert run.returncode == 0, run.stdout
    assert "broken.wav" in run.stdout
    assert copy.planned() == {}
    soundfile.write(folder / "1.wav", wave[::-1], 44100)  # replaces a sound
    assert copy.planned()["collect_sounds"] == 1

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
    assert re.search("away.*no-such-package", text)

    # what a page needs: items, predictions and their audio, all in the same order
    ids = manifest.loc[manifest["status"] == "ok", "id"].tolist()
    first_sounds = {}
    for model in ("mean", "cnn", "search"):
        results = copy.results / "outside" / "grouped" / "fold0" / model
        with h5py.File(results / "predictions.h5") as predictions, h5py.File(results / "audio.h5") as audio:
            items = predictions["id"].asstr()[:].tolist()
            assert items == (ids[:1] if model == "search" else ids)
            assert np.isnan(predictions["values"][:]).all()
            assert audio["audio"].shape[0] == predictions["estimates"].shape[0] * predictions["estimates"].shape[1]
            assert audio["values"].shape[1] == 41
            first_sounds[model] = audio["audio"][0]
    assert not np.array_equal(first_sounds["search"], first_sounds["mean"])


def test_missing_folder_is_refused(project: Project):
    project.configure(out_of_domain={"mine": {"kind": "folder", "path": "nowhere"}})
    run = project.snakemake("--dry-run")
    assert run.returncode != 0
    assert "config: out_of_domain.mine: " in run.stdout
    assert "nowhere" in run.stdout
    assert "Traceback" not in run.stdout
