"""Description of a data set's folder in the format Croissant, from which ``mlcroissant`` loads the tables.

It can't load HDF5 files: they are described as files, and ``items.csv`` has the shard and row of each preset.

References:
    MLCommons, "Croissant Format Specification", version 1.0.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flowsynth.core.readers import read_csv
from flowsynth.data.data_card import Facts, content_of

# the context of the specification: its own terms, and those with a type
TERMS = (
    "citeAs", "column", "equivalentProperty", "extract", "field", "fileObject", "fileProperty", "fileSet", "format",
    "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex",
    "repeated", "replace", "samplingRate", "separator", "source", "subField", "transform",
)  # fmt: skip
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in TERMS},
}
FORMATS = {".csv": "text/csv", ".json": "application/json", ".h5": "application/x-hdf5", ".md": "text/markdown"}
TYPES = {"b": "sc:Boolean", "i": "sc:Integer", "f": "sc:Float"}  # by kind of numpy type; anything else is text
LICENCES = {
    "GPL-2+": "https://spdx.org/licenses/GPL-2.0-or-later.html",
    "MIT": "https://spdx.org/licenses/MIT.html",
}


def describe(facts: Facts, folder: Path, checksums: Mapping[str, str]) -> dict[str, Any]:
    """Describe a data set in JSON-LD.

    Args:
        facts: What is known of it.
        folder: Folder with its files.
        checksums: SHA-256 by file name, relative to the folder.
    """
    tables = [name for name in checksums if name.endswith(".csv") and not name.endswith("_leaks.csv")]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": facts.name,
        "description": f"{facts.summary} {facts.note}",
        "version": facts.maker["flowsynth"],
        "license": LICENCES.get(facts.origin.licence, facts.origin.licence),
        "creator": {"@type": "sc:Organization", "name": "The flowsynth authors"},
        "citeAs": facts.citation,
        "isLiveDataset": False,
        "distribution": [_file(name, checksum, folder) for name, checksum in checksums.items()],
        "recordSet": [_record_set(name, folder) for name in tables],
    }


def _file(name: str, checksum: str, folder: Path) -> dict[str, Any]:
    """Describe a file."""
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "description": content_of(name),
        "contentUrl": name,
        "contentSize": f"{(folder / name).stat().st_size} B",
        "encodingFormat": FORMATS.get(Path(name).suffix, "text/plain"),
        "sha256": checksum,
    }


def _record_set(name: str, folder: Path) -> dict[str, Any]:
    """Describe the rows of a table; its types are those that pandas, and so mlcroissant, reads."""
    record_set = name.removesuffix(".csv").replace("/", "_")
    types = read_csv(folder / name).dtypes
    key = [column for column in ("fold", "id") if column in types] or ["name"]
    return {
        "@type": "cr:RecordSet",
        "@id": record_set,
        "name": record_set,
        "description": content_of(name),
        "key": [{"@id": f"{record_set}/{column}"} for column in key],
        "field": [_field(record_set, name, column, dtype.kind) for column, dtype in types.items()],
    }


def _field(record_set: str, table: str, column: str, kind: str) -> dict[str, Any]:
    """Describe a column of a table."""
    field = {
        "@type": "cr:Field",
        "@id": f"{record_set}/{column}",
        "name": column,
        "dataType": TYPES.get(kind, "sc:Text"),
        "source": {"fileObject": {"@id": table}, "extract": {"column": column}},
    }
    if column == "id" and record_set != "presets":
        field["references"] = {"field": {"@id": "presets/id"}}
    return field
