"""The benchmark on synthesizers other than amsynth: the built-in one, a DX7, and a plugin with a generated table."""

import dexed
import numpy as np
import pandas as pd
import soundfile
import yaml
from programs import require
from project import TINY, Project

from flowsynth.data import dx7
from flowsynth.rendering.dexed import GAIN
from flowsynth.rendering.host import Note
from flowsynth.synths import spec

SIZES = TINY["budgets"]["tiny"] | {"presets": 30, "shards": 1, "folds": 1, "samples": 1}


def test_the_built_in_synthesizer_needs_no_plugin(project: Project):
    spec = project.folder / "flowsynth" / "synths" / "specs" / "amsynth.yaml"
    spec.write_text(yaml.safe_dump(yaml.safe_load(spec.read_text()) | {"plugin": "/nowhere/amsynth_vst.so"}))
    tiny = SIZES | {"datasets": ["amsynth16", "faust64"]}
    project.configure(models=["oracle", "cnn"], budgets={"tiny": tiny})
    run = project.snakemake("results/tiny/faust64/tables/scores.csv", "verify", "--config", "synth=faust")
    assert run.returncode == 0, run.stdout
    scores = pd.read_csv(project.folder / "results/tiny/faust64/tables/scores.csv").set_index(["model", "metric"])[
        "mean"
    ]
    assert scores["oracle", "log_mel_l1"] == 0
    assert 0 < scores["cnn", "parameter_mse"] < 1
    assert scores["cnn", "log_mel_l1"] > 0.1
    presets = pd.read_csv(project.folder / "results/tiny/faust64/presets.csv")
    assert len(presets) == SIZES["presets"]
    assert set(presets["bank"]) == {"drawn"}
    audio = "results/tiny/faust64/audio/0.h5"
    assert project.planned(audio, "--config", "synth=faust") == {}
    program = project.folder / "flowsynth" / "synths" / "specs" / "faust.dsp"
    program.write_text(program.read_text() + "// edited\n")
    assert "render" in project.planned(audio, "--config", "synth=faust")


def test_it_runs_on_a_plugin_with_a_generated_table(project: Project):
    plugin = "/usr/lib/vst/Nekobi-vst.so"
    require(plugin)
    inspection = project.python("-m", "flowsynth.apps.inspect_plugin", plugin, "--presets", "40")
    assert inspection.returncode == 0, inspection.stdout
    assert (project.folder / "flowsynth/synths/specs/nekobi.yaml").exists()
    tiny = SIZES | {"datasets": ["nekobi8"]}
    project.configure(synth="nekobi", models=["oracle", "cnn"], budgets={"tiny": tiny})
    run = project.snakemake("results/tiny/nekobi8/tables/scores.csv", "verify")
    assert run.returncode == 0, run.stdout
    scores = pd.read_csv(project.folder / "results/tiny/nekobi8/tables/scores.csv").set_index(["model", "metric"])[
        "mean"
    ]
    assert scores["oracle", "log_mel_l1"] == 0
    assert scores["cnn", "log_mel_l1"] > 0.05
    assert 0 < scores["cnn", "parameter_mse"] < 1


def test_a_dx7_runs_on_voices_of_the_user_and_matches_to_cartridges(project: Project):
    synth = spec.load("dexed")
    rng = np.random.default_rng(0)
    voices = np.rint(rng.random((40, len(synth.names))) * 99) / 99
    quiet = [name for name in synth.names if not name.endswith(("_output_level", "_f_coarse", "algorithm"))]
    voices[:, synth.columns(tuple(quiet))] = synth.base[synth.columns(tuple(quiet))]
    mine = project.folder / "my"
    mine.mkdir()
    dx7.write(mine / "voices.syx", synth, [f"voice {number}" for number in range(40)], voices)
    project.configure(synth="dexed", models=["oracle", "cnn"], budgets={"tiny": SIZES | {"datasets": ["dexed64"]}})
    run = project.snakemake("results/tiny/dexed64/tables/scores.csv", "verify", "--config", "banks=my/*.syx")
    assert run.returncode == 0, run.stdout
    assert "0 differing items of 30" in run.stdout
    scores = pd.read_csv(project.folder / "results/tiny/dexed64/tables/scores.csv").set_index(["model", "metric"])[
        "mean"
    ]
    assert scores["oracle", "log_mel_l1"] == scores["oracle", "parameter_mse"] == 0
    assert scores["cnn", "log_mel_l1"] > 0.1
    presets = pd.read_csv(project.folder / "results/tiny/dexed64/presets.csv")
    assert set(presets["bank"]) == {"voices.syx"}

    time = np.arange(22050) / 22050
    for name, pitch in (("low", 220), ("high", 440)):
        soundfile.write(mine / f"{name}.wav", 0.5 * np.sin(2 * np.pi * pitch * time) * np.exp(-3 * time), 22050)
    options = ("--out", "matched", "--results", "results", "--synth", "dexed", "--samples", "1", "--renders", "0")
    run = project.python("-m", "flowsynth", "match", "my/low.wav", "my/high.wav", *options)
    assert run.returncode == 0, run.stdout
    cartridge = dx7.read(project.folder / "matched/all_matches.syx", synth)
    assert [name for name, _ in cartridge[:3]] == ["low", "high", "INIT VOICE"]
    assert len(cartridge) == 32
    note = Note(22050, 512, 60, 100, 3.0, 4.0)
    for name, values in cartridge[:2]:
        assert dx7.read(project.folder / f"matched/{name}.syx", synth) == [(name, values)]
        # another program that loads the file plays the sound that was written beside it
        player = dexed.DexedSynth(sample_rate=note.sample_rate)
        message = (project.folder / f"matched/{name}.syx").read_bytes()
        player.load_patch(dexed.Patch.from_sysex(message[6:161]))
        played = player.render(note.pitch, note.velocity, note.held, note.duration)
        written, _ = soundfile.read(project.folder / f"matched/{name}.wav", dtype="float32")
        assert np.array_equal(written, played * np.float32(GAIN))
