"""Reference of the configuration, from its schema, and of the commands, from their parsers."""

import argparse
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from unittest.mock import patch

import pandas as pd

from flowsynth.apps import cli, import_diva, inspect_plugin
from flowsynth.evaluation.summary import to_markdown


class _ParserBuilt(Exception):
    """Carries the parser of a program out of it."""


def commands() -> str:
    """Describe the command line: each command with its arguments."""
    parsers = [
        *_with_subcommands(_parser(cli.main)),
        *(_parser(program.main) for program in (inspect_plugin, import_diva)),
    ]
    return "\n".join(_describe(parser) for parser in parsers)


def _parser(main: Callable[[], None]) -> argparse.ArgumentParser:
    """Return the parser that a program builds."""

    def stop(parser: argparse.ArgumentParser, *_: object) -> None:
        raise _ParserBuilt(parser)

    with patch.object(argparse.ArgumentParser, "parse_args", stop):
        try:
            main()
        except _ParserBuilt as built:
            return built.args[0]
    raise ValueError(f"{main.__module__} builds no parser")


def _with_subcommands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield a parser and those of its commands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.values()


def _describe(parser: argparse.ArgumentParser) -> str:
    """Describe a command: its usage, and a table of its arguments."""
    rows = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            rows += [(f"`{choice.dest}`", choice.help) for choice in action._choices_actions]
        elif action.help != argparse.SUPPRESS and not isinstance(action, argparse._HelpAction):
            value = "" if action.nargs == 0 else str(action.metavar or action.dest.upper())
            names = ", ".join(action.option_strings)
            rows.append((f"`{f'{names} {value}'.strip()}`", _help(parser, action)))
    table = to_markdown(pd.DataFrame(rows, columns=["Argument", "Meaning"])) if rows else ""
    with patch.dict("os.environ", COLUMNS="78"):
        usage = parser.format_usage().removeprefix("usage: ")
    epilog = f"\n```\n{parser.epilog.strip()}\n```\n" if parser.epilog else ""
    return f"## {parser.prog}\n\n{parser.description or ''}\n\n```\n{usage}```\n\n{table}{epilog}"


def _help(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    """Return the help of an argument with its default filled in."""
    return parser._get_formatter()._expand_help(action) if action.help else ""


def configuration(schema: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """Describe the keys of the configuration.

    Args:
        schema: JSON schema of the configuration.
        config: The configuration, whose values are shown.
    """
    keys = schema["properties"]
    plain = {
        key: node for key, node in keys.items() if "properties" not in node and key not in ("out_of_domain", "budgets")
    }
    parts = ["## Top level", _keys(plain, config)]
    for key, node in keys.items():
        if key not in plain:
            parts += [f"## `{key}`", node.get("description", "")]
            inner = node if "properties" in node else node["additionalProperties"]
            nested = {name: child for name, child in inner["properties"].items() if "properties" in child}
            rest = {name: child for name, child in inner["properties"].items() if name not in nested}
            parts.append(_keys(rest, config[key] if inner is node else None))
            for name, child in nested.items():
                parts += [f"### `{name}` of a budget", child.get("description", ""), _keys(child["properties"], None)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _keys(properties: Mapping[str, Any], values: Mapping[str, Any] | None) -> str:
    """Write a table of keys, with their values where there is one configuration of them."""
    rows = []
    for name, node in properties.items():
        row = {"Key": f"`{name}`", "Value": _type(node), "Meaning": node.get("description", "")}
        if values is not None:
            row["In config.yaml"] = _value(values[name]) if name in values else "not set"
        rows.append(row)
    return to_markdown(pd.DataFrame(rows))


def _type(node: Mapping[str, Any]) -> str:
    """Describe the values that a key may have."""
    if "enum" in node:
        return " or ".join(f"`{value}`" for value in node["enum"])
    if "const" in node:
        return f"`{node['const']}`"
    if "oneOf" in node:
        return ", or ".join(_type(choice) for choice in node["oneOf"])
    types = node["type"] if isinstance(node["type"], list) else [node["type"]]
    names = {"array": "list", "string": "text", "null": "`null`", "object": "mapping"}
    text = " or ".join(names.get(name, name) for name in types)
    limits = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {node[limit]}" for limit, sign in limits.items() if limit in node]
    return f"{text} {', '.join(bounds)}".strip()


def _value(value: object) -> str:
    """Write a value of the configuration."""
    if isinstance(value, list):
        return ", ".join(f"`{item}`" for item in value)
    return "`null`" if value is None else f"`{value}`"


def budgets(settings: Mapping[str, Mapping[str, Any]]) -> str:
    """Write a table of budgets, one row each.

    Args:
        settings: Settings by budget.
    """
    rows = [
        {"Budget": f"`{name}`", **{f"`{key}`": _cell(value) for key, value in budget.items() if key != "models"}}
        for name, budget in settings.items()
    ]
    models = [
        f"| `{name}` | {_value(budget['models'])} |\n"
        if "models" in budget
        else f"| `{name}` | those of the top level |\n"
        for name, budget in settings.items()
    ]
    table = to_markdown(pd.DataFrame(rows).fillna(""))
    return (
        f'<div class="sortable" markdown="1">\n\n{table}\n\n</div>\n\n| Budget | Models |\n|:--|:--|\n{"".join(models)}'
    )


def _cell(value: object) -> str:
    """Write a value of a budget in one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {entry}" for key, entry in value.items())
    return ", ".join(value) if isinstance(value, list) else "null" if value is None else str(value)
