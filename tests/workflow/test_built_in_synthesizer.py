"""The benchmark on the built-in synthesizer, on a machine that has no other."""

import pandas as pd
import yaml
from project import TINY, Project


def test_it_runs_without_amsynth_and_the_oracle_is_perfect(project: Project):
    table = project.folder / "flowsynth" / "synths" / "amsynth.yaml"
    table.write_text(yaml.safe_dump(yaml.safe_load(table.read_text()) | {"plugin": "/nowhere/amsynth_vst.so"}))
    tiny = TINY["budgets"]["tiny"] | {"datasets": ["amsynth16", "faust16", "faust64"], "folds": 1}
    project.configure(budgets={"tiny": tiny})
    tables = [f"results/tiny/{dataset}/tables/scores.csv" for dataset in ("faust16", "faust64")]
    run = project.snakemake(*tables, "results/tiny/tables/complexity.md", "verify", "--config", "synth=faust")
    assert run.returncode == 0, run.stdout
    for path in tables:
        scores = pd.read_csv(project.folder / path).set_index(["model", "metric"])["mean"]
        assert scores["oracle", "log_mel_l1"] == 0
        assert 0 < scores["cnn", "parameter_mse"] < 1
        assert scores["mean", "log_mel_l1"] > 0.1
    assert "cnn" in (project.folder / "results/tiny/tables/complexity.md").read_text()
    presets = pd.read_csv(project.folder / "results/tiny/faust16/presets.csv")
    assert len(presets) == 60
    assert set(presets["bank"]) == {"drawn"}
