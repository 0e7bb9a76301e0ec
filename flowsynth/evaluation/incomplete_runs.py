"""What there is of a run whose jobs did not all succeed: the table so far, and what is missing and why.

The tables of a run are made of all models and folds or not at all. This one stands beside them and says so.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from flowsynth.core.provenance import write_csv, write_text
from flowsynth.evaluation import out_of_domain
from flowsynth.evaluation.summary import gather, markdown, summarise, to_markdown
from flowsynth.models.registry import last_step

PAGE = "page_so_far"  # rule and folder of the page of an unfinished run
STAGES = ("train", "infer", "candidates", "best", "correct", "refine", "search", "resynthesise", "score")


def missing(folder: Path, split: str, folds: int, models: Sequence[str]) -> pd.DataFrame:
    """List the models and folds that were not scored.

    Args:
        folder: Results of a budget and data set.
        split: Name of the split.
        folds: Their number.
        models: Their names.

    Returns:
        Columns model, fold, stage (the job that failed, empty if none did), reason (the last line of its log).
    """
    rows = []
    for model in models:
        for fold in range(folds):
            place = Path(split) / f"fold{fold}" / model
            if not (folder / place / "scores.csv").exists():
                rows.append((model, fold, *_failure(folder / "logs" / place.parent, model)))
    return pd.DataFrame(rows, columns=["model", "fold", "stage", "reason"])


def _failure(logs: Path, system: str) -> tuple[str, str]:
    """Stage and last line of the job that failed, of the system or of what its answers come from."""
    step = last_step(system)
    found = _failure(logs, step.base) if step else ("", "")
    for stage in STAGES:
        path = logs / system / f"{stage}.log"
        lines = path.read_text().strip().splitlines() if path.exists() else []
        if not found[0] and lines and any(line.startswith("Traceback") for line in lines):
            found = stage, lines[-1]
    return found if found[0] else ("", "was not run to its end")


def report(folder: Path, split: str, folds: int, models: Sequence[str], failed: bool) -> str | None:
    """Write ``tables/incomplete.csv`` and ``tables/incomplete.md`` after a run that failed; remove them once all is there.

    Args:
        folder: Results of a budget and data set.
        split: Name of the split.
        folds: Their number.
        models: Their names, in the order wanted.
        failed: Whether a job of this run did; one that succeeded may have been of a part only.

    Returns:
        What to tell the user, if there is a score at all and not every one.
    """
    csv, md = (folder / "tables" / f"incomplete.{suffix}" for suffix in ("csv", "md"))
    lost = missing(folder, split, folds, models)
    expected = [folder / split / f"fold{fold}" / model / "scores.csv" for fold in range(folds) for model in models]
    paths = [path for path in expected if path.exists()]
    if lost.empty:
        for path in (csv, csv.with_name(csv.name + ".json"), md):
            path.unlink(missing_ok=True)
        shutil.rmtree(folder / PAGE, ignore_errors=True)
    if lost.empty or not paths or not failed:
        return None
    write_csv(lost, csv)
    write_text(md, _told(lost, markdown(summarise(gather(paths), models))))
    return (
        f"{len(lost)} of {len(expected)} scores are missing; the others, and why these are, stand in {md}\n"
        f"For a page of what there is, in {folder / PAGE}: snakemake -c1 {PAGE}"
    )


def report_outside(folder: Path, split: str, models: Sequence[str], failed: bool) -> str | None:
    """Write ``tables/outside_incomplete.md``, as `report` does, of the sounds that the synthesizer did not make.

    Args:
        folder: Results of a budget and data set.
        split: Name of the split.
        models: Those that are asked for, search among them.
        failed: Whether a job of this run did.

    Returns:
        What to tell the user, if there is a score at all and not every one.
    """
    md, place = folder / "tables" / "outside_incomplete.md", Path("outside", split)
    lost = missing(folder, str(place), 1, models)
    paths = [folder / place / "fold0" / model / "scores.csv" for model in models if model not in set(lost["model"])]
    if lost.empty:
        md.unlink(missing_ok=True)
    # without a model there is nothing that search stands beside
    if lost.empty or not failed or not set(models) - set(lost["model"]) - {"search"}:
        return None
    scores = out_of_domain.read(paths, sorted(folder.glob("outside/sounds/*.csv")))
    write_text(md, _told(lost, out_of_domain.markdown(out_of_domain.summarise(scores, models), {})))
    return f"{len(lost)} of {len(models)} models have no scores for sounds from outside; those there are stand in {md}"


def _told(lost: pd.DataFrame, table: str) -> str:
    text = to_markdown(lost.astype(str).apply(lambda column: column.str.replace("|", r"\|")))
    return f"Missing:\n\n{text}\nWhat there is:\n\n{table}"
