"""Frozen baselines: the scores and predictions of one campaign, with what other scores must share to be comparable.

A folder of baselines holds ``scores.csv.gz`` (one row per system, fold, item and metric, six digits),
``predictions.h5`` (one group per fold: ``item``, ``values``, the ground truth, and ``answers``, the predictions of each
system) and ``manifest.json``: hashes of these files and of the data, the fingerprint of scoring
(`flowsynth.evaluation.scoring_fingerprint`), and provenance. A long campaign may be frozen one fold at a time.
`flowsynth.leaderboard.rescoring` scores frozen predictions again.
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
from flowsynth.core.integrity import sha256
from flowsynth.core.progress import log
from flowsynth.core.provenance import atomic_write, maker, write_text
from flowsynth.evaluation import score_tables
from flowsynth.evaluation.scoring_fingerprint import differences, fingerprint
from flowsynth.leaderboard.data_hashes import collect_commits
from flowsynth.leaderboard.manifest import (
    MANIFEST,
    PREDICTIONS,
    SCORES,
    changed_settings,
    frozen_folds,
    missing_fingerprint,
    read_manifest,
)
from flowsynth.models.registry import models

SCORE_DIGITS = 6  # significant digits of a frozen score
FROZEN_KEY = ["fold", "model", "item", "metric"]  # columns that identify a frozen score
FROZEN_COLUMNS = [*FROZEN_KEY[:2], *score_tables.SYSTEM_COLUMNS, *FROZEN_KEY[2:], "value"]


def round_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """Round scores to the precision of frozen ones."""
    return scores.assign(value=[float(f"{value:.{SCORE_DIGITS}g}") for value in scores["value"]])


def freeze(
    folder: Path,
    scores: pd.DataFrame,
    predictions: Mapping[tuple[int, str], Path],
    tables: Sequence[Path],
    data: Mapping[str, str],
    settings: Mapping[str, Any],
) -> None:
    """Write baselines; keep existing ones of other folds, and the candidates added to them.

    Args:
        folder: Folder of the baselines.
        scores: Scores of all items, as returned by `flowsynth.evaluation.score_tables.mean_over_samples`.
        predictions: Prediction files by fold and system.
        tables: Files of scores, whose provenance is checked too.
        data: Hashes of the data, as returned by `flowsynth.leaderboard.data_hashes.hash_data`.
        settings: Further settings to record, such as the configuration.

    Raises:
        ValueError: If a file was made by uncommitted code, existing baselines are of other data, their other folds of
            other settings, or candidates were added to them that lack this fold or have other settings.
    """
    provenance, commits = maker(**settings), collect_commits(predictions.values(), tables)
    folds, systems = ({key[part] for key in predictions} for part in (0, 1))
    scores, other_folds, added = round_scores(scores)[FROZEN_COLUMNS], set(), {}
    scoring, manifest = {"scoring": fingerprint()}, None
    if (folder / MANIFEST).exists():
        require_comparable(data, folder)
        existing_folds = set(frozen_folds(folder))
        other_folds = existing_folds - folds
        manifest = read_manifest(folder)
        added = {name: source for name, source in manifest["added"].items() if name not in systems}
        if added and (folds - existing_folds or changed_settings(folder, settings)):
            raise ValueError(
                f"{', '.join(added)} were added to {folder}, for its folds and settings only: delete the folder first, "
                "and add them again afterwards"
            )
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(folder / PREDICTIONS) as temporary:
        with h5py.File(temporary, "w", locking=False) as file:
            for (fold, system), path in sorted(predictions.items()):
                _write_predictions(file.require_group(f"fold{fold}"), system, path)
            if manifest and other_folds:
                _require_settings(settings, folder)
                commits = sorted({*commits, *manifest["commits"]})
            if manifest and (other_folds or added):
                scoring = {key: manifest[key] for key in ("scoring", "stamped") if key in manifest}
                frozen = read_frozen(folder)
                kept = frozen[frozen["fold"].isin(other_folds) | frozen["model"].isin(added)]
                scores = pd.concat([kept, drop_new_metrics(scores, frozen)])
                with h5py.File(folder / PREDICTIONS, "r", locking=False) as previous:
                    for other in sorted(other_folds):
                        previous.copy(f"fold{other}", file)
                    for number, name in itertools.product(sorted(folds), added):
                        previous.copy(f"fold{number}/answers/{name}", file[f"fold{number}/answers"])
        files = _write_scores(folder, scores, temporary, manifest)
    manifest = {"data": dict(data), "folds": sorted(folds | other_folds), "commits": commits, "maker": provenance}
    write_manifest(folder, manifest | {"added": added, "files": files} | scoring)


def _require_settings(settings: Mapping[str, Any], folder: Path) -> None:
    """Require the settings of the folds that are frozen already."""
    changed = changed_settings(folder, settings)
    if changed:
        raise ValueError(
            f"other folds in {folder} were frozen with other settings: {', '.join(changed)}. Freeze all folds, or "
            "delete it first"
        )


def add_candidate(
    folder: Path,
    name: str,
    scores: pd.DataFrame,
    predictions: Mapping[int, Path],
    tables: Sequence[Path],
    data: Mapping[str, str],
) -> None:
    """Add a candidate to existing baselines; an interrupted call can be repeated.

    Args:
        folder: Folder of the baselines.
        name: Name of the candidate.
        scores: Scores of the candidate on all items, the mean over samples.
        predictions: Its prediction files by fold.
        tables: Its files of scores.
        data: Hashes of the data, as returned by `flowsynth.leaderboard.data_hashes.hash_data`.

    Raises:
        ValueError: If a file was made by uncommitted code, the baselines are of other data, or the name is that of a
            baseline, or of a candidate with other predictions.
    """
    require_comparable(data, folder)
    manifest = read_manifest(folder)
    entry_point = models().get(str(scores["base_model"].iloc[0]))
    source = {
        "commits": collect_commits(predictions.values(), tables),
        "maker": maker(),
        "file": entry_point is None,
    }
    if entry_point and entry_point.dist:
        source["package"] = f"{entry_point.dist.name} {entry_point.dist.version}"
    frozen = read_frozen(folder)
    if name in set(frozen["model"]) - manifest["added"].keys():
        raise ValueError(f"{name} is one of the baselines in {folder}: rename the candidate")
    with atomic_write(folder / PREDICTIONS) as temporary:
        shutil.copyfile(folder / PREDICTIONS, temporary)
        with h5py.File(temporary, "a", locking=False) as file:
            for fold, path in sorted(predictions.items()):
                group = file[f"fold{fold}"]
                previous = group[f"answers/{name}"][:] if name in group["answers"] else np.empty(0)
                if previous.size:
                    del group[f"answers/{name}"]
                _write_predictions(group, name, path)
                if (
                    previous.size
                    and name in manifest["added"]
                    and not np.array_equal(previous, group[f"answers/{name}"])
                ):
                    raise ValueError(
                        f"{name} was added to {folder} before, with other predictions: rename the candidate, or, if "
                        f"the earlier one was never committed, remove it first: git checkout -- {folder}"
                    )
        candidate_scores = drop_new_metrics(round_scores(scores.assign(model=name))[FROZEN_COLUMNS], frozen)
        manifest["added"][name] = source
        table = pd.concat([frozen[frozen["model"] != name], candidate_scores])
        files = _write_scores(folder, table, temporary, manifest)
    write_manifest(folder, manifest | {"files": files})


def _write_scores(
    folder: Path, scores: pd.DataFrame, predictions: Path, manifest: Mapping[str, Any] | None
) -> dict[str, list[str]]:
    """Write the scores, without a date.

    Until the caller writes the new manifest, there is one with the hashes of both the old and the new files, so that an
    interrupted call leaves valid baselines and can be repeated.

    Args:
        folder: Folder of the baselines.
        scores: Table of scores.
        predictions: New file of predictions, which replaces the old one next.
        manifest: Manifest for the time until then, with the hashes of the old files; None if there are none.

    Returns:
        The hashes for the new manifest.
    """
    text = scores.sort_values(FROZEN_KEY).to_csv(index=False)
    with atomic_write(folder / SCORES) as new_scores:
        new_scores.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
        hashes = {SCORES: [sha256(new_scores)], PREDICTIONS: [sha256(predictions)]}
        if manifest:
            both = {name: sorted({*manifest["files"][name], *hashes[name]}) for name in hashes}
            write_manifest(folder, {**manifest, "files": both})
    return hashes


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest of baselines."""
    write_text(folder / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True) + "\n")


