"""What an instrument does with a trained model, live: encode a sound, move in the latent space, morph along a path.

Nothing here knows how it is asked: `flowsynth.apps.osc_server` answers messages with it, `flowsynth.apps.explorer.service`
a page. A latent is the state; whatever changes it gives the parameters to send to the synthesizer.

References:
    Esling et al. 2019, 2020: the real-time implementation, a device for Max for Live, with which this shares its ideas:
    encoding, macro-controls in the order of their influence, two dimensions at once, paths through sounds.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from scipy.io import wavfile
from torch import Tensor

from flowsynth.data.out_of_domain import preprocessing
from flowsynth.inference.trained_model import TrainedModel
from flowsynth.latent_space.traversals import LATENT_LIMIT, sweep
from flowsynth.models.autoencoders.base import LatentModel

SEED = 1  # of what is random in an answer: the same for all, so that a move is heard and nothing else
FAR = 10.0  # a coordinate of a latent may be so far from 0, where its prior has a standard deviation of 1

Values = Float[np.ndarray, " parameters"]


class Device:
    """A model with a latent space, and where in it we are.

    Args:
        trained: The trained model and its run.

    Raises:
        ValueError: If the model has no latent.
    """

    def __init__(self, trained: TrainedModel):
        if not isinstance(trained.model, LatentModel):
            raise ValueError(
                f"{trained.checkpoint}: {type(trained.model).__name__} has no latent; take vae or flow_reg, say"
            )
        torch.set_num_threads(1)  # small networks are faster so
        self.trained, self.model = trained, trained.model
        self.names = trained.names
        self.z = torch.zeros(self.model.latent)
        self.values = self.answer(self.z)
        self.path: list[tuple[Tensor, Values]] = []
        self.presets = self._presets()
        self.order = self._influence()

    def answer(self, z: Float[Tensor, " latent"]) -> Values:
        """What the model makes of a point of the latent space, in [0, 1]; where the device is stays as it is."""
        torch.manual_seed(SEED)
        with torch.no_grad():
            return self.model.decode_parameters(z[None], 1)[0, 0].clamp(0, 1).numpy()

    def _presets(self) -> pd.DataFrame:
        """Test presets of the run that can be placed: index id, name, and the two main axes of their latents, x and y."""
        test = self.trained.test.all()
        with torch.no_grad():
            self._latents = self.model.encode(test.mel)
        self._centre = self._latents.mean(dim=0)
        *_, axes = torch.linalg.svd(self._latents - self._centre, full_matrices=False)
        self._axes = axes[:2].T
        place = ((self._latents - self._centre) @ self._axes).numpy()
        self._values = test.values.numpy()
        called = self.trained.preset_names.loc[list(self.trained.test.ids)]
        return pd.DataFrame({"name": called, "x": place[:, 0], "y": place[:, 1]})

    def _influence(self) -> list[int]:
        """Dimensions of the latent, that which moves the parameters most first."""
        lines = sweep(torch.zeros(1, self.model.latent), range(self.model.latent), -LATENT_LIMIT, LATENT_LIMIT)
        self.moved = np.array([np.std([self.answer(z) for z in line], axis=0) for line in lines])
        return np.argsort(-self.moved.mean(axis=1), kind="stable").tolist()

    def place(self, z: Float[Tensor, " latent"]) -> tuple[float, float]:
        """Where a latent is among the presets: on the two main axes of theirs, x and y."""
        x, y = ((z - self._centre) @ self._axes).tolist()
        return x, y

    def move(self, z: Sequence[float]) -> Values:
        """Go to a point of the latent space.

        Raises:
            ValueError: If it has another number of dimensions, or is not within +- `FAR` everywhere.
        """
        point = np.asarray(z, dtype=np.float32)
        if point.shape != (self.model.latent,):
            raise ValueError(f"{point.size} coordinates, expected {self.model.latent}")
        if not (np.abs(point) <= FAR).all():
            raise ValueError(f"coordinates {point.min():g} to {point.max():g}, expected within +-{FAR:g}")
        self.z = torch.from_numpy(point)
        self.values = self.answer(self.z)
        return self.values

    def set(self, coordinates: Mapping[int, float]) -> Values:
        """Change some coordinates, by their dimensions.

        Raises:
            ValueError: If there is no such dimension, or one is not within +- `FAR`; none is changed then.
        """
        z = self.z.tolist()
        for dimension, value in coordinates.items():
            if not 0 <= dimension < self.model.latent:
                raise ValueError(f"dimension {dimension}, expected 0 to {self.model.latent - 1}")
            z[dimension] = value
        return self.move(z)

    def macro(self, control: int, value: float) -> Values:
        """Change the coordinate of a macro-control: 0 is the dimension that moves the parameters most."""
        if not 0 <= control < self.model.latent:
            raise ValueError(f"macro-control {control}, expected 0 to {self.model.latent - 1}")
        return self.set({self.order[control]: value})

    def encode(self, path: Path) -> preprocessing.PreparedSound:
        """Hear a sound file and go where it is.

        Raises:
            ValueError: If it can't be read, is silent, or too short.
        """
        note = self.trained.note
        heard = preprocessing.prepare(preprocessing.load(path, note.sample_rate), note, self.trained.level)
        self.hear(heard.audio)
        return heard

    def hear(self, audio: Float[np.ndarray, " samples"]) -> Values:
        """Go where a sound is, that is as long as a recording of the data set, and at its rate."""
        mel = torch.from_numpy(self.trained.log_mel(audio)).float()
        with torch.no_grad():
            z = self.model.encode(mel[None])[0].clamp(-FAR, FAR)
        return self.move(z.tolist())

    def preset(self, name: str) -> Values:
        """Go to a preset: to the latent of its sound, with its own parameters.

        Raises:
            ValueError: If there is none of that id.
        """
        self.z, self.values = self.known(name)
        return self.values

    def known(self, name: str) -> tuple[Float[Tensor, " latent"], Values]:
        """The latent of a preset's sound, and its own parameters, without going there.

        Raises:
            ValueError: If there is none of that id.
        """
        if name not in self.presets.index:
            raise ValueError(f"there is no preset {name!r:.60} among {len(self.presets)}")
        row = int(self.presets.index.get_loc(name))
        return self._latents[row].clamp(-FAR, FAR), self._values[row]

    def add(self) -> int:
        """Put where we are at the end of the path; how many points it has then."""
        self.path.append((self.z.clone(), self.values.copy()))
        return len(self.path)

    def along(self, t: float, latent: bool = True) -> Values:
        """Go along the path, on straight lines between its points.

        Args:
            t: 0 is its first point, 1 its last.
            latent: Through the latent space, or from parameters to parameters.

        Raises:
            ValueError: If the path has fewer than two points, or `t` is not within 0 to 1.
        """
        if len(self.path) < 2:
            raise ValueError(f"the path has {len(self.path)} points, expected at least 2")
        if not 0 <= t <= 1:
            raise ValueError(f"t = {t:g}, expected 0 to 1")
        place = t * (len(self.path) - 1)
        first = min(int(place), len(self.path) - 2)
        (z, values), (other_z, other_values) = self.path[first], self.path[first + 1]
        share = place - first
        between = torch.lerp(z, other_z, share)
        if latent:
            return self.move(between.tolist())
        self.z, self.values = between, (1 - share) * values + share * other_values
        return self.values

    def play(self, path: Path) -> None:
        """Render the note with the parameters as they are into a WAV file.

        Raises:
            RenderingError: If the synthesizer fails.
        """
        (full,) = self.trained.synth.expand(self.values[None], self.names)
        wavfile.write(path, self.trained.note.sample_rate, self.trained.render_preset(full))
