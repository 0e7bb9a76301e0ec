"""Weights are counted, times are positive and of the right model."""

from pathlib import Path

from small import space

from flowsynth.data.dataset import Items
from flowsynth.evaluation.cost import cost
from flowsynth.models import base as models
from flowsynth.models.nn.networks import Size
from flowsynth.training.checkpoints import save


def test_weights_and_times_by_model(tmp_path: Path, parts: tuple[Items, Items], size: Size):
    checkpoints, timings = {}, {}
    for number, name in enumerate(("mean", "mlp")):
        model = models.find(name)(16, 20, space(3), size)
        checkpoints[name], timings[name] = tmp_path / f"{name}.pt", tmp_path / f"{name}.tsv"
        save(model, name, {}, {}, checkpoints[name])
        timings[name].write_text(f"s\th:m:s\n{number}.5\t0:00:00\n")
    table = cost(checkpoints, timings, parts[1]).set_index("model")
    first, second = 320 * 16 + 16 + 2 * 16, 16 * 3 + 3
    assert table["weights"].to_dict() == {"mean": 0, "mlp": first + second}
    assert table["train_s"].to_dict() == {"mean": 0.5, "mlp": 1.5}
    assert (table["infer_ms"] > 0).all()