def _write_predictions(group: h5py.Group, system: str, path: Path) -> None:
    with hdf5.reading(path) as file:
        items, values, estimates = hdf5.ids(file).tolist(), file["values"][:], file["estimates"][:]
        names = json.dumps(list(hdf5.names(file)))
    if "item" not in group:
        group.create_dataset("item", data=np.array(items, dtype=object), dtype=hdf5.TEXT)
        group.create_dataset("values", data=values, compression="gzip", compression_opts=9, shuffle=True)
        group.attrs["names"] = names
    if group["item"].asstr()[:].tolist() != items or group.attrs["names"] != names:
        raise ValueError(f"{path} has other items or parameters than the other systems of its fold")
    data = estimates[:, 0] if estimates.shape[1] == 1 else estimates
    group.create_dataset(f"answers/{system}", data=data, compression="gzip", compression_opts=9, shuffle=True)


def read_scores(folder: Path, **labels: str) -> pd.DataFrame:
    """Read the scores of baselines.

    Args:
        folder: Folder of the baselines.
        labels: Values of the columns budget, dataset and split, constant over all rows.

    Returns:
        Table with the columns of `flowsynth.evaluation.score_tables.SCORE_COLUMNS`.
    """
    return read_frozen(folder).assign(sample=0, **labels)[list(score_tables.SCORE_COLUMNS)]


