# Shared by all rules. Every plan reads this file, so nothing here imports torch.
import os
import signal
import sys
from functools import cache
from pathlib import Path

# use the package beside this workflow, here and in jobs, whatever else is installed
sys.path.insert(0, workflow.basedir)

from flowsynth.config import settings
from flowsynth.config.validation import check, check_wildcards
from flowsynth.core import code_digest
from flowsynth.core.environment import cache_environment, search_path
from flowsynth.core.parent_process import parent_environment
from flowsynth.models import registry
from flowsynth.models.systems import (
    DECISION_RULES,
    INITIAL_CANDIDATES,
    PROPOSALS,
    SURROGATE,
    SURROGATE_RULES,
    System,
    draws_from_density,
    is_prediction_file,
    prediction_name,
)
from flowsynth.synths import spec as synths
from snakemake.script import PythonScript

os.environ.update(search_path(workflow.basedir))
code_digest.keep_in(Path(".snakemake/code_digests"))
os.environ.update(parent_environment())  # jobs end when this process does
os.environ.update(cache_environment())
# a terminal that is closed ends the run as Ctrl-C does, without a lock that stays; nohup still works
if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:
    signal.signal(signal.SIGHUP, signal.default_int_handler)
# glibc returns large arrays to the system, and each page of the next one costs a fault: 13 to 30 % of a training step of
# cnn. With these limits it keeps arrays of up to 32 MiB, its maximum, and 1 GiB in all.
os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(2**25))
os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", str(2**30))

# Snakemake 9.27 does not quote the path of its interpreter, which may contain a space
execute = PythonScript._execute_cmd
PythonScript._execute_cmd = lambda self, command, **settings: execute(
    self, command.replace("{py_exec} ", "{py_exec:q} "), **settings
)

# relative, so that a clone can be moved without rerunning anything
PACKAGE = Path(os.path.relpath(workflow.basedir)) / "flowsynth"


# used with --sdm apptainer only; envs/apptainer.def builds it
container: "flowsynth.sif"


wildcard_constraints:
    budget="[a-z0-9_]+",
    dataset="[a-z]+[0-9]+",
    split="random|grouped|published",
    fold="0|[1-9][0-9]*",
    shard="0|[1-9][0-9]*",
    model="[a-z][a-z0-9_]*",
    collection="[a-z][a-z0-9_]*",
    renderings="[1-9][0-9]*",
    draws="[1-9][0-9]*",
    dimension="|_z[0-9]+",


try:
    check(config, Path(workflow.basedir) / "workflow/schemas/config.schema.yaml")
except ValueError as error:
    raise WorkflowError(error)

RUN = settings.resolve(config)
SPLITS = ["random", "grouped"] + ["published"] * (config["split"] == "published")
# the timeout does not change a rendering
RENDER = {key: value for key, value in config["render"].items() if key != "timeout"}
CONTROLS = "|".join(sorted(registry.controls() - {"search"}))
os.environ.update(registry.traits_environment())
ANY_MODEL = f"(?:{'|'.join(registry.models())})(?:_seed[0-9]+)?"


def code(script, *models):
    """Parameter of a rule: digest of the code its results depend on, so that an edit of the code reruns the rule.

    That is the script, all modules that it imports, and the sources of models; see flowsynth.core.code_digest.
    """
    path = Path(workflow.basedir) / "workflow/scripts" / f"{script}.py"
    return lambda wildcards: code_digest.digest(
        path, *(registry.source_file(System.parse(name).model) for name in models)
    )


def code_for_model(script):
    """The same for a rule with the wildcard model."""
    return lambda wildcards: code(script, wildcards.model)(wildcards)


def code_of_figure(module):
    """The same for a figure, whose code is the module that draws it."""
    script = Path(workflow.basedir) / "workflow/scripts/figures/draw.py"
    return lambda wildcards: code_digest.digest(
        script, PACKAGE / "figures" / f"{module}.py"
    )


def is_surrogate(model):
    """Return whether a model, or its training with another seed, is a surrogate."""
    return System.parse(model).model in registry.surrogates()


def stop(problem):
    """End with a message. Of an exception in a function of inputs, Snakemake would print the traceback."""
    sys.exit(f"\nerror: {problem}\n")


def required(files, problem):
    """Input files of a target; stop with the problem if there is one, because of which the target can't be made."""
    if problem:
        stop(problem)
    return files


@cache
def check_requested(wildcards):
    """Stop if the wildcards of a file, as pairs of name and value, are not in the configuration."""
    try:
        check_wildcards(config, dict(wildcards))
    except ValueError as error:
        stop(error)


def synth_of(wildcards):
    """Files that define the synthesizer of a data set: its parameter table, and its Faust program if it has one."""
    check_requested(tuple(wildcards.items()))
    return synth_files(wildcards.dataset)


def banks_of(wildcards):
    """Preset banks of a data set; a job says so if there is none."""
    check_requested(tuple(wildcards.items()))
    synth = synths.dataset(wildcards.dataset)[0].with_banks(config.get("banks"))
    return [str(path) for path in synth.bank_files()]


@cache
def synth_files(dataset):
    """The same, by the name of the data set."""
    synth = synths.dataset(dataset)[0]
    program = [os.path.relpath(synth.plugin)] if synth.plugin.suffix == ".dsp" else []
    return [str(PACKAGE / "synths/specs" / f"{synth.name}.yaml"), *program]


def budget(wildcards):
    """Settings of the budget of a job."""
    check_requested(tuple(wildcards.items()))
    return config["budgets"][wildcards.budget]


def shards(kind):
    """Files of all shards of a data set: audio or features."""
    return lambda wildcards: expand(
        f"results/{wildcards.budget}/{wildcards.dataset}/{kind}/{{shard}}.h5",
        shard=range(budget(wildcards)["shards"]),
    )


def synthetic_features(wildcards):
    """Features of the synthetic presets of a fold; none for models fitted to human-designed presets only."""
    w, count = wildcards, budget(wildcards)["synthetic_presets"]
    if System.parse(w.model).model in registry.human_presets_only():
        count = 0
    folder = f"results/{w.budget}/{w.dataset}/{w.split}/fold{w.fold}/sampled"
    return [f"{folder}/{n}.h5" for n in range(len(settings.job_sizes(count)))]


def by_attempt(**amounts):
    """Resources of a job, such as mem_mb and runtime, that grow with each attempt."""
    return {
        name: lambda wildcards, attempt, amount=amount: amount * attempt
        for name, amount in amounts.items()
    }
