"""Every trained model takes a training step at the network sizes of the paper."""

from pathlib import Path

import pytest
import torch
import yaml
from small import space

from flowsynth.data.dataset import Batch
from flowsynth.models import base as models
from flowsynth.models.nn.networks import Size

CONFIG = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text())
SIZE = Size(**CONFIG["budgets"]["paper"]["network"])
SHAPE = CONFIG["features"]["n_mels"], CONFIG["features"]["frames"]


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in models.names() if not issubclass(models.find(n), models.Control)])
def test_one_step(name: str):
    torch.manual_seed(0)
    batch = Batch(2 * torch.randn(2, *SHAPE) - 4, torch.rand(2, 16))
    model = models.find(name)(*SHAPE, space(16), SIZE)
    model.calibrate(batch)
    loss = model.train().loss(batch)["loss"]
    loss.backward()
    assert loss.isfinite()
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert any((gradient != 0).any() for gradient in gradients)
    with torch.no_grad():
        assert model.to("meta").eval().infer(batch.mel[:1].to("meta"), 2).shape == (2, 1, 16)
