"""What musicians explore on a page: presets on a map of sounds, ways between them, macro-controls, sounds to match.

There is no state: who asks says what is to be heard, and the same is answered by the same bits.
`flowsynth.apps.explorer.server` asks for the page. Presets sound as they are. What is changed of them is the difference
between two answers of the model: a macro-control adds what it changes in the answer, and a way through sounds is the
straight one, bent as the answers between its ends are bent. So nothing jumps where a control is at rest, and where the
model answers a preset by itself these are its own answers.

References:
    Esling et al. 2019, 2020: presets in a space of sounds that is explored, macro-controls, vocal sketching.
"""

import base64
import io
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.io import wavfile
from torch import Tensor

from flowsynth.apps.latent_controller import FAR, Device, Values
from flowsynth.data.out_of_domain.collections import SUFFIXES
from flowsynth.data.presets import safe_name, write_bank
from flowsynth.inference.trained_model import RenderingError
from flowsynth.latent_space.traversals import LATENT_LIMIT

MACROS = 8  # macro-controls on the page, the strongest


class Refused(ValueError):
    """A request that can't be met: what is wrong, and what to do."""

    def __init__(self, what: str, do: str):
        super().__init__(what)
        self.do = do


class Explorer:
    """What the page asks for, one thing at a time; to be closed at the end.

    Args:
        device: That is explored.

    Raises:
        FileNotFoundError: If the synthesizer is missing.
    """

    def __init__(self, device: Device):
        self.device, self.trained = device, device.trained
        self.order = device.order[:MACROS]
        self.written("start", device.answer(torch.zeros(device.model.latent)))  # what is amiss is told before a page is

    def close(self) -> None:
        """End the process that plays."""
        self.trained.player.close()

    def shown(self) -> dict[str, Any]:
        """What the page shows: presets with their places on the map, macro-controls, and how far they go."""
        called = [name.replace("_", " ") for name in self.device.names]
        strongest = [np.argsort(-self.device.moved[dimension], kind="stable")[:2] for dimension in self.order]
        return {
            "presets": self.device.presets.reset_index(names="id").to_dict("records"),
            "macros": [" and ".join(called[i] for i in most) for most in strongest],
            "reach": LATENT_LIMIT,
        }

    def place(self, asked: Any) -> Values:
        """Parameters of what is to be heard.

        Args:
            asked: ``preset``, an id; or ``between``, two ids, with ``t`` from 0 to 1 and ``through``, ``sounds`` or
                ``parameters``; or ``z``, the latent of a sound. With it ``macros``, if any: what is added to the
                coordinates of the macro-controls, the strongest first.

        Raises:
            Refused: If it is none of these.
        """
        try:
            match asked:
                case {"preset": str(name)}:
                    z, values = self.device.known(name)
                case {"between": [str(first), str(second)], "through": "sounds" | "parameters" as through}:
                    z, values = self._between(first, second, _number(asked, "t", 0, 1), through == "sounds")
                case {"z": list(coordinates)} if len(coordinates) == self.device.model.latent:
                    z = torch.tensor([_number(coordinates, i, -FAR, FAR) for i in range(len(coordinates))])
                    values = self.device.answer(z)
                case _:
                    raise ValueError(
                        f"{asked!r:.60}, expected preset, or between with t and through, or z of "
                        f"{self.device.model.latent} coordinates"
                    )
            turned = asked.get("macros", [])
            if not isinstance(turned, list) or len(turned) > len(self.order):
                raise ValueError(f"macros = {turned!r:.60}, expected a list of up to {len(self.order)}")
            changes = [_number(turned, i, -2 * FAR, 2 * FAR) for i in range(len(turned))]
        except ValueError as error:
            raise Refused(str(error), "load the page again") from error
        if not any(changes):
            return values
        moved = z.clone()
        moved[self.order[: len(changes)]] += torch.tensor(changes)
        return self._clipped(values + self.device.answer(moved.clamp(-FAR, FAR)) - self.device.answer(z))

    def _between(self, first: str, second: str, t: float, sounds: bool) -> tuple[Tensor, Values]:
        """A point of the way from one preset to another; its ends are these presets to the bit."""
        (z, values), (other_z, other) = self.device.known(first), self.device.known(second)
        between, straight = torch.lerp(z, other_z, t), (1 - t) * values + t * other
        if not sounds:
            return between, self._clipped(straight)
        ends = (1 - t) * self.device.answer(z) + t * self.device.answer(other_z)
        return between, self._clipped(straight + (self.device.answer(between) - ends))

    @staticmethod
    def _clipped(values: Float[np.ndarray, " parameters"]) -> Values:
        return np.clip(values, 0, 1).astype(np.float32)

    def written(self, name: str, values: Values) -> tuple[bytes, bytes]:
        """The bank of a preset, and the WAV file of what that bank plays to the bit.

        Args:
            name: Of the preset.
            values: Of the inferred parameters, in [0, 1].

        Raises:
            Refused: If the synthesizer fails.
        """
        synth = self.trained.synth
        full = synth.expand(values[None], self.trained.names)
        with TemporaryDirectory() as folder:
            path = Path(folder) / "preset.bank"
            (exact,) = write_bank(path, synth, [safe_name(name)], full)
            bank = path.read_bytes()
        try:
            return bank, self._wav(self.trained.render_preset(exact))
        except RenderingError as error:
            raise Refused(f"The preset {error}", "go on to another") from error

    def _wav(self, audio: Float[np.ndarray, " samples"]) -> bytes:
        file = io.BytesIO()
        wavfile.write(file, self.trained.note.sample_rate, audio)
        return file.getvalue()

    def heard(self, data: bytes) -> dict[str, Any]:
        """Hear a sound file.

        Args:
            data: What is in the file, of any format that libsndfile knows.

        Returns:
            Its latent ``z``, and where on the map that is, ``x`` and ``y``; ``pitch``, ``shift`` and ``note`` as
            `flowsynth.data.out_of_domain.preprocessing.PreparedSound` has them; and the sound as it was made fit,
            a WAV file in base64, ``wav``.

        Raises:
            Refused: If it can't be read, is silent, or too short.
        """
        with TemporaryDirectory() as folder:
            path = Path(folder) / "sound"
            path.write_bytes(data)
            try:
                made = self.device.encode(path)
            except ValueError as error:
                do = f"take another: any of {', '.join(s.removeprefix('.') for s in SUFFIXES)} that can be heard"
                raise Refused(f"The sound {error}".rstrip("."), do) from error
        x, y = self.device.place(self.device.z)
        told = {"pitch": made.pitch, "shift": made.shift, "note": made.note}
        wav = base64.b64encode(self._wav(made.audio)).decode()
        return {"z": self.device.z.tolist(), "x": x, "y": y, "wav": wav, **told}


def _number(given: Mapping[str, Any] | list[Any], key: Any, low: float, high: float) -> float:
    value = given.get(key) if isinstance(given, Mapping) else given[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{key} = {value!r:.60}, expected a number from {low:g} to {high:g}")
    return float(value)
