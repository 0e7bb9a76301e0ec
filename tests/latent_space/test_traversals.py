"""Explorations are the lines they are said to be, answered by the model itself."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from flowsynth.core import hdf5
from flowsynth.data.dataset import Items
from flowsynth.latent_space.traversals import KINDS, NEIGHBOURS, REACH, SPREAD, STEPS, explore
from flowsynth.models import base as models
from flowsynth.models.nn.networks import Size
from flowsynth.training import checkpoints

LATENT = ["ae", "vae", "vae_flow", "flow_reg", "flow_cond", "flow_dis"]


def checkpoint(name: str, train: Items, size: Size, folder: Path) -> Path:
    path = folder / f"{name}.pt"
    if path.exists():
        return path
    torch.manual_seed(0)
    heard = train.all()
    model = models.find(name)(*heard.mel.shape[1:], 3, size)
    model.calibrate(heard)
    if isinstance(model, models.Control):
        model.fit(heard)
    checkpoints.save(model.eval(), name, train.names, {}, path)
    return path


def chosen(items: Items) -> pd.DataFrame:
    roles = ["best", "typical", "worst", "drawn", "drawn"]
    return pd.DataFrame({"role": roles, "item": [items.ids[i] for i in (3, 5, 7, 5, 9)]})


def explored(kind: str, name: str, parts: tuple[Items, Items], size: Size, folder: Path, seed: int = 1) -> dict:
    train, test = parts
    path = folder / f"{kind}.h5"
    explore(kind, checkpoint(name, train, size, folder), test, chosen(test), seed, path)
    with hdf5.reading(path) as file:
        return {"ids": hdf5.ids(file).tolist()} | {key: file[key][:] for key in ("values", "estimates", "latent")}


@pytest.mark.parametrize("name", LATENT)
def test_every_kind_of_every_model_is_a_file_of_presets(
    name: str, parts: tuple[Items, Items], size: Size, tmp_path: Path
):
    for kind in KINDS if name == "vae" else ("macro_controls", "interpolation"):
        found = explored(kind, name, parts, size, tmp_path)
        lines = len(found["ids"])
        assert len(set(found["ids"])) == lines
        assert found["estimates"].shape == found["latent"].shape
        assert found["values"].shape == (lines, 3)
        assert np.isfinite(found["values"]).all()
        assert 0 <= found["estimates"].min() <= found["estimates"].max() <= 1


def test_macro_controls_move_one_dimension_each(parts, size, tmp_path):
    found = explored("macro_controls", "flow_reg", parts, size, tmp_path)
    assert found["ids"] == ["z0", "z1", "z2"]
    for dimension in range(3):
        line = found["latent"][dimension]
        np.testing.assert_allclose(line[:, dimension], np.linspace(-REACH, REACH, STEPS), rtol=1e-6)
        assert not np.delete(line, dimension, axis=1).any()


def test_the_presets_are_the_models_answers(parts, size, tmp_path):
    found = explored("macro_controls", "flow_reg", parts, size, tmp_path)
    model, _ = checkpoints.load(tmp_path / "flow_reg.pt")
    with torch.no_grad():
        expected = model.decode_parameters(torch.from_numpy(found["latent"][1]), 1)[0].numpy()
    np.testing.assert_allclose(found["estimates"][1], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-2000]), "is damaged, or was written by another version"),
        (lambda path: path.write_bytes(b"hello"), "is damaged, or was written by another version"),
        (lambda path: path.write_bytes(b""), "EOFError"),
        (lambda path: torch.save(torch.load(path) | {"arguments": {}}, path), "KeyError"),
        (
            lambda path: torch.save(torch.load(path) | {"model": "vae"}, path),
            "size mismatch|Missing key|train it again",
        ),
    ],
)
def test_a_checkpoint_that_can_not_be_loaded_is_told(parts, size, tmp_path, spoil, said):
    explored("macro_controls", "flow_reg", parts, size, tmp_path)
    spoil(tmp_path / "flow_reg.pt")
    with pytest.raises(ValueError, match=said):
        checkpoints.load(tmp_path / "flow_reg.pt")


def test_neighbours_are_near_and_come_from_the_item_alone(parts, size, tmp_path):
    found = explored("neighbourhood", "vae", parts, size, tmp_path)
    model, _ = checkpoints.load(tmp_path / "vae.pt")
    test = parts[1]
    with torch.no_grad():
        own = model.encode(test.all().mel[[3, 5]]).numpy()
    np.testing.assert_allclose(found["latent"][:, 0], own, atol=1e-5)
    noise = found["latent"][:, 1:] - found["latent"][:, :1]
    assert noise.shape == (2, NEIGHBOURS, 3)
    assert 0.4 * SPREAD < noise.std() < 2 * SPREAD
    np.testing.assert_allclose(found["values"], test.all().values[[3, 5]])
    # another partner makes no difference to a sound's neighbours
    alone = Items(test.paths, test.ids[3:], test.names)
    other = chosen(test).assign(item=lambda rows: rows["item"].where(rows["role"] != "typical", test.ids[11]))
    explore("neighbourhood", tmp_path / "vae.pt", alone, other, 1, tmp_path / "other.h5")
    with hdf5.reading(tmp_path / "other.h5") as file:
        np.testing.assert_allclose(file["latent"][0], found["latent"][0], atol=1e-5)


def test_both_interpolations_are_straight_in_their_space_and_have_the_same_ends(parts, size, tmp_path):
    found = explored("interpolation", "flow_reg", parts, size, tmp_path)
    assert found["ids"] == ["latent", "parameters"]
    for points in (found["latent"][0], found["estimates"][1]):
        np.testing.assert_allclose(np.diff(points, n=2, axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(found["estimates"][0, [0, -1]], found["estimates"][1, [0, -1]], atol=1e-6)


def test_latent_and_native_lines_go_through_the_same_presets(parts, size, tmp_path):
    latent = explored("smoothness_latent", "flow_reg", parts, size, tmp_path)
    native = explored("smoothness_native", "flow_reg", parts, size, tmp_path)
    test = parts[1]
    assert latent["ids"] == [f"{test.ids[i]}/z{d}" for i in (5, 9) for d in range(3)]
    assert native["ids"] == [f"{test.ids[i]}/{name}" for i in (5, 9) for name in "abc"]
    np.testing.assert_array_equal(latent["values"], native["values"])
    line = native["estimates"][4]  # the second parameter of the second sound
    np.testing.assert_allclose(line[:, 1], np.linspace(0, 1, STEPS), rtol=1e-6)
    np.testing.assert_array_equal(np.delete(line, 1, axis=1), np.tile(np.delete(native["values"][4], 1), (STEPS, 1)))


def test_an_answer_that_is_drawn_is_the_same_again(parts, size, tmp_path):
    first = explored("smoothness_latent", "flow_cond", parts, size, tmp_path)
    again = explored("smoothness_latent", "flow_cond", parts, size, tmp_path)
    other = explored("smoothness_latent", "flow_cond", parts, size, tmp_path, seed=2)
    assert (first["estimates"] == again["estimates"]).all()
    assert (first["estimates"] != other["estimates"]).any()


def test_a_model_without_a_latent_is_refused(parts, size, tmp_path):
    with pytest.raises(ValueError, match="CNN has no latent to explore; take one that has, such as vae or flow_reg"):
        explored("macro_controls", "cnn", parts, size, tmp_path)
