"""Exported models: the same predictions, presets and map as in the run, from one file without the run."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from project import Project

import flowsynth
from flowsynth.apps.latent_controller import LatentController
from flowsynth.apps.match import match
from flowsynth.inference.exported_model import ExportedModel, export, open_exported_model
from flowsynth.inference.model_index import PRETRAINED, find_model, open_model, pretrained_models
from flowsynth.inference.run_model import RunModel, open_run_model
from flowsynth.models.autoencoders.base import LatentModel


@pytest.fixture(scope="module")
def run_model(live: Path) -> RunModel:
    return open_run_model(live)


@pytest.fixture(scope="module")
def exported(run_model: RunModel, tmp_path_factory: pytest.TempPathFactory) -> ExportedModel:
    path = tmp_path_factory.mktemp("exported") / "mine.pt"
    export(run_model, {"scores": {}}, path)
    model = open_model(path)
    assert isinstance(model, ExportedModel)
    return model


def test_predictions_and_settings_are_those_of_the_run(run_model: RunModel, exported: ExportedModel):
    mel = run_model.test.all().mel[:3]
    assert np.array_equal(exported.infer(mel, 2, seed=3), run_model.infer(mel, 2, seed=3))
    for name in ("name", "names", "features", "provenance", "note", "level", "synth"):
        assert getattr(exported, name) == getattr(run_model, name), name


def test_the_nearest_preset_is_found_by_coarse_spectrograms(run_model: RunModel, exported: ExportedModel):
    train = run_model.train.all()
    for mel, values in zip(train.mel, train.values, strict=True):
        assert np.array_equal(exported.nearest(mel.numpy()), values.numpy())


def test_the_map_is_that_of_the_run(run_model: RunModel, exported: ExportedModel):
    first, second = LatentController(run_model), LatentController(exported)
    assert first.presets.equals(second.presets)
    identifier = first.presets.index[2]
    assert torch.equal(first.find_preset(identifier)[0], second.find_preset(identifier)[0])


def test_flowsynth_load_reads_it(exported: ExportedModel):
    mel = np.zeros((1, 64, 80), np.float32)
    assert np.array_equal(flowsynth.load(exported.checkpoint).infer(mel), exported.infer(mel))


def test_a_checkpoint_of_a_run_is_not_an_exported_model(finished: Project):
    with pytest.raises(ValueError, match=r"cnn/checkpoint.pt is not an exported model"):
        open_exported_model(finished.results / "grouped" / "fold0" / "cnn" / "checkpoint.pt")


def test_a_truncated_file_is_refused(exported: ExportedModel, tmp_path: Path):
    path = tmp_path / "cut.pt"
    path.write_bytes(exported.checkpoint.read_bytes()[:-1000])
    with pytest.raises(ValueError, match=r"cut.pt is damaged or not a checkpoint"):
        open_model(path)


def test_pretrained_models_are_found_by_name_and_class(tmp_path: Path):
    entries = pretrained_models()
    assert {entry.kind for entry in entries} == {"surrogates", "density", "autoencoders"}
    assert find_model() == entries[0].path
    assert entries[0].synth == "amsynth"
    assert find_model(synth="dexed") == PRETRAINED / "dexed64" / "vae.pt"
    assert find_model("npe_nsf").parent == PRETRAINED / "amsynth16"
    assert isinstance(open_model(find_model(kind=LatentModel)).model, LatentModel)
    with pytest.raises(ValueError, match="no pretrained model cnn, expected one of "):
        find_model("cnn")
    with pytest.raises(ValueError, match="no pretrained model of faust"):
        find_model(synth="faust")
    assert find_model(str(shutil.copy(entries[0].path, tmp_path))) == tmp_path / entries[0].path.name


@pytest.mark.slow
@pytest.mark.parametrize("name", ["proxy", "npe_nsf", "flow_reg"])
def test_a_pretrained_model_matches_a_sound_of_the_synthesizer(name: str):
    model = open_model(find_model(name))
    values = model.map_presets.values[0] if isinstance(model.model, LatentModel) else model.nearest(np.zeros((64, 80)))
    audio = model.render_estimate(values)
    result = match(model, audio, "sound", samples=2, renders=6, seed=1)
    assert result.distance <= min(result.answers, result.nearest)
    assert result.distance < 0.5
