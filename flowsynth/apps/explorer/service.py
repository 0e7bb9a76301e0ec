"""Operations of the explorer page: presets on a map, interpolation between them, macro-controls, sounds to match.

Each request carries the full position: responses do not depend on earlier requests, and equal requests are rendered
bit-identically. `flowsynth.apps.explorer.server` exposes the operations to the page. Presets keep their own parameters.
A macro-control adds the change of the model's prediction to them. Interpolation through sounds is linear interpolation
of parameters plus the deviation of the model's predictions, along the line between the latents, from their own linear
interpolation. So a control at 0 changes nothing, and presets that the model reproduces move as its predictions do.

References:
    Esling et al. 2019, 2020: exploration of presets in a space of sounds, macro-controls, vocal sketching.
"""

import base64
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.io import wavfile
from torch import Tensor

from flowsynth.apps.latent_controller import MAX_COORDINATE, LatentController, Values
from flowsynth.core.locks import temporary_folder
from flowsynth.core.sound_files import SoundFileError
from flowsynth.data.presets import bank_suffix, safe_name, write_bank
from flowsynth.inference.trained_model import RenderingError
from flowsynth.latent_space.traversals import LATENT_LIMIT

MACROS = 8  # number of macro-controls on the page


class RequestError(ValueError):
    """An invalid request, with advice for the user."""

    def __init__(self, text: str, advice: str):
        super().__init__(text)
        self.advice = advice


class Explorer:
    """Operations of the page; not thread-safe. Close it after use.

    Args:
        controller: Controller of the model to explore.

    Raises:
        FileNotFoundError: If the synthesizer is missing.
    """

    def __init__(self, controller: LatentController):
        self.controller, self.trained = controller, controller.trained
        self.macro_dimensions = controller.macro_dimensions[:MACROS]
        # fail at start-up, not on the first request
        self.render("start", controller.predict(torch.zeros(controller.model.latent)))

    def close(self) -> None:
        """Stop the rendering process."""
        self.trained.renderer.close()

    def page_data(self) -> dict[str, Any]:
        """Return the data of the page: presets with their map positions, names of macro-controls, and their range."""
        names = [name.replace("_", " ") for name in self.controller.names]
        strongest = [
            np.argsort(-self.controller.influence[dimension], kind="stable")[:2] for dimension in self.macro_dimensions
        ]
        return {
            "bankSuffix": bank_suffix(self.trained.synth),
            "presets": self.controller.presets.reset_index(names="id").to_dict("records"),
            "macros": [" and ".join(names[i] for i in indices) for indices in strongest],
            "macroLimit": LATENT_LIMIT,
        }

    def parameters(self, position: Any) -> Values:
        """Compute the parameters of a position.

        Args:
            position: ``preset``, an id; or ``between``, two ids, with ``t`` from 0 to 1 and ``through``, ``sounds`` or
                ``parameters``; or ``z``, a latent. Optionally with ``macros``, offsets of the macro-controls'
                coordinates, the strongest first.

        Raises:
            RequestError: If the position is invalid.
        """
        try:
            match position:
                case {"preset": str(identifier)}:
                    z, values = self.controller.find_preset(identifier)
                case {"between": [str(first), str(second)], "through": "sounds" | "parameters" as through}:
                    z, values = self._interpolate(first, second, _number(position, "t", 0, 1), through == "sounds")
                case {"z": list(coordinates)} if len(coordinates) == self.controller.model.latent:
                    z = torch.tensor(
                        [_number(coordinates, i, -MAX_COORDINATE, MAX_COORDINATE) for i in range(len(coordinates))]
                    )
                    values = self.controller.predict(z)
                case _:
                    raise ValueError(
                        f"{position!r:.60}, expected preset, or between with t and through, or z of "
                        f"{self.controller.model.latent} coordinates"
                    )
            macros = position.get("macros", [])
            if not isinstance(macros, list) or len(macros) > len(self.macro_dimensions):
                raise ValueError(f"macros = {macros!r:.60}, expected a list of up to {len(self.macro_dimensions)}")
            offsets = [_number(macros, i, -2 * MAX_COORDINATE, 2 * MAX_COORDINATE) for i in range(len(macros))]
        except ValueError as error:
            raise RequestError(str(error), "reload the page") from error
        if not any(offsets):
            return values
        shifted = z.clone()
        shifted[self.macro_dimensions[: len(offsets)]] += torch.tensor(offsets)
        predict = self.controller.predict
        return self._clip(values + predict(shifted.clamp(-MAX_COORDINATE, MAX_COORDINATE)) - predict(z))

    def _interpolate(self, first: str, second: str, t: float, sounds: bool) -> tuple[Tensor, Values]:
        """Interpolate between two presets; both ends are exactly the presets."""
        (z1, values1), (z2, values2) = self.controller.find_preset(first), self.controller.find_preset(second)
        z, linear = torch.lerp(z1, z2, t), (1 - t) * values1 + t * values2
        if not sounds:
            return z, self._clip(linear)
        linear_prediction = (1 - t) * self.controller.predict(z1) + t * self.controller.predict(z2)
        return z, self._clip(linear + (self.controller.predict(z) - linear_prediction))

    @staticmethod
    def _clip(values: Float[np.ndarray, " parameters"]) -> Values:
        return np.clip(values, 0, 1).astype(np.float32)

    def render(self, name: str, values: Values) -> tuple[bytes, bytes]:
        """Write a preset as a bank, and render exactly the preset in that bank as a WAV file.

        Args:
            name: Name of the preset.
            values: Inferred parameters, in [0, 1].

        Raises:
            RequestError: If the synthesizer fails.
        """
        synth = self.trained.synth
        full = synth.expand(values[None], self.trained.names)
        with temporary_folder() as folder:
            path = folder / f"preset{bank_suffix(synth)}"
            (rounded,) = write_bank(path, synth, [safe_name(name)], full)
            bank = path.read_bytes()
        try:
            return bank, self._wav(self.trained.render_preset(rounded))
        except RenderingError as error:
            raise RequestError(f"The preset {error}", "choose another preset") from error

    def _wav(self, audio: Float[np.ndarray, " samples"]) -> bytes:
        file = io.BytesIO()
        wavfile.write(file, self.trained.note.sample_rate, audio)
        return file.getvalue()

    def encode_sound(self, data: bytes) -> dict[str, Any]:
        """Encode a sound file.

        Args:
            data: Content of the file, of any format that libsndfile reads.

        Returns:
            Its latent ``z`` and map position ``x`` and ``y``; ``pitch``, ``shift`` and ``note`` of
            `flowsynth.data.out_of_domain.preprocessing.PreparedSound`; and the preprocessed sound ``wav``, a WAV file
            in base64.

        Raises:
            RequestError: If it can't be read, is silent, or too short.
        """
        with temporary_folder() as folder:
            path = folder / "sound"
            path.write_bytes(data)
            try:
                sound = self.controller.encode_file(path)
            except SoundFileError as error:
                fault, _, remedy = error.reason.rpartition(": ")
                raise RequestError(f"The sound {fault}", remedy) from error
        z = self.controller.z
        x, y = self.controller.map_position(z)
        wav = base64.b64encode(self._wav(sound.audio)).decode()
        info = {"pitch": sound.pitch, "shift": sound.shift, "note": sound.note}
        return {"z": z.tolist(), "x": x, "y": y, "wav": wav, **info}


def _number(container: Mapping[str, Any] | list[Any], key: Any, low: float, high: float) -> float:
    value = container.get(key) if isinstance(container, Mapping) else container[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{key} = {value!r:.60}, expected a number from {low:g} to {high:g}")
    return float(value)
