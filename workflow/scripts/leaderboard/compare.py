"""Compare a candidate with the frozen baselines."""

from pathlib import Path

import pandas as pd

from flowsynth.core.layout import SystemPaths
from flowsynth.core.progress import job, log
from flowsynth.core.provenance import write_csv, write_text
from flowsynth.core.readers import read_csv
from flowsynth.evaluation.score_tables import mean_over_samples
from flowsynth.evaluation.summary import gather
from flowsynth.leaderboard.baselines import drop_new_metrics, read_scores, require_comparable, round_scores
from flowsynth.leaderboard.comparison import FROZEN_SUFFIX, compare_to_baselines
from flowsynth.leaderboard.data_hashes import hash_data
from flowsynth.rendering.host import Note
from flowsynth.report.comparison_page import Candidate, build_page, markdown

with job(Path(snakemake.log[0]), snakemake.input, snakemake.output):
    inputs, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
    candidate, baselines = wildcards.candidate, Path(inputs.baselines[0]).parent
    audio = [Path(path) for path in inputs.audio]
    require_comparable(hash_data(Path(inputs.presets), Path(inputs.split), audio), baselines)
    files = [Path(path) for path in inputs.candidate]
    candidate_scores = gather([path for path in files if path.name == "scores.csv"])
    candidate_scores = round_scores(mean_over_samples(candidate_scores)).assign(model=candidate)
    labels = {"budget": params.budget, "dataset": wildcards.dataset, "split": params.split}
    frozen = read_scores(baselines, **labels)
    frozen["model"] = frozen["model"].replace(candidate, f"{candidate}{FROZEN_SUFFIX}")
    scores = pd.concat([drop_new_metrics(candidate_scores, frozen), frozen], ignore_index=True)
    table = compare_to_baselines(scores, candidate, params.seed)
    presets = read_csv(Path(inputs.presets), dtype={"id": str, "name": str}, keep_default_na=False)
    note, timeout = Note(**snakemake.params.render), snakemake.config["render"]["timeout"]
    page = Path(snakemake.output.index).parent
    compared = Candidate(str(params.source), candidate, SystemPaths.parse(files[0]))
    preset_names = dict(zip(presets["id"], presets["name"], strict=True))
    size = build_page(page, compared, table, scores, baselines, audio, preset_names, note, timeout)
    # after the page, which clears its folder
    write_csv(table, Path(snakemake.output.csv), seed=params.seed)
    write_text(Path(snakemake.output.md), markdown(table, candidate))
    log.info("%s: %.1f MB", snakemake.output.index, size / 1e6)
