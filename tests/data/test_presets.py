"""Presets: the banks of amsynth, malformed banks, identities, and reading of preset tables."""

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowsynth.data import presets
from flowsynth.synths import spec as synths

GOOD = """amSynth
<preset> <name> First one
<parameter> amp_attack 0.5
<parameter> osc_mix -1
<preset> <name> Second
<parameter> amp_attack 1.25
EOF
"""


@pytest.fixture(scope="module")
def amsynth() -> synths.Synth:
    return synths.load("amsynth")


@pytest.fixture(scope="module")
def all_presets(amsynth) -> tuple[pd.DataFrame, dict[str, int]]:
    """All presets in the package of the plugin, with all parameters."""
    return presets.collect(amsynth, amsynth.names)


@pytest.fixture(scope="module")
def factory(amsynth) -> synths.Synth:
    """The synthesizer with only one of its banks."""
    return dataclasses.replace(amsynth, banks=("/usr/share/amsynth/banks/amsynth_factory.bank",))


@pytest.fixture
def bank(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str, name: str = "mine.bank") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def with_banks(synth: synths.Synth, folder: Path) -> synths.Synth:
    return dataclasses.replace(synth, banks=(str(folder / "*.bank"),))


@pytest.mark.slow
def test_all_banks_of_amsynth_are_read(all_presets):
    table, counts = all_presets
    assert counts["banks"] == 28
    assert counts["read"] == 3482
    assert counts["values_clamped"] == 0
    assert counts["distinct_before_projection"] == counts["kept"] == len(table) == 3303
    assert counts["duplicates"] == 3482 - 3303


def test_table_has_ids_names_banks_and_normalised_values(all_presets, amsynth):
    table, _ = all_presets
    assert list(table.columns) == ["id", "name", "bank", *amsynth.names]
    assert table["id"].is_unique
    assert table["id"].str.fullmatch("[0-9a-f]{16}").all()
    assert table["bank"].nunique() <= 28
    values = table[list(amsynth.names)].to_numpy()
    assert values.min() >= 0
    assert values.max() <= 1


def test_first_preset_of_the_factory_bank(all_presets):
    """The expected values are computed by hand from the first lines of amsynth_factory.bank."""
    table, _ = all_presets
    row = table[table["name"] == "Derren 1"].iloc[0]
    assert row["bank"] == "amsynth_factory.bank"
    assert row["amp_attack"] == pytest.approx(0.15 / 2.5)
    assert row["osc1_waveform"] == pytest.approx(1 / 4)
    assert row["filter_env_amount"] == pytest.approx((10.5934 + 16) / 32)
    assert row["osc2_range"] == pytest.approx((-1 + 3) / 7)


def test_collect_sets_other_parameters_to_the_base_patch(factory):
    names = factory.sets[16]
    table, counts = presets.collect(factory, names)
    fixed = [name for name in factory.names if name not in names]
    assert len(fixed) == 25
    assert (table[fixed].to_numpy() == factory.base[factory.columns(tuple(fixed))]).all()
    full, _ = presets.collect(factory, factory.names)
    kept = full.set_index("name").loc[table["name"], list(names)]
    assert (table[list(names)].to_numpy() == kept.to_numpy()).all()
    assert counts["kept"] == len(table) == table["id"].nunique()
    assert set(table["id"]).isdisjoint(full["id"])


def test_duplicates_after_projection_are_dropped(amsynth, bank, tmp_path: Path):
    bank(GOOD)
    _, counts = presets.collect(with_banks(amsynth, tmp_path), ("reverb_wet",))
    assert (counts["distinct_before_projection"], counts["duplicates"], counts["kept"]) == (2, 1, 1)


