"""Tests of the latent traversals: their lines, and the presets predicted along them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from small import space

from flowsynth.core import hdf5
from flowsynth.data.dataset import Items
from flowsynth.latent_space.traversals import KINDS, LATENT_LIMIT, LINE_STEPS, NEIGHBOUR_STD, NEIGHBOURS, traverse
from flowsynth.models import base as models
from flowsynth.models.nn.networks import Size
from flowsynth.training import checkpoints

LATENT = ["ae", "vae", "vae_flow", "flow_reg", "flow_cond", "flow_dis"]


def checkpoint(name: str, train: Items, size: Size, folder: Path) -> Path:
    path = folder / f"{name}.pt"
    if path.exists():
        return path
    torch.manual_seed(0)
    batch = train.all()
    model = models.find(name)(*batch.mel.shape[1:], space(3), size)
    model.calibrate(batch)
    if isinstance(model, models.Control):
        model.fit(batch)
    checkpoints.save(model.eval(), name, {}, {}, path)
    return path


def selection(items: Items) -> pd.DataFrame:
    roles = ["best", "typical", "worst", "drawn", "drawn"]
    return pd.DataFrame({"role": roles, "item": [items.ids[i] for i in (3, 5, 7, 5, 9)]})


def traversals(kind: str, name: str, parts: tuple[Items, Items], size: Size, folder: Path, seed: int = 1) -> dict:
    train, test = parts
    path = folder / f"{kind}.h5"
    traverse(kind, checkpoint(name, train, size, folder), test, selection(test), seed, path)
    with hdf5.reading(path) as file:
        return {"ids": hdf5.ids(file).tolist()} | {key: file[key][:] for key in ("values", "estimates", "latent")}


@pytest.mark.parametrize("name", LATENT)
def test_every_kind_writes_valid_presets(name: str, parts: tuple[Items, Items], size: Size, tmp_path: Path):
    for kind in KINDS if name == "vae" else ("macro_controls", "interpolation"):
        lines = traversals(kind, name, parts, size, tmp_path)
        count = len(lines["ids"])
        assert len(set(lines["ids"])) == count
        assert lines["estimates"].shape == lines["latent"].shape
        assert lines["values"].shape == (count, 3)
        assert np.isfinite(lines["values"]).all()
        assert 0 <= lines["estimates"].min() <= lines["estimates"].max() <= 1


def test_macro_controls_sweep_one_dimension_each(parts, size, tmp_path):
    lines = traversals("macro_controls", "flow_reg", parts, size, tmp_path)
    assert lines["ids"] == ["z0", "z1", "z2"]
    for dimension in range(3):
        line = lines["latent"][dimension]
        np.testing.assert_allclose(line[:, dimension], np.linspace(-LATENT_LIMIT, LATENT_LIMIT, LINE_STEPS), rtol=1e-6)
        assert not np.delete(line, dimension, axis=1).any()


def test_presets_are_predicted_from_the_latents(parts, size, tmp_path):
    lines = traversals("macro_controls", "flow_reg", parts, size, tmp_path)
    model = checkpoints.load(tmp_path / "flow_reg.pt").model
    with torch.no_grad():
        expected = model.decode_parameters(torch.from_numpy(lines["latent"][1]), 1)[0].numpy()
    np.testing.assert_allclose(lines["estimates"][1], expected, atol=1e-6)


def test_neighbours_are_near_and_depend_on_their_item_alone(parts, size, tmp_path):
    lines = traversals("neighbourhood", "vae", parts, size, tmp_path)
    model = checkpoints.load(tmp_path / "vae.pt").model
    test = parts[1]
    with torch.no_grad():
        own = model.encode(test.all().mel[[3, 5]]).numpy()
    np.testing.assert_allclose(lines["latent"][:, 0], own, atol=1e-5)
    noise = lines["latent"][:, 1:] - lines["latent"][:, :1]
    assert noise.shape == (2, NEIGHBOURS, 3)
    assert 0.4 * NEIGHBOUR_STD < noise.std() < 2 * NEIGHBOUR_STD
    np.testing.assert_allclose(lines["values"], test.all().values[[3, 5]])
    # with another second sound and fewer items
    subset = Items(test.paths, test.ids[3:], test.names)
    other = selection(test).assign(item=lambda rows: rows["item"].where(rows["role"] != "typical", test.ids[11]))
    traverse("neighbourhood", tmp_path / "vae.pt", subset, other, 1, tmp_path / "other.h5")
    with hdf5.reading(tmp_path / "other.h5") as file:
        np.testing.assert_allclose(file["latent"][0], lines["latent"][0], atol=1e-5)


def test_interpolations_are_linear_with_the_same_ends(parts, size, tmp_path):
    lines = traversals("interpolation", "flow_reg", parts, size, tmp_path)
    assert lines["ids"] == ["latent", "parameters"]
    for points in (lines["latent"][0], lines["estimates"][1]):
        np.testing.assert_allclose(np.diff(points, n=2, axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(lines["estimates"][0, [0, -1]], lines["estimates"][1, [0, -1]], atol=1e-6)


def test_latent_and_native_lines_share_their_reference(parts, size, tmp_path):
    latent = traversals("smoothness_latent", "flow_reg", parts, size, tmp_path)
    native = traversals("smoothness_native", "flow_reg", parts, size, tmp_path)
    test = parts[1]
    assert latent["ids"] == [f"{test.ids[i]}/z{d}" for i in (5, 9) for d in range(3)]
    assert native["ids"] == [f"{test.ids[i]}/{name}" for i in (5, 9) for name in "abc"]
    np.testing.assert_array_equal(latent["values"], native["values"])
    line = native["estimates"][4]  # the second parameter of the second sound
    np.testing.assert_allclose(line[:, 1], np.linspace(0, 1, LINE_STEPS), rtol=1e-6)
    np.testing.assert_array_equal(
        np.delete(line, 1, axis=1), np.tile(np.delete(native["values"][4], 1), (LINE_STEPS, 1))
    )


def test_seed_determines_sampled_presets(parts, size, tmp_path):
    first = traversals("smoothness_latent", "flow_cond", parts, size, tmp_path)
    repeated = traversals("smoothness_latent", "flow_cond", parts, size, tmp_path)
    other = traversals("smoothness_latent", "flow_cond", parts, size, tmp_path, seed=2)
    assert (first["estimates"] == repeated["estimates"]).all()
    assert (first["estimates"] != other["estimates"]).any()


def test_model_without_a_latent_space_is_refused(parts, size, tmp_path):
    with pytest.raises(ValueError, match="CNN has no latent space"):
        traversals("macro_controls", "cnn", parts, size, tmp_path)
