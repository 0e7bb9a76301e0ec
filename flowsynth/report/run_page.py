"""What a page shows of a run: its files to sections, tables and figures. What is missing is marked, with the reason.

Single sounds are of the first fold.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from flowsynth.evaluation import incomplete_runs, out_of_domain
from flowsynth.evaluation.example_selection import select
from flowsynth.evaluation.summary import gather, lay_out, summarise
from flowsynth.leaderboard import standings
from flowsynth.leaderboard.manifest import MANIFEST
from flowsynth.metrics import registry
from flowsynth.report.html import Figure, Section, build
from flowsynth.report.sections import Group, lines, macro_controls, outside, reconstruction
from flowsynth.synths.spec import dataset

VOCAL = ("voices", "hums")  # collections that are sketched with the voice
SEARCH = "search"
TEXTS = {
    "reconstruction": "<p>Sounds of the test part, and what each model makes of them: a model hears the sound, answers with "
    "parameters, and the synthesizer plays them. Strokes on the parameters are those of the original preset.</p>",
    "macro_controls": "<p>Each dimension of the latent space of <code>{shown}</code> in turn. Whether such dimensions act "
    "more smoothly on the sound than the synthesizer's own parameters is measured: see the figure of smoothness.</p>",
    "interpolation": "<p>Between two sounds, in the latent space of <code>{shown}</code> and straight from one set of "
    "parameters to the other; and the neighbourhoods of both.</p>",
    "vocal": "<p>Voices, and sung glides made by rule, through every model. They were trimmed, shifted to the note that is "
    "played, and made as loud as the synthesizer's sounds. <code>nearest</code> and <code>search</code> say what the "
    "synthesizer can reach.</p>",
    "outside": "<p>Instruments and recordings that the synthesizer did not make, treated in the same way.</p>",
}


@dataclass(frozen=True)
class Run:
    """A run to be shown.

    Attributes:
        results: Folder of its budget and data set.
        split: Name of the split.
        folds: Their number.
        models: All that were run.
        heard: Those of them whose answers are played.
        shown: The model whose latent is explored; the items are chosen by its scores.
        explored: Whether it has a latent.
        answering: Models that answer to sounds from outside, search among them.
        collections: Of sounds from outside.
        figures: Title, text and PNG file of each; one whose file is not there is marked.
        sample_rate: Hz.
        seed: Of the choice of items.
    """

    results: Path
    split: str
    folds: int
    models: Sequence[str]
    heard: Sequence[str]
    shown: str
    explored: bool
    answering: Sequence[str]
    collections: Sequence[str]
    figures: Sequence[tuple[str, str, str]]
    sample_rate: int
    seed: int

    @cached_property
    def lost(self) -> dict[str, str]:
        """Models without scores in the first fold, and why."""
        return _reasons(self.results, self.split, self.models)

    @property
    def fold(self) -> Path:
        """Folder of the first fold."""
        return self.results / self.split / "fold0"

    @property
    def outside(self) -> Path:
        """Folder of what models answered to sounds from outside."""
        return self.results / "outside" / self.split / "fold0"


def make(run: Run, folder: Path) -> int:
    """Write the page of a run.

    Args:
        run: The run; at least one model but the oracle has to have scores.
        folder: Of the page; what was in it is removed.

    Returns:
        Size of the page in bytes.

    Raises:
        ValueError: If no model has scores.
    """
    scored = [model for model in run.heard if model not in run.lost]
    if not scored:
        raise ValueError(f"{run.fold}: there are no scores of {', '.join(run.heard)} to make a page of")
    scores = gather([run.fold / model / "scores.csv" for model in scored])
    judge = run.shown if run.shown in scored else scored[-1]
    chosen = select(scores[scores["model"] == judge], run.seed)
    presets = pd.read_csv(run.results / "presets.csv", dtype={"id": str, "name": str}, keep_default_na=False)
    called = dict(zip(presets["id"], presets["name"], strict=True))
    models = {model: run.fold / model for model in run.heard}
    targets = sorted((run.results / "audio").glob("*.h5"))
    groups = reconstruction(chosen, targets, models, run.lost, scores, called)
    sections = [Section("reconstruction", "Audio reconstruction", TEXTS["reconstruction"], groups)]
    if run.explored:
        sections += _explored(run, called)
    sections += _outside(run, judge)
    roles = chosen.drop_duplicates("role")[["role", "reason"]].to_numpy()
    synth, names = dataset(run.results.name)
    facts = {
        "title": "Universal audio synthesizer control, run again",
        "run": "A sound goes in, the parameters of a synthesizer that make it come out. These are the sounds, figures and "
        f"tables of one run of the benchmark: data set {run.results.name}, budget {run.results.parent.name}, {run.folds} "
        f"fold{'s' * (run.folds > 1)}; sounds are of the first fold.",
        "commands": f"make reproduce\n.venv/bin/snakemake -c2 page --config budget={run.results.parent.name}",
        "synth": synth.name,
        "parameters": ", ".join(names),
        "chosen": " ".join(f"{role.capitalize()}: {reason}." for role, reason in roles),
        "missing": ", ".join(run.lost),
    }
    figures = [Figure(title, text, Path(png)) for title, text, png in run.figures]
    return build(folder, sections, dict(_tables(run)), figures, synth, names, run.sample_rate, facts)


def _reasons(results: Path, split: str, models: Sequence[str]) -> dict[str, str]:
    """Why models have no scores in the first fold."""
    rows = incomplete_runs.missing(results, split, 1, models)
    return {row.model: f"{row.stage}: {row.reason}" if row.stage else str(row.reason) for row in rows.itertuples()}


def _explored(run: Run, called: Mapping[str, str]) -> list[Section]:
    """Sections of the latent space; where the model or its exploration is missing, they say so."""
    place = run.fold / run.shown / "explore"
    vectors = {kind: place / f"{kind}.h5" for kind in ("macro_controls", "interpolation", "neighbourhood")}
    heard = {kind: path.parent / "audio" / path.name for kind, path in vectors.items()}
    titles = {"macro_controls": "Macro-control learning", "interpolation": "Audio space interpolation"}
    if not all(path.exists() for path in (*vectors.values(), *heard.values())):
        why = f"<p class='missing'>Missing: there is no exploration of <code>{run.shown}</code>.</p>"
        return [Section(key, title, TEXTS[key].format(shown=run.shown) + why) for key, title in titles.items()]
    between = lines(vectors["interpolation"], heard["interpolation"])
    around = lines(vectors["neighbourhood"], heard["neighbourhood"])
    ends = " to ".join(f"“{called[item]}”" for item in around)
    groups = [
        Group("latent", "In the space of sounds", f"{ends}, in eight steps on a straight line.", between["latent"]),
        Group("parameters", "In the space of parameters", f"{ends}, the same two ends.", between["parameters"]),
    ]
    reason = "First what the model makes of the sound, then five points near it: N(0, 0.1) added to its latent."
    groups += [Group(item, f"Around “{called[item]}”", reason, sounds) for item, sounds in around.items()]
    controls = macro_controls(vectors["macro_controls"], heard["macro_controls"])
    shown = {"macro_controls": controls, "interpolation": groups}
    return [Section(k, titles[k], TEXTS[k].format(shown=run.shown), found, "steps") for k, found in shown.items()]


def _outside(run: Run, judge: str) -> list[Section]:
    """Sections of voices and of other sounds that the synthesizer did not make."""
    lost = _reasons(run.results, str(run.outside.parent.relative_to(run.results)), run.answering)
    scored = [model for model in run.answering if model not in lost]
    rivals = [model for model in scored if model != SEARCH]
    titles = {"vocal": "Vocal sketching", "outside": "Sounds from outside"}
    kinds = {collection: "vocal" if collection in VOCAL else "outside" for collection in run.collections}
    if not rivals:
        why = "<p class='missing'>Missing: no model has answered to these sounds.</p>"
        return [Section(key, title, TEXTS[key] + why) for key, title in titles.items() if key in kinds.values()]
    manifests = {name: run.results / "outside" / "sounds" / f"{name}.csv" for name in run.collections}
    scores = out_of_domain.read([run.outside / model / "scores.csv" for model in scored], list(manifests.values()))
    models = {model: run.outside / model for model in run.answering if model != "random"}
    judge = judge if judge in scored else rivals[-1]
    found: dict[str, list[Group]] = {"vocal": [], "outside": []}
    for collection, path in manifests.items():
        manifest = pd.read_csv(path, dtype={"id": str})
        manifest = manifest[manifest["status"] == "ok"]
        found[kinds[collection]] += outside(manifest, path.with_suffix(".h5"), models, lost, scores, judge, run.seed)
    return [Section(key, titles[key], TEXTS[key], groups) for key, groups in found.items() if groups]


def _tables(run: Run) -> Iterator[tuple[str, pd.DataFrame]]:
    """Tables of text by caption; of a run that did not finish, of the scores there are."""
    metrics = list(registry().values())
    whole = run.results / "tables" / "scores.csv"
    if run.lost or not whole.exists():
        folds = [run.results / run.split / f"fold{fold}" for fold in range(run.folds)]
        paths = [fold / model / "scores.csv" for fold in folds for model in run.models]
        summary = summarise(gather([path for path in paths if path.exists()]), run.models)
    else:
        summary = pd.read_csv(whole)
    yield "Scores: mean over folds ± standard deviation over folds", lay_out(summary, metrics)
    baselines = run.results.parents[1] / "baselines" / run.results.name
    if (baselines / MANIFEST).exists():
        yield standings.page_table(baselines)
    far = run.results / "tables" / "outside.csv"
    if run.collections and far.exists():
        for (sounds, collection), rows in pd.read_csv(far).groupby(["sounds", "collection"], sort=False):
            yield f"Sounds from outside: {collection} ({sounds} sounds)", lay_out(rows, metrics)
