"""Render and score the frozen answers of the baselines again: whether scores are still what results/baselines keeps.

    python workflow/rescore.py                        all answers of all data sets
    python workflow/rescore.py amsynth16 --sample 3   three items of each fold, of one data set
    python workflow/rescore.py --stamp                and, if all agree, have the baselines say that scoring does the same

Where a score differs by more than 1e-6 of it, beyond what its rounding to six digits took away (and 1e-5, where it is made of
decibels in float32), it ends with status 1. It can be stopped and started again: what was found is in results/rescored/.
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
    """Check each data set asked for, and stamp those that agree."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    known = config["baselines"]["datasets"]
    parser = argparse.ArgumentParser(description="Render and score the frozen answers of the baselines again.")
    parser.add_argument("datasets", nargs="*", help="all those of the configuration, if none is named")
    parser.add_argument("--sample", type=int, metavar="N", help="items of each fold; all, if not given")
    parser.add_argument("--seed", type=int, default=config["seed"], help="of their choice; that of the configuration")
    parser.add_argument("--stamp", action="store_true", help="if all agree, have the baselines say so")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="processes; one for each core")
    asked = parser.parse_args()
    unknown = sorted(set(asked.datasets) - set(known))
    if unknown:
        sys.exit(f"error: unknown data sets {', '.join(unknown)}, expected some of {', '.join(known)}")
    if min(asked.jobs, 1 if asked.sample is None else asked.sample) < 1:
        sys.exit(f"error: got --sample {asked.sample} and --jobs {asked.jobs}, expected at least 1 of each")
    log_to_terminal()
    os.environ["OMP_NUM_THREADS"] = "1"  # of the processes: a core each
    try:
        if asked.stamp:
            require_commit()
        differ = [dataset for dataset in asked.datasets or known if not agrees(dataset, asked)]
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
    if differ:
        sys.exit(
            f"error: {', '.join(differ)}: scores differ from the frozen ones, and nothing is stamped there. Mend what "
            "scores or renders; if it is meant to differ, delete the baselines and make them anew: make freeze"
        )


def agrees(dataset: str, asked: argparse.Namespace) -> bool:
    """Score a data set again, and print how far scores are from the frozen ones; stamp it, if that is asked for."""
    folder = ROOT / "results" / "baselines" / dataset
    table = rescore(folder, ROOT / "results" / "rescored" / dataset, asked.sample, asked.seed, asked.jobs)
    for row in summarise(table).itertuples():
        print(
            f"{dataset} {row.metric}: {row.scores} scores, {row.wrong} differ; the worst by {row.difference:.1e} beyond its "
            f"rounding, {row.distance:.1e} with it: fold {row.fold}, {row.model}, item {row.item}: {row.now:.9g}, "
            f"frozen {row.value:.6g}"
        )
    new = sorted(set(registry()) - set(table["metric"]))
    if new:
        print(f"{dataset}: not compared, as the baselines don't have it: {', '.join(new)}")
    if asked.sample is None:
        same = same_sounds(folder, asked.jobs)
        told = "are those" if same else "differ (on another processor they may, by rounding) from those"
        print(f"{dataset}: to the bit, the sounds of all presets {told} that the baselines are of")
    else:
        print(
            f"{dataset}: {asked.sample} items of each fold, by seed {asked.seed}; the sounds of all presets were not looked at"
        )
    agree = bool(table["agrees"].all())
    if agree and asked.stamp:
        stamp(folder, table, asked.sample, asked.seed)
        print(f"{dataset}: stamped")
    return agree


if __name__ == "__main__":
    main()
