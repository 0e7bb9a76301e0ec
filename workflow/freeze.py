"""Make the scores and answers of the campaign the fixed baselines: results/baselines/.

Refuses what was made by code that differs from a commit, and data other than those of the baselines there are.

    python workflow/freeze.py                      all data sets of the campaign
    python workflow/freeze.py amsynth16            one of them
    python workflow/freeze.py amsynth16 --fold 0   one fold, beside those that are frozen already
    python workflow/freeze.py amsynth16 --add NAME what was compared under that name, beside the baselines
"""

import argparse
import sys

import yaml
from readme import ROOT

from flowsynth.evaluation.summary import gather
from flowsynth.leaderboard.baselines import add, freeze
from flowsynth.leaderboard.data_hashes import hashes
from flowsynth.leaderboard.manifest import SETTINGS, frozen_folds
from flowsynth.models.base import find
from flowsynth.models.registry import model_of


def main() -> None:
    """Freeze each data set asked for, or add a candidate to its baselines."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    fixed = config["baselines"]
    parser = argparse.ArgumentParser(description="Make the scores of the campaign the fixed baselines.")
    parser.add_argument("datasets", nargs="*", help="all those of the configuration, if none is named")
    parser.add_argument("--add", metavar="NAME", help="a candidate that was compared, to be put beside the baselines")
    parser.add_argument("--fold", type=int, action="append", help="one fold; all of the budget, if none is named")
    asked = parser.parse_args()
    unknown = sorted(set(asked.datasets) - set(fixed["datasets"]))
    if unknown:
        sys.exit(f"error: unknown data sets {', '.join(unknown)}, expected some of {', '.join(fixed['datasets'])}")
    budget = fixed["budget"]
    given = config["budgets"][budget]
    systems = [asked.add] if asked.add else given.get("models", config["models"])
    for dataset in asked.datasets or fixed["datasets"]:
        results = ROOT / "results" / budget / dataset
        folder = results / config["split"]
        baselines = ROOT / "results" / "baselines" / dataset
        try:
            folds = frozen_folds(baselines) if asked.add else asked.fold or range(given["folds"])
        except FileNotFoundError as error:
            sys.exit(f"error: there are no baselines to add to: {error}")
        keys = [(fold, system) for fold in folds for system in systems]
        predictions = {(fold, system): folder / f"fold{fold}" / system / "predictions.h5" for fold, system in keys}
        tables = [path.with_name("scores.csv") for path in predictions.values()]
        missing = [path for path in tables if not path.exists()]
        if missing:
            how = f"campaign --config budget={budget}"
            if asked.add:
                how = f"compare --config candidate={asked.add} compared_on={dataset}"
            elif asked.fold:
                how = f"--config budget={budget} -- {folder.relative_to(ROOT)}/fold{asked.fold[0]}/scores.csv"
            sys.exit(f"error: there is no {missing[0]}; run: snakemake -c2 {how}")
        try:
            # one sample an item; a file that was answered for has a name of its own in its scores
            scores = gather(tables).query("sample == 0")
            data = hashes(
                results / "presets.csv",
                results / "split" / f"{config['split']}.csv",
                [results / "audio" / f"{shard}.h5" for shard in range(given["shards"])],
            )
            if asked.add:
                add(baselines, asked.add, scores, {fold: path for (fold, _), path in predictions.items()}, tables, data)
            else:
                settings = {"budget": budget, "dataset": dataset, **given, **{key: config[key] for key in SETTINGS}}
                passes = {model: find(model).passes for model in dict.fromkeys(map(model_of, systems))}
                settings["passes"] = {model: times for model, times in passes.items() if times > 1}
                freeze(baselines, scores, predictions, tables, data, settings)
        except (ValueError, FileNotFoundError) as error:
            sys.exit(f"error: {error}")
        done = f"added {asked.add}" if asked.add else f"frozen: {len(systems)} systems, folds {frozen_folds(baselines)}"
        print(f"{dataset}: {done}")


if __name__ == "__main__":
    main()
