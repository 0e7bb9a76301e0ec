"""Real-time control of a trained model with a latent space: encode a sound, move in the latent space, follow a path.

The controller is independent of a protocol: `flowsynth.apps.osc_server` exposes it by Open Sound Control,
`flowsynth.apps.explorer.service` on a page. Its state is a latent; each change returns the synthesizer's parameters.

References:
    Esling et al. 2019, 2020: the real-time implementation, a device for Max for Live, with the same ideas:
    encoding, macro-controls ordered by influence, two dimensions at once, paths through the latent space.
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
from flowsynth.inference.trained_model import PlayableModel
from flowsynth.latent_space.traversals import LATENT_LIMIT, parameter_change, sweep
from flowsynth.models.autoencoders.base import LatentModel

SEED = 1  # of stochastic predictions: fixed, so that only a move changes the sound
MAX_COORDINATE = 10.0  # largest absolute coordinate of a latent; the standard deviation of its prior is 1
MAX_POINTS = 10_000  # of a path

Values = Float[np.ndarray, " parameters"]


class LatentController:
    """A model with a latent space, and the current position in it.

    Args:
        trained: Trained model with its synthesizer.

    Raises:
        ValueError: If the model has no latent space.
    """

    def __init__(self, trained: PlayableModel):
        if not isinstance(trained.model, LatentModel):
            raise ValueError(
                f"{trained.checkpoint}: {type(trained.model).__name__} has no latent space; use vae or flow_reg"
            )
        torch.set_num_threads(1)  # faster for small networks
        self.trained, self.model = trained, trained.model
        self.names = trained.names
        self.z = torch.zeros(self.model.latent)
        self.values = self.predict(self.z)
        self.path: list[tuple[Tensor, Values]] = []
        self.presets = self._place_presets()
        self.macro_dimensions = self._rank_dimensions()

    def predict(self, z: Float[Tensor, " latent"]) -> Values:
        """Predict the parameters of a latent, in [0, 1], without moving there."""
        torch.manual_seed(SEED)
        with torch.no_grad():
            return self.model.decode_parameters(z[None], 1)[0, 0].clamp(0, 1).numpy()

    def _place_presets(self) -> pd.DataFrame:
        """Place the test presets on the first two principal axes of their latents: x and y, with names, by id."""
        presets = self.trained.map_presets
        self._preset_latents = torch.from_numpy(presets.latents)
        self._centre = self._preset_latents.mean(dim=0)
        *_, axes = torch.linalg.svd(self._preset_latents - self._centre, full_matrices=False)
        self._axes = axes[:2].T
        positions = ((self._preset_latents - self._centre) @ self._axes).numpy()
        self._preset_values = presets.values
        return pd.DataFrame({"name": presets.names, "x": positions[:, 0], "y": positions[:, 1]})

    def _rank_dimensions(self) -> list[int]:
        """Rank the dimensions of the latent by how much they change the parameters, the strongest first."""
        lines = sweep(torch.zeros(1, self.model.latent), range(self.model.latent), -LATENT_LIMIT, LATENT_LIMIT)
        estimates = np.array([[self.predict(z) for z in line] for line in lines])
        self.influence = estimates.std(axis=1)  # of each dimension on each parameter
        return np.argsort(-parameter_change(estimates), kind="stable").tolist()

    def map_position(self, z: Float[Tensor, " latent"]) -> tuple[float, float]:
        """Project a latent on the first two principal axes of the presets' latents, x and y."""
        x, y = ((z - self._centre) @ self._axes).tolist()
        return x, y

    def move_to(self, z: Sequence[float]) -> Values:
        """Move to a point of the latent space.

        Raises:
            ValueError: If the number of coordinates is wrong, or one is not within +-`MAX_COORDINATE`.
        """
        point = np.asarray(z, dtype=np.float32)
        if point.shape != (self.model.latent,):
            raise ValueError(f"{point.size} coordinates, expected {self.model.latent}")
        if not (np.abs(point) <= MAX_COORDINATE).all():
            raise ValueError(f"coordinates {point.min():g} to {point.max():g}, expected within +-{MAX_COORDINATE:g}")
        self.z = torch.from_numpy(point)
        self.values = self.predict(self.z)
        return self.values

    def set_coordinates(self, coordinates: Mapping[int, float]) -> Values:
        """Set some coordinates, by dimension.

        Raises:
            ValueError: If a dimension does not exist, or a value is not within +-`MAX_COORDINATE`.
                Nothing is changed then.
        """
        z = self.z.tolist()
        for dimension, value in coordinates.items():
            if not 0 <= dimension < self.model.latent:
                raise ValueError(f"dimension {dimension}, expected 0 to {self.model.latent - 1}")
            z[dimension] = value
        return self.move_to(z)

    def set_macro(self, control: int, value: float) -> Values:
        """Set the coordinate of a macro-control; 0 is the dimension that changes the parameters most."""
        if not 0 <= control < self.model.latent:
            raise ValueError(f"macro-control {control}, expected 0 to {self.model.latent - 1}")
        return self.set_coordinates({self.macro_dimensions[control]: value})

    def encode_file(self, path: Path) -> preprocessing.PreparedSound:
        """Preprocess a sound file and move to its latent.

        Raises:
            SoundFileError: If it can't be read, is silent, or too short.
        """
        sound = preprocessing.prepare_file(path, self.trained.note, self.trained.level)
        self.encode(sound.audio)
        return sound

    def encode(self, audio: Float[np.ndarray, " samples"]) -> Values:
        """Move to the latent of a sound that has the length and the sample rate of the data set."""
        log_mel = torch.from_numpy(self.trained.log_mel(audio)).float()
        with torch.no_grad():
            z = self.model.encode(log_mel[None])[0].clamp(-MAX_COORDINATE, MAX_COORDINATE)
        return self.move_to(z.tolist())

    def load_preset(self, identifier: str) -> Values:
        """Move to the latent of a preset's sound, and take the preset's own parameters.

        Raises:
            ValueError: If there is no preset of that id.
        """
        self.z, self.values = self.find_preset(identifier)
        return self.values

    def find_preset(self, identifier: str) -> tuple[Float[Tensor, " latent"], Values]:
        """Return the latent of a preset's sound and the preset's own parameters, without moving there.

        Raises:
            ValueError: If there is no preset of that id.
        """
        if identifier not in self.presets.index:
            raise ValueError(f"unknown preset {identifier!r:.60}, expected the id of one of {len(self.presets)}")
        row = int(self.presets.index.get_loc(identifier))
        return self._preset_latents[row].clamp(-MAX_COORDINATE, MAX_COORDINATE), self._preset_values[row]

    def add_to_path(self) -> int:
        """Append the current position to the path, and return the number of its points.

        Raises:
            ValueError: If the path has `MAX_POINTS`.
        """
        if len(self.path) >= MAX_POINTS:
            raise ValueError(f"the path has {len(self.path)} points, expected at most {MAX_POINTS}: clear it")
        self.path.append((self.z.clone(), self.values.copy()))
        return len(self.path)

    def move_along_path(self, t: float, latent: bool = True) -> Values:
        """Move along the path by linear interpolation between its points.

        Args:
            t: Position on the path, in [0, 1].
            latent: Whether to interpolate latents, or else parameters.

        Raises:
            ValueError: If the path has fewer than two points, or `t` is not in [0, 1].
        """
        if len(self.path) < 2:
            raise ValueError(f"the path has {len(self.path)} points, expected at least 2")
        if not 0 <= t <= 1:
            raise ValueError(f"t = {t:g}, expected 0 to 1")
        position = t * (len(self.path) - 1)
        segment = min(int(position), len(self.path) - 2)
        (z, values), (next_z, next_values) = self.path[segment], self.path[segment + 1]
        weight = position - segment
        between = torch.lerp(z, next_z, weight)
        if latent:
            return self.move_to(between.tolist())
        self.z, self.values = between, (1 - weight) * values + weight * next_values
        return self.values

    def render(self, path: Path) -> None:
        """Render the current parameters into a WAV file.

        Raises:
            RenderingError: If the synthesizer fails.
        """
        (full,) = self.trained.synth.expand(self.values[None], self.names)
        wavfile.write(path, self.trained.note.sample_rate, self.trained.render_preset(full))
