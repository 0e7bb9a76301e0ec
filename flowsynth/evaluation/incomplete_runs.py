"""Partial results of a failed run: a table of the available scores, and what is missing and why.

The regular tables of a run need all models and folds. This one is written beside them and marked as incomplete.
"""

import itertools
import shutil
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from flowsynth.core.layout import RunPaths, SystemPaths
from flowsynth.core.provenance import write_csv, write_text
from flowsynth.evaluation import out_of_domain
from flowsynth.evaluation.summary import gather, markdown, summarise, to_markdown
from flowsynth.models.systems import System

PARTIAL_PAGE = "page_so_far"  # rule and folder of the page of an unfinished run
STAGES = (
    "train",
    "predict",
    "candidates",
    "best_of_n",
    "surrogate_search",
    "refine_cma_es",
    "search_cma_es",
    "score",
)


def missing_scores(
    folder: Path, split: str, folds: int, models: Sequence[str], out_of_domain: bool = False
) -> pd.DataFrame:
    """List the models and folds without scores.

    Args:
        folder: Results of a budget and data set.
        split: Name of the split.
        folds: Number of folds.
        models: Names of the models.
        out_of_domain: Whether the scores are those of the out-of-domain sounds.

    Returns:
        Columns model, fold, stage (the job that failed, empty if none did), reason (the last line of its log).
    """
    rows = []
    for model in models:
        for fold in range(folds):
            paths = RunPaths(folder).system(split, fold, model, out_of_domain)
            if not paths.scores.exists():
                rows.append((model, fold, *_failure(paths)))
    return pd.DataFrame(rows, columns=["model", "fold", "stage", "reason"])


def _failure(system: SystemPaths) -> tuple[str, str]:
    """Return stage and last log line of the job that failed, of the system or of the system it is derived from."""
    for name, stage in itertools.product(System.parse(system.name).lineage, STAGES):
        path = system.of(name).logs / f"{stage}.log"
        lines = path.read_text(encoding="utf-8").strip().splitlines() if path.exists() else []
        if any(line.startswith("Traceback") for line in lines):
            return stage, lines[-1]
    return "", "was not run to its end"


def report_missing(folder: Path, split: str, folds: int, models: Sequence[str], failed: bool) -> str | None:
    """Write ``tables/incomplete.csv`` and ``tables/incomplete.md`` after a failed run; remove them once it is complete.

    Args:
        folder: Results of a budget and data set.
        split: Name of the split.
        folds: Number of folds.
        models: Names of the models, in the order of the table.
        failed: Whether a job of this run failed; a successful run may have covered only some of the models.

    Returns:
        Message for the user, if some but not all scores exist.
    """
    run = RunPaths(folder)
    csv, md = (run.tables / f"incomplete.{suffix}" for suffix in ("csv", "md"))
    missing = missing_scores(folder, split, folds, models)
    expected = [run.system(split, fold, model).scores for fold in range(folds) for model in models]
    paths = [path for path in expected if path.exists()]
    if missing.empty:
        for path in (csv, csv.with_name(csv.name + ".json"), md):
            path.unlink(missing_ok=True)
        shutil.rmtree(folder / PARTIAL_PAGE, ignore_errors=True)
    if missing.empty or not paths or not failed:
        return None
    write_csv(missing, csv)
    write_text(md, _format(missing, markdown(summarise(gather(paths), models))))
    return (
        f"{len(missing)} of {len(expected)} scores are missing; the reasons and the available scores are in {md}\n"
        f"To make a page of the partial results in {folder / PARTIAL_PAGE}: snakemake -c1 {PARTIAL_PAGE}"
    )


def report_missing_out_of_domain(folder: Path, split: str, models: Sequence[str], failed: bool) -> str | None:
    """Write ``tables/outside_incomplete.md`` for the out-of-domain sounds, as `report_missing` does.

    Args:
        folder: Results of a budget and data set.
        split: Name of the split.
        models: Names of the requested models, search included.
        failed: Whether a job of this run failed.

    Returns:
        Message for the user, if some but not all scores exist.
    """
    run = RunPaths(folder)
    md = run.tables / "outside_incomplete.md"
    missing = missing_scores(folder, split, 1, models, out_of_domain=True)
    scored = [model for model in models if model not in set(missing["model"])]
    if missing.empty:
        md.unlink(missing_ok=True)
    # search is compared with models, so it alone is no table
    if missing.empty or not failed or not set(scored) - {"search"}:
        return None
    paths = [run.system(split, 0, model, out_of_domain=True).scores for model in scored]
    scores = out_of_domain.read_scores(paths, sorted(run.ood_sounds.glob("*.csv")))
    write_text(md, _format(missing, out_of_domain.markdown(out_of_domain.summarise(scores, models), {})))
    return f"{len(missing)} of {len(models)} models have no out-of-domain scores; the available scores are in {md}"


def _format(missing: pd.DataFrame, table: str) -> str:
    text = to_markdown(missing.astype(str).apply(lambda column: column.str.replace("|", r"\|")))
    return f"Missing:\n\n{text}\nAvailable:\n\n{table}"
