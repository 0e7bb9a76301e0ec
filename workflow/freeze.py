"""Freeze the scores and predictions of the campaign as baselines: results/baselines/.

Results of uncommitted code are refused, and so are data that differ from those of existing baselines.

    python workflow/freeze.py                      all data sets of the campaign
    python workflow/freeze.py amsynth16            one data set
    python workflow/freeze.py amsynth16 --fold 0   one fold, in addition to those frozen already
    python workflow/freeze.py amsynth16 --add NAME add the candidate compared under that name
"""

import argparse
import sys

import yaml
from readme import ROOT

from flowsynth.core.layout import RunPaths
from flowsynth.evaluation.score_tables import mean_over_samples
from flowsynth.evaluation.summary import gather
from flowsynth.leaderboard.baselines import add_candidate, freeze
from flowsynth.leaderboard.data_hashes import hash_data
from flowsynth.leaderboard.manifest import SETTINGS, frozen_folds
from flowsynth.models.base import find


def main() -> None:
    """Freeze the requested data sets, or add a candidate to their baselines."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    baselines = config["baselines"]
    parser = argparse.ArgumentParser(description="Freeze the scores and predictions of the campaign as baselines.")
    parser.add_argument("datasets", nargs="*", help="data sets (default: those of the configuration)")
    parser.add_argument("--add", metavar="NAME", help="add this compared candidate to the baselines")
    parser.add_argument("--fold", type=int, action="append", help="one fold (default: all folds of the budget)")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.datasets) - set(baselines["datasets"]))
    if unknown:
        sys.exit(f"error: unknown data sets {', '.join(unknown)}, expected some of {', '.join(baselines['datasets'])}")
    name = baselines["budget"]
    budget = config["budgets"][name]
    systems = [arguments.add] if arguments.add else budget.get("models", config["models"])
    for dataset in arguments.datasets or baselines["datasets"]:
        run = RunPaths(ROOT / "results" / name / dataset)
        folder = run.baselines
        try:
            folds = frozen_folds(folder) if arguments.add else arguments.fold or range(budget["folds"])
        except FileNotFoundError as error:
            sys.exit(f"error: there are no baselines to add to: {error}")
        keys = [(fold, system) for fold in folds for system in systems]
        paths = {(fold, system): run.system(config["split"], fold, system) for fold, system in keys}
        predictions = {key: system_paths.predictions for key, system_paths in paths.items()}
        tables = [system_paths.scores for system_paths in paths.values()]
        missing = [path for path in tables if not path.exists()]
        if missing:
            command = f"campaign --config budget={name}"
            if arguments.add:
                command = f"compare --config candidate={arguments.add} compared_on={dataset}"
            elif arguments.fold:
                scores_of_fold = paths[keys[0]].fold_folder.relative_to(ROOT) / "scores.csv"
                command = f"--config budget={name} -- {scores_of_fold}"
            sys.exit(f"error: there is no {missing[0]}; run: snakemake -c2 {command}")
        try:
            scores = mean_over_samples(gather(tables))
            data = hash_data(
                run.presets,
                run.split(config["split"]),
                [run.folder / "audio" / f"{shard}.h5" for shard in range(budget["shards"])],
            )
            if arguments.add:
                by_fold = {fold: path for (fold, _), path in predictions.items()}
                add_candidate(folder, arguments.add, scores, by_fold, tables, data)
            else:
                settings = {"budget": name, "dataset": dataset, **budget, **{key: config[key] for key in SETTINGS}}
                passes = {model: find(model).passes for model in scores["base_model"].unique()}
                settings["passes"] = {model: count for model, count in passes.items() if count > 1}
                freeze(folder, scores, predictions, tables, data, settings)
        except (ValueError, FileNotFoundError) as error:
            sys.exit(f"error: {error}")
        if arguments.add:
            print(f"{dataset}: added {arguments.add}")
        else:
            print(f"{dataset}: frozen: {len(systems)} systems, folds {frozen_folds(folder)}")


if __name__ == "__main__":
    main()
