"""Compare a candidate with the fixed baselines."""

from pathlib import Path

import pandas as pd

from flowsynth.core.progress import job, log
from flowsynth.core.provenance import write_csv, write_text
from flowsynth.evaluation.summary import gather
from flowsynth.leaderboard.baselines import read_scores, require_same, rounded, shared
from flowsynth.leaderboard.comparison import FROZEN, against
from flowsynth.leaderboard.data_hashes import hashes
from flowsynth.leaderboard.manifest import submitted
from flowsynth.rendering.host import Note
from flowsynth.report.comparison_page import Candidate, build_page, markdown

with job(Path(snakemake.log[0])):
    given, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
    candidate, folder = wildcards.candidate, Path(given.baselines[0]).parent
    audio = [Path(path) for path in given.audio]
    require_same(hashes(Path(given.presets), Path(given.split), audio), folder)
    files = [Path(path) for path in given.answers]
    ours = rounded(gather([path for path in files if path.name == "scores.csv"]))
    ours = ours[ours["sample"] == 0].assign(model=candidate)
    labels = {"budget": params.budget, "dataset": wildcards.dataset, "split": params.split}
    theirs = read_scores(folder, **labels)
    theirs["model"] = theirs["model"].replace(candidate, f"{candidate}{FROZEN}")
    scores = pd.concat([shared(ours, theirs), theirs], ignore_index=True)
    table = against(scores, candidate, params.seed, submitted(folder))
    presets = pd.read_csv(given.presets, dtype={"id": str, "name": str}, keep_default_na=False)
    note, timeout = Note(**snakemake.params.render), snakemake.config["render"]["timeout"]
    page = Path(snakemake.output.index).parent
    shown = Candidate(str(params.given), candidate, files[0].parent)
    called = dict(zip(presets["id"], presets["name"], strict=True))
    size = build_page(page, shown, table, scores, folder, audio, called, note, timeout)
    # after the page, which removes what was in its folder
    write_csv(table, Path(snakemake.output.csv), seed=params.seed)
    write_text(Path(snakemake.output.md), markdown(table, candidate))
    log.info("%s: %.1f MB", snakemake.output.index, size / 1e6)
