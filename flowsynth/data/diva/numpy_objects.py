"""Conversion of values read by `flowsynth.data.diva.safe_pickle` to Python values; unexpected ones are rejected."""

import re

import numpy as np

from flowsynth.data.diva.safe_pickle import Call

MODULES = ("numpy.core.multiarray.", "numpy._core.multiarray.")  # numpy 1, numpy 2
SCALARS = [f"{module}scalar" for module in MODULES]
ARRAYS = [f"{module}_reconstruct" for module in MODULES]


def to_number(value: object) -> float:
    """Convert a Python number or a scalar of numpy.

    Raises:
        ValueError: If the value is anything else.
    """
    if isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1e300):
        return float(value)
    if isinstance(value, Call) and value.name in SCALARS:
        dtype, raw = value.arguments
        return float(_decode(dtype, raw, "fiu")[0])
    raise ValueError(f"got {describe(value)}, expected a number")


def to_list(value: object) -> list[object]:
    """Convert a list, a tuple, or a numpy array of objects or texts of any shape.

    Raises:
        ValueError: If the value is anything else.
    """
    if isinstance(value, list | tuple):
        return list(value)
    if not (isinstance(value, Call) and value.name in ARRAYS):
        raise ValueError(f"got {describe(value)}, expected a list or an array")
    if not isinstance(value.state, tuple) or len(value.state) != 5:
        raise ValueError("got an array without its state")
    *_, dtype, _, content = value.state
    return content if isinstance(content, list) else _decode(dtype, content, "U").tolist()


def to_text(value: object) -> str:
    """Convert a Python text or a scalar of numpy.

    Raises:
        ValueError: If the value is anything else.
    """
    if isinstance(value, Call) and value.name in SCALARS:
        dtype, raw = value.arguments
        return str(_decode(dtype, raw, "U")[0])
    if isinstance(value, str):
        return value
    raise ValueError(f"got {describe(value)}, expected a text")


def get_attribute(value: object, name: str) -> object:
    """Get an attribute of an object from its pickled state.

    Raises:
        ValueError: If the object has no such attribute.
    """
    state = value.state if isinstance(value, Call) else None
    if not isinstance(state, dict) or name not in state:
        raise ValueError(f"got {describe(value)} without {name}")
    return state[name]


def describe(value: object) -> str:
    """Describe a value for messages."""
    return f"a call of {value.name!r}" if isinstance(value, Call) else f"a {type(value).__name__}"


def _decode(dtype: object, raw: object, kinds: str) -> np.ndarray:
    """Convert pickled bytes of a pickled dtype to an array; protocol 2 stores bytes as text with an encoding."""
    if isinstance(raw, Call) and raw.name == "_codecs.encode" and isinstance(next(iter(raw.arguments), None), str):
        raw = raw.arguments[0].encode("latin-1")
    code = dtype.arguments[0] if isinstance(dtype, Call) and dtype.name == "numpy.dtype" and dtype.arguments else None
    if not (isinstance(code, str) and re.fullmatch(f"[{kinds}][0-9]{{1,4}}", code) and isinstance(raw, bytes) and raw):
        shown = repr(code[:20]) if isinstance(code, str) else describe(code)  # anything else may have an endless repr
        raise ValueError(f"got {describe(raw)} with the dtype {shown} from {describe(dtype)}")
    state = dtype.state if isinstance(dtype, Call) else None
    order = state[1] if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">", "|") else "<"
    try:
        return np.frombuffer(raw, dtype=np.dtype(f"{order}{code}"))
    except TypeError as error:
        raise ValueError(f"{error}") from error
