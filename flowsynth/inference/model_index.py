"""The models that applications can use: pretrained ones of this package, and trained ones of runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flowsynth.core.layout import find_systems
from flowsynth.core.progress import log
from flowsynth.inference.exported_model import open_exported_model
from flowsynth.inference.run_model import find_checkpoint, is_trained, mean_error, open_run_model
from flowsynth.inference.trained_model import PlayableModel
from flowsynth.metrics import PRIMARY_METRIC
from flowsynth.models import base as models
from flowsynth.training import checkpoints

PRETRAINED = Path(__file__).parent / "pretrained"
FIRST_SYNTH = "amsynth"  # synthesizer of the pretrained models that are used by default


@dataclass(frozen=True)
class ModelEntry:
    """A model that applications can use.

    Attributes:
        name: Name of the model.
        dataset: Data set it was trained on.
        kind: Kind of the model, one of `flowsynth.models.registry.KINDS`.
        log_mel_l1: Mean log-mel L1 of its predictions for test sounds; None if it was not scored.
        path: Checkpoint or exported file.
        pretrained: Whether the file belongs to this package.
    """

    name: str
    dataset: str
    kind: str
    log_mel_l1: float | None
    path: Path
    pretrained: bool

    @property
    def synth(self) -> str:
        """Name of the synthesizer."""
        return self.dataset.rstrip("0123456789")


def pretrained_models() -> list[ModelEntry]:
    """List the models of this package by data set, those of `FIRST_SYNTH` first, and the closest of each set first."""
    entries = []
    for path in sorted(PRETRAINED.glob("*/*.pt")):
        content = checkpoints.read(path)
        run = content["run"]
        distance = run["card"]["scores"][run["name"]][PRIMARY_METRIC]["mean"]
        kind = models.find(content["model"]).kind
        entries.append(ModelEntry(run["name"], run["dataset"], kind, distance, path, pretrained=True))
    return sorted(entries, key=lambda entry: (entry.synth != FIRST_SYNTH, entry.dataset, entry.log_mel_l1 or 0.0))


def run_models(results: Path) -> Iterator[ModelEntry]:
    """Yield the trained models of the runs in a folder, in the order of their paths."""
    for paths in find_systems(results):
        if is_trained(paths.name, models.Model):
            distance = mean_error(paths) if paths.scores.exists() else None
            kind = models.find(checkpoints.read(paths.checkpoint)["model"]).kind
            yield ModelEntry(paths.name, paths.run.dataset, kind, distance, paths.checkpoint, pretrained=False)


def find_model(
    model: str | None = None, results: Path | None = None, kind: type = models.Model, synth: str | None = None
) -> Path:
    """Find a model by name, or the one with the lowest error; of the pretrained ones, the first that matches.

    Args:
        model: Name of a model, or path of a checkpoint or of an exported file; None for any model.
        results: Folder of runs whose models are considered; None for the pretrained models of this package.
        kind: Required class if no model is named.
        synth: Name of the synthesizer; None for any.

    Raises:
        ValueError: If no model matches, or models of several synthesizers do.
    """
    if results is not None or (model and Path(model).suffix == ".pt"):
        return find_checkpoint(results or Path(), model, kind, synth)
    entries = pretrained_models()
    for entry in entries:
        matches = entry.name == model if model else issubclass(models.find(entry.name), kind)
        if matches and synth in (None, entry.synth):
            return entry.path
    label = f"model {model}" if model else "model"
    raise ValueError(
        f"no pretrained {label}{f' of {synth}' if synth else ''}, expected one of "
        f"{', '.join(f'{entry.name} of {entry.synth}' for entry in entries)}; --results FOLDER uses the models of its runs"
    )


def open_model(path: Path) -> PlayableModel:
    """Open an exported model, or a trained model with the files of its run; warn if the plugin is another than its own.

    Raises:
        FileNotFoundError: If there is no such file, or the plugin is missing.
        ValueError: If the file is not a checkpoint, or files of its run are missing.
    """
    checkpoint = checkpoints.load(path)
    model = open_exported_model(path, checkpoint) if checkpoint.run else open_run_model(path, checkpoint)
    if model.plugin_differences:
        log.warning(
            "%s was trained with another version of %s than the installed one: %s. A preset may sound different; install "
            "the version it was trained with, or train it again",
            path,
            model.synth.name,
            ", ".join(model.plugin_differences),
        )
    return model
