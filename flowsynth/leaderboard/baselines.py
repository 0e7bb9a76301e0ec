"""Fixed baselines: scores and answers of one campaign, with what they are only comparable with: data, and what scoring does.

A folder of baselines has ``scores.csv.gz`` (one row a system, fold, item and metric, six digits), ``predictions.h5`` (a group
a fold: ``item``, ``values``, the truth, and the answers of each system) and ``manifest.json``: hashes of the data, what
scoring does (`flowsynth.evaluation.fingerprint`), and what made them. A campaign that takes long may be frozen a fold at a
time. `flowsynth.leaderboard.rescoring` scores frozen answers again.
"""

import gzip
import itertools
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from jaxtyping import Float

from flowsynth.core import hdf5
from flowsynth.core.progress import log
from flowsynth.core.provenance import atomic_write, maker, write_text
from flowsynth.evaluation.columns import SCORE_COLUMNS
from flowsynth.evaluation.fingerprint import differences, fingerprint
from flowsynth.leaderboard.data_hashes import commits
from flowsynth.leaderboard.manifest import MANIFEST, differing, frozen_folds, unstamped
from flowsynth.models.registry import model_of, models

SCORES = "scores.csv.gz"
DIGITS = 6  # of a score that are kept
KEPT = ["fold", "model", "item", "metric", "value"]


def rounded(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores with as many digits as baselines keep."""
    return scores.assign(value=[float(f"{value:.{DIGITS}g}") for value in scores["value"]])


def freeze(
    folder: Path,
    scores: pd.DataFrame,
    predictions: Mapping[tuple[int, str], Path],
    tables: Sequence[Path],
    data: Mapping[str, str],
    settings: Mapping[str, Any],
) -> None:
    """Write baselines, and keep those of other folds that there are, and what was added to them.

    Args:
        folder: Of the baselines.
        scores: Of all items, as made by `flowsynth.evaluation.summary.gather`, one sample an item.
        predictions: Files of answers by fold and system.
        tables: Files of scores, whose makers count too.
        data: As made by `flowsynth.leaderboard.data_hashes.hashes`.
        settings: What else should be known, such as the configuration.

    Raises:
        ValueError: If something was made by code that is no commit, there are baselines of other data, other folds of other
            settings, or candidates were added to them that have no answers to this fold, or are of other settings.
    """
    made, names = maker(**settings), commits(predictions.values(), tables)
    folds, systems = ({key[part] for key in predictions} for part in (0, 1))
    scores, before, added, scoring = rounded(scores)[KEPT], set(), {}, {"scoring": fingerprint()}
    if (folder / MANIFEST).exists():
        require_same(data, folder)
        there = set(frozen_folds(folder))
        before = there - folds
        manifest = json.loads((folder / MANIFEST).read_text())
        added = {name: how for name, how in manifest["added"].items() if name not in systems}
        if added and (folds - there or differing(folder, settings)):
            raise ValueError(
                f"{', '.join(added)} were added to {folder}, and are of its folds and settings alone: delete the folder "
                "first, and add them again afterwards"
            )
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(folder / "predictions.h5") as temporary, h5py.File(temporary, "w", locking=False) as kept:
        for (fold, system), path in sorted(predictions.items()):
            _keep(kept.require_group(f"fold{fold}"), system, path)
        if before:
            _require_settings(settings, folder)
            names = sorted({*names, *manifest["commits"]})
        if before or added:
            scoring = {key: manifest[key] for key in ("scoring", "stamped") if key in manifest}
            theirs = pd.read_csv(folder / SCORES, dtype={"item": str})
            scores = pd.concat(
                [theirs[theirs["fold"].isin(before) | theirs["model"].isin(added)], shared(scores, theirs)]
            )
            with h5py.File(folder / "predictions.h5", "r", locking=False) as old:
                for fold in sorted(before):
                    old.copy(f"fold{fold}", kept)
                for again, name in itertools.product(sorted(folds), added):
                    old.copy(f"fold{again}/answers/{name}", kept[f"fold{again}/answers"])
    _write_scores(folder, scores)
    manifest = {"data": dict(data), "folds": sorted(folds | before), "commits": names, "maker": made, "added": added}
    write_manifest(folder, manifest | scoring)


def _require_settings(settings: Mapping[str, Any], folder: Path) -> None:
    """Refuse to put a fold beside others that other systems or settings were used for."""
    told = differing(folder, settings)
    if told:
        raise ValueError(
            f"other folds in {folder} were frozen with other settings: {', '.join(told)}. Freeze all folds, or delete it first"
        )


def add(
    folder: Path,
    name: str,
    scores: pd.DataFrame,
    predictions: Mapping[int, Path],
    tables: Sequence[Path],
    data: Mapping[str, str],
) -> None:
    """Put a candidate beside the baselines that there are; stopped half-way, it can be done again.

    Args:
        folder: Of the baselines.
        name: Of the candidate.
        scores: Of the candidate, of all items, one sample an item.
        predictions: Its files of answers by fold.
        tables: Its files of scores.
        data: As made by `flowsynth.leaderboard.data_hashes.hashes`.

    Raises:
        ValueError: If something was made by code that is no commit, the baselines are of other data, or one of them, or what
            was added to them with other answers, has the name.
    """
    require_same(data, folder)
    manifest = json.loads((folder / MANIFEST).read_text())
    offered = models().get(model_of(name))
    made = {"commits": commits(predictions.values(), tables), "maker": maker(), "file": offered is None}
    if offered and offered.dist:
        made["package"] = f"{offered.dist.name} {offered.dist.version}"
    theirs = pd.read_csv(folder / SCORES, dtype={"item": str})
    if name in set(theirs["model"]) - manifest["added"].keys():
        raise ValueError(f"{name} is one of the baselines in {folder}; call the candidate by another name")
    with atomic_write(folder / "predictions.h5") as temporary:
        shutil.copyfile(folder / "predictions.h5", temporary)
        with h5py.File(temporary, "a", locking=False) as kept:
            for fold, path in sorted(predictions.items()):
                group = kept[f"fold{fold}"]
                before = group[f"answers/{name}"][:] if name in group["answers"] else np.empty(0)
                if before.size:
                    del group[f"answers/{name}"]
                _keep(group, name, path)
                if name in manifest["added"] and not np.array_equal(before, group[f"answers/{name}"]):
                    raise ValueError(
                        f"{name} was added to {folder} before, with other answers; call the candidate by another name, or, if "
                        f"it was never committed, take the one before away first: git checkout -- {folder}"
                    )
    manifest["added"][name] = made
    write_manifest(folder, manifest)
    ours = shared(rounded(scores.assign(model=name))[KEPT], theirs)
    _write_scores(folder, pd.concat([theirs[theirs["model"] != name], ours]))


def _write_scores(folder: Path, table: pd.DataFrame) -> None:
    """Without a date in it: the same scores are the same file."""
    text = table.sort_values(KEPT[:-1]).to_csv(index=False)
    with atomic_write(folder / SCORES) as temporary:
        temporary.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write what says what baselines are."""
    write_text(folder / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True) + "\n")


