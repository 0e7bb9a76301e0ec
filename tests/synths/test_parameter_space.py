"""Descriptions of parameters follow the tables and are consistent."""

import pytest

from flowsynth.synths import spec as synths
from flowsynth.synths.parameter_space import ParameterSpace


@pytest.mark.parametrize("name", synths.available())
def test_a_table_describes_its_parameter_sets(name: str):
    synth = synths.load(name)
    for names in synth.sets.values():
        space = synth.space(names)
        assert len(space) == len(names)
        assert space.names == names
        by_name = {parameter.name: parameter for parameter in synth.parameters}
        for parameter, kind, steps in zip(names, space.kinds, space.steps, strict=True):
            assert (kind, steps) == (by_name[parameter].kind, by_name[parameter].steps)


def test_a_space_follows_the_order_of_the_names():
    synth = synths.load("amsynth")
    names = synth.names[::-1]
    assert synth.space(names).kinds == tuple(parameter.kind for parameter in synth.parameters[::-1])


@pytest.mark.parametrize(
    ("names", "kinds", "steps", "message"),
    [
        (("a", "b"), ("continuous",), (None,), "2 names, 1 kinds and 1 numbers of steps"),
        (("a", "a"), ("continuous",) * 2, (None,) * 2, r"occurs twice in \['a', 'a'\]"),
        (("a",), ("stepped",), (None,), "a: stepped with steps = None"),
        (("a",), ("stepped",), (1,), "a: stepped with steps = 1"),
        (("a",), ("continuous",), (4,), "a: continuous with steps = 4"),
    ],
)
def test_an_inconsistent_space_is_rejected(names: tuple, kinds: tuple, steps: tuple, message: str):
    with pytest.raises(ValueError, match=message):
        ParameterSpace(names, kinds, steps)
