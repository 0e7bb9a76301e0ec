"""Invalid input stops a run with one message that names the fault and the remedy."""

import pytest
import torch
import yaml
from project import TINY, Project


def assert_refused(project: Project, *expected: str, target: str = "all") -> None:
    run = project.snakemake(target)
    assert run.returncode != 0, run.stdout
    for text in expected:
        assert text in run.stdout
    assert "Traceback" not in run.stdout


def test_misspelt_key(project: Project):
    """The other faults that `check` finds are cases of tests/errors."""
    project.configure(sede=1)
    assert_refused(project, "config: ", "'sede'", "known keys: budget,")


def test_target_outside_the_configuration(project: Project):
    assert_refused(project, "fold 2 of the budget tiny", target="results/tiny/amsynth16/grouped/fold2/mean/scores.csv")


@pytest.mark.skipif(torch.accelerator.is_available(), reason="there is a GPU")
def test_training_on_a_missing_gpu_is_refused_before_rendering(project: Project):
    project.configure(budgets={"tiny": {**TINY["budgets"]["tiny"], "accelerator": "gpu"}})
    assert_refused(project, "config.budgets.tiny: accelerator 'gpu'", "use auto")
    assert not project.results.exists()


def edit_spec(project: Project, **changes) -> None:
    path = project.folder / "flowsynth" / "synths" / "specs" / "amsynth.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | changes, sort_keys=False))


def test_missing_plugin(project: Project):
    edit_spec(project, plugin="/nowhere/amsynth_vst.so")
    assert_refused(project, "/nowhere/amsynth_vst.so", "apt-get install amsynth")


def test_plugin_with_other_parameters(project: Project):
    spec = yaml.safe_load((project.folder / "flowsynth" / "synths" / "specs" / "amsynth.yaml").read_text())
    parameters = {("amp_strike" if name == "amp_attack" else name): row for name, row in spec["parameters"].items()}
    edit_spec(project, parameters=parameters)
    assert_refused(project, "error: ", "amp_strike", "amp_attack")


def test_bank_with_an_invalid_line(project: Project):
    banks = project.folder / "banks"
    banks.mkdir()
    (banks / "mine.bank").write_text("amSynth\n<preset> <name> Mine\n<parameter> amp_attack loud\nEOF\n")
    edit_spec(project, banks=str(banks / "*.bank"))
    assert_refused(project, "mine.bank:3: amp_attack = 'loud'", "1 of 1 presets")


def test_no_disk_space_for_the_audio(project: Project):
    """Space is checked before rendering; the audio requested here exceeds any disk."""
    render = yaml.safe_load((project.folder / "config.yaml").read_text())["render"]
    project.configure(render={**render, "duration": 4e9, "held": 3.0})
    assert_refused(project, "/audio: no space (", "MiB free")
