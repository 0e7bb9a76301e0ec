"""Presets: amsynth's own banks, malformed banks, identities, and the table that is read back."""

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
def everything(amsynth) -> tuple[pd.DataFrame, dict[str, int]]:
    """All presets that the plugin's package brings, with all parameters."""
    return presets.collect(amsynth, amsynth.names)


@pytest.fixture(scope="module")
def factory(amsynth) -> synths.Synth:
    """The synthesizer with one of its banks only."""
    return dataclasses.replace(amsynth, banks="/usr/share/amsynth/banks/amsynth_factory.bank")


@pytest.fixture
def bank(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str, name: str = "mine.bank") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def with_banks(synth: synths.Synth, folder: Path) -> synths.Synth:
    return dataclasses.replace(synth, banks=str(folder / "*.bank"))


def test_the_banks_of_amsynth_are_read_whole(everything):
    table, counts = everything
    assert counts["banks"] == 28
    assert counts["read"] == 3482
    assert counts["values_clamped"] == 0
    assert counts["distinct_before_projection"] == counts["kept"] == len(table) == 3303
    assert counts["duplicates"] == 3482 - 3303


def test_the_table_has_ids_names_banks_and_normalised_values(everything, amsynth):
    table, _ = everything
    assert list(table.columns) == ["id", "name", "bank", *amsynth.names]
    assert table["id"].is_unique
    assert table["id"].str.fullmatch("[0-9a-f]{16}").all()
    assert table["bank"].nunique() <= 28
    values = table[list(amsynth.names)].to_numpy()
    assert values.min() >= 0
    assert values.max() <= 1


def test_the_first_preset_of_the_factory_bank(everything):
    """Values worked out by hand from the first lines of amsynth_factory.bank."""
    table, _ = everything
    row = table[table["name"] == "Derren 1"].iloc[0]
    assert row["bank"] == "amsynth_factory.bank"
    assert row["amp_attack"] == pytest.approx(0.15 / 2.5)
    assert row["osc1_waveform"] == pytest.approx(1 / 4)
    assert row["filter_env_amount"] == pytest.approx((10.5934 + 16) / 32)
    assert row["osc2_range"] == pytest.approx((-1 + 3) / 7)


def test_projecting_leaves_the_parameters_that_are_not_inferred_at_the_base_patch(factory):
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


def test_presets_that_projecting_makes_the_same_are_kept_once(amsynth, bank, tmp_path: Path):
    bank(GOOD)
    _, counts = presets.collect(with_banks(amsynth, tmp_path), ("reverb_wet",))
    assert (counts["distinct_before_projection"], counts["duplicates"], counts["kept"]) == (2, 1, 1)


