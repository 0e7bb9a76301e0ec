"""Pickle reader that never imports or calls anything.

A pickle is a program that may call any function. This reader interprets the opcodes, as parsed by `pickletools`, and
builds plain Python values only; a `Global` or a `Call` stands for everything that the pickle would import or call. Only
opcodes that the published files need are supported. Callers extract the values that they expect, and reject anything
else.

A restricted `pickle.Unpickler` is not safe enough: numpy's own constructors let a pickle read arbitrary memory (a dtype
with forged flags), and nested keys or large memo indices exhaust stack or memory.

References:
    Python's standard library, `pickletools`: definition of the opcodes.
"""

import io
import pickletools
from dataclasses import dataclass
from typing import Any

CONSTANTS = {
    "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT", "BINSTRING", "SHORT_BINSTRING", "BINBYTES",
    "SHORT_BINBYTES", "BINBYTES8", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
}  # fmt: skip
EMPTY = {"EMPTY_TUPLE": tuple, "EMPTY_LIST": list, "EMPTY_DICT": dict}


@dataclass(frozen=True)
class Global:
    """Name of an object that the pickle would import."""

    name: str


@dataclass(eq=False)
class Call:
    """Call that the pickle would make.

    Attributes:
        function: What it would call.
        arguments: Positional arguments.
        state: State that it would set on the result, if any.
    """

    function: object
    arguments: tuple
    state: object = None

    @property
    def name(self) -> str:
        """Name of the function."""
        return self.function.name if isinstance(self.function, Global) else "an unnamed function"


class _Mark:
    """Start of a group of items on the stack."""


def read(file: io.BytesIO) -> object:
    """Read one pickle, from the current position of a file to its end.

    Args:
        file: File in memory.

    Returns:
        None, bool, numbers, str, bytes; lists, tuples and dictionaries of them; and `Global` and `Call`.

    Raises:
        ValueError: If the pickle is damaged or has an opcode that is not supported.
    """
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    try:
        for opcode, argument, _ in pickletools.genops(file):
            _apply(opcode.name, argument, stack, memo)
        (value,) = stack
    except (IndexError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"damaged pickle: {type(error).__name__} {error}") from error
    return value


def _apply(opcode: str, argument: Any, stack: list[Any], memo: dict[int, Any]) -> None:
    """Apply one opcode to the stack and the memo."""
    match opcode:
        case "PROTO" | "FRAME" | "STOP":
            pass
        case _ if opcode in CONSTANTS:
            stack.append(argument)
        case _ if opcode in EMPTY:
            stack.append(EMPTY[opcode]())
        case "NONE":
            stack.append(None)
        case "NEWTRUE" | "NEWFALSE":
            stack.append(opcode == "NEWTRUE")
        case "MEMOIZE":
            memo[len(memo)] = stack[-1]
        case "BINPUT" | "LONG_BINPUT":
            memo[argument] = stack[-1]
        case "BINGET" | "LONG_BINGET":
            stack.append(memo[argument])
        case "MARK":
            stack.append(_Mark)
        case "TUPLE":
            stack.append(tuple(_pop_group(stack)))
        case "TUPLE1" | "TUPLE2" | "TUPLE3":
            stack.append(tuple([stack.pop() for _ in range(int(opcode[-1]))][::-1]))
        case "APPEND" | "APPENDS":
            items = _pop_group(stack) if opcode == "APPENDS" else [stack.pop()]
            if not isinstance(stack[-1], Call):  # items added to the result of a call are ignored
                stack[-1].extend(items)
        case "SETITEM" | "SETITEMS":
            items = _pop_group(stack) if opcode == "SETITEMS" else [stack.pop(), stack.pop()][::-1]
            if not isinstance(stack[-1], Call):
                stack[-1].update((_key(key), value) for key, value in zip(items[::2], items[1::2], strict=True))
        case "GLOBAL":
            stack.append(Global(argument.replace(" ", ".", 1)))
        case "STACK_GLOBAL":
            name, module = stack.pop(), stack.pop()
            if not (isinstance(name, str) and isinstance(module, str)):
                raise ValueError("a pickle with an import that is not a name")
            stack.append(Global(f"{module}.{name}"))
        case "BINPERSID":
            stack.append(Call(Global("a persistent id"), (stack.pop(),)))
        case "REDUCE" | "NEWOBJ":
            arguments, function = stack.pop(), stack.pop()
            if not isinstance(arguments, tuple):  # stored as it is: a copy at each call could exhaust memory
                raise ValueError(f"a pickle with a call with {type(arguments).__name__} as arguments")
            stack.append(Call(function, arguments))
        case "BUILD":
            state = stack.pop()
            if not isinstance(stack[-1], Call):
                raise ValueError(f"a pickle that sets the state of {type(stack[-1]).__name__}")
            stack[-1].state = state
        case _:
            raise ValueError(f"a pickle with the opcode {opcode}, which is not supported")


def _pop_group(stack: list[Any]) -> list[Any]:
    """Pop all items above the last mark, and the mark."""
    items: list[Any] = []
    while (item := stack.pop()) is not _Mark:
        items.append(item)
    return items[::-1]


def _key(key: Any) -> Any:
    """Check the key of a dictionary; the hash of a nested tuple could overflow the C stack."""
    if isinstance(key, str | bytes | int | float | None | Global | Call):
        return key
    raise ValueError(f"a pickle with a {type(key).__name__} as a key")
