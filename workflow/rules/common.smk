# What the rules share. It is read whenever the workflow is planned, so it is cheap: nothing here imports torch.
import ast
import os
import sys
from functools import cache
from pathlib import Path

# the package beside this workflow is used, here and in jobs, whatever else is installed
sys.path.insert(0, workflow.basedir)
os.environ.update(PYTHONPATH=workflow.basedir)

from flowsynth import synths
from flowsynth.config import check, datasets
from flowsynth.following import leading

os.environ.update(leading())  # jobs end when this process does

# relative, so that a clone can be moved and nothing has to be made again
PACKAGE = Path(os.path.relpath(workflow.basedir)) / "flowsynth"


# used with --sdm apptainer only; envs/apptainer.def builds it
container: "flowsynth.sif"


wildcard_constraints:
    budget="[a-z0-9_]+",
    dataset="[a-z]+[0-9]+",
    split="random|grouped|published",
    fold="[0-9]+",
    shard="[0-9]+",
    model="[a-z][a-z0-9_]*",
    collection="[a-z][a-z0-9_]*",
    renderings="[1-9][0-9]*",


try:
    check(config, Path(workflow.basedir) / "workflow/schemas/config.schema.yaml")
except ValueError as error:
    raise WorkflowError(error)

BUDGET = config["budgets"][config["budget"]]  # the one to run
DATASETS = datasets(config, config["budget"])  # of the synthesizer chosen


@cache
def imported(path):
    """Modules of flowsynth that a module imports, read from its source."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    parts = [n.split(".")[1:] for n in names if n.startswith("flowsynth.")]
    bases = [PACKAGE.joinpath(*part) for part in parts]
    files = [f for b in bases for f in (b.with_suffix(".py"), b / "__init__.py")]
    return [file for file in files if file.is_file()]


def code(*names):
    """Files that a rule's result depends on: modules of flowsynth with all they import.

    An edit of any of them makes the rule run again, as if it were data.
    """
    return with_imported(*(PACKAGE / f"{name}.py" for name in names))


def with_imported(*files):
    """Files of code, and the modules of flowsynth that they import, and that those do."""
    waiting, found = list(files), set()
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += imported(file)
    return sorted(map(str, found))


def refuse(why):
    """Stop: what was asked for can't be made."""
    raise WorkflowError(why)


@cache
def synth_of(dataset):
    """What says what a data set's synthesizer is: its parameter table, and its program where that is one of Faust."""
    synth = synths.dataset(dataset)[0]
    program = [os.path.relpath(synth.plugin)] if synth.plugin.suffix == ".dsp" else []
    return [str(PACKAGE / "synths" / f"{synth.name}.yaml"), *program]


def budget(wildcards):
    """Settings of a rule's budget."""
    return config["budgets"][wildcards.budget]


def shards(kind):
    """Files of all shards of a data set: audio or features."""
    return lambda wildcards: expand(
        f"results/{wildcards.budget}/{wildcards.dataset}/{kind}/{{shard}}.h5",
        shard=range(budget(wildcards)["shards"]),
    )


SAMPLED_IN_A_JOB = 5000


def sampled(wildcards):
    """Features of the presets that are drawn for a fold's training part; none for a model that gets people's alone."""
    w = wildcards
    count = 0 if model_of(w.model) in people_only() else budget(w)["sampled"]
    folder = f"results/{w.budget}/{w.dataset}/{w.split}/fold{w.fold}/sampled"
    return [f"{folder}/{shard}.h5" for shard in range(-(-count // SAMPLED_IN_A_JOB))]


def by_attempt(amount):
    """An amount of time or memory that grows with each attempt."""
    return lambda wildcards, attempt: amount * attempt
