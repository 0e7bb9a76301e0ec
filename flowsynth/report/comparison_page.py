"""Build the page that compares a candidate with the baselines, with the sounds of its largest gains and losses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from flowsynth.core import hdf5
from flowsynth.core.layout import SystemPaths
from flowsynth.evaluation.score_tables import systems
from flowsynth.evaluation.summary import heading, number, to_markdown
from flowsynth.leaderboard.baselines import read_predictions
from flowsynth.leaderboard.comparison import extremes, frozen_name
from flowsynth.metrics import PRIMARY_METRIC, registry
from flowsynth.models.base import find
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import render
from flowsynth.report.html import Section, build
from flowsynth.report.sections import Group, Sound
from flowsynth.synths.spec import dataset


@dataclass(frozen=True)
class Candidate:
    """A system or a file of predictions to compare with the baselines.

    Attributes:
        source: Name of a system, or path of a file of predictions.
        name: Name of the candidate.
        paths: Paths of its first fold.
    """

    source: str
    name: str
    paths: SystemPaths


def render_cost(candidate: str, scores: pd.DataFrame) -> str:
    """Return a sentence on a candidate's number of renderings per sound, and on training beyond the budget."""
    system = systems(scores).loc[candidate]
    if pd.isna(system["renderings"]):
        return f"The number of renderings of {candidate} per sound is not known: it was submitted as a file."
    passes = find(system["base_model"]).passes
    training = f", and its training makes {passes} times as many passes as the budget" if passes > 1 else ""
    return f"{candidate} uses {system['renderings']} renderings per sound{training}."


def best_baseline(table: pd.DataFrame) -> str:
    """Return the best baseline in sound that is not a control, or the best control if there are only controls.

    Args:
        table: Comparison, from `flowsynth.leaderboard.comparison.compare_to_baselines`.
    """
    rows = table[table["metric"] == PRIMARY_METRIC].sort_values("baseline_mean", kind="stable")
    trained = rows[~rows["baseline_is_control"]]
    return str((trained if len(trained) else rows)["baseline"].iloc[0])


def format_tables(table: pd.DataFrame, candidate: str) -> dict[str, pd.DataFrame]:
    """Format a comparison as one table of text per metric, the best baseline first.

    Args:
        table: Comparison, from `flowsynth.leaderboard.comparison.compare_to_baselines`.
        candidate: Name of the candidate.

    Returns:
        Tables by caption.
    """
    tables = {}
    for name, rows in table.groupby("metric", sort=False):
        metric = registry()[str(name)]
        rows = rows.sort_values("baseline_mean", ascending=metric.better == "lower", kind="stable")
        tables[f"{heading(metric)} of {candidate}: {number(rows['candidate_mean'].iloc[0])}"] = pd.DataFrame(
            {
                "Baseline": rows["baseline"],
                "Baseline mean": rows["baseline_mean"].map(number),
                "Difference": rows["difference"].map(number),
                "95 % interval": [
                    f"{number(a)} to {number(b)}" for a, b in zip(rows["low"], rows["high"], strict=True)
                ],
                "p (Holm)": rows["p_holm"].map(number),
                "Candidate is": [f"**{v}**" if v != "no difference" else v for v in rows["verdict"]],
                "Baseline renderings per sound": rows["baseline_renderings"].astype("string").fillna("not known"),
            }
        )
    return tables


def markdown(table: pd.DataFrame, candidate: str) -> str:
    """Format the tables of `format_tables` as Markdown."""
    tables = format_tables(table, candidate)
    return "\n".join(f"## {caption}\n\n{to_markdown(rows)}" for caption, rows in tables.items())


def build_page(
    folder: Path,
    candidate: Candidate,
    table: pd.DataFrame,
    scores: pd.DataFrame,
    baselines: Path,
    targets: Sequence[Path],
    preset_names: Mapping[str, str],
    note: Note,
    timeout: float,
) -> int:
    """Build the page of a comparison.

    Args:
        folder: Folder of the page; its previous content is removed.
        candidate: The candidate.
        table: Comparison, from `flowsynth.leaderboard.comparison.compare_to_baselines`.
        scores: Scores of all items, of the candidate and the baselines.
        baselines: Folder of the baselines, named by the data set.
        targets: Audio files with the items.
        preset_names: Names of the presets, by item.
        note: Note to render.
        timeout: Limit for one rendering in seconds.

    Returns:
        Size of all files of the page in bytes.
    """
    name, data = candidate.name, baselines.name
    synth, names = dataset(data)
    rival = best_baseline(table)
    selection = extremes(scores, name, rival, PRIMARY_METRIC)
    fold = int(scores["fold"].min())
    items, columns, values = read_predictions(baselines, fold, frozen_name(rival))
    rival_values = values[[items.index(item) for item in selection["item"]]]
    rival_audio = [result.audio for result in render(synth, note, synth.expand(rival_values, columns), timeout)]
    selected = selection["item"].tolist()
    originals, true_values = (hdf5.read_items(targets, kind, selected) for kind in ("audio", "values"))
    estimates = hdf5.read_items([candidate.paths.predictions], "estimates", selected)
    audio = hdf5.read_items([candidate.paths.audio], "audio", [f"{item}/0" for item in selected])
    groups: dict[str, list[Group]] = {"wins": [], "losses": []}
    for index, row in enumerate(selection.itertuples()):
        truth = true_values[row.item][synth.columns(names)]
        sounds = [
            Sound("original", originals[row.item], truth),
            Sound(name, audio[f"{row.item}/0"], estimates[row.item][0], truth, row.candidate),
            Sound(rival, rival_audio[index], rival_values[index], truth, row.rival),
        ]
        side = "wins" if row.gain > 0 else "losses"
        title = f"“{preset_names[row.item]}”"
        reason = f"{registry()[PRIMARY_METRIC].label} {row.candidate:.2f}, {row.rival:.2f} for {rival}."
        groups[side].append(Group(row.item, title, reason, sounds, collapsed=bool(groups[side])))
    titles = {"wins": f"Largest gains of {name}", "losses": f"Largest losses of {name}"}
    sections = [
        Section(side, titles[side], "<p>Compared with the best baseline in sound.</p>", members)
        for side, members in groups.items()
        if members
    ]
    counts = table.groupby("verdict")["metric"].size()
    facts = {
        "title": f"{name} against the baselines",
        "run": f"{render_cost(name, scores)} Data set {data}, {scores['fold'].nunique()} folds. "
        f"Over all metrics and baselines it is significantly better {counts.get('better', 0)} times, "
        f"significantly worse {counts.get('worse', 0)} times, and not significantly different "
        f"{counts.get('no difference', 0)} times. Sounds are from the first fold.",
        "commands": f"snakemake -c2 compare --config candidate={candidate.source} compared_on={data}",
        "synth": synth.name,
        "parameters": ", ".join(names),
        "selection": f"The largest differences to {rival} in {registry()[PRIMARY_METRIC].label}, in both directions.",
        "missing": "",
    }
    return build(folder, sections, format_tables(table, name), [], synth, names, note.sample_rate, facts)
