"""Description of the parameters that a model predicts, independent of a synthesizer."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["continuous", "stepped", "category"]


@dataclass(frozen=True)
class ParameterSpace:
    """Names and kinds of the predicted parameters, in the order of a parameter vector.

    Its length is the number of parameters. All values are normalised to [0, 1], whatever the kind.

    Args:
        names: Names.
        kinds: Kind of each parameter: ``continuous``, ``stepped`` (an ordered scale) or ``category``.
        steps: Number of distinct values of each parameter, None for a continuous one.

    Raises:
        ValueError: If the lengths differ, a name occurs twice, a kind is unknown, or a kind and its steps disagree.

    Examples:
        >>> space = ParameterSpace(("cutoff", "waveform"), ("continuous", "stepped"), (None, 4))
        >>> len(space)
        2
    """

    names: tuple[str, ...]
    kinds: tuple[Kind, ...]
    steps: tuple[int | None, ...]

    def __post_init__(self) -> None:
        if not len(self.names) == len(self.kinds) == len(self.steps):
            raise ValueError(
                f"got {len(self.names)} names, {len(self.kinds)} kinds and {len(self.steps)} numbers of steps, "
                "expected one of each per parameter"
            )
        if len(set(self.names)) < len(self.names):
            raise ValueError(f"a name occurs twice in {list(self.names)}, expected different names")
        for name, kind, steps in zip(self.names, self.kinds, self.steps, strict=True):
            if kind not in get_args(Kind):
                raise ValueError(f"{name}: kind {kind!r}, expected one of {list(get_args(Kind))}")
            if (kind == "continuous") != (steps is None) or (steps is not None and steps < 2):
                raise ValueError(f"{name}: {kind} with steps = {steps}, expected None if continuous, else 2 or more")

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def continuous(cls, names: Iterable[str]) -> "ParameterSpace":
        """Describe parameters that are all continuous.

        >>> ParameterSpace.continuous(["cutoff", "resonance"]).kinds
        ('continuous', 'continuous')
        """
        names = tuple(names)
        kinds: tuple[Kind, ...] = tuple("continuous" for _ in names)
        return cls(names, kinds, (None,) * len(names))
