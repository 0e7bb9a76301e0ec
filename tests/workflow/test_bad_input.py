"""Whatever is wrong with the input, a run stops with one message that says what, where and what to do."""

import pytest
import yaml
from project import TINY, Project

from flowsynth.models.registry import models


def refused(project: Project, *expected: str, target: str = "all") -> None:
    run = project.snakemake(target)
    assert run.returncode != 0, run.stdout
    for text in expected:
        assert text in run.stdout
    assert "Traceback" not in run.stdout


def test_a_misspelt_key(project: Project):
    project.configure(sede=1)
    refused(project, "config: Additional properties are not allowed ('sede' was unexpected); known keys: budget,")


def test_a_misspelt_key_deep_inside(project: Project):
    tiny = TINY["budgets"]["tiny"]
    project.configure(budgets={"tiny": {**tiny, "network": {**tiny["network"], "chanels": 4}}})
    refused(
        project, "config.budgets.tiny.network: ", "'chanels' was unexpected", "known keys: layers, channels, kernel"
    )


def test_a_value_of_the_wrong_kind(project: Project):
    project.configure(seed="one")
    refused(project, "config.seed: 'one' is not of type 'integer'")


def test_an_unknown_model_lists_the_known_ones(project: Project):
    project.configure(models=["oracle", "cnm"])
    refused(project, "unknown model 'cnm'", ", ".join(models()))


@pytest.mark.parametrize("name", ["amsynth17", "diva16"])
def test_an_unknown_data_set_lists_the_known_ones(project: Project, name: str):
    project.configure(budgets={"tiny": {**TINY["budgets"]["tiny"], "datasets": [name]}})
    refused(project, f"unknown data set '{name}'", "amsynth16, amsynth30, amsynth41")


def test_a_synthesizer_without_data_sets_and_an_unknown_one(project: Project):
    project.configure(synth="faust")
    refused(project, "the budget tiny has no data set of faust; it has amsynth16")
    project.configure(synth="diva")
    refused(project, "unknown synthesizer 'diva'", "expected one of: amsynth, faust")


def test_an_unknown_budget_lists_the_known_ones(project: Project):
    project.configure(budget="huge")
    refused(project, "unknown budget 'huge'", "expected one of: tiny")


def edit_table(project: Project, **changes) -> None:
    path = project.folder / "flowsynth" / "synths" / "specs" / "amsynth.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | changes, sort_keys=False))


def test_a_missing_plugin(project: Project):
    edit_table(project, plugin="/nowhere/amsynth_vst.so")
    refused(project, "error: amsynth: no plugin at /nowhere/amsynth_vst.so", "apt-get install amsynth")


def test_a_plugin_with_other_parameters(project: Project):
    table = yaml.safe_load((project.folder / "flowsynth" / "synths" / "specs" / "amsynth.yaml").read_text())
    parameters = {("amp_strike" if name == "amp_attack" else name): row for name, row in table["parameters"].items()}
    edit_table(project, parameters=parameters)
    refused(project, "does not match the table", "amp_strike", "amp_attack")


def test_a_bank_with_a_broken_line(project: Project):
    banks = project.folder / "banks"
    banks.mkdir()
    (banks / "mine.bank").write_text("amSynth\n<preset> <name> Mine\n<parameter> amp_attack loud\nEOF\n")
    edit_table(project, banks=str(banks / "*.bank"))
    refused(project, "mine.bank:3: amp_attack = 'loud', expected a number", "1 of 1 presets")


def test_a_truncated_shard(copy: Project):
    shard = copy.results / "audio" / "0.h5"
    with shard.open("r+b") as file:
        file.truncate(shard.stat().st_size // 2)
    (copy.results / "features" / "0.h5").unlink()
    refused(copy, "audio/0.h5 is truncated or not HDF5", "delete it and run again")
    shard.unlink()
    run = copy.snakemake()
    assert run.returncode == 0, run.stdout


def test_no_space_for_the_shards(project: Project):
    """The estimate comes before the rendering; the audio asked for here is larger than any disk."""
    render = yaml.safe_load((project.folder / "config.yaml").read_text())["render"]
    project.configure(render={**render, "duration": 4e9, "held": 3.0})
    refused(project, "no space for the audio of 60 presets", "MiB needed")
