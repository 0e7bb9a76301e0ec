"""Systems and their names. Importing it does not load torch.

A system is a model together with the processing of its predictions. Its name says both:

====================  ================================================================================================
name                  meaning
====================  ================================================================================================
``MODEL_medianN``     median of N draws of a density, parameter by parameter, without renderings; likewise ``_meanN``,
                      ``_medoidN``, and ``_modeN``, see `flowsynth.inference.decision_rules`
``MODEL_rankedN``     the draw whose sound, predicted by `SURROGATE`, is the closest to the target
``MODEL_descendedN``  the closest preset after a descent of that surrogate from the N draws and the training presets
``MODEL_bestN``       best of N: render N predictions and keep the one closest to the target
``MODEL_correctedN``  surrogate search with N renderings, see `flowsynth.inference.surrogate_search`; it starts from
                      predictions of a surrogate, or from a descent of `SURROGATE` from draws of another model
``SYSTEM_refinedN``   refinement of the prediction of a system by CMA-ES with N renderings
``MODEL_seedN``       the model trained again with other initial weights and another order of the items
====================  ================================================================================================

For example, ``npe_nsf_best16_refined64`` makes 80 renderings per sound, and ``nearest_refined80`` is its control. The
rest of the pipeline treats systems as models. Tables of scores hold what a name says in columns of their own, see
`flowsynth.evaluation.score_tables`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from flowsynth.models.registry import SYSTEM_NAME, kind, package_models, surrogates

PREDICTION_SUFFIXES = (".csv", ".csv.gz", ".h5", ".hdf5")
# models of this package that predict one preset per sound, however many are requested
DETERMINISTIC = frozenset({"oracle", "mean", "mlp", "cnn", "resnet", "ast", "ae", "vae", "wae", "vae_flow"})
# models of this package that can evaluate their density, see `flowsynth.models.base.HasDensity`
WITH_DENSITY = frozenset({"flow_dis", "flow_reg", "flow_reg_detached", "flow_reg_published", "mdn", "npe_nsf"})
# one preset from draws, without renderings; the last ones by the sounds that a surrogate predicts
DECISION_RULES = ("mean", "median", "medoid", "mode", "ranked", "descended")
SURROGATE_RULES = ("ranked", "descended")
SURROGATE = "proxy"
RENDERING_STEPS = ("best", "corrected", "refined")
PROPOSALS = 256  # draws that a surrogate search starts from
INITIAL_CANDIDATES = 2  # predictions that a surrogate search renders before its first correction


class Step(NamedTuple):
    """Step of a system.

    Attributes:
        method: What it does.
        number: Renderings or draws per sound, or number of the training.
    """

    method: Literal["best", "corrected", "refined", "seed", "mean", "median", "medoid", "mode", "ranked", "descended"]
    number: int


@dataclass(frozen=True)
class System:
    """A model and the processing of its predictions.

    Attributes:
        name: Name of the system.
        model: Name of the model that it is built on.
        steps: Steps in the order of their names, none for a plain model.
    """

    name: str
    model: str
    steps: tuple[Step, ...] = ()

    @classmethod
    def parse(cls, name: str) -> "System":
        """Parse the name of a system; a name without steps is that of a model.

        >>> System.parse("npe_nsf_best16_refined64").steps
        (Step(method='best', number=16), Step(method='refined', number=64))
        """
        model, steps = name, []
        while match := SYSTEM_NAME.fullmatch(model):
            model = match["base"]
            steps.append(Step(match["method"], int(match["number"])))  # type: ignore[arg-type]
        return cls(name, model, tuple(reversed(steps)))

    @property
    def lineage(self) -> tuple[str, ...]:
        """Names of the model and of the system after each step.

        >>> System.parse("cnn_seed2_best16").lineage
        ('cnn', 'cnn_seed2', 'cnn_seed2_best16')
        """
        names = [self.model]
        for method, number in self.steps:
            names.append(f"{names[-1]}_{method}{number}")
        return tuple(names)

    @property
    def renderings(self) -> int:
        """Number of renderings per sound before the final prediction.

        >>> System.parse("npe_nsf_best16_refined64").renderings
        80
        """
        return sum(step.number for step in self.steps if step.method in RENDERING_STEPS)

    @property
    def seed(self) -> int:
        """Number of the training of the model: the number after ``seed``, else 1.

        >>> System.parse("npe_nsf_seed3_best16").seed
        3
        """
        return next((step.number for step in self.steps if step.method == "seed"), 1)

    @property
    def is_control(self) -> bool:
        """Whether the system is built on a control."""
        return self.model == "search" or kind(self.model) == "controls"

    def validate(self) -> None:
        """Check that the steps can be combined.

        Raises:
            ValueError: If best of N, a decision rule or a correction is not applied to a model that samples its
                predictions, or a second seed to a trained model, or if the number of a step is too small.
        """
        name = self.name
        for position, (method, number) in reversed([*enumerate(self.steps)]):
            base, before = self.lineage[position], [step.method for step in self.steps[:position]]
            trained = before in ([], ["seed"])  # the step follows a training of the model
            if method == "seed" and (before or number < 2 or self.is_control):
                raise ValueError(
                    f"{name}: expected _seed2 or higher directly after a trained model; its first seed is 1"
                )
            samples = "best of N" if method == "best" else f"the {method} of draws" if method in DECISION_RULES else ""
            if number < 2:
                what = "draw" if method in DECISION_RULES else "rendering"
                raise ValueError(f"{name}: {method}{number} has one {what}, expected at least 2")
            if samples and not trained:
                raise ValueError(f"{name}: {samples} needs a model, and {base} is a system with one prediction")
            if samples and self.model in DETERMINISTIC:
                raise ValueError(f"{name}: {samples} needs several predictions, and {self.model} makes one per sound")
            if method in DECISION_RULES and (self.is_control or kind(self.model) == "surrogates"):
                raise ValueError(f"{name}: {samples} needs a density, and the predictions of {self.model} are no draws")
            if method == "mode" and self.model in package_models() and self.model not in WITH_DENSITY:
                raise ValueError(
                    f"{name}: a mode needs a model with a density, one of {', '.join(sorted(WITH_DENSITY))}"
                )
            if method == "corrected" and number <= INITIAL_CANDIDATES:
                raise ValueError(f"{name}: the first {INITIAL_CANDIDATES} renderings are not corrected, expected more")
            if method == "corrected" and (not trained or self.is_control or self.model in DETERMINISTIC):
                raise ValueError(
                    f"{name}: _corrected needs a surrogate ({', '.join(sorted(surrogates()))}), or a model that samples "
                    "its predictions"
                )


def draws_from_density(model: str) -> bool:
    """Return whether the predictions of a model are draws of a density of presets.

    >>> draws_from_density("flow_reg"), draws_from_density("vae"), draws_from_density("nearest")
    (True, False, False)
    """
    return kind(model) in ("autoencoders", "density") and model not in DETERMINISTIC


def is_prediction_file(name: str) -> bool:
    """Return whether a candidate is a file of predictions rather than the name of a system."""
    return name.endswith(PREDICTION_SUFFIXES)


def prediction_name(name: str) -> str:
    """Return the name of a file of predictions in tables: its file name without the suffix of its format.

    >>> prediction_name("submissions/mine.csv.gz")
    'mine'
    """
    stem = Path(name).name
    for suffix in (".gz", *PREDICTION_SUFFIXES):
        stem = stem.removesuffix(suffix)
    return stem
