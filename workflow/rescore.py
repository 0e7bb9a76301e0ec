"""Rescore the frozen predictions of the baselines: check that their scores are reproduced.

    python workflow/rescore.py                        all predictions of all data sets
    python workflow/rescore.py amsynth16 --sample 3   three items per fold of one data set
    python workflow/rescore.py --stamp                if all agree, store the current fingerprint of scoring too

The exit status is 1 if a score differs by more than 1e-6 relative to it, beyond its rounding to six digits (plus 1e-5
where it is computed from decibels in float32). An interrupted run resumes from its cache in results/rescored/.
"""

import argparse
import os
import sys

import yaml
from readme import ROOT

from flowsynth.core.progress import log_to_terminal
from flowsynth.leaderboard.data_hashes import require_commit
from flowsynth.leaderboard.rescoring import rescore, same_sounds, stamp, summarise
from flowsynth.metrics import registry


def main() -> None:
    """Rescore the requested data sets, and stamp those that agree if requested."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    known = config["baselines"]["datasets"]
    parser = argparse.ArgumentParser(description="Rescore the frozen predictions of the baselines.")
    parser.add_argument("datasets", nargs="*", help="data sets (default: those of the configuration)")
    parser.add_argument("--sample", type=int, metavar="N", help="number of items per fold (default: all)")
    parser.add_argument("--seed", type=int, default=config["seed"], help="seed of the sample")
    parser.add_argument("--stamp", action="store_true", help="store the current fingerprint of scoring if all agree")
    parser.add_argument(
        "--jobs", type=int, default=len(os.sched_getaffinity(0)), help="processes (default: one per core)"
    )
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.datasets) - set(known))
    if unknown:
        sys.exit(f"error: unknown data sets {', '.join(unknown)}, expected some of {', '.join(known)}")
    if min(arguments.jobs, 1 if arguments.sample is None else arguments.sample) < 1:
        sys.exit(f"error: got --sample {arguments.sample} and --jobs {arguments.jobs}, expected at least 1 of each")
    log_to_terminal()
    os.environ["OMP_NUM_THREADS"] = "1"  # one core per process
    try:
        if arguments.stamp:
            require_commit()
        differ = [dataset for dataset in arguments.datasets or known if not check(dataset, arguments)]
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
    if differ:
        sys.exit(
            f"error: {', '.join(differ)}: scores differ from the frozen ones, so these baselines are not stamped. Fix "
            "scoring or rendering; if the change is intended, delete the baselines and make new ones: make freeze"
        )


def check(dataset: str, arguments: argparse.Namespace) -> bool:
    """Rescore a data set, print the distances from frozen scores, stamp it if requested; return whether all agree."""
    folder = ROOT / "results" / "baselines" / dataset
    table = rescore(folder, ROOT / "results" / "rescored" / dataset, arguments.sample, arguments.seed, arguments.jobs)
    for row in summarise(table).itertuples():
        print(
            f"{dataset} {row.metric}: {row.scores} scores, {row.wrong} differ; the worst by {row.distance:.1e}, "
            f"{row.difference:.1e} beyond rounding: fold {row.fold}, {row.model}, item {row.item}: {row.now:.9g}, "
            f"frozen {row.value:.6g}"
        )
    new = sorted(set(registry()) - set(table["metric"]))
    if new:
        print(f"{dataset}: metrics without frozen scores, not compared: {', '.join(new)}")
    if arguments.sample is None:
        if same_sounds(folder, arguments.jobs):
            print(f"{dataset}: the sounds of all presets are bit-identical to those of the baselines")
        else:
            print(
                f"{dataset}: the sounds of some presets differ from those of the baselines (rounding may, by processor)"
            )
    else:
        print(
            f"{dataset}: {arguments.sample} items per fold, seed {arguments.seed}; sounds of all presets were not "
            "checked"
        )
    agree = bool(table["agrees"].all())
    if agree and arguments.stamp:
        stamp(folder, table, arguments.sample, arguments.seed)
        print(f"{dataset}: stamped")
    return agree


if __name__ == "__main__":
    main()