def test_limit_keeps_the_order_of_the_banks(factory):
    every, _ = presets.collect(factory, factory.names)
    table, counts = presets.collect(factory, factory.names, limit=10, seed=3)
    assert len(table) == counts["kept"] == 10
    expected = every[every["id"].isin(table["id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(table, expected)


def test_limit_selects_by_identity(amsynth, tmp_path: Path):
    """Chosen presets stay chosen if half of the presets are removed and the others reversed."""
    blocks = [f"<preset> <name> P{i}\n<parameter> amp_attack {i / 100}\n" for i in range(100)]
    (tmp_path / "a.bank").write_text("amSynth\n" + "".join(blocks) + "EOF\n")
    first, _ = presets.collect(with_banks(amsynth, tmp_path), amsynth.names, limit=20, seed=1)
    (tmp_path / "a.bank").write_text("amSynth\n" + "".join(blocks[::-2]) + "EOF\n")
    second, _ = presets.collect(with_banks(amsynth, tmp_path), amsynth.names, limit=20, seed=1)
    remaining = {f"P{i}" for i in range(1, 100, 2)}
    assert len(set(first["name"]) & remaining) > 2
    assert set(first["name"]) & remaining <= set(second["name"])


def test_limits_are_nested_and_depend_on_the_seed(amsynth, tmp_path: Path):
    blocks = [f"<preset> <name> P{i}\n<parameter> amp_attack {i / 100}\n" for i in range(100)]
    (tmp_path / "a.bank").write_text("amSynth\n" + "".join(blocks) + "EOF\n")
    synth = with_banks(amsynth, tmp_path)
    chosen = {n: set(presets.collect(synth, amsynth.names, limit=n, seed=1)[0]["id"]) for n in (10, 30, 100, 500)}
    assert chosen[10] < chosen[30] < chosen[100] == chosen[500]
    other = set(presets.collect(synth, amsynth.names, limit=30, seed=2)[0]["id"])
    assert other != chosen[30]


def test_missing_banks_raise_with_the_package_to_install(amsynth, tmp_path: Path):
    with pytest.raises(ValueError, match=re.escape(str(tmp_path)) + r".*apt-get install amsynth"):
        presets.collect(with_banks(amsynth, tmp_path), amsynth.names)


def test_banks_without_presets_raise(amsynth, tmp_path: Path):
    (tmp_path / "empty.bank").write_text("amSynth\nEOF\n")
    with pytest.raises(ValueError, match=re.escape(str(tmp_path))):
        presets.collect(with_banks(amsynth, tmp_path), amsynth.names)


def test_read_bank_returns_names_and_values(amsynth, bank):
    first, second = presets.read_bank(bank(GOOD), amsynth)
    assert first == presets.Preset("First one", "mine.bank", {"amp_attack": 0.5, "osc_mix": -1.0})
    assert second == presets.Preset("Second", "mine.bank", {"amp_attack": 1.25})


def test_missing_values_take_defaults_and_are_counted(amsynth, bank, tmp_path: Path):
    bank(GOOD)
    table, counts = presets.collect(with_banks(amsynth, tmp_path), amsynth.names)
    assert counts["values_missing"] == 39 + 40
    np.testing.assert_allclose(table["amp_attack"], [0.2, 0.5])
    np.testing.assert_allclose(table["osc_mix"], [0, 0.5])
    np.testing.assert_allclose(table["master_vol"], 0.67)


def test_values_outside_the_range_are_clamped_and_counted(amsynth, bank, tmp_path: Path):
    bank(GOOD.replace("1.25", "99").replace("osc_mix -1", "osc_mix -1.5"))
    table, counts = presets.collect(with_banks(amsynth, tmp_path), amsynth.names)
    assert counts["values_clamped"] == 2
    assert table["amp_attack"].tolist() == [0.2, 1.0]
    assert table["osc_mix"].tolist() == [0.0, 0.5]


def test_duplicate_presets_keep_the_first_name(amsynth, bank, tmp_path: Path):
    bank(GOOD, "a.bank")
    bank(GOOD.replace("First one", "Copy"), "b.bank")
    table, counts = presets.collect(with_banks(amsynth, tmp_path), amsynth.names)
    assert table["name"].tolist() == ["First one", "Second"]
    assert table["bank"].tolist() == ["a.bank", "a.bank"]
    assert (counts["banks"], counts["read"], counts["duplicates"], counts["kept"]) == (2, 4, 2, 2)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("osc_mix -1", "osc_mix loud", "osc_mix = 'loud'"),
        ("osc_mix -1", "osc_mix 0,5", "osc_mix = '0,5'"),
        ("osc_mix -1", "osc_mix nan", "osc_mix = nan"),
        ("osc_mix -1", "osc_mix -inf", "osc_mix = -inf"),
        ("osc_mix -1", "osc_mux -1", "unknown parameter 'osc_mux'"),
        ("osc_mix -1", "amp_attack -1", "duplicate parameter 'amp_attack' in preset 'First one'"),
        ("osc_mix -1", "osc_mix", "got '<parameter> osc_mix'"),
        ("osc_mix -1", "osc_mix -1 2", "unknown parameter 'osc_mix -1'"),
        ("<parameter> osc_mix -1", "Hello", "got 'Hello'"),
    ],
)
def test_malformed_line_raises_with_file_and_line(amsynth, bank, old: str, new: str, fault: str):
    with pytest.raises(ValueError, match=re.escape(f"mine.bank:4: {fault}")) as error:
        presets.read_bank(bank(GOOD.replace(old, new)), amsynth)
    assert "1 of 2 presets" in str(error.value)


def test_bank_truncated_within_a_line_raises(amsynth, bank):
    with pytest.raises(ValueError, match=r"mine\.bank:6: got .*\n.*mine\.bank:6: .*EOF") as error:
        presets.read_bank(bank(GOOD[: GOOD.index(" 1.25")]), amsynth)
    assert "1 of 2 presets" in str(error.value)


def test_bank_truncated_between_lines_raises(amsynth, bank):
    with pytest.raises(ValueError, match=r"mine\.bank:6: .*EOF"):
        presets.read_bank(bank(GOOD.removesuffix("EOF\n")), amsynth)


def test_parameter_before_the_first_preset_raises(amsynth, bank):
    text = "amSynth\n<parameter> amp_decay 1\nEOF\n"
    with pytest.raises(ValueError, match=r"mine\.bank:2:") as error:
        presets.read_bank(bank(text), amsynth)
    assert "1 of 0" not in str(error.value)


def test_all_errors_of_a_bank_are_reported_at_once(amsynth, bank):
    text = GOOD.replace("osc_mix -1", "osc_mix loud\n<parameter> amp_attack 1").replace("1.25", "nan")
    with pytest.raises(ValueError, match="2 of 2 presets") as error:
        presets.read_bank(bank(text), amsynth)
    lines = [int(number) for number in re.findall(r"mine\.bank:(\d+):", str(error.value))]
    assert lines == [4, 5, 7]


@pytest.mark.parametrize(
    "text", ["", "Surge\n<preset> <name> A\nEOF\n", "<preset> <name> A\nEOF\n", "\namSynth\nEOF\n"]
)
def test_bank_of_another_synthesizer_raises(amsynth, bank, text: str):
    with pytest.raises(ValueError, match=r"mine\.bank:1: .*amsynth"):
        presets.read_bank(bank(text), amsynth)


def test_empty_lines_at_the_end_are_ignored(amsynth, bank):
    assert len(presets.read_bank(bank(GOOD + "\n\n"), amsynth)) == 2


def test_windows_line_endings_are_accepted(amsynth, bank):
    assert len(presets.read_bank(bank(GOOD.replace("\n", "\r\n")), amsynth)) == 2


def test_name_in_another_encoding_is_accepted(amsynth, tmp_path: Path):
    path = tmp_path / "latin.bank"
    path.write_bytes(GOOD.replace("Second", "Fl\xf6te").encode("latin-1"))
    assert presets.read_bank(path, amsynth)[1].values == {"amp_attack": 1.25}


@given(st.integers(1, 99_999), st.floats(-0.4, 0.4), st.floats(0.6, 0.9))
def test_identity_rounds_values_to_1e_5(k: int, small: float, large: float):
    value = k * 1e-5
    assert presets.identity([0.5, value]) == presets.identity([0.5, value + small * 1e-5])
    assert presets.identity([0.5, value]) != presets.identity([0.5, value + large * 1e-5])


def test_identity_depends_on_the_order_of_values():
    assert presets.identity([0.1, 0.2]) != presets.identity([0.2, 0.1])


def test_identity_never_changes():
    """A change would change every split and invalidate all published scores."""
    assert presets.identity([0.0, 0.5, 1.0]) == "67b95b0dda7ba0e0"


@settings(max_examples=30)
@given(st.lists(st.text(max_size=5), unique=True, min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_draw_depends_on_the_identity_only(ids: list[str], random):
    alone = {i: presets.uniform_by_id([i], 1, "fold", 0)[0] for i in ids}
    shuffled = random.sample(ids, len(ids))
    assert presets.uniform_by_id(shuffled, 1, "fold", 0) == [alone[i] for i in shuffled]
    assert all(0 <= number < 1 for number in alone.values())


def test_draw_depends_on_the_key():
    ids = [str(i) for i in range(50)]
    keys = [(1, "fold", 0), (1, "fold", 1), (2, "fold", 0), (1, "limit")]
    numbers = np.array([presets.uniform_by_id(ids, *key) for key in keys])
    assert len(np.unique(numbers)) == numbers.size


def test_draw_is_uniform():
    numbers = presets.uniform_by_id(map(str, range(2000)), 1)
    counts = np.histogram(numbers, bins=10, range=(0, 1))[0]
    assert counts.min() > 150
    assert counts.max() < 250


@pytest.fixture
def table(factory) -> pd.DataFrame:
    return presets.collect(factory, factory.sets[16], limit=5)[0]


def test_read_table_round_trip(table, amsynth, tmp_path: Path):
    table.loc[0, "id"] = "0012345678901234"  # looks like a number
    table.loc[1, "id"] = "12345678901234e5"
    table.loc[0, "name"] = "NA"
    table.loc[1, "name"] = "007"
    table.loc[2, "name"] = 'a, "quoted" name'
    table.to_csv(tmp_path / "presets.csv", index=False)
    read = presets.read_table(tmp_path / "presets.csv", amsynth)
    pd.testing.assert_frame_equal(read, table, check_dtype=False, rtol=0, atol=1e-15)


def test_missing_or_reordered_columns_raise(table, amsynth, tmp_path: Path):
    path = tmp_path / "presets.csv"
    table.drop(columns="osc_mix").to_csv(path, index=False)
    with pytest.raises(ValueError, match=r"columns of presets.*presets\.csv"):
        presets.read_table(path, amsynth)
    table[[*table.columns[:3], *table.columns[:2:-1]]].to_csv(path, index=False)
    with pytest.raises(ValueError, match="columns of presets"):
        presets.read_table(path, amsynth)


@pytest.mark.parametrize("value", [1.3, -0.001, float("inf")])
def test_value_outside_0_to_1_raises(table, amsynth, tmp_path: Path, value: float):
    table.loc[3, "filter_cutoff"] = value
    table.to_csv(tmp_path / "presets.csv", index=False)
    with pytest.raises(ValueError, match=rf"{table['id'][3]}: filter_cutoff = {value}.*presets\.csv"):
        presets.read_table(tmp_path / "presets.csv", amsynth)


@pytest.mark.parametrize("value", [None, "loud"])
def test_value_that_is_not_a_number_raises(table, amsynth, tmp_path: Path, value: str | None):
    table["filter_cutoff"] = table["filter_cutoff"].astype(object)
    table.loc[3, "filter_cutoff"] = value
    table.to_csv(tmp_path / "presets.csv", index=False)
    with pytest.raises(ValueError, match=rf"{table['id'][3]}: filter_cutoff = .*presets\.csv"):
        presets.read_table(tmp_path / "presets.csv", amsynth)


def test_duplicate_id_raises(table, amsynth, tmp_path: Path):
    table.loc[4, "id"] = table.loc[1, "id"]
    table.to_csv(tmp_path / "presets.csv", index=False)
    with pytest.raises(ValueError, match=rf"{table['id'][1]}.*presets\.csv"):
        presets.read_table(tmp_path / "presets.csv", amsynth)
