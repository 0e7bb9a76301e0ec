"""Settings derived from the configuration, which the workflow is planned by. Importing it loads neither torch nor librosa."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from flowsynth.models import registry
from flowsynth.models.systems import System

SEMANTIC_MODEL = "flow_dis"  # the model whose latent space has a semantic dimension
PRESETS_PER_JOB = 5000  # synthetic presets that a job renders
# series of budgets by name: the setting that they differ in, the target that compares them, and examples
SERIES = {
    "drawn": ("synthetic_presets", "figure_amount", "drawn_0, drawn_10000"),
    "epochs": ("epochs", "results/epochs/amount.png", "epochs_8, epochs_64"),
}
NEEDS = "{target} needs {needs}: see config.yaml"


@dataclass(frozen=True)
class RunSettings:
    """What a run makes.

    Attributes:
        budget: Settings of the budget.
        datasets: Data sets of the budget that belong to the selected synthesizer.
        systems: Models and systems to score.
        models: Models to train that the systems are built on.
        trained_models: Systems that are a trained model without further steps.
        density_systems: Systems that choose among samples of a density; their calibration is measured.
        displayed_systems: Systems whose sounds are displayed: all but the ground truth and random presets.
        display_model: Model whose latent space is displayed, and whose scores select the examples.
        display_has_latent: Whether that model has a latent space.
        contrast_model: Model whose latent space is displayed next to that of `SEMANTIC_MODEL`; None if there is none.
        collections: Out-of-domain collections.
        missing_packages: Packages that the skipped collections need, by collection.
        unavailable_figures: Why a figure can't be drawn, by its name.
    """

    budget: Mapping[str, Any]
    datasets: list[str]
    systems: list[str]
    models: list[str]
    trained_models: list[str]
    density_systems: list[str]
    displayed_systems: list[str]
    display_model: str
    display_has_latent: bool
    contrast_model: str | None
    collections: list[str]
    missing_packages: dict[str, list[str]]
    unavailable_figures: dict[str, str]


def resolve(config: Mapping[str, Any]) -> RunSettings:
    """Derive the settings of a run from a valid configuration, see `flowsynth.config.validation.check`."""
    names, dataset_names = systems(config, config["budget"]), datasets(config, config["budget"])
    parsed = [System.parse(name) for name in names]
    models = list(dict.fromkeys(system.model for system in parsed))
    latent_models = [model for model in models if registry.kind(model) == "autoencoders"]
    density_systems = [system.name for system in parsed if _samples_density(system)]
    # the configured model if it is run, else the last one with a latent space, else the last one
    candidates = [config["display_model"], *reversed(models)]
    display_model = next((model for model in candidates if model in latent_models), models[-1])
    others = [model for model in [display_model, *models] if model in latent_models and model != SEMANTIC_MODEL]
    missing = {name: missing_packages(collection) for name, collection in config["out_of_domain"].items()}
    latent_figures = ("macro_controls", "neighbourhood", "interpolation", "latent_space", "smoothness")
    requirements = {
        "critical_difference": (len({*names} - {"oracle"}) > 1, "two models or more beside the oracle"),
        "curves": (not all(system.is_control for system in parsed), "a model that is trained"),
        **dict.fromkeys(
            latent_figures, (display_model in latent_models, "a model with a latent, such as flow_reg or vae")
        ),
        "semantic": (
            bool(others) and SEMANTIC_MODEL in models,
            f"the model {SEMANTIC_MODEL} and another one with a latent",
        ),
        "calibration": (bool(density_systems), "a system that samples a density, such as npe_nsf_best16"),
        "complexity": (len(dataset_names) > 1, "a budget with several data sets"),
    }
    return RunSettings(
        budget=config["budgets"][config["budget"]],
        datasets=dataset_names,
        systems=names,
        models=models,
        trained_models=[system.name for system in parsed if not system.steps and not system.is_control],
        density_systems=density_systems,
        displayed_systems=[name for name in names if name not in ("oracle", "random")],
        display_model=display_model,
        display_has_latent=display_model in latent_models,
        contrast_model=next(iter(others), None),
        collections=[name for name, packages in missing.items() if not packages],
        missing_packages={name: packages for name, packages in missing.items() if packages},
        unavailable_figures={
            name: NEEDS.format(target=f"figure_{name}", needs=needs)
            for name, (met, needs) in requirements.items()
            if not met
        },
    )


def _samples_density(system: System) -> bool:
    """Return whether a system chooses among samples of a density; a surrogate's predictions come from a search instead."""
    best = [step.method for step in system.steps[-1:]] == ["best"]
    return best and not system.is_control and system.model not in registry.surrogates()


