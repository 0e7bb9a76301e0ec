"""Data card: the ``README.md`` of a data set's folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from string import Template
from typing import Any

import pandas as pd

from flowsynth.data.splits import SAME_SOUND
from flowsynth.synths.spec import Synth

# what files contain, by pattern; the first that matches applies
CONTENTS = {
    "presets.csv": "One row per preset: `id`, `name`, `bank`, and all parameters, in [0, 1].",
    "parameters.csv": "The parameters: whether they are inferred, kind, number of steps, range, default and unit.",
    "items.csv": "The `row` of each preset in `audio/SHARD.h5` and `features/SHARD.h5`, and the `status` of its sound.",
    "split/*_leaks.csv": "Numbers of test presets with a near-duplicate in the training set.",
    "split/*.csv": "The `part` of each preset in each fold, and its `group` of near-duplicates.",
    "audio/*.h5": "`id`, `values` (all parameters), `audio` (presets x samples, float32 of full scale 1), `status`, `reason`.",
    "features/*.h5": "`id`, `values`, `mel` (log-mel spectrograms: presets x bands x frames, float32), `status`.",
    "*.csv.json": "Provenance of a table: versions, commit and settings.",
    "README.md": "This data card.",
    "COPYRIGHT": "Copyright file of the package of the presets.",
    "croissant.json": "Description in the format MLCommons Croissant.",
    "SHA256SUMS": "Checksums: `sha256sum -c SHA256SUMS`.",
}


def content_of(name: str) -> str:
    """Describe a file of a data set.

    >>> content_of("split/grouped.csv")
    'The `part` of each preset in each fold, and its `group` of near-duplicates.'
    """
    return next(content for pattern, content in CONTENTS.items() if fnmatch(name, pattern))


@dataclass(frozen=True)
class Origin:
    """Where presets and sounds come from.

    Attributes:
        package: Name and version of the Debian package of the banks; empty if they are of none.
        licence: Short name of the licence of the presets.
        banks: SHA-256 by name of bank; empty if the presets are drawn.
        outside: Number of banks that are not of this package.
        plugin: File name of the plugin, and Debian package and version.
    """

    package: str
    licence: str
    banks: Mapping[str, str]
    outside: int
    plugin: str


@dataclass(frozen=True)
class Facts:
    """What is known of a data set.

    Attributes:
        name: Name, such as ``amsynth16``.
        synth: Synthesizer.
        origin: Where presets and sounds come from.
        counts: Presets read, dropped and kept, see `flowsynth.data.presets.collect`.
        items: Table ``items.csv``.
        parameters: Table ``parameters.csv``.
        splits: Tables of all splits, with the name in the column ``split``.
        leaks: Near-duplicates across the partitions of all splits.
        maker: Provenance and settings of the features.
    """

    name: str
    synth: Synth
    origin: Origin
    counts: Mapping[str, int]
    items: pd.DataFrame
    parameters: pd.DataFrame
    splits: pd.DataFrame
    leaks: pd.DataFrame
    maker: Mapping[str, Any]

    @property
    def title(self) -> str:
        """Title of the data set."""
        return f"{self.name}: presets of {self.synth.name} and their sounds"

    @property
    def summary(self) -> str:
        """Describe the data set in two sentences."""
        return (
            f"{len(self.items):,} presets of the synthesizer {self.synth.name}, each with its sound, its log-mel spectrogram "
            f"and its partition in several splits. The task is to infer {self.parameters['inferred'].sum()} of "
            f"{len(self.parameters)} parameters from the sound."
        )

    @property
    def note(self) -> str:
        """Describe the note, the recording and the features."""
        return Template(
            "MIDI note $pitch, velocity $velocity, held for $held s; $duration s recorded at $sample_rate Hz, mean of the "
            "channels. The features are log(mel power + $floor): $n_mels bands from $fmin to $fmax Hz, FFT $n_fft, hop "
            "$hop_length, first $frames frames."
        ).substitute(self.maker)

    @property
    def citation(self) -> str:
        """Citation of the data set."""
        return (
            f"The flowsynth authors. {self.title}. flowsynth {self.maker['flowsynth']}, commit {self.maker['commit']}."
        )


CARD = Template("""\
# $title

$summary

## Files

$files

All are regular files: the shards are hard links to those of the run, or copies. So an archive made with `tar`, with or
without `-h`, has their content, and the folder can be moved.

## Origin and licence

$origin

The sounds are rendered by $plugin, sha256 `$plugin_sha256`, in DawDreamer $dawdreamer. flowsynth $flowsynth, commit
`$commit`, made everything else; it adds no conditions to those of the presets.

$banks

## Note and features

$note

## Presets

$counts

## Splits

Numbers of presets. Silent and failed ones are in no partition.

$sizes

`grouped` keeps near-duplicates in one partition: presets within a mean absolute parameter difference of $same_parameters, or
a log-mel L1 of $same_sound. Leaks are test presets with a training preset within a distance; their numbers over all folds:

$leaks

## Parameters

$parameters

## Known limits

