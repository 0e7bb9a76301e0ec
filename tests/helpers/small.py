"""Small synthetic data sets for models: spectrograms that determine their parameters."""

import zipfile
from pathlib import Path
from string import ascii_lowercase

import numpy as np
import pytest
from divas import FILES, write_archive, write_split

from flowsynth.apps import import_diva as importing
from flowsynth.core import hdf5
from flowsynth.data import diva
from flowsynth.data.dataset import Items
from flowsynth.models.nn.networks import Size
from flowsynth.synths import spec as synths
from flowsynth.synths.parameter_space import ParameterSpace

NAMES = ("a", "b", "c")
SMALL = Size(layers=2, channels=4, kernel=3, mlp_layers=2, units=16, dropout=0.1)


def space(count: int) -> ParameterSpace:
    """Continuous parameters a, b, c, ..."""
    return ParameterSpace.continuous(ascii_lowercase[:count])


def write_features(path: Path, items: int, seed: int, settings: dict | None = None) -> list[str]:
    """Write synthetic log-mel spectrograms that depend linearly on three values; return their ids."""
    rng = np.random.default_rng(seed)
    values = rng.random((items, len(NAMES))).astype(np.float32)
    pattern = np.random.default_rng(99).normal(size=(len(NAMES), 16, 20))
    mel = np.einsum("ip,pmf->imf", values, pattern) + 0.05 * rng.normal(size=(items, 16, 20)) - 5
    ids = [f"{seed}-{i}" for i in range(items)]
    with hdf5.writing(path, ids, values, NAMES, settings or {}) as file:
        hdf5.add_items(file, "mel", (16, 20))[:] = mel
        hdf5.add_items(file, "status", (), hdf5.TEXT)[:] = ["ok"] * items
    return ids


@pytest.fixture(scope="session")
def features(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A file of 90 items, and their ids."""
    path = tmp_path_factory.mktemp("features") / "features.h5"
    return path, write_features(path, 90, seed=0)


@pytest.fixture
def parts(features: tuple[Path, list[str]]) -> tuple[Items, Items]:
    """A training set of 70 items and a validation set of 20."""
    paths, ids = [features[0]], features[1]
    return Items(paths, ids[:70], NAMES), Items(paths, ids[70:], NAMES)


@pytest.fixture
def size() -> Size:
    """Size of networks that train within a second."""
    return SMALL


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_archive(tmp_path_factory.mktemp("diva") / "diva_raw.zip", FILES, zipfile.ZIP_DEFLATED)


@pytest.fixture(scope="session")
def corpus(archive: Path) -> diva.Corpus:
    return diva.read(archive)


@pytest.fixture(scope="session")
def imported(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> synths.Synth:
    """Diva, imported with the published split and without the plugin."""
    folder = tmp_path_factory.mktemp("imported")
    importing.main([str(archive), "--split", str(write_split(folder / "split.th")), "--out", str(folder / "diva.yaml")])
    return synths.read(folder / "diva.yaml")
