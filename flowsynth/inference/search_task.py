"""Common part of the searches that render: read predictions and targets, compare renderings, write the estimates.

The distance is the log-mel L1 of the networks' features, also used by the control ``nearest``. Only the target sound guides a
search; the true parameters are copied to the output unread.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import librosa
import numpy as np
from jaxtyping import Float

from flowsynth.core import hdf5
from flowsynth.core.mel_filters import log_mel_distance, mel_bank
from flowsynth.core.progress import log, track
from flowsynth.core.result_cache import ResultCache
from flowsynth.rendering.audio import read_audio
from flowsynth.rendering.host import Note
from flowsynth.rendering.render import Renderer
from flowsynth.synths.spec import Synth

Values = Float[np.ndarray, " parameters"]
LogMel = Float[np.ndarray, "mels frames"]


def log_mel_extractor(sample_rate: int, features: Mapping[str, Any]) -> Callable[[np.ndarray], LogMel]:
    """Return a function from audio to the log-mel spectrogram of `flowsynth.data.features.Mel`.

    The values are those of librosa, to the bit, see `flowsynth.data.features`.

    Args:
        sample_rate: Sample rate of the audio, Hz.
        features: Spectrogram settings: arguments of `flowsynth.data.features.Mel` except the sample rate.

    Examples:
        >>> features = {"n_mels": 32, "n_fft": 1024, "hop_length": 512, "fmin": 30, "fmax": 11000}
        >>> log_mel = log_mel_extractor(22050, features | {"frames": 20, "floor": 1e-3})
        >>> log_mel(np.zeros(22050, np.float32)).shape
        (32, 20)
    """
    bank = mel_bank(sample_rate, *(features[name] for name in ("n_fft", "n_mels", "fmin", "fmax")))
    stft = partial(librosa.stft, n_fft=features["n_fft"], hop_length=features["hop_length"])

    def log_mel(audio: np.ndarray) -> LogMel:
        # librosa.feature.melspectrogram, which would compute the bank again, with its order of operations
        mel = np.einsum("ft,mf->mt", np.abs(stft(audio)) ** 2, bank, optimize=True)
        return np.log(mel[:, : features["frames"]] + features["floor"])

    return log_mel


@dataclass(frozen=True)
class RenderContext:
    """How estimates are rendered and analysed.

    Attributes:
        synth: Synthesizer.
        note: Note that is played.
        timeout: Seconds after which a rendering is aborted; it counts as silence.
        features: Spectrogram settings: arguments of `flowsynth.data.features.Mel` except the sample rate.
    """

    synth: Synth
    note: Note
    timeout: float
    features: Mapping[str, Any]

    def renderer(self, names: tuple[str, ...]) -> Callable[[Values], Float[np.ndarray, " samples"]]:
        """Return a function that renders values of the named parameters; a failed rendering counts as silence."""
        renderer = Renderer(self.synth, self.note, self.timeout)  # loads the plugin once

        def render(values: Values) -> Float[np.ndarray, " samples"]:
            rendering = renderer(self.synth.expand(values[None], names)[0])
            if rendering.status == "failed":
                log.warning("%s: a rendering failed and counts as silence: %s", self.synth.name, rendering.reason)
            return rendering.audio

        return render


class SearchTask:
    """Items with their predictions and target sounds.

    Args:
        context: How estimates are rendered and analysed.
        predictions: File of predictions, as written by `flowsynth.inference.predict.infer`.
        targets: Audio files that contain the items.
        ids: Ids of the items; all in the file of predictions if None.
        samples: Number of predictions read per item; all if None.

    Attributes:
        ids: Ids of the items.
        predictions: Predictions of the items, in [0, 1].

    Raises:
        ValueError: If an item is in none of the audio files, or not in the file of predictions.
    """

    def __init__(
        self,
        context: RenderContext,
        predictions: Path,
        targets: Sequence[Path],
        ids: Sequence[str] | None = None,
        samples: int | None = None,
    ):
        with hdf5.reading(predictions) as file:
            self._names = hdf5.names(file)
            rows = {name: row for row, name in enumerate(hdf5.ids(file).tolist())}
            truth, estimates = file["values"][:], file["estimates"][:, :samples]
        self.ids = list(rows) if ids is None else list(ids)
        self._target_audio = read_audio(targets, self.ids)
        missing = [name for name in self.ids if name not in rows]
        if missing:
            raise ValueError(f"{len(missing)} items, the first of them {missing[0]}, are not in {predictions}")
        order = [rows[name] for name in self.ids]
        self._truth = truth[order]
        self.predictions: Float[np.ndarray, "items samples parameters"] = estimates[order]
        self._render = context.renderer(self._names)
        self._log_mel = log_mel_extractor(context.note.sample_rate, context.features)

    def log_mel(self, values: Values) -> LogMel:
        """Render values and return the log-mel spectrogram of the sound."""
        return self._log_mel(self._render(values))

    def distance(self, target: LogMel, values: Values) -> float:
        """Render values and return the log-mel L1 to a target spectrogram."""
        return float(log_mel_distance(self.log_mel(values), target))

    def solve(
        self,
        label: str,
        search: Callable[[str, LogMel, Float[np.ndarray, "samples parameters"]], np.ndarray],
        cache: ResultCache | None = None,
    ) -> Float[np.ndarray, "items results"]:
        """Search each item separately.

        Args:
            label: Label of the progress messages.
            search: Maps the id, the target spectrogram and the predictions of an item to its result.
            cache: Cache from which an interrupted job resumes after the last completed item.
        """
        results = []
        for name, predictions in zip(track(self.ids, len(self.ids), label), self.predictions, strict=True):
            audio = self._target_audio[name]
            run = partial(self._search, search, name, predictions)
            inputs = audio.tobytes() + predictions.tobytes()
            results.append(run() if cache is None else cache.get(name, inputs, run))
        return np.array(results)

    def _search(self, search: Callable[..., np.ndarray], name: str, predictions: np.ndarray) -> np.ndarray:
        return search(name, self._log_mel(self._target_audio[name]), predictions)

    def write(
        self,
        path: Path,
        estimates: Float[np.ndarray, "items parameters"],
        settings: Mapping[str, Any],
        **data: np.ndarray,
    ) -> None:
        """Write one estimate per item, in the format of `flowsynth.inference.predict.infer`.

        Args:
            path: Path of the file to write.
            estimates: Estimates, in [0, 1].
            settings: Settings of the search, stored in the file.
            data: Additional datasets by name, with one row per item.

        Raises:
            ValueError: If an estimate is not finite.
        """
        finite = np.isfinite(estimates).all(axis=1)
        if not finite.all():
            raise ValueError(f"{path}: the estimate of {self.ids[int(finite.argmin())]} is not finite")
        with hdf5.writing(path, self.ids, self._truth, self._names, settings) as file:
            hdf5.add_items(file, "estimates", (1, len(self._names)))[:, 0] = estimates
            for name, values in data.items():
                hdf5.add_items(file, name, values.shape[1:])[:] = values
