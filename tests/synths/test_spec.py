"""Parameter tables: the one of amsynth, and the rejection of inconsistent tables."""

import copy
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from flowsynth.synths import spec as synths

ROW = {"kind": "continuous", "range": [0.0, 2.0], "default": 1.0, "unit": "s", "text": ["0", "0.5", "1.5", "2"]}
SWITCH = {"kind": "stepped", "range": [0.0, 1.0], "steps": 2, "default": 0.0, "unit": "", "text": ["0", "0", "1", "1"]}
TABLE = {
    "name": "toy",
    "plugin": "/nowhere/toy.so",
    "install": "build it",
    "banks": "/nowhere/*.bank",
    "parameters": {"a": ROW, "b": ROW, "switch": SWITCH},
    "sets": {1: ["b"], 2: "continuous", 3: "all"},
}


@pytest.fixture(scope="module")
def amsynth() -> synths.Synth:
    return synths.load("amsynth")


@pytest.fixture
def table() -> dict:
    return copy.deepcopy(TABLE)


def write(table: dict, folder: Path) -> Path:
    path = folder / "toy.yaml"
    path.write_text(yaml.safe_dump(table, sort_keys=False))
    return path


def test_every_table_has_the_name_of_its_file():
    assert synths.available()
    for name in synths.available():
        assert synths.load(name).name == name


def test_every_set_has_its_size_and_the_order_of_the_table():
    for synth in map(synths.load, synths.available()):
        for size, names in synth.sets.items():
            assert len(names) == size
            assert synth.columns(names) == sorted(set(synth.columns(names)))


def test_amsynth_has_41_parameters_30_of_them_continuous(amsynth):
    continuous = {p.name for p in amsynth.parameters if p.kind == "continuous"}
    assert len(set(amsynth.names)) == 41
    assert len(continuous) == 30
    assert set(amsynth.sets[30]) == continuous
    assert amsynth.sets[41] == amsynth.names
    assert set(amsynth.sets[16]) < continuous


def test_stepped_parameters_have_steps_and_all_have_four_texts(amsynth):
    for p in amsynth.parameters:
        assert (p.steps is None) == (p.kind == "continuous")
        assert len(p.text) == 4
        assert p.steps is None or p.steps == p.high - p.low + 1


def test_base_patch_has_the_normalised_defaults(amsynth):
    base = dict(zip(amsynth.names, amsynth.base, strict=True))
    assert base["master_vol"] == 0.67
    assert base["filter_cutoff"] == 1  # 1.5 of -0.5 to 1.5
    assert base["filter_env_amount"] == 0.5  # 0 of -16 to 16
    assert base["osc1_waveform"] == 0.5  # 2 of 0 to 4
    assert base["osc2_range"] == pytest.approx(3 / 7)  # 0 of -3 to 4
    assert base["amp_attack"] == 0


def test_normalise_maps_the_range_to_0_1_and_clamps():
    p = synths.Parameter("p", "continuous", -16.0, 16.0, 0.0, "", None, ())
    assert [p.normalise(v) for v in (-100.0, -16.0, -8.0, 0.0, 16.0, 100.0)] == [0, 0, 0.25, 0.5, 1, 1]


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_normalise_is_monotonic_within_0_1(x: float, y: float):
    p = synths.Parameter("p", "continuous", -0.5, 1.5, 0.0, "", None, ())
    low, high = sorted([x, y])
    assert 0 <= p.normalise(low) <= p.normalise(high) <= 1


def test_expand_completes_values_with_the_base_patch(amsynth):
    names = ("osc_mix", "amp_decay")  # not the table's order
    full = amsynth.expand(np.array([[0.1, 0.2], [0.3, 0.4]]), names)
    assert full.dtype == np.float32
    assert full.shape == (2, 41)
    np.testing.assert_allclose(full[:, amsynth.names.index("osc_mix")], [0.1, 0.3], rtol=1e-6)
    np.testing.assert_allclose(full[:, amsynth.names.index("amp_decay")], [0.2, 0.4], rtol=1e-6)
    others = ~np.isin(amsynth.names, names)
    assert (full[:, others] == amsynth.base.astype(np.float32)[others]).all()


def test_expand_of_no_items_is_empty(amsynth):
    assert amsynth.expand(np.zeros((0, 1)), ("osc_mix",)).shape == (0, 41)


def test_dataset_resolves_synthesizer_and_parameters(amsynth):
    synth, names = synths.dataset("amsynth16")
    assert synth == amsynth
    assert names == amsynth.sets[16]


@pytest.mark.parametrize("name", ["amsynth17", "amsynth", "diva16", "16", "", "amsynth16 ", "Amsynth16", "amsynth-16"])
def test_unknown_data_set_lists_the_available_ones(name: str):
    with pytest.raises(ValueError, match=f"{name!r}.*amsynth16.*amsynth30.*amsynth41"):
        synths.dataset(name)


def test_leading_zeros_in_a_data_set_are_rejected():
    with pytest.raises(ValueError, match="amsynth016"):
        synths.dataset("amsynth016")


def test_unknown_synthesizer_lists_the_available_ones():
    with pytest.raises(ValueError, match=r"'diva', .*\['amsynth', 'dexed', 'faust'\]"):
        synths.load("diva")


