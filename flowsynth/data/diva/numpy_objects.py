"""What is expected in a pickle that `flowsynth.data.diva.safe_pickle` has read, taken out; anything else is refused."""

import re

import numpy as np

from flowsynth.data.diva.safe_pickle import Made

ARRAYS = ("numpy.core.multiarray.", "numpy._core.multiarray.")  # numpy 1, numpy 2


def number(value: object) -> float:
    """Take a number out of what was read: Python's, or a scalar of numpy.

    Raises:
        ValueError: If it is anything else.
    """
    if isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1e300):
        return float(value)
    if isinstance(value, Made) and value.name in [f"{module}scalar" for module in ARRAYS]:
        kind, raw = value.arguments
        return float(_decoded(kind, raw, "fiu")[0])
    raise ValueError(f"a {described(value)}, expected a number")


def elements(value: object) -> list[object]:
    """Take the elements out of a list, a tuple, or an array of numpy of objects or texts, of any shape.

    Raises:
        ValueError: If it is anything else.
    """
    if isinstance(value, list | tuple):
        return list(value)
    if not (isinstance(value, Made) and value.name in [f"{module}_reconstruct" for module in ARRAYS]):
        raise ValueError(f"a {described(value)}, expected a list or an array")
    if not isinstance(value.state, tuple) or len(value.state) != 5:
        raise ValueError("an array without its state")
    *_, kind, _, content = value.state
    return content if isinstance(content, list) else _decoded(kind, content, "U").tolist()


def text(value: object) -> str:
    """Take a text out of what was read: Python's, or a scalar of numpy.

    Raises:
        ValueError: If it is anything else.
    """
    if isinstance(value, Made) and value.name in [f"{module}scalar" for module in ARRAYS]:
        kind, raw = value.arguments
        return str(_decoded(kind, raw, "U")[0])
    if isinstance(value, str):
        return value
    raise ValueError(f"a {described(value)}, expected a text")


def described(value: object) -> str:
    """Say what something that was read is, for messages."""
    return f"thing made by {value.name!r}" if isinstance(value, Made) else type(value).__name__


def _decoded(kind: object, raw: object, kinds: str) -> np.ndarray:
    """Bytes of a type of numpy as an array; protocol 2 has bytes as text that is to be encoded."""
    if isinstance(raw, Made) and raw.name == "_codecs.encode" and isinstance(next(iter(raw.arguments), None), str):
        raw = raw.arguments[0].encode("latin-1")
    code = kind.arguments[0] if isinstance(kind, Made) and kind.name == "numpy.dtype" and kind.arguments else None
    if not (isinstance(code, str) and re.fullmatch(f"[{kinds}][0-9]{{1,4}}", code) and isinstance(raw, bytes) and raw):
        said = repr(code[:20]) if isinstance(code, str) else described(code)  # anything else may be of any size
        raise ValueError(f"numbers or texts of the kind {described(kind)} {said} in {described(raw)}")
    state = kind.state if isinstance(kind, Made) else None
    order = state[1] if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">", "|") else "<"
    try:
        return np.frombuffer(raw, dtype=np.dtype(f"{order}{code}"))
    except TypeError as error:
        raise ValueError(f"{error}") from error


def attribute(value: object, name: str) -> object:
    """Take an attribute out of an object, by the state that it would have got.

    Raises:
        ValueError: If it has none of that name.
    """
    state = value.state if isinstance(value, Made) else None
    if not isinstance(state, dict) or name not in state:
        raise ValueError(f"a {described(value)} without {name}")
    return state[name]