def read_frozen(folder: Path) -> pd.DataFrame:
    """Read the file of scores: a table with the columns of `FROZEN_COLUMNS`."""
    read_manifest(folder)  # verifies the file
    return score_tables.read(folder / SCORES)[FROZEN_COLUMNS]


def read_predictions(folder: Path, fold: int, system: str) -> tuple[list[str], tuple[str, ...], np.ndarray]:
    """Read a system's first predictions for the test items of a fold.

    Returns:
        Items, names of the parameters, and values, items x parameters.
    """
    with _open_predictions(folder) as file:
        group = file[f"fold{fold}"]
        names, values = tuple(json.loads(group.attrs["names"])), group[f"answers/{system}"][:]
        return group["item"].asstr()[:].tolist(), names, values if values.ndim == 2 else values[:, 0]


def read_fold(
    folder: Path, fold: int
) -> tuple[list[str], Float[np.ndarray, "items parameters"], dict[str, Float[np.ndarray, "items samples parameters"]]]:
    """Read the test items of a fold: ids, ground truth, and predictions by system, float32."""
    with _open_predictions(folder) as file:
        group = file[f"fold{fold}"]
        items, truth = group["item"].asstr()[:].tolist(), group["values"][:]
        return items, truth, {k: v[:].reshape(len(items), -1, truth.shape[1]) for k, v in group["answers"].items()}


def drop_new_metrics(scores: pd.DataFrame, frozen: pd.DataFrame) -> pd.DataFrame:
    """Drop scores of metrics that the frozen scores lack because they are older, and warn about them."""
    known = scores["metric"].isin(frozen["metric"].unique())
    if not known.all():
        log.warning("metrics without frozen scores, not compared: %s", ", ".join(scores["metric"][~known].unique()))
    return scores[known]


def require_comparable(data: Mapping[str, str], folder: Path) -> None:
    """Require the data and the scoring of the baselines.

    Args:
        data: Hashes of the data, as returned by `flowsynth.leaderboard.data_hashes.hash_data`.
        folder: Folder of the baselines.

    Raises:
        ValueError: If a hash or a metric differs, naming all that do and by how much a metric does; or if the baselines
            have no fingerprint of scoring.
    """
    problem = missing_fingerprint(folder)
    if problem:
        raise ValueError(problem)
    manifest = read_manifest(folder)
    changed = [
        f"{name} ({data.get(name, 'none')[:12]}, the baselines have {value[:12]})"
        for name, value in manifest["data"].items()
        if data.get(name) != value
    ]
    changed += [f"scoring of {metric}" for metric in differences(fingerprint(), manifest["scoring"])]
    if changed:
        raise ValueError(
            f"the baselines in {folder} are of other data or scoring, they differ in: {', '.join(changed)}. Such "
            f"scores are not comparable: run on the same commit and configuration; or, to make new baselines, delete "
            f"{folder} first"
        )


def _open_predictions(folder: Path) -> h5py.File:
    read_manifest(folder)  # verifies the file
    return hdf5.open_hdf5(folder / PREDICTIONS)
