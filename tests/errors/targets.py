"""Files of results that are requested, and do not belong to the configuration; models that programs can't use."""

from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from bad_inputs import bad_input

from errors.settings import configuration
from flowsynth.apps.cli import main
from flowsynth.config.validation import check_wildcards
from flowsynth.core import hdf5
from flowsynth.data.dataset import Items
from flowsynth.latent_space.traversals import traverse


def request(**wildcards: str) -> None:
    check_wildcards(configuration(), {"budget": "quick", "dataset": "amsynth16"} | wildcards)


@bad_input("Targets", "an unknown budget", "results: unknown budget 'nosuch'", "quick, cpu")
def unknown_budget(folder: Path) -> None:
    request(budget="nosuch")


@bad_input("Targets", "an unknown data set", "results: unknown data set 'amsynth99'", "amsynth16, amsynth30")
def unknown_dataset(folder: Path) -> None:
    request(dataset="amsynth99")


@bad_input("Targets", "a fold beyond those of the budget", "fold 2 of the budget quick", "it has 2")
def unknown_fold(folder: Path) -> None:
    request(split="grouped", fold="2", model="mean")


@bad_input("Targets", "a shard beyond those of the budget", "shard 4 of the budget quick", "it has 4")
def unknown_shard(folder: Path) -> None:
    request(shard="4")


@bad_input("Targets", "synthetic presets that the budget lacks", "shard 0 of the budget quick", "it has 0")
def unknown_synthetic_presets(folder: Path) -> None:
    request(split="grouped", fold="0", shard="0")


@bad_input("Targets", "a model that does not exist", "results: unknown model 'cnm'", "cnn")
def unknown_model(folder: Path) -> None:
    request(split="grouped", fold="0", model="cnm_seed2")


@bad_input("Targets", "an unknown collection of sounds", "results: unknown collection 'choirs'", "voices, hums")
def unknown_collection(folder: Path) -> None:
    request(collection="choirs")


@bad_input(
    "Targets", "the published split of data without one", "amsynth16 has no published split", "random or grouped"
)
def unpublished_split(folder: Path) -> None:
    request(split="published")


def match_with(path: Path, name: str, *arguments: str) -> None:
    """Match a sound with an untrained model that is written to a path, by the command line."""
    from small import SMALL, space

    from flowsynth.models.base import find
    from flowsynth.training import checkpoints

    path.parent.mkdir(parents=True, exist_ok=True)
    checkpoints.save(find(name)(16, 20, space(2), SMALL).eval(), name, {}, {}, path)
    soundfile.write("sound.wav", np.zeros(22050), 22050)
    main(["match", "sound.wav", *arguments])


@bad_input(
    "Models", "the oracle, which needs true parameters", "oracle/checkpoint.pt", "another model", error=SystemExit
)
def match_with_the_oracle(folder: Path) -> None:
    run = folder / "results/quick/amsynth16"
    for file in ("audio/0.h5", "features/0.h5", "split/grouped.csv"):
        (run / file).parent.mkdir(parents=True)
        (run / file).touch()
    system = run / "grouped/fold0/oracle"
    system.mkdir(parents=True)
    (system / "scores.csv").write_text("metric,value\nlog_mel_l1,0.0\n")
    match_with(system / "checkpoint.pt", "oracle", "--results", "results", "--model", "oracle")


@bad_input("Models", "a checkpoint outside its run", "mine.pt is not in a run", "foldN/MODEL/", error=SystemExit)
def checkpoint_without_run(folder: Path) -> None:
    match_with(folder / "mine.pt", "mlp", "--model", "mine.pt")


@bad_input("Targets", "latent traversals that do not exist", "'sweep'", "expected one of: space, macro_controls")
def unknown_traversals(folder: Path) -> None:
    with hdf5.writing(Path("0.h5"), ["0a"], np.zeros((1, 1)), ["x"], {}) as file:
        hdf5.add_items(file, "mel", (2, 3))[:] = 0
    items = Items([Path("0.h5")], ["0a"], ("x",))
    traverse("sweep", Path("checkpoint.pt"), items, pd.DataFrame(), 1, Path("sweep.h5"))
