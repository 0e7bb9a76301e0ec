"""Settings of config.yaml that are refused."""

from pathlib import Path
from typing import Any

import yaml
from bad_inputs import bad_input

from flowsynth.config.validation import check
from flowsynth.models.registry import models
from flowsynth.synths.spec import YAML_LOADER

ROOT = Path(__file__).parents[2]


def configuration() -> dict[str, Any]:
    return yaml.load((ROOT / "config.yaml").read_text(encoding="utf-8"), YAML_LOADER)


def check_changed(**changes: object) -> None:
    check(configuration() | changes, ROOT / "workflow/schemas/config.schema.yaml")


def check_section(section: str, **changes: object) -> None:
    check_changed(**{section: configuration()[section] | changes})


def check_budget(**changes: object) -> None:
    budgets = configuration()["budgets"]
    check_changed(budgets=budgets | {"quick": budgets["quick"] | changes})


def check_yaml(text: str) -> None:
    """Check settings of the default budget as they are written in a file."""
    check_budget(**yaml.safe_load(text))


@bad_input("Settings", "a misspelt key", "'sede'", "known keys: budget,")
def misspelt_key(folder: Path) -> None:
    check_changed(sede=1)


@bad_input(
    "Settings", "a misspelt key of a network", "config.budgets.quick.network: ", "'chanels'", "keys: layers, channels,"
)
def misspelt_nested_key(folder: Path) -> None:
    check_budget(network=configuration()["budgets"]["quick"]["network"] | {"chanels": 4})


@bad_input("Settings", "a value of the wrong type", "config.seed", "'one'")
def wrong_type(folder: Path) -> None:
    check_changed(seed="one")


@bad_input("Settings", "a number that YAML reads as text", "config.budgets.quick.learning_rate", "write 0.001")
def number_as_text(folder: Path) -> None:
    check_yaml("learning_rate: 1e-3")


@bad_input("Settings", "a small number that YAML reads as text", "learning_rate", "write 1.0e-05")
def small_number_as_text(folder: Path) -> None:
    check_yaml("learning_rate: 1e-5")


@bad_input("Settings", "a number that is not finite", "config.budgets.quick.learning_rate: nan", "finite number")
def not_a_number(folder: Path) -> None:
    check_yaml("learning_rate: .nan")


@bad_input("Settings", "a whole number with a decimal point", "config.budgets.quick.folds", "write 2")
def whole_number_with_point(folder: Path) -> None:
    check_yaml("folds: 2.0")


@bad_input("Settings", "one model instead of a list", "config.models", "[cnn]")
def list_of_one(folder: Path) -> None:
    check_changed(models="cnn")


@bad_input("Settings", "too few presets", "config.budgets.quick.presets", "'all' was expected", "minimum of 20")
def too_few_presets(folder: Path) -> None:
    check_budget(presets=10)


@bad_input("Settings", "no epochs", "config.budgets.quick.epochs", "minimum of 1")
def no_epochs(folder: Path) -> None:
    check_budget(epochs=0)


@bad_input("Settings", "more shards than presets", "config.budgets.quick.shards: 64", "60 presets", "lower shards")
def more_shards_than_presets(folder: Path) -> None:
    check_budget(shards=64, presets=60)


@bad_input("Settings", "a budget named like a folder of results", "config.budgets", "baselines")
def reserved_budget(folder: Path) -> None:
    budgets = configuration()["budgets"]
    check_changed(budgets=budgets | {"baselines": budgets["quick"]})


@bad_input("Settings", "an even kernel", "config.budgets.quick.network.kernel: 4", "set it to 3 or 5")
def even_kernel(folder: Path) -> None:
    check_budget(network=configuration()["budgets"]["quick"]["network"] | {"kernel": 4})


@bad_input("Settings", "a kernel of one bin", "config.budgets.quick.network.kernel", "minimum of 3")
def kernel_of_one(folder: Path) -> None:
    check_budget(network=configuration()["budgets"]["quick"]["network"] | {"kernel": 1})


@bad_input("Settings", "a key that is held longer than the recording", "config.render.held: 5 s", "4 s", "lower held")
def held_too_long(folder: Path) -> None:
    check_section("render", held=5.0)