def test_read_returns_the_contents_of_the_file(table, tmp_path: Path):
    synth = synths.read(write(table, tmp_path))
    assert (synth.name, synth.plugin, synth.install) == ("toy", Path("/nowhere/toy.so"), "build it")
    assert synth.names == ("a", "b", "switch")
    assert synth.sets == {1: ("b",), 2: ("a", "b"), 3: ("a", "b", "switch")}
    assert synth.parameters[2].steps == 2


def test_sets_have_the_order_of_the_table(table, tmp_path: Path):
    table["sets"] = {2: ["switch", "a"]}
    assert synths.read(write(table, tmp_path)).sets[2] == ("a", "switch")


@pytest.mark.parametrize(
    ("size", "members", "message"),
    [
        (2, ["a", "c"], r"set 2: got 2 parameters, unknown: \['c'\]"),
        (3, ["a", "b"], "set 3: got 2 parameters"),
        (2, ["a", "a"], "set 2: got 1 parameters"),
        (3, "continuous", "set 3: got 2 parameters"),
    ],
)
def test_inconsistent_sets_are_rejected(table, tmp_path: Path, size: int, members, message: str):
    table["sets"] = {size: members}
    with pytest.raises(ValueError, match=message + r".*toy\.yaml"):
        synths.read(write(table, tmp_path))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("a", {"default": 3.0}, "default 3.0 and range 0.0 to 2.0"),
        ("a", {"default": -0.1}, "default -0.1 and range 0.0 to 2.0"),
        ("a", {"range": [2.0, 0.0]}, "range 2.0 to 0.0"),
        ("a", {"range": [1.0, 1.0]}, "range 1.0 to 1.0"),
        ("a", {"kind": "unknown"}, "kind 'unknown'"),
        ("a", {"kind": "stepped"}, "kind 'stepped'"),
        ("switch", {"kind": "continuous"}, "kind 'continuous'"),
    ],
)
def test_inconsistent_parameters_are_rejected(table, tmp_path: Path, name: str, change, message: str):
    table["parameters"][name].update(change)
    with pytest.raises(ValueError, match=rf"{name}: .*{message}.*toy\.yaml"):
        synths.read(write(table, tmp_path))


def test_repeated_rows_overrides_patterns_and_permutations(table, tmp_path: Path):
    table["parameters"] = {
        "op": {"repeat": ["op2", "op1"], "parameters": {"level": ROW, "ratio": ROW}},
        "op1_level": ROW | {"default": 2.0},
        "mode": SWITCH | {"kind": "category"},
    }
    table["sets"] = {3: ["op*_level", "mode"]}
    table["inactive"] = [{"repeat": ["op1", "op2"], "when": {"level": 0}, "parameters": ["ratio"]}]
    table["symmetries"] = [{"when": {"mode": 1}, "permute": ["op1", "op2"]}]
    synth = synths.read(write(table, tmp_path))
    assert synth.names == ("op2_level", "op2_ratio", "op1_level", "op1_ratio", "mode")
    assert [p.default for p in synth.parameters] == [1.0, 1.0, 2.0, 1.0, 0.0]
    assert synth.sets[3] == ("op2_level", "op1_level", "mode")
    assert synth.inactive == (
        synths.Inactive({"op1_level": 0}, ("op1_ratio",)),
        synths.Inactive({"op2_level": 0}, ("op2_ratio",)),
    )
    exchange = (("op1_level", "op2_level"), ("op1_ratio", "op2_ratio"))
    assert synth.symmetries == (synths.Symmetry({"mode": 1}, exchange, ()),)
    assert synth.space(synth.sets[3]).kinds == ("continuous", "continuous", "category")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"package": "dexed"}, "either plugin or package"),
        ({"plugin": None, "package": "os"}, "package 'os', expected one of"),
        ({"banks": "python:os.path/*.syx"}, "expected python:PACKAGE/PATTERN"),
        ({"parameters": {"op": {"repeat": ["x"] * 1000, "parameters": {}}}}, "1000 prefixes of repeated rows"),
        ({"symmetries": [{"when": {}, "permute": ["a"] * 1000}]}, "1000 prefixes of repeated rows"),
        ({"inactive": [{"repeat": ["a"] * 1000, "when": {}, "parameters": []}]}, "1000 prefixes of repeated rows"),
    ],
)
def test_packages_and_repeats_are_bounded(table, tmp_path: Path, change: dict, message: str):
    changed = {key: value for key, value in (table | change).items() if value is not None}
    with pytest.raises(ValueError, match=message):
        synths.read(write(changed, tmp_path))


def test_banks_are_listed_by_pattern_and_may_be_replaced(table, tmp_path: Path):
    for name in ("b.syx", "a.syx", "c.dx7"):
        (tmp_path / name).touch()
    table["banks"] = ["*.dx7", "*.syx"]
    synth = synths.read(write(table, tmp_path))
    assert [path.name for path in synth.bank_files()] == ["c.dx7", "a.syx", "b.syx"]
    assert synth.with_banks(None) is synth
    assert [path.name for path in synth.with_banks(f"{tmp_path}/b.*").bank_files()] == ["b.syx"]