@dataclass(frozen=True)
class BudgetSeries:
    """Budgets that differ in one setting; each is run on its first data set.

    Attributes:
        amounts: Value of the setting by budget.
        scores: Files of scores by budget.
        systems: Systems of the first budget.
        problem: Why the budgets can't be compared; empty if they can.
    """

    amounts: dict[str, int]
    scores: dict[str, list[str]]
    systems: list[str]
    problem: str

    @property
    def largest(self) -> str | None:
        """The budget with the largest value; None if there is no budget."""
        return max(self.amounts, key=lambda name: self.amounts[name], default=None)


def budget_series(config: Mapping[str, Any], name: str) -> BudgetSeries:
    """Collect the budgets of a series: those called ``NAME_`` and a number, in the order of the configuration.

    Args:
        config: The configuration.
        name: Name of the series, one of `SERIES`.
    """
    setting, target, examples = SERIES[name]
    budgets = {key: budget for key, budget in config["budgets"].items() if re.fullmatch(f"{name}_[0-9]+", key)}
    difference, needs = first_difference(budgets, setting), ""
    if difference:
        needs = f"budgets {name}_N that differ in {setting} alone, and {difference}"
    elif not budgets:
        needs = f"budgets {name}_N: {examples} and so on"
    return BudgetSeries(
        amounts={key: budget[setting] for key, budget in budgets.items()},
        scores={
            key: [
                f"results/{key}/{budget['datasets'][0]}/{config['split']}/fold{fold}/{system}/scores.csv"
                for fold in range(budget["folds"])
                for system in systems(config, key)
            ]
            for key, budget in budgets.items()
        },
        systems=systems(config, next(iter(budgets))) if budgets else [],
        problem=NEEDS.format(target=target, needs=needs) if needs else "",
    )


def first_difference(budgets: Mapping[str, Mapping[str, Any]], ignored: str) -> str:
    """Describe the first difference between consecutive budgets, except in one setting; empty if there is none.

    Args:
        budgets: Settings by budget name.
        ignored: Setting that may differ.
    """
    for (first, left), (second, right) in pairwise(budgets.items()):
        for key in dict.fromkeys([*left, *right]):
            if key != ignored and left.get(key) != right.get(key):
                return f"{key} is {left.get(key)} in {first} and {right.get(key)} in {second}"
    return ""


def systems(config: Mapping[str, Any], budget: str) -> list[str]:
    """Return the models and systems that a budget scores: its own, or those of the configuration."""
    return list(config["budgets"][budget].get("models", config["models"]))


def datasets(config: Mapping[str, Any], budget: str) -> list[str]:
    """Return the data sets of a budget that belong to the selected synthesizer."""
    return [name for name in config["budgets"][budget]["datasets"] if name.rstrip("0123456789") == config["synth"]]


def job_sizes(count: int) -> list[int]:
    """Divide a number of synthetic presets among jobs.

    >>> job_sizes(12_000)
    [5000, 5000, 2000]
    """
    return [min(PRESETS_PER_JOB, count - start) for start in range(0, count, PRESETS_PER_JOB)]


def ood_models(config: Mapping[str, Any], budget: str) -> list[str]:
    """List the models evaluated on out-of-domain sounds: all but the oracle, and search if configured."""
    parsed = map(System.parse, systems(config, budget))
    models = [model for model in dict.fromkeys(system.model for system in parsed) if model != "oracle"]
    return models + ["search"] * (config["budgets"][budget]["out_of_domain"]["search_items"] > 0)


def missing_packages(collection: Mapping[str, str]) -> list[str]:
    """Return the packages that a sound collection needs and that are not installed; it is then skipped."""
    packages = []
    if "package" in collection and not Path(collection["path"]).exists():
        packages.append(collection["package"])
    if collection["kind"] == "soundfont" and shutil.which("fluidsynth") is None:
        packages.append("fluidsynth")
    return packages


def source_files(collection: Mapping[str, str]) -> list[str]:
    """List the source files of a sound collection, including subfolders, without hidden files."""
    if "path" not in collection:
        return []
    path = Path(collection["path"])
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [str(file) for file in files if not file.name.startswith(".") and not file.is_dir()]
