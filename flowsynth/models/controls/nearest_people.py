"""Control: the nearest neighbour among human-designed presets, without synthetic presets."""

from typing import ClassVar

from flowsynth.models.controls.nearest import Nearest


class NearestPeople(Nearest):
    """Predicts as `Nearest` does, from human-designed presets."""

    human_presets_only: ClassVar[bool] = True
