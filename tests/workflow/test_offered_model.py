"""A model that an installed package offers goes through the workflow as any other, whatever lies where."""

from project import TINY, Project

SOURCE = '''"""A model of somebody else's."""
from flowsynth.models.controls.mean import Mean

class Other(Mean):
    """Answers with the mean."""
'''


def test_an_offered_model_is_planned_run_and_run_again_when_it_is_edited(copy: Project):
    # beside the workflow, as what is installed into a virtual environment in a checkout is
    info = copy.folder / "other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[flowsynth.models]\nother = somebody_elses:Other\n")
    source = copy.folder / "somebody_elses.py"
    source.write_text(SOURCE)
    copy.configure(models=[*TINY["models"], "other"])
    plan = copy.planned()
    assert (plan["train_control"], plan["infer_control"]) == (2, 2)
    target = "results/tiny/amsynth16/grouped/fold0/other/scores.csv"
    run = copy.snakemake(target)
    assert run.returncode == 0, run.stdout
    assert copy.planned(target) == {}
    source.write_text(SOURCE + "\n# a comment\n")
    assert copy.planned(target) == {}
    source.write_text(SOURCE + "\nEDITED = True\n")
    assert copy.planned(target)["train_control"] == 1
