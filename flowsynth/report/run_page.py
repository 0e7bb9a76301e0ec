"""Build the page of a run from its files; missing parts are marked, with the reason.

Single sounds are from the first fold.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from flowsynth.core.layout import RunPaths, SystemPaths
from flowsynth.core.readers import read_csv
from flowsynth.evaluation import incomplete_runs, score_tables
from flowsynth.evaluation import out_of_domain as ood_scores
from flowsynth.evaluation.example_selection import select
from flowsynth.evaluation.summary import format_table, gather, summarise
from flowsynth.leaderboard import standings
from flowsynth.leaderboard.manifest import MANIFEST
from flowsynth.metrics import registry
from flowsynth.report.html import Figure, Section, build
from flowsynth.report.sections import Group, macro_controls, out_of_domain, reconstruction, traversals
from flowsynth.synths.spec import dataset

VOCAL = ("voices", "hums")  # collections of vocal imitations
SEARCH = "search"
TEXTS = {
    "reconstruction": "<p>Sounds of the test set, and the prediction of each model: the model predicts parameters from "
    "the sound, and the synthesizer renders them. Listen for brightness, attack and decay: a good prediction differs "
    "little from the original in all three. Strokes mark the parameters of the original preset.</p>",
    "macro_controls": "<p>Traversals of each dimension of the latent space of <code>{shown}</code>: from step to step the "
    "sound should change by about the same amount, and each dimension should change something else. Whether latent "
    "dimensions change the sound more smoothly than the synthesizer's own parameters is measured: see the figure on "
    "smoothness.</p>",
    "interpolation": "<p>Interpolation between two sounds, in the latent space of <code>{shown}</code> and in the "
    "parameter space, and the neighbourhoods of both sounds. Each step should be between its neighbours, without a "
    "jump; neighbours should be variations of one sound.</p>",
    "vocal": "<p>Voices and synthetic sung glides as targets. They are trimmed, pitch-shifted to the rendered note and "
    "matched in loudness to the synthesizer's sounds. <code>nearest</code> and <code>search</code> indicate how close "
    "the synthesizer can come. Listen for the course of pitch and loudness; words cannot be reproduced.</p>",
    "outside": "<p>Instruments and recordings not made with the synthesizer, preprocessed in the same way. A match has the "
    "colour and the envelope of the original; noise and inharmonic partials are often out of reach.</p>",
}


@dataclass(frozen=True)
class Run:
    """A run of the benchmark.

    Attributes:
        results: Folder of its budget and data set.
        split: Name of the split.
        folds: Number of folds.
        models: All models of the run.
        displayed_models: Models whose predictions are on the page.
        latent_model: Model whose latent space is shown, and by whose scores the items are selected.
        has_latent: Whether that model has a latent space.
        ood_models: Models with predictions for out-of-domain sounds, search among them.
        collections: Out-of-domain collections.
        figures: Title, caption and PNG file of each figure.
        sample_rate: Sample rate in Hz.
        seed: Seed of the selection of items.
    """

    results: Path
    split: str
    folds: int
    models: Sequence[str]
    displayed_models: Sequence[str]
    latent_model: str
    has_latent: bool
    ood_models: Sequence[str]
    collections: Sequence[str]
    figures: Sequence[tuple[str, str, str]]
    sample_rate: int
    seed: int

    @cached_property
    def failures(self) -> dict[str, str]:
        """Models without scores in the first fold, and why."""
        return _failures(self.results, self.split, self.models)

    @property
    def paths(self) -> RunPaths:
        """Paths of the run."""
        return RunPaths(self.results)

    def systems(self, models: Sequence[str], out_of_domain: bool = False) -> dict[str, SystemPaths]:
        """Return the paths of models in the first fold, by name."""
        return {model: self.paths.system(self.split, 0, model, out_of_domain) for model in models}


def build_page(run: Run, folder: Path) -> int:
    """Build the page of a run.

    Args:
        run: The run; at least one model besides the oracle must have scores.
        folder: Folder of the page; its previous content is removed.

    Returns:
        Size of all files of the page in bytes.

    Raises:
        ValueError: If no model has scores.
    """
    scored = [model for model in run.displayed_models if model not in run.failures]
    if not scored:
        raise ValueError(f"{run.results}: no page without scores, expected some of {', '.join(run.displayed_models)}")
    scores = gather([paths.scores for paths in run.systems(scored).values()])
    judge = run.latent_model if run.latent_model in scored else scored[-1]
    selection = select(scores[scores["model"] == judge], run.seed)
    presets = read_csv(run.paths.presets, dtype={"id": str, "name": str}, keep_default_na=False)
    preset_names = dict(zip(presets["id"], presets["name"], strict=True))
    models = run.systems(run.displayed_models)
    groups = reconstruction(selection, run.paths.shards("audio"), models, run.failures, scores, preset_names)
    sections = [Section("reconstruction", "Audio reconstruction", TEXTS["reconstruction"], groups)]
    if run.has_latent:
        sections += _latent_sections(run, preset_names)
    sections += _ood_sections(run, judge)
    roles = selection.drop_duplicates("role")[["role", "reason"]].to_numpy()
    synth, names = dataset(run.paths.dataset)
    facts = {
        "title": f"Automatic synthesizer programming: {run.paths.dataset}, budget {run.paths.budget}",
        "run": "Models predict the synthesizer parameters that reproduce a sound. "
        "Sounds, figures and tables of one run of the benchmark: data set "
        f"{run.paths.dataset}, budget {run.paths.budget}, {run.folds} fold{'s' * (run.folds > 1)}. "
        "Sounds are from the first fold.",
        "commands": f"make reproduce\n.venv/bin/snakemake -c2 page --config budget={run.paths.budget}",
        "synth": synth.name,
        "parameters": ", ".join(names),
        "selection": " ".join(f"{role.capitalize()}: {reason}." for role, reason in roles),
        "missing": ", ".join(run.failures),
    }
    figures = [Figure(title, text, Path(png)) for title, text, png in run.figures]
    return build(folder, sections, dict(_tables(run)), figures, synth, names, run.sample_rate, facts)


def _failures(results: Path, split: str, models: Sequence[str], out_of_domain: bool = False) -> dict[str, str]:
    """Return the models without scores in the first fold, and why."""
    rows = incomplete_runs.missing_scores(results, split, 1, models, out_of_domain)
    return {row.model: f"{row.stage}: {row.reason}" if row.stage else str(row.reason) for row in rows.itertuples()}


def _latent_sections(run: Run, preset_names: Mapping[str, str]) -> list[Section]:
    """Make the sections on the latent space, marked as missing where there are no traversals."""
    kinds, paths = (
        ("macro_controls", "interpolation", "neighbourhood"),
        run.paths.system(run.split, 0, run.latent_model),
    )
    presets = {kind: paths.traversals(kind) for kind in kinds}
    audio = {kind: paths.traversal_audio(kind) for kind in kinds}
    titles = {"macro_controls": "Macro-control learning", "interpolation": "Audio space interpolation"}
    texts = {key: TEXTS[key].format(shown=run.latent_model) for key in titles}
    if not all(path.exists() for path in (*presets.values(), *audio.values())):
        note = f"<p class='missing'>Missing: no traversals of the latent space of <code>{run.latent_model}</code>.</p>"
        return [Section(key, title, texts[key] + note) for key, title in titles.items()]
    interpolation = traversals(presets["interpolation"], audio["interpolation"])
    neighbourhood = traversals(presets["neighbourhood"], audio["neighbourhood"])
    ends = " to ".join(f"“{preset_names[item]}”" for item in neighbourhood)
    groups = [
        Group("latent", "In the latent space", f"{ends}, eight steps on a straight line.", interpolation["latent"]),
        Group("parameters", "In the parameter space", f"{ends}, with the same ends.", interpolation["parameters"]),
    ]
    reason = "First the model's reconstruction, then five neighbours: N(0, 0.1) added to its latent."
    groups += [
        Group(item, f"Neighbourhood of “{preset_names[item]}”", reason, sounds)
        for item, sounds in neighbourhood.items()
    ]
    controls = macro_controls(presets["macro_controls"], audio["macro_controls"])
    content = {"macro_controls": controls, "interpolation": groups}
    return [Section(key, titles[key], texts[key], members, "steps") for key, members in content.items()]


def _ood_sections(run: Run, judge: str) -> list[Section]:
    """Make the sections on vocal and other out-of-domain sounds."""
    failures = _failures(run.results, run.split, run.ood_models, out_of_domain=True)
    scored = [model for model in run.ood_models if model not in failures]
    candidates = [model for model in scored if model != SEARCH]
    titles = {"vocal": "Vocal sketching", "outside": "Out-of-domain sounds"}
    kinds = {collection: "vocal" if collection in VOCAL else "outside" for collection in run.collections}
    if not candidates:
        note = "<p class='missing'>Missing: no model has predictions for these sounds.</p>"
        return [Section(key, title, TEXTS[key] + note) for key, title in titles.items() if key in kinds.values()]
    manifests = {name: run.paths.ood_sounds / f"{name}.csv" for name in run.collections}
    models = run.systems(run.ood_models, out_of_domain=True)
    scores = ood_scores.read_scores([models[model].scores for model in scored], list(manifests.values()))
    models.pop("random", None)
    judge = judge if judge in scored else candidates[-1]
    groups: dict[str, list[Group]] = {"vocal": [], "outside": []}
    for collection, path in manifests.items():
        manifest = read_csv(path, dtype={"id": str})
        manifest = manifest[manifest["status"] == "ok"]
        audio = path.with_suffix(".h5")
        groups[kinds[collection]] += out_of_domain(manifest, audio, models, failures, scores, judge, run.seed)
    return [Section(key, titles[key], TEXTS[key], members) for key, members in groups.items() if members]


def _tables(run: Run) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield captions and formatted tables; of an incomplete run, with the available scores."""
    metrics = list(registry().values())
    complete = run.paths.tables / "scores.csv"
    if run.failures or not complete.exists():
        paths = [run.paths.system(run.split, fold, model).scores for fold in range(run.folds) for model in run.models]
        summary = summarise(gather([path for path in paths if path.exists()]), run.models)
    else:
        summary = score_tables.read(complete)
    yield "Scores: mean over folds ± standard deviation over folds", format_table(summary, metrics)
    if (run.paths.baselines / MANIFEST).exists():
        yield standings.page_table(run.paths.baselines)
    ood_table = run.paths.tables / "outside.csv"
    if run.collections and ood_table.exists():
        for (sounds, collection), rows in score_tables.read(ood_table).groupby(["sounds", "collection"], sort=False):
            yield f"Out-of-domain sounds: {collection} ({sounds} sounds)", format_table(rows, metrics)
