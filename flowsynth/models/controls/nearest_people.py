"""Control: the closest of the training presets that people made. What drawn ones bring to a look-up is left out."""

from flowsynth.models.base import Control, PeopleOnly
from flowsynth.models.controls.nearest import Nearest


class NearestPeople(Nearest, Control, PeopleOnly):
    """Answers as `nearest` does, with presets of people."""
