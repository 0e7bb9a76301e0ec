"""Pickles read as data: nothing that a pickle names is ever imported, called or made.

A pickle is a program: it may name any function and have it called. Here its opcodes, as `pickletools` takes them apart,
build plain Python values, and in the place of everything that the pickle would import or call there is a `Made`, which says
what it would have been. Who reads a file takes those apart that they expect, and refuses the others.

References:
    Python's standard library, `pickletools`: what each opcode does.
"""

import io
import pickletools
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

CONSTANTS = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING", "BINSTRING",
    "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
}  # fmt: skip
PLAIN = (str, bytes, int, float, bool, type(None))


@dataclass(frozen=True)
class Named:
    """What a pickle would import."""

    name: str


@dataclass(eq=False)
class Made:
    """What a pickle would make by a call.

    Attributes:
        by: What it would call.
        arguments: With which arguments.
        state: What it would hand over afterwards.
        items: What it would add to it, as to a list or a dictionary.
    """

    by: object
    arguments: tuple
    state: object
    items: list

    @property
    def name(self) -> str:
        """Name of what would be called."""
        return self.by.name if isinstance(self.by, Named) else "something that is no name"


class _Mark:
    """Where on the stack the items of a collection begin."""


def read(file: io.BytesIO) -> object:
    """Read the pickle that begins where a file stands; the file stands behind it afterwards.

    Args:
        file: In memory.

    Returns:
        None, numbers, text, bytes, and lists, tuples, sets and dictionaries of them; and `Named` and `Made`.

    Raises:
        ValueError: If it is no pickle, or one with extension codes or buffers outside of it.
    """
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    try:
        for opcode, argument, _ in pickletools.genops(file):
            if opcode.name in CONSTANTS:
                stack.append(argument)
            else:
                _step(opcode.name, argument, stack, memo)
        (value,) = stack
    except (IndexError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"a damaged pickle: {type(error).__name__} {error}") from error
    return value


def _step(code: str, argument: Any, stack: list[Any], memo: dict[int, Any]) -> None:
    """Do what one opcode says to the stack and the memo."""
    match code:
        case "MEMOIZE":
            memo[len(memo)] = stack[-1]
        case "PUT" | "BINPUT" | "LONG_BINPUT":
            memo[argument] = stack[-1]
        case "GET" | "BINGET" | "LONG_BINGET":
            stack.append(memo[argument])
        case "PROTO" | "FRAME" | "STOP":
            pass
        case "MARK":
            stack.append(_Mark)
        case "POP":
            stack.pop()
        case "POP_MARK":
            _since_mark(stack)
        case "DUP":
            stack.append(stack[-1])
        case "NONE":
            stack.append(None)
        case "NEWTRUE" | "NEWFALSE":
            stack.append(code == "NEWTRUE")
        case "EMPTY_TUPLE" | "EMPTY_LIST" | "EMPTY_DICT" | "EMPTY_SET":
            stack.append({"TUPLE": (), "LIST": [], "DICT": {}, "SET": set()}[code[6:]])
        case "TUPLE":
            stack.append(tuple(_since_mark(stack)))
        case "LIST":
            stack.append(_since_mark(stack))
        case "FROZENSET":
            stack.append(frozenset(map(_key, _since_mark(stack))))
        case "DICT":
            items = _since_mark(stack)
            stack.append({})
            _put(stack[-1], items)
        case "TUPLE1" | "TUPLE2" | "TUPLE3":
            stack[-int(code[-1]) :] = [tuple(_last(stack, int(code[-1])))]
        case "APPEND":
            item = stack.pop()
            _add(stack[-1], [item])
        case "APPENDS" | "ADDITEMS":
            items = _since_mark(stack)
            _add(stack[-1], items)
        case "SETITEM":
            pair = [stack.pop(), stack.pop()][::-1]
            _put(stack[-1], pair)
        case "SETITEMS":
            items = _since_mark(stack)
            _put(stack[-1], items)
        case "GLOBAL":
            stack.append(Named(argument.replace(" ", ".", 1)))
        case "STACK_GLOBAL":
            name, module = stack.pop(), stack.pop()
            if not (isinstance(name, str) and isinstance(module, str)):
                raise ValueError("a pickle that imports something that is no name")
            stack.append(Named(f"{module}.{name}"))
        case "PERSID":
            stack.append(Made(Named("a persistent id"), (argument,), None, []))
        case "BINPERSID":
            stack.append(Made(Named("a persistent id"), (stack.pop(),), None, []))
        case "INST":
            stack.append(Made(Named(argument.replace(" ", ".", 1)), tuple(_since_mark(stack)), None, []))
        case "OBJ":
            by, *items = _since_mark(stack)
            stack.append(Made(by, tuple(items), None, []))
        case "REDUCE" | "NEWOBJ":
            items, by = stack.pop(), stack.pop()
            stack.append(Made(by, _tuple(items), None, []))
        case "NEWOBJ_EX":
            named, items, by = stack.pop(), stack.pop(), stack.pop()
            stack.append(Made(by, _tuple(items), None, [named]))
        case "BUILD":
            state = stack.pop()
            if not isinstance(stack[-1], Made):
                raise ValueError(f"a pickle that sets the state of {type(stack[-1]).__name__}")
            stack[-1].state = state
        case _:
            raise ValueError(f"a pickle with the opcode {code}, which is not read here")


def _last(stack: list[Any], count: int) -> list[Any]:
    if len(stack) < count:
        raise IndexError("the stack is empty")
    return stack[-count:]


def _since_mark(stack: list[Any]) -> list[Any]:
    items: list[Any] = []
    while (item := stack.pop()) is not _Mark:
        items.append(item)
    return items[::-1]


def _tuple(items: Any) -> tuple:
    """Arguments as they are: copies of what is remembered, made again and again, might fill the memory."""
    if not isinstance(items, tuple):
        raise ValueError(f"a pickle that calls something with a {type(items).__name__}")
    return items


def _key(key: Any) -> Hashable:
    """A key whose hash runs no code and needs no depth; what is made stands for itself."""
    if isinstance(key, (*PLAIN, Named, Made)):
        return key
    raise ValueError(f"a pickle with a {type(key).__name__} as a key")


def _add(target: Any, items: list[Any]) -> None:
    if isinstance(target, set):
        target.update(map(_key, items))
    else:
        (target.items if isinstance(target, Made) else target).extend(items)


def _put(target: Any, items: list[Any]) -> None:
    if len(items) % 2:
        raise IndexError("a key without a value")
    pairs = zip(items[::2], items[1::2], strict=True)
    if isinstance(target, Made):
        target.items.extend(pairs)
    else:
        for key, value in pairs:
            target[_key(key)] = value
