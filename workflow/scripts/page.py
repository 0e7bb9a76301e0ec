"""Make the page of sounds."""

from pathlib import Path

import pandas as pd

from flowsynth.metrics import registry
from flowsynth.page.build import Section, build
from flowsynth.page.sections import Group, lines, macro_controls, outside, reconstruction
from flowsynth.progress import job, log
from flowsynth.synths import dataset
from flowsynth.tables import gather, lay_out

with job(Path(snakemake.log[0])):
    source, params = snakemake.input, snakemake.params
    budget, name = snakemake.wildcards.budget, snakemake.wildcards.dataset
    synth, names = dataset(name)
    chosen = pd.read_csv(source.selection, dtype={"item": str})
    presets = pd.read_csv(source.presets, dtype={"id": str, "name": str}, keep_default_na=False)
    called = dict(zip(presets["id"], presets["name"], strict=True))
    models = {model: Path(path).parent for model, path in zip(params.models, source.answers, strict=True)}
    scores = gather([Path(source.scores)])
    sections = [
        Section("reconstruction", "Audio reconstruction", params.texts["reconstruction"],
                reconstruction(chosen, [Path(path) for path in source.targets], models, scores, called)),
    ]  # fmt: skip
    if source.explored:
        vectors, audio = ({Path(p).stem: Path(p) for p in files} for files in (source.explored, source.heard))
        between = lines(vectors["interpolation"], audio["interpolation"])
        around = lines(vectors["neighbourhood"], audio["neighbourhood"])
        ends = " to ".join(f"“{called[item]}”" for item in around)
        groups = [
            Group("latent", "In the space of sounds", f"{ends}, in eight steps on a straight line.", between["latent"]),
            Group("parameters", "In the space of parameters", f"{ends}, the same two ends.", between["parameters"]),
        ]
        reason = "First what the model makes of the sound, then five points near it: N(0, 0.1) added to its latent."
        groups += [Group(item, f"Around “{called[item]}”", reason, sounds) for item, sounds in around.items()]
        sections += [
            Section("macro_controls", "Macro-control learning", params.texts["macro_controls"],
                    macro_controls(vectors["macro_controls"], audio["macro_controls"]), "steps"),
            Section("interpolation", "Audio space interpolation", params.texts["interpolation"], groups, "steps"),
        ]  # fmt: skip
    if source.manifests:
        answered = {Path(path).parent.name: Path(path).parent for path in source.outside_scores}
        marks = gather([Path(path) for path in source.outside_scores if Path(path).parent.name != "search"])
        if "search" in answered:
            marks = pd.concat([marks, gather([answered["search"] / "scores.csv"])])
        found = {"vocal": [], "outside": []}
        for path in source.manifests:
            manifest = pd.read_csv(path, dtype={"id": str})
            manifest, file = manifest[manifest["status"] == "ok"], Path(path).with_suffix(".h5")
            kind = "vocal" if Path(path).stem in params.vocal else "outside"
            found[kind] += outside(manifest, file, answered, marks, params.judge, params.seed)
        titles = {"vocal": "Vocal sketching", "outside": "Sounds from outside"}
        sections += [Section(k, titles[k], params.texts[k], groups) for k, groups in found.items() if groups]
    summary = pd.read_csv(source.table)
    tables = {"Scores: mean over folds ± standard deviation over folds": lay_out(summary, list(registry().values()))}
    if source.manifests:
        far = pd.read_csv(source.outside_table)
        for group in dict.fromkeys(zip(far["sounds"], far["collection"], strict=True)):
            rows = far[(far["sounds"] == group[0]) & (far["collection"] == group[1])]
            tables[f"Sounds from outside: {group[1]} ({group[0]} sounds)"] = lay_out(rows, list(registry().values()))
    figures = {caption: Path(path) for caption, path in zip(params.captions, source.figures, strict=True)}
    facts = {
        "run": f"data set {name}, budget {budget}, {scores['fold'].nunique()} folds; sounds are of the first fold",
        "config": f"budget={budget}",
        "synth": synth.name,
        "parameters": ", ".join(names),
        "chosen": " ".join(f"{role.capitalize()}: {reason}." for role, reason in
                           chosen.drop_duplicates("role")[["role", "reason"]].to_numpy()),
    }  # fmt: skip
    folder = Path(snakemake.output.index).parent
    size = build(folder, sections, tables, figures, synth, names, params.sample_rate, facts)
    log.info("%s: %.1f MB", snakemake.output.index, size / 1e6)