@bad_input("Settings", "a sample rate too low for the metrics", "config.render.sample_rate: 16000 Hz", "11000 Hz")
def low_sample_rate(folder: Path) -> None:
    check_section("render", sample_rate=16000)


@bad_input("Settings", "a recording too short for the metrics", "config.render.duration: 2 s", "3.669 s or more")
def short_recording(folder: Path) -> None:
    check_section("render", duration=2.0, held=1.0)


@bad_input("Settings", "more frames than the recording has", "config.features.frames: 100", "87", "4.598 s or more")
def too_many_frames(folder: Path) -> None:
    check_section("features", frames=100)


@bad_input("Settings", "a window longer than the recording", "config.features.n_fft", "131072", "88200")
def long_window(folder: Path) -> None:
    check_section("features", n_fft=131072)


@bad_input("Settings", "no range of frequencies", "config.features: fmin = 12000 Hz", "fmax = 11000 Hz")
def no_frequencies(folder: Path) -> None:
    check_section("features", fmin=12000)


@bad_input("Settings", "frequencies above half the sample rate", "config.features: fmax = 12000 Hz", "22050 Hz")
def high_frequencies(folder: Path) -> None:
    check_section("features", fmax=12000)


@bad_input(
    "Settings", "mel bands narrower than the bins", "config.features: n_mels = 500", "at most 307", "n_fft = 1024"
)
def empty_bands(folder: Path) -> None:
    check_section("features", n_mels=500, n_fft=1024)


@bad_input("Settings", "a floor below single precision", "config.features.floor", "1e-50")
def tiny_floor(folder: Path) -> None:
    check_section("features", floor=1e-50)


@bad_input("Settings", "an unknown model", "'cnm'", ", ".join(models()))
def unknown_model(folder: Path) -> None:
    check_changed(models=["oracle", "cnm"])


@bad_input("Settings", "an unknown data set", "'amsynth17'", "amsynth16, amsynth30, amsynth41")
def unknown_dataset(folder: Path) -> None:
    check_budget(datasets=["amsynth17"])


@bad_input("Settings", "a data set of an unknown synthesizer", "'diva16'", "amsynth16, amsynth30, amsynth41")
def dataset_of_unknown_synthesizer(folder: Path) -> None:
    check_budget(datasets=["diva16"])


@bad_input("Settings", "a budget without data sets of the synthesizer", "the budget quick", "faust", "amsynth16")
def budget_without_datasets(folder: Path) -> None:
    budgets = configuration()["budgets"]
    check_changed(
        budget="quick", budgets=budgets | {"quick": budgets["quick"] | {"datasets": ["amsynth16"]}}, synth="faust"
    )


@bad_input("Settings", "an unknown synthesizer", "'diva'", "amsynth, dexed, faust")
def unknown_synthesizer(folder: Path) -> None:
    check_changed(synth="diva")


@bad_input("Settings", "an unknown budget", "'huge'", "quick, seeds")
def unknown_budget(folder: Path) -> None:
    check_changed(budget="huge")


@bad_input("Settings", "an unknown displayed model", "unknown model 'flow_rge'", "flow_reg")
def unknown_displayed_model(folder: Path) -> None:
    check_changed(display_model="flow_rge")


@bad_input("Settings", "best of N of a model with one prediction", "cnn_best16", "cnn makes one per sound")
def best_of_one(folder: Path) -> None:
    check_changed(models=["oracle", "cnn_best16"])


@bad_input("Settings", "a candidate that is a number", "config.candidate: 123", "\"candidate='123'\"")
def candidate_number(folder: Path) -> None:
    check_changed(candidate=123)


@bad_input("Settings", "a candidate in another format", "'mine.txt'", ".csv, .csv.gz, .h5, .hdf5")
def candidate_format(folder: Path) -> None:
    check_changed(candidate="mine.txt")


@bad_input("Settings", "a file of predictions named like a number", "invalid name '1' of 1.csv", "rename it")
def numbered_candidate(folder: Path) -> None:
    (folder / "1.csv").touch()
    check_changed(candidate="1.csv")


@bad_input(
    "Settings", "a file of predictions with a dot in its name", "invalid name 'mine.v2' of mine.v2.csv", "rename it"
)
def candidate_with_dot(folder: Path) -> None:
    (folder / "mine.v2.csv").touch()
    check_changed(candidate="mine.v2.csv")