$limits

## Load

With flowsynth:

```python
from flowsynth import datasets

train = datasets.load("$name", split="grouped", fold=0, part="train", folder="PATH OF THIS FOLDER")
train.mel, train.values, train.audio  # numpy arrays, one row per preset
train.torch()  # torch.utils.data.Dataset
```

By the description alone, the tables; `mlcroissant` can't read HDF5:

```python
import mlcroissant

for preset in mlcroissant.Dataset("croissant.json").records("presets"):
    print(preset["presets/id"], preset["presets/name"])
```

## Cite

> $citation

Please cite also the origin of the presets, and the paper whose system flowsynth rebuilds: Esling et al., *Flow Synthesizer:
Universal Audio Synthesizer Control with Normalizing Flows*, Applied Sciences 10(1), 302, 2020,
[doi:10.3390/app10010302](https://doi.org/10.3390/app10010302).
""")


def write_card(facts: Facts) -> str:
    """Write the data card in Markdown."""
    sizes = facts.splits.groupby(["split", "fold"])["part"].value_counts().unstack(fill_value=0).reset_index()
    leaks = facts.leaks.groupby(["split", "kind", "within"])[["items", "leaked"]].sum().reset_index()
    files = {f"`{pattern}`": content for pattern, content in CONTENTS.items()}
    banks = {f"`{bank}`": f"`{checksum}`" for bank, checksum in facts.origin.banks.items()}
    return CARD.substitute(
        facts.maker,
        title=facts.title,
        name=facts.name,
        summary=facts.summary,
        files=_two_columns("file", "content", files),
        origin=_origin(facts),
        plugin=facts.origin.plugin,
        banks=_two_columns("bank", "sha256", banks) if banks else "",
        note=facts.note,
        counts=_two_columns("presets", "number", _counts(facts)),
        sizes=_markdown(sizes),
        same_parameters=facts.synth.same_parameters,
        same_sound=SAME_SOUND,
        leaks=_markdown(leaks.assign(share=(leaks["leaked"] / leaks["items"]).map("{:.1%}".format))),
        parameters=_markdown(facts.parameters.astype(object).fillna("")),
        limits="\n".join(f"- {limit}" for limit in _limits(facts)),
        citation=facts.citation,
    )


def _counts(facts: Facts) -> dict[str, int]:
    """Count presets by what became of them."""
    grouped = facts.splits[(facts.splits["split"] == "grouped") & (facts.splits["fold"] == 0)]
    group_sizes = grouped["group"].value_counts()
    status = facts.items["status"].value_counts()
    source = "drawn" if "drawn" in facts.counts else "read"
    total, duplicates, kept = (facts.counts[name] for name in (source, "duplicates", "kept"))
    return {
        source: total,
        "distinct in all parameters": facts.counts["distinct_before_projection"],
        "dropped: duplicates in the inferred parameters": duplicates,
        "dropped: more than the budget of the run": total - duplicates - kept,
        "in this data set": kept,
        **{f"with a sound that is {name}": status.get(name, 0) for name in ("silent", "clipped")},
        "that could not be rendered": status.get("failed", 0),
        "with a near-duplicate": group_sizes[group_sizes > 1].sum(),
        "in the largest group of near-duplicates": group_sizes.max(),
    }


def _origin(facts: Facts) -> str:
    """State the origin and the licence of the presets."""
    origin = facts.origin
    if not origin.banks:
        return (
            "Nobody designed these presets: flowsynth draws them from the prior in its parameter table of "
            f"{facts.synth.name}. Licence: {origin.licence}, that of flowsynth."
        )
    if not origin.package:
        return f"The presets are those of {len(origin.banks)} banks of no Debian package. Licence: {origin.licence}."
    banks = f"{len(origin.banks) - origin.outside} banks of the Debian package {origin.package}"
    if origin.outside:
        banks += f" and of {origin.outside} of no Debian package"
    return (
        f"The presets are those of {banks}. Licence: "
        f"{origin.licence}, by the copyright file of the package ([COPYRIGHT](COPYRIGHT))."
    )


def _limits(facts: Facts) -> list[str]:
    """List the known limits of a data set."""
    limits = [
        "One note at one velocity, in mono.",
        "Only the same build of the plugin reproduces the sounds bit by bit.",
        "`random` leaks, see above. In `grouped`, a group larger than a quarter of the test set is always in the training "
        "set.",
    ]
    if not facts.parameters["inferred"].all():
        limits.append(
            "Parameters that are not inferred are at their default in all presets: a sound is that of the original preset "
            "only if they are at their default there too."
        )
    if facts.synth.inactive or facts.synth.symmetries:
        limits.append(
            "Some parameters have no audible effect in some presets, so different presets may sound the same."
        )
    return limits


def _two_columns(first: str, second: str, rows: Mapping[str, object]) -> str:
    return _markdown(pd.DataFrame(list(rows.items()), columns=[first, second]))


def _markdown(table: pd.DataFrame) -> str:
    return table.to_markdown(index=False, disable_numparse=True)
