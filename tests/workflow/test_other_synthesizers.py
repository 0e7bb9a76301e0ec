"""The benchmark on synthesizers other than amsynth: the built-in one, and a plugin with a generated parameter table."""

import pandas as pd
import yaml
from programs import require
from project import TINY, Project

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