def test_the_limit_keeps_that_many_in_the_order_of_the_banks(factory):
    whole, _ = presets.collect(factory, factory.names)
    table, counts = presets.collect(factory, factory.names, limit=10, seed=3)
    assert len(table) == counts["kept"] == 10
    expected = whole[whole["id"].isin(table["id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(table, expected)


def test_the_limit_chooses_by_identity(amsynth, tmp_path: Path):
    """With half of the presets gone and the others in reverse, of two chosen presets each that is left is chosen again."""
    blocks = [f"<preset> <name> P{i}\n<parameter> amp_attack {i / 100}\n" for i in range(100)]
    (tmp_path / "a.bank").write_text("amSynth\n" + "".join(blocks) + "EOF\n")
    first, _ = presets.collect(with_banks(amsynth, tmp_path), amsynth.names, limit=20, seed=1)
    (tmp_path / "a.bank").write_text("amSynth\n" + "".join(blocks[::-2]) + "EOF\n")
    second, _ = presets.collect(with_banks(amsynth, tmp_path), amsynth.names, limit=20, seed=1)
    left = {f"P{i}" for i in range(1, 100, 2)}
    assert len(set(first["name"]) & left) > 2
    assert set(first["name"]) & left <= set(second["name"])


def test_larger_limits_hold_the_smaller_and_another_seed_chooses_others(amsynth, tmp_path: Path):
    blocks = [f"<preset> <name> P{i}\n<parameter> amp_attack {i / 100}\n" for i in range(100)]
    (tmp_path / "a.bank").write_text("amSynth\n" + "".join(blocks) + "EOF\n")
    synth = with_banks(amsynth, tmp_path)
    chosen = {n: set(presets.collect(synth, amsynth.names, limit=n, seed=1)[0]["id"]) for n in (10, 30, 100, 500)}
    assert chosen[10] < chosen[30] < chosen[100] == chosen[500]
    other = set(presets.collect(synth, amsynth.names, limit=30, seed=2)[0]["id"])
    assert other != chosen[30]


def test_missing_banks_name_what_to_install(amsynth, tmp_path: Path):
    with pytest.raises(ValueError, match=re.escape(str(tmp_path)) + r".*apt-get install amsynth"):
        presets.collect(with_banks(amsynth, tmp_path), amsynth.names)


def test_banks_without_a_preset_are_refused_by_name(amsynth, tmp_path: Path):
    (tmp_path / "empty.bank").write_text("amSynth\nEOF\n")
    with pytest.raises(ValueError, match=re.escape(str(tmp_path))):
        presets.collect(with_banks(amsynth, tmp_path), amsynth.names)


def test_a_bank_is_read_into_names_and_values(amsynth, bank):
    first, second = presets.read_bank(bank(GOOD), amsynth)
    assert first == presets.Preset("First one", "mine.bank", {"amp_attack": 0.5, "osc_mix": -1.0})
    assert second == presets.Preset("Second", "mine.bank", {"amp_attack": 1.25})


def test_what_a_preset_does_not_give_is_the_default_and_is_counted(amsynth, bank, tmp_path: Path):
    bank(GOOD)
    table, counts = presets.collect(with_banks(amsynth, tmp_path), amsynth.names)
    assert counts["values_missing"] == 39 + 40
    np.testing.assert_allclose(table["amp_attack"], [0.2, 0.5])
    np.testing.assert_allclose(table["osc_mix"], [0, 0.5])
    np.testing.assert_allclose(table["master_vol"], 0.67)


def test_a_value_outside_its_range_is_clamped_and_counted(amsynth, bank, tmp_path: Path):
    bank(GOOD.replace("1.25", "99").replace("osc_mix -1", "osc_mix -1.5"))
    table, counts = presets.collect(with_banks(amsynth, tmp_path), amsynth.names)
    assert counts["values_clamped"] == 2
    assert table["amp_attack"].tolist() == [0.2, 1.0]
    assert table["osc_mix"].tolist() == [0.0, 0.5]


def test_a_preset_that_stands_twice_is_kept_once_under_its_first_name(amsynth, bank, tmp_path: Path):
    bank(GOOD, "a.bank")
    bank(GOOD.replace("First one", "Copy"), "b.bank")
    table, counts = presets.collect(with_banks(amsynth, tmp_path), amsynth.names)
    assert table["name"].tolist() == ["First one", "Second"]
    assert table["bank"].tolist() == ["a.bank", "a.bank"]
    assert (counts["banks"], counts["read"], counts["duplicates"], counts["kept"]) == (2, 4, 2, 2)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("osc_mix -1", "osc_mix loud", "mine.bank:4: osc_mix = 'loud', expected a number"),
        ("osc_mix -1", "osc_mix 0,5", "mine.bank:4: osc_mix = '0,5', expected a number"),
        ("osc_mix -1", "osc_mix nan", "mine.bank:4: osc_mix = nan, expected a finite number"),
        ("osc_mix -1", "osc_mix -inf", "mine.bank:4: osc_mix = -inf, expected a finite number"),
        ("osc_mix -1", "osc_mux -1", "mine.bank:4: unknown parameter 'osc_mux'"),
        ("osc_mix -1", "amp_attack -1", "mine.bank:4: parameter 'amp_attack' a second time in preset 'First one'"),
        ("osc_mix -1", "osc_mix", "mine.bank:4: got '<parameter> osc_mix', expected '<preset> <name> NAME' or"),
        ("osc_mix -1", "osc_mix -1 2", "mine.bank:4: unknown parameter 'osc_mix -1'"),
        ("<parameter> osc_mix -1", "Hello", "mine.bank:4: got 'Hello', expected"),
    ],
)
def test_a_malformed_line_is_reported_by_file_and_line(amsynth, bank, old: str, new: str, message: str):
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        presets.read_bank(bank(GOOD.replace(old, new)), amsynth)
    assert "1 of 2 presets of this bank can't be read" in str(error.value)


def test_a_bank_cut_off_in_a_line_is_reported(amsynth, bank):
    with pytest.raises(ValueError, match=r"mine\.bank:6: got .*\n.*mine\.bank:6: the bank ends without EOF") as error:
        presets.read_bank(bank(GOOD[: GOOD.index(" 1.25")]), amsynth)
    assert "1 of 2 presets" in str(error.value)


def test_a_bank_cut_off_between_lines_is_reported(amsynth, bank):
    with pytest.raises(ValueError, match=r"mine\.bank:6: the bank ends without EOF, it may be truncated"):
        presets.read_bank(bank(GOOD.removesuffix("EOF\n")), amsynth)


def test_a_parameter_before_the_first_preset_is_reported(amsynth, bank):
    text = "amSynth\n<parameter> amp_decay 1\nEOF\n"
    with pytest.raises(ValueError, match=r"mine\.bank:2: a parameter before the first preset") as error:
        presets.read_bank(bank(text), amsynth)
    assert "1 of 0" not in str(error.value)


def test_every_fault_is_reported_at_once_and_spoilt_presets_are_counted_once(amsynth, bank):
    text = GOOD.replace("osc_mix -1", "osc_mix loud\n<parameter> amp_attack 1").replace("1.25", "nan")
    with pytest.raises(ValueError, match="2 of 2 presets") as error:
        presets.read_bank(bank(text), amsynth)
    lines = [int(number) for number in re.findall(r"mine\.bank:(\d+):", str(error.value))]
    assert lines == [4, 5, 7]


@pytest.mark.parametrize(
    "text", ["", "Surge\n<preset> <name> A\nEOF\n", "<preset> <name> A\nEOF\n", "\namSynth\nEOF\n"]
)
def test_a_file_that_does_not_start_with_the_synthesizers_name_is_refused(amsynth, bank, text: str):
    with pytest.raises(ValueError, match=r"mine\.bank:1: .*expected a bank of amsynth"):
        presets.read_bank(bank(text), amsynth)


def test_empty_lines_at_the_end_are_not_taken_for_a_truncation(amsynth, bank):
    assert len(presets.read_bank(bank(GOOD + "\n\n"), amsynth)) == 2


def test_windows_line_ends_are_read(amsynth, bank):
    assert len(presets.read_bank(bank(GOOD.replace("\n", "\r\n")), amsynth)) == 2


def test_a_name_in_a_foreign_encoding_is_read(amsynth, tmp_path: Path):
    path = tmp_path / "latin.bank"
    path.write_bytes(GOOD.replace("Second", "Fl\xf6te").encode("latin-1"))
    assert presets.read_bank(path, amsynth)[1].values == {"amp_attack": 1.25}


@given(st.integers(1, 99_999), st.floats(-0.4, 0.4), st.floats(0.6, 0.9))
def test_an_identity_ignores_what_rounding_to_1e_5_ignores_and_no_more(k: int, small: float, large: float):
    value = k * 1e-5
    assert presets.identity([0.5, value]) == presets.identity([0.5, value + small * 1e-5])
    assert presets.identity([0.5, value]) != presets.identity([0.5, value + large * 1e-5])


def test_an_identity_depends_on_the_order_of_the_values():
    assert presets.identity([0.1, 0.2]) != presets.identity([0.2, 0.1])


def test_an_identity_is_the_same_for_ever():
    """A change here changes every split, and no published score holds any more."""
    assert presets.identity([0.0, 0.5, 1.0]) == "67b95b0dda7ba0e0"


@settings(max_examples=30)
@given(st.lists(st.text(max_size=5), unique=True, min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_draw_depends_on_nothing_but_the_identity(ids: list[str], random):
    alone = {i: presets.uniform_by_id([i], 1, "fold", 0)[0] for i in ids}
    shuffled = random.sample(ids, len(ids))
    assert presets.uniform_by_id(shuffled, 1, "fold", 0) == [alone[i] for i in shuffled]
    assert all(0 <= number < 1 for number in alone.values())


def test_draw_gives_other_numbers_for_another_key():
    ids = [str(i) for i in range(50)]
    keys = [(1, "fold", 0), (1, "fold", 1), (2, "fold", 0), (1, "limit")]
    numbers = np.array([presets.uniform_by_id(ids, *key) for key in keys])
    assert len(np.unique(numbers)) == numbers.size


def test_draw_is_even():
    numbers = presets.uniform_by_id(map(str, range(2000)), 1)
    counts = np.histogram(numbers, bins=10, range=(0, 1))[0]
    assert counts.min() > 150
    assert counts.max() < 250


@pytest.fixture
def table(factory) -> pd.DataFrame:
    return presets.collect(factory, factory.sets[16], limit=5)[0]


def test_a_table_is_read_back_as_it_was_written(table, amsynth, tmp_path: Path):
    table.loc[0, "id"] = "0012345678901234"  # looks like a number
    table.loc[1, "id"] = "12345678901234e5"
    table.loc[0, "name"] = "NA"
    table.loc[1, "name"] = "007"
    table.loc[2, "name"] = 'a, "quoted" name'
    table.to_csv(tmp_path / "presets.csv", index=False)
    read = presets.read_table(tmp_path / "presets.csv", amsynth)
    pd.testing.assert_frame_equal(read, table, check_dtype=False, rtol=0, atol=1e-15)


def test_the_order_of_columns_matters_and_a_missing_one_is_refused(table, amsynth, tmp_path: Path):
    path = tmp_path / "presets.csv"
    table.drop(columns="osc_mix").to_csv(path, index=False)
    with pytest.raises(ValueError, match=r"columns of presets: .*presets\.csv"):
        presets.read_table(path, amsynth)
    table[[*table.columns[:3], *table.columns[:2:-1]]].to_csv(path, index=False)
    with pytest.raises(ValueError, match="columns of presets"):
        presets.read_table(path, amsynth)


@pytest.mark.parametrize("value", [1.3, -0.001, float("inf")])
def test_a_value_outside_0_to_1_names_preset_parameter_and_file(table, amsynth, tmp_path: Path, value: float):
    table.loc[3, "filter_cutoff"] = value
    table.to_csv(tmp_path / "presets.csv", index=False)
    message = rf"preset {table['id'][3]}: filter_cutoff = {value}, expected 0\.\.1 \(.*presets\.csv\)"
    with pytest.raises(ValueError, match=message):
        presets.read_table(tmp_path / "presets.csv", amsynth)


@pytest.mark.parametrize("value", [None, "loud"])
def test_a_value_that_is_no_number_names_preset_parameter_and_file(table, amsynth, tmp_path: Path, value: str | None):
    table["filter_cutoff"] = table["filter_cutoff"].astype(object)
    table.loc[3, "filter_cutoff"] = value
    table.to_csv(tmp_path / "presets.csv", index=False)
    with pytest.raises(ValueError, match=rf"preset {table['id'][3]}: filter_cutoff = .*presets\.csv"):
        presets.read_table(tmp_path / "presets.csv", amsynth)


def test_an_id_that_stands_twice_is_refused(table, amsynth, tmp_path: Path):
    table.loc[4, "id"] = table.loc[1, "id"]
    table.to_csv(tmp_path / "presets.csv", index=False)
    with pytest.raises(ValueError, match=rf"preset {table['id'][1]} stands twice \(.*presets\.csv\)"):
        presets.read_table(tmp_path / "presets.csv", amsynth)