def _keep(group: h5py.Group, system: str, path: Path) -> None:
    with hdf5.reading(path) as file:
        items, values, estimates = hdf5.ids(file).tolist(), file["values"][:], file["estimates"][:, 0]
        names = json.dumps(list(hdf5.names(file)))
    if "item" not in group:
        group.create_dataset("item", data=np.array(items, dtype=object), dtype=hdf5.TEXT)
        group.create_dataset("values", data=values, compression="gzip", compression_opts=9, shuffle=True)
        group.attrs["names"] = names
    if group["item"].asstr()[:].tolist() != items or group.attrs["names"] != names:
        raise ValueError(f"{path} answers other items or parameters than the other systems of its fold")
    group.create_dataset(f"answers/{system}", data=estimates, compression="gzip", compression_opts=9, shuffle=True)


def read_scores(folder: Path, **labels: str) -> pd.DataFrame:
    """Read the scores of baselines.

    Args:
        folder: Of the baselines.
        labels: Values of the columns budget, dataset and split, which are the same for all.

    Returns:
        The columns of `flowsynth.evaluation.SCORE_COLUMNS`.
    """
    table = pd.read_csv(folder / SCORES, dtype={"item": str})
    return table.assign(sample=0, **labels)[list(SCORE_COLUMNS)]


def read_answers(folder: Path, fold: int, system: str) -> tuple[list[str], tuple[str, ...], np.ndarray]:
    """Read what a system answered to the test items of a fold: items, names of the parameters, items x parameters."""
    with h5py.File(folder / "predictions.h5", "r", locking=False) as file:
        group = file[f"fold{fold}"]
        return group["item"].asstr()[:].tolist(), tuple(json.loads(group.attrs["names"])), group[f"answers/{system}"][:]


def read_fold(
    folder: Path, fold: int
) -> tuple[list[str], Float[np.ndarray, "items parameters"], dict[str, Float[np.ndarray, "items parameters"]]]:
    """Read the test items of a fold: their ids, the truth, and the answers of each system, float32."""
    with h5py.File(folder / "predictions.h5", "r", locking=False) as file:
        group = file[f"fold{fold}"]
        return group["item"].asstr()[:].tolist(), group["values"][:], {k: v[:] for k, v in group["answers"].items()}


def shared(scores: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Those of some scores whose metric baselines have: a metric that is newer than they are can't be compared."""
    known = scores["metric"].isin(theirs["metric"].unique())
    if not known.all():
        log.warning("not compared, as the baselines don't have it: %s", ", ".join(scores["metric"][~known].unique()))
    return scores[known]


def require_same(data: Mapping[str, str], folder: Path) -> None:
    """Refuse to compare what is of other data, or was scored otherwise than scoring does now.

    Args:
        data: As made by `flowsynth.leaderboard.data_hashes.hashes`.
        folder: Of the baselines.

    Raises:
        ValueError: If a hash or a metric differs; all that do are named, and by how much the metric does. Also if the
            baselines don't say what scoring did; the message says what to do.
    """
    if unstamped(folder):
        raise ValueError(unstamped(folder))
    manifest = json.loads((folder / MANIFEST).read_text())
    told = [
        f"{name} ({data.get(name, 'none')[:12]}, the baselines have {value[:12]})"
        for name, value in manifest["data"].items()
        if data.get(name) != value
    ]
    told += [f"scoring of {metric}" for metric in differences(fingerprint(), manifest["scoring"])]
    if told:
        raise ValueError(
            f"the baselines in {folder} are of other data or scored otherwise, they differ in: {', '.join(told)}. Such scores "
            f"can't be compared: run on the same commit and configuration; or, to make new baselines, delete {folder} first"
        )
