"""Every trained model trains for one epoch of six items at the network sizes of the paper."""

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from small import space

from flowsynth.core import hdf5
from flowsynth.data.dataset import Items
from flowsynth.models import base as models
from flowsynth.models.nn.networks import Size
from flowsynth.training import loop
from flowsynth.training.plan import Plan

CONFIG = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text())
SIZE = Size(**CONFIG["budgets"]["paper"]["network"])
SHAPE = CONFIG["features"]["n_mels"], CONFIG["features"]["frames"]
PLAN = Plan(epochs=1, batch_size=4, learning_rate=2e-4, patience=1, threads=1, accelerator="auto", precision="32-true")


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> Items:
    path = tmp_path_factory.mktemp("items") / "features.h5"
    ids, names = [str(i) for i in range(6)], tuple(f"p{i}" for i in range(16))
    rng = np.random.default_rng(0)
    with hdf5.writing(path, ids, rng.random((6, 16), dtype=np.float32), names, {}) as file:
        hdf5.add_items(file, "mel", SHAPE)[:] = rng.normal(-4, 2, (6, *SHAPE))
        hdf5.add_items(file, "status", (), hdf5.TEXT)[:] = ["ok"] * 6
    return Items([path], ids, names)


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in models.names() if not issubclass(models.find(n), models.Control)])
def test_one_epoch(name: str, items: Items, tmp_path: Path):
    torch.manual_seed(0)
    model = models.find(name)(*SHAPE, space(16), SIZE)
    model.calibrate(items.all())
    before = [p.detach().clone() for p in model.parameters()]
    (row,) = loop.run(model, items, items, PLAN, 0, tmp_path / name / "progress")
    assert np.isfinite(row["train/loss"])
    assert any(not torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True))
    with torch.no_grad():
        assert model.eval().infer(items.all().mel[:1], 2).shape == (2, 1, 16)
