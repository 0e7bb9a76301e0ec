"""Sections of a page: groups of sounds to compare, read from the files of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

from flowsynth.core import hdf5
from flowsynth.core.layout import SystemPaths
from flowsynth.evaluation.example_selection import QUANTILES, select
from flowsynth.latent_space.traversals import parameter_change
from flowsynth.metrics import PRIMARY_METRIC


@dataclass(frozen=True)
class Sound:
    """A sound of the page.

    Attributes:
        label: Name of the sound.
        audio: Rendered audio; None if it is missing.
        values: Parameters of the preset, in [0, 1]; None if the synthesizer did not make the sound.
        truth: True parameters to compare with; None if there are none.
        score: Log-mel L1 to the first sound of the group; None for the first sound itself.
        missing: Why the audio is missing.
    """

    label: str
    audio: Float[np.ndarray, " samples"] | None
    values: Float[np.ndarray, " parameters"] | None = None
    truth: Float[np.ndarray, " parameters"] | None = None
    score: float | None = None
    missing: str = ""


@dataclass(frozen=True)
class Group:
    """Sounds to compare with each other, at matched loudness.

    Attributes:
        key: Folder of the files of the group.
        title: Heading.
        reason: What is shown and why.
        sounds: Sounds in the order of display.
        collapsed: Whether the group is collapsed at first.
    """

    key: str
    title: str
    reason: str
    sounds: list[Sound]
    collapsed: bool = False


def reconstruction(
    selection: pd.DataFrame,
    targets: Sequence[Path],
    models: Mapping[str, SystemPaths],
    missing: Mapping[str, str],
    scores: pd.DataFrame,
    names: Mapping[str, str],
    key: str = "",
) -> list[Group]:
    """Make one group per selected item: the target and the prediction of each model; all but the first collapsed.

    Args:
        selection: Selected items, from `flowsynth.evaluation.example_selection.select`.
        targets: Audio files with the items.
        models: Paths of each model; a model without a prediction for an item is left out of its group.
        missing: Models without any prediction, and why; they are marked as missing.
        scores: Scores of the models, from `flowsynth.evaluation.scoring.score`.
        names: Names of the items, by id.
        key: Prefix of the keys of the groups.
    """
    examples = selection[selection["role"] != "drawn"]
    items = examples["item"].tolist()
    originals = hdf5.read_items(targets, "audio", items)
    available = {model: paths for model, paths in models.items() if model not in missing}
    estimates = {name: hdf5.read_items([paths.predictions], "estimates", items) for name, paths in available.items()}
    true_values = hdf5.read_items([paths.predictions for paths in available.values()], "values", items)
    renderings = [f"{item}/0" for item in items]
    audio = {model: hdf5.read_items([paths.audio], "audio", renderings) for model, paths in available.items()}
    fold = int(examples["fold"].iloc[0])
    rows = scores[(scores["metric"] == PRIMARY_METRIC) & (scores["fold"] == fold) & (scores["sample"] == 0)]
    distances = rows.set_index(["model", "item"])["value"]
    groups: list[Group] = []
    for row in examples.itertuples():
        values = true_values.get(row.item)
        truth = None if values is None or np.isnan(values).any() else values
        sounds = [Sound("original", originals[row.item], truth)]
        for model in models:
            if model in missing:
                sounds.append(Sound(model, None, missing=missing[model]))
            elif row.item in estimates[model]:
                estimate, rendering = estimates[model][row.item][0], audio[model][f"{row.item}/0"]
                sounds.append(Sound(model, rendering, estimate, truth, float(distances[model, row.item])))
        title, reason = f"“{names[row.item]}”", f"The item {row.reason}."
        groups.append(Group(f"{key}{row.role}", title, reason, sounds, collapsed=bool(groups)))
    return groups


def out_of_domain(
    manifest: pd.DataFrame,
    sounds: Path,
    models: Mapping[str, SystemPaths],
    missing: Mapping[str, str],
    scores: pd.DataFrame,
    judge: str,
    seed: int,
) -> list[Group]:
    """Make groups for three sounds of an out-of-domain collection, or for all if it has fewer.

    Args:
        manifest: Sounds of the collection, from `flowsynth.data.out_of_domain.collections.collect`.
        sounds: Audio file of the collection.
        models: Paths of each model.
        missing: Models without predictions, and why.
        scores: Scores of the models.
        judge: Model by whose scores the sounds are selected.
        seed: Seed of the selection.
    """
    collection = manifest["collection"].iloc[0]
    judge_scores = scores[(scores["model"] == judge) & scores["item"].isin(manifest["id"])]
    if len(manifest) < len(QUANTILES):
        items = manifest["id"].rename("item").reset_index(drop=True)
        roles = [f"sound{row}" for row in items.index]
        selection = pd.DataFrame({"item": items, "role": roles, "fold": judge_scores["fold"].iloc[0]})
        selection["reason"] = f"one of the {len(items)} in all"
    else:
        selection = select(judge_scores, seed)
    sources = manifest.set_index("id")
    licences = [sources.loc[item, ["package", "licence"]].dropna() for item in selection["item"]]
    reasons = selection["reason"].str.replace("in the test set of fold", f"among the {collection}; fold")
    reasons = [f"{why}. From {', licence '.join(map(str, row))}" for why, row in zip(reasons, licences, strict=True)]
    names = sources["file"].to_dict()
    selection = selection.assign(reason=reasons)
    return reconstruction(selection, [sounds], models, missing, scores, names, f"{collection}_")


def traversals(path: Path, audio: Path) -> dict[str, list[Sound]]:
    """Read the steps of each traversal as sounds.

    Args:
        path: Presets of the traversals, from `flowsynth.latent_space.traversals`.
        audio: Rendered audio of the presets.
    """
    renderings = hdf5.read_items([audio], "audio")
    return {
        name: [Sound(str(step + 1), renderings[f"{name}/{step}"], values) for step, values in enumerate(steps)]
        for name, steps in hdf5.read_items([path], "estimates").items()
    }


def macro_controls(path: Path, audio: Path) -> list[Group]:
    """Make one group per latent dimension, in descending order of parameter change; all but the first collapsed.

    Args:
        path: Presets of the traversals ``macro_controls``.
        audio: Rendered audio of the presets.
    """
    sounds = traversals(path, audio)
    estimates = np.array([[sound.values for sound in steps] for steps in sounds.values()])
    changes = dict(zip(sounds, parameter_change(estimates).tolist(), strict=True))
    order = sorted(sounds, key=lambda name: -changes[name])
    return [
        Group(
            f"macro_{name}", f"Latent dimension {name}",
            "From -3 to 3 in eight steps, the other dimensions at 0. "
            f"Mean change of the parameters: {changes[name]:.3f} (standard deviation over the steps).",
            sounds[name], collapsed=index > 0,
        )
        for index, name in enumerate(order)
    ]  # fmt: skip
