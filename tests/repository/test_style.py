"""Every rule file is included, every configuration key documented, and parsing the rules imports no torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
RULES = sorted(path.stem for path in (ROOT / "workflow" / "rules").glob("*.smk"))


def test_snakefile_includes_every_rule_file():
    text = (ROOT / "Snakefile").read_text()
    assert all(f'"workflow/rules/{name}.smk"' in text for name in RULES)


def test_every_config_key_is_documented():
    """In the schema, or in a comment in config.yaml."""
    schema = yaml.safe_load((ROOT / "workflow" / "schemas" / "config.schema.yaml").read_text())
    lines = (ROOT / "config.yaml").read_text().splitlines()
    commented = {line.split(":")[0].strip() for line in lines if "#" in line}
    self_explanatory = {"epochs", "network", "dropout"}

    def leaves(node, path=()):
        for key, child in node.get("properties", {}).items():
            if "properties" in child or isinstance(child.get("additionalProperties"), dict):
                yield from leaves(child, (*path, key))
            else:
                yield key, child
        if isinstance(node.get("additionalProperties"), dict):
            yield from leaves(node["additionalProperties"], path)

    documented = commented | self_explanatory
    undocumented = [key for key, child in leaves(schema) if "description" not in child and key not in documented]
    assert undocumented == []


@pytest.mark.parametrize("name", ["budget", "render", "features", "budgets"])
def test_schema_rejects_unknown_keys(name: str):
    schema = yaml.safe_load((ROOT / "workflow" / "schemas" / "config.schema.yaml").read_text())
    assert schema["additionalProperties"] is False
    node = schema["properties"][name]
    if node.get("type") == "object":
        inner = node["additionalProperties"]
        assert inner is False or inner["additionalProperties"] is False


@pytest.mark.parametrize("folder", ["flowsynth", "workflow", "bench"])
def test_every_text_file_is_opened_with_an_encoding(folder: str):
    """Ruff checks only what it knows to be a path."""

    def lacks_encoding(call: ast.Call) -> bool:
        name = getattr(call.func, "attr", "")
        keywords = {keyword.arg for keyword in call.keywords}
        modes = [value.value for value in call.args if isinstance(value, ast.Constant) and isinstance(value.value, str)]
        opens = name == "open" and ast.unparse(call.func) != "os.open" and not any("b" in mode for mode in modes)
        return "text" in keywords or ((opens or name in ("read_text", "write_text")) and "encoding" not in keywords)

    calls = [
        (file, call)
        for file in sorted((ROOT / folder).rglob("*.py"))
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
    ]
    assert [f"{file}:{call.lineno}: {ast.unparse(call)}" for file, call in calls if lacks_encoding(call)] == []


@pytest.mark.slow
def test_parsing_rules_does_not_import_torch():
    files = [ROOT / "Snakefile", *sorted((ROOT / "workflow" / "rules").glob("*.smk"))]
    imported = {
        line.split()[1] for file in files for line in file.read_text().splitlines() if line.startswith("from flow")
    }
    assert "flowsynth.leaderboard.manifest" in imported

    def loads_torch(modules: set[str]) -> bool:
        code = f"import sys, {', '.join(sorted(modules))}; print('torch' in sys.modules)"
        return subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True) == "True\n"

    assert not loads_torch(imported)
    assert loads_torch({"flowsynth.leaderboard.baselines"})  # the check itself can fail
