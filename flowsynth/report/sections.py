"""Sections of the page: groups of sounds that are played and looked at together, read from the files of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

from flowsynth.core import hdf5
from flowsynth.evaluation.example_selection import QUANTILES, select
from flowsynth.metrics import PRIMARY_METRIC


@dataclass(frozen=True)
class Sound:
    """A sound to hear.

    Attributes:
        label: What it is called.
        audio: As it was rendered and scored; none, if it is missing.
        values: The parameters it was made with, in [0, 1]; none, if it is not of the synthesizer.
        truth: The parameters to compare them with; none, if there are none.
        score: Its log-mel L1 from the first sound of its group; none for that one.
        missing: Why it is.
    """

    label: str
    audio: Float[np.ndarray, " samples"] | None
    values: Float[np.ndarray, " parameters"] | None = None
    truth: Float[np.ndarray, " parameters"] | None = None
    score: float | None = None
    missing: str = ""


@dataclass(frozen=True)
class Group:
    """Sounds that are compared: one player, at one loudness.

    Attributes:
        key: Part of the names of its files.
        title: Heading.
        reason: What is shown and why.
        sounds: In the order shown.
        folded: Whether it is folded away at first.
    """

    key: str
    title: str
    reason: str
    sounds: list[Sound]
    folded: bool = False


def reconstruction(
    chosen: pd.DataFrame,
    targets: Sequence[Path],
    models: Mapping[str, Path],
    missing: Mapping[str, str],
    scores: pd.DataFrame,
    names: Mapping[str, str],
    key: str = "",
) -> list[Group]:
    """One group a chosen item: its sound, and what each model makes of it; all but the first folded.

    Args:
        chosen: As made by `flowsynth.evaluation.example_selection.select`.
        targets: Files of audio that hold the items.
        models: Folder of each model's fold, with ``predictions.h5`` and ``audio.h5``; one that did not answer to an item is
            left out there.
        missing: Models that have not answered at all, and why; their places are marked.
        scores: Of the models, as made by `flowsynth.evaluation.scoring.score`.
        names: What the items are called, by id.
        key: What the keys of the groups begin with.
    """
    shown = chosen[chosen["role"] != "drawn"]
    wanted = shown["item"].tolist()
    originals = hdf5.read_items(targets, "audio", wanted)
    there = {model: folder for model, folder in models.items() if model not in missing}
    predictions = {model: [folder / "predictions.h5"] for model, folder in there.items()}
    estimates = {model: hdf5.read_items(paths, "estimates", wanted) for model, paths in predictions.items()}
    true = hdf5.read_items([path for paths in predictions.values() for path in paths], "values", wanted)
    renderings = [f"{item}/0" for item in wanted]
    audio = {model: hdf5.read_items([folder / "audio.h5"], "audio", renderings) for model, folder in there.items()}
    fold = int(shown["fold"].iloc[0])
    heard = scores[(scores["metric"] == PRIMARY_METRIC) & (scores["fold"] == fold) & (scores["sample"] == 0)]
    distance = heard.set_index(["model", "item"])["value"]
    groups: list[Group] = []
    for row in shown.itertuples():
        values = true.get(row.item)
        truth = None if values is None or np.isnan(values).any() else values
        sounds = [Sound("original", originals[row.item], truth)]
        for model in models:
            if model in missing:
                sounds.append(Sound(model, None, missing=missing[model]))
            elif row.item in estimates[model]:
                estimate, rendering = estimates[model][row.item][0], audio[model][f"{row.item}/0"]
                sounds.append(Sound(model, rendering, estimate, truth, float(distance[model, row.item])))
        title, reason = f"“{names[row.item]}”", f"The item {row.reason}."
        groups.append(Group(f"{key}{row.role}", title, reason, sounds, folded=bool(groups)))
    return groups


def outside(
    manifest: pd.DataFrame,
    sounds: Path,
    models: Mapping[str, Path],
    missing: Mapping[str, str],
    scores: pd.DataFrame,
    judge: str,
    seed: int,
) -> list[Group]:
    """Three sounds of a collection that the synthesizer did not make, or all if it has fewer, and what models make of them.

    Args:
        manifest: Of the collection, as made by `flowsynth.data.out_of_domain.collections.collect`.
        sounds: File of audio of the collection.
        models: Folder of each model's answers.
        missing: Models that have not answered, and why.
        scores: Of the models.
        judge: The model by whose scores sounds are chosen.
        seed: Of that choice.
    """
    collection = manifest["collection"].iloc[0]
    mine = scores[(scores["model"] == judge) & scores["item"].isin(manifest["id"])]
    if len(manifest) < len(QUANTILES):
        rows = manifest["id"].rename("item").reset_index(drop=True)
        chosen = pd.DataFrame(
            {"item": rows, "role": [f"sound{row}" for row in rows.index], "fold": mine["fold"].iloc[0]}
        )
        chosen["reason"] = f"one of the {len(rows)} in all"
    else:
        chosen = select(mine, seed)
    listed = manifest.set_index("id")
    rights = [listed.loc[item, ["package", "licence"]].dropna() for item in chosen["item"]]
    said = chosen["reason"].str.replace("in the test set of fold", f"among the {collection}; fold")
    said = [f"{reason}. From {', licence '.join(map(str, right))}" for reason, right in zip(said, rights, strict=True)]
    names = listed["file"].to_dict()
    return reconstruction(chosen.assign(reason=said), [sounds], models, missing, scores, names, f"{collection}_")


def lines(path: Path, audio: Path) -> dict[str, list[Sound]]:
    """The steps of each line of an exploration (`flowsynth.latent_space.traversals`), as sounds."""
    with hdf5.reading(path) as file:
        ids, estimates = hdf5.ids(file).tolist(), file["estimates"][:]
    renderings = hdf5.read_items([audio], "audio")
    steps = range(estimates.shape[1])
    return {
        name: [Sound(str(step + 1), renderings[f"{name}/{step}"], estimates[row, step]) for step in steps]
        for row, name in enumerate(ids)
    }


def macro_controls(path: Path, audio: Path) -> list[Group]:
    """One group a latent dimension, that which moves the parameters most first; all but the first folded."""
    found = lines(path, audio)
    with hdf5.reading(path) as file:
        spread = file["estimates"][:].std(axis=1).mean(axis=1)
        moved = dict(zip(hdf5.ids(file).tolist(), spread.tolist(), strict=True))
    order = sorted(found, key=lambda name: -moved[name])
    return [
        Group(
            f"macro_{name}", f"Latent dimension {name}",
            f"From -3 to 3 in eight steps, the other dimensions at 0. Parameters move by {moved[name]:.3f} on average "
            "(standard deviation over the steps).", found[name], folded=place > 0,
        )
        for place, name in enumerate(order)
    ]  # fmt: skip
