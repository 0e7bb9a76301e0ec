"""The page of a comparison: where a candidate wins and loses most, to be heard, and how it stands against each baseline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from flowsynth.core import hdf5
from flowsynth.evaluation.summary import heading, number, to_markdown
from flowsynth.leaderboard.baselines import read_predictions
from flowsynth.leaderboard.comparison import extremes, frozen_name
from flowsynth.metrics import JUDGE, registry
from flowsynth.models.base import find
from flowsynth.models.registry import is_answers, is_control, model_of, renderings
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import render
from flowsynth.report.html import Section, build
from flowsynth.report.sections import Group, Sound
from flowsynth.synths.spec import dataset


@dataclass(frozen=True)
class Candidate:
    """What is compared.

    Attributes:
        given: What was asked for: the name of a system, or the path of a file of answers.
        name: Of the candidate.
        answers: Folder of its first fold, with ``predictions.h5`` and ``audio.h5``.
    """

    given: str
    name: str
    answers: Path

    def taken(self) -> str:
        """A sentence about how many renderings it takes, and whether it was trained longer than others."""
        if is_answers(self.given):
            return f"How many renderings {self.name} takes for a sound is not known: its answers were given as a file."
        passes = find(model_of(self.name)).passes
        more = (
            f", and its training passed over the presets {passes} times as often as the budget says"
            if passes > 1
            else ""
        )
        return f"{self.name} takes {renderings(self.name)} renderings for a sound before it answers{more}."


def rival_of(table: pd.DataFrame) -> str:
    """The best baseline in sound that is no control; the best of all, if there are only controls."""
    rows = table[table["metric"] == JUDGE].sort_values("baseline_mean", kind="stable")
    trained = rows[~rows["baseline"].map(frozen_name).map(is_control)]
    return str((trained if len(trained) else rows)["baseline"].iloc[0])


def tables(table: pd.DataFrame, candidate: str) -> dict[str, pd.DataFrame]:
    """Lay a comparison out: a table of text for each metric, the best baseline first.

    Args:
        table: As made by `flowsynth.leaderboard.comparison.compare_to_baselines`.
        candidate: Name of the candidate.
    """
    found = {}
    for name, rows in table.groupby("metric", sort=False):
        metric = registry()[str(name)]
        rows = rows.sort_values("baseline_mean", ascending=metric.better == "lower", kind="stable")
        found[f"{heading(metric)} of {candidate}: {number(rows['candidate_mean'].iloc[0])}"] = pd.DataFrame(
            {
                "Baseline": rows["baseline"],
                "Its mean": rows["baseline_mean"].map(number),
                "Difference": rows["difference"].map(number),
                "95 % interval": [
                    f"{number(a)} to {number(b)}" for a, b in zip(rows["low"], rows["high"], strict=True)
                ],
                "p (Holm)": rows["p_holm"].map(number),
                "The candidate is": [f"**{v}**" if v != "no difference" else v for v in rows["verdict"]],
                "Its renderings a sound": rows["baseline_renderings"].astype("string").fillna("not known"),
            }
        )
    return found


def markdown(table: pd.DataFrame, candidate: str) -> str:
    """The same tables as Markdown."""
    return "\n".join(f"## {caption}\n\n{to_markdown(rows)}" for caption, rows in tables(table, candidate).items())


def make(
    folder: Path,
    candidate: Candidate,
    table: pd.DataFrame,
    scores: pd.DataFrame,
    baselines: Path,
    targets: Sequence[Path],
    called: Mapping[str, str],
    note: Note,
    timeout: float,
) -> int:
    """Write the page.

    Args:
        folder: Of the page; what was in it is removed.
        candidate: What is compared.
        table: As made by `flowsynth.leaderboard.comparison.compare_to_baselines`.
        scores: Of all items, of the candidate and the baselines.
        baselines: Folder of the baselines, which has the name of the data set.
        targets: Files of audio that hold the items.
        called: Names of the presets by item.
        note: What is played.
        timeout: Seconds after which a rendering is given up.

    Returns:
        Size of the page in bytes.
    """
    name, data = candidate.name, baselines.name
    synth, names = dataset(data)
    rival = rival_of(table)
    chosen = extremes(scores, name, rival, JUDGE)
    fold = int(scores["fold"].min())
    items, columns, values = read_predictions(baselines, fold, frozen_name(rival))
    theirs = values[[items.index(item) for item in chosen["item"]]]
    rendered = [result.audio for result in render(synth, note, synth.expand(theirs, columns), timeout)]
    wanted = chosen["item"].tolist()
    originals, true = (hdf5.read_items(targets, kind, wanted) for kind in ("audio", "values"))
    ours = hdf5.read_items([candidate.answers / "predictions.h5"], "estimates", wanted)
    renderings = hdf5.read_items([candidate.answers / "audio.h5"], "audio", [f"{item}/0" for item in wanted])
    groups: dict[str, list[Group]] = {"wins": [], "losses": []}
    for place, row in enumerate(chosen.itertuples()):
        truth = true[row.item][synth.columns(names)]
        sounds = [
            Sound("original", originals[row.item], truth),
            Sound(name, renderings[f"{row.item}/0"], ours[row.item][0], truth, row.candidate),
            Sound(rival, rendered[place], theirs[place], truth, row.rival),
        ]
        side = "wins" if row.gain > 0 else "losses"
        title = f"“{called[row.item]}”"
        reason = f"{registry()[JUDGE].label} {row.candidate:.2f} against {row.rival:.2f} of {rival}."
        groups[side].append(Group(row.item, title, reason, sounds, folded=bool(groups[side])))
    said = {"wins": "wins most", "losses": "loses most"}
    sections = [
        Section(side, f"Where {name} {said[side]}", "<p>Beside it the best baseline in sound.</p>", found)
        for side, found in groups.items()
        if found
    ]
    counts = table.groupby("verdict")["metric"].size()
    facts = {
        "title": f"{name} against the baselines",
        "run": f"{candidate.taken()} Data set {data}, {scores['fold'].nunique()} folds. "
        f"Over all metrics and baselines it is {counts.get('better', 0)} times better, "
        f"{counts.get('worse', 0)} times worse, and {counts.get('no difference', 0)} times there is no difference that can be "
        "told from luck. Sounds are of the first fold.",
        "commands": f"snakemake -c2 compare --config candidate={candidate.given} compared_on={data}",
        "synth": synth.name,
        "parameters": ", ".join(names),
        "chosen": f"By the difference in {registry()[JUDGE].label} from {rival}, the largest to either side.",
        "missing": "",
    }
    return build(folder, sections, tables(table, name), [], synth, names, note.sample_rate, facts)
