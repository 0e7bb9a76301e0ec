"""The rules of the workflow, as Snakemake parses them."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import json
from pathlib import Path
from snakemake.api import ResourceSettings, SnakemakeApi

def requests(rule, attempt):
    return {name: rule.resources[name]._evaluator(None, attempt=attempt) for name in ("mem_mb", "runtime")}

with SnakemakeApi() as api:
    workflow = api.workflow(ResourceSettings(cores=1), snakefile=Path("Snakefile"))._workflow
    print(json.dumps({
        rule.name: {
            "conda_env": rule.conda_env,
            "arguments": [*rule.input.keys(), *rule.params.keys(), *rule.wildcard_names],
            "module": rule.params.get("module"),
            "requests": [requests(rule, attempt) for attempt in (1, 2, 3)],
        }
        for rule in workflow.rules if rule.script
    }))
"""


@cache
def scripted_rules() -> dict[str, dict[str, Any]]:
    """Return all rules that run a script, by name.

    Each has its conda environment, the names of its inputs, parameters and wildcards (``arguments``), the parameter
    ``module`` of figures, and the requested memory and time of three attempts.
    """
    output = subprocess.check_output([sys.executable, "-c", PROGRAM], cwd=ROOT, text=True)
    return json.loads(output.splitlines()[-1])
