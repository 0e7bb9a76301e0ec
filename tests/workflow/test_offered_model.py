"""A model of an installed package runs in the workflow as the built-in ones do."""

from project import TINY, Project

SOURCE = '''"""A third-party model."""
from flowsynth.models.base import Control
from flowsynth.models.controls.mean import Mean as Base

class Other(Base, Control):
    """Predict the mean."""
'''


def test_third_party_model_runs_and_reruns_after_an_edit(copy: Project):
    # inside the checkout, like packages of a virtual environment there
    info = copy.folder / "other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[flowsynth.models]\nother = third_party:Other\n")
    source = copy.folder / "third_party.py"
    source.write_text(SOURCE)
    copy.configure(models=[*TINY["models"], "other"])
    plan = copy.planned()
    assert (plan["train_control"], plan["predict_control"]) == (2, 2)
    target = "results/tiny/amsynth16/grouped/fold0/other/scores.csv"
    run = copy.snakemake(target)
    assert run.returncode == 0, run.stdout
    source.write_text(SOURCE + "\n# a comment\n")
    assert copy.planned(target) == {}
    source.write_text(SOURCE + "\nEDITED = True\n")
    assert copy.planned(target)["train_control"] == 1
