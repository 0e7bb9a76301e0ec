"""The split depends on what presets are and not on their order, and near-duplicates stay on one side."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowsynth.data import splits as splitting
from flowsynth.data.splits import Pairs

PARTS = ("train", "valid", "test")


def some_ids(items: int) -> list[str]:
    return [f"id{i:04}" for i in range(items)]


def alone(items: int) -> np.ndarray:
    """Groups of one item each."""
    return np.arange(items)


def far_apart(items: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Parameters and sounds of which no two are close."""
    rng = np.random.default_rng(seed)
    return rng.random((items, 16)).astype(np.float32), rng.normal(0, 3, (items, 16, 24)).astype(np.float32)


def pairs(*found: tuple[int, int]) -> Pairs:
    first, second = np.array(found, dtype=int).reshape(-1, 2).T
    return Pairs(first, second, np.zeros(len(found)))


def measured(found: Pairs) -> dict[tuple[int, int], float]:
    assert (found.first < found.second).all()
    pairs_found = list(zip(found.first.tolist(), found.second.tolist(), strict=True))
    assert len(set(pairs_found)) == len(pairs_found)
    return dict(zip(pairs_found, found.distance.tolist(), strict=True))


def brute_force(arrays: np.ndarray, radius: float) -> dict[tuple[int, int], float]:
    arrays = arrays.astype(np.float64)
    distances = {(i, j): np.abs(arrays[i] - arrays[j]).mean() for i, j in itertools.combinations(range(len(arrays)), 2)}
    return {pair: distance for pair, distance in distances.items() if distance <= radius}


def clustered_sounds(shape: tuple[int, int], seed: int) -> np.ndarray:
    """Sounds at all distances from each other: copies, shifted copies, noisy copies, copies with another rim."""
    rng = np.random.default_rng(seed)
    base = rng.normal(0, 1, (6, *shape))
    shifted = base + rng.uniform(-0.3, 0.3, (6, 1, 1))
    noisy = base + rng.normal(0, 1, (6, *shape)) * rng.uniform(0, 0.3, (6, 1, 1))
    rim = base.copy()
    rim[:, -1, :] += 1
    rim[:, :, -1] += rng.uniform(-2, 2, (6, 1))
    inside = base.copy()  # all of the difference lies where the tiles are
    inside[:, : shape[0] - shape[0] % 8, : shape[1] - shape[1] % 8] += rng.uniform(0, 0.3, (6, 1, 1))
    return np.concatenate([base, base[:2], shifted, noisy, rim, inside]).astype(np.float32)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", [(64, 80), (8, 8), (13, 23), (15, 9)])
@pytest.mark.parametrize("radius", [0.05, 0.2])
def test_close_sounds_are_those_that_comparing_all_pairs_finds(shape: tuple[int, int], seed: int, radius: float):
    mel = clustered_sounds(shape, seed)
    expected = brute_force(mel, radius)
    found = measured(splitting.close_sounds(mel, radius))
    assert found.keys() == expected.keys()
    assert 2 <= len(expected) < len(mel) * 3
    for pair, distance in expected.items():
        assert found[pair] == pytest.approx(distance, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_close_parameters_are_those_that_comparing_all_pairs_finds(seed: int):
    rng = np.random.default_rng(seed)
    base = rng.random((30, 16))
    values = np.concatenate([base, base[:3], base + rng.normal(0, 0.1, base.shape) * rng.random((30, 1))])
    expected = brute_force(values, 0.05)
    found = measured(splitting.close_parameters(values, 0.05))
    assert found.keys() == expected.keys()
    assert 5 < len(expected) < 60
    for pair, distance in expected.items():
        assert found[pair] == pytest.approx(distance, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("items", [2, 46])
def test_few_and_many_close_sounds_are_measured_alike(items: int):
    """One pair, and more than are measured at once."""
    rng = np.random.default_rng(1)
    mel = rng.normal(size=(1, 8, 9)).astype(np.float32) + rng.uniform(0.01, 0.04, (items, 8, 9)).astype(np.float32)
    expected = brute_force(mel, 0.05)
    assert len(expected) == items * (items - 1) // 2
    assert measured(splitting.close_sounds(mel, 0.05)) == pytest.approx(expected, rel=1e-3)


def test_equal_items_are_a_pair_at_distance_zero():
    values, mel = far_apart(3)
    values[2], mel[1] = values[0], mel[0]
    assert measured(splitting.close_parameters(values, 0.05)) == {(0, 2): 0}
    assert measured(splitting.close_sounds(mel, 0.05)) == {(0, 1): 0}


def test_no_pairs_are_found_where_there_are_none():
    values, mel = far_apart(5)
    assert measured(splitting.close_parameters(values, 0.05)) == {}
    assert measured(splitting.close_sounds(mel, 0.05)) == {}


def test_within_keeps_the_pairs_up_to_a_distance():
    found = Pairs(np.array([0, 1, 2]), np.array([5, 6, 7]), np.array([0.01, 0.05, 0.06]))
    assert measured(found.within(0.05)) == {(0, 5): 0.01, (1, 6): 0.05}


def test_groups_hang_together_by_pairs_of_any_kind():
    group = splitting.groups(6, pairs((0, 1)), pairs((1, 4), (0, 1)))
    assert group[0] == group[1] == group[4]
    assert len({group[0], group[2], group[3], group[5]}) == 4


def test_items_without_pairs_are_groups_of_their_own():
    assert sorted(splitting.groups(4, pairs(), pairs())) == [0, 1, 2, 3]


@pytest.mark.parametrize("items", [10, 40, 200, 3236])
def test_parts_dealt_one_by_one_have_the_exact_sizes(items: int):
    part = splitting.deal(some_ids(items), alone(items), 1, 0)
    held_out = round(items / 10)
    assert [part.count(name) for name in PARTS] == [items - 2 * held_out, held_out, held_out]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 20), max_size=40), st.integers(0, 99), st.randoms(use_true_random=False))
def test_a_preset_goes_to_the_same_part_in_any_order_and_groups_stay_whole(numbers: list[int], seed: int, random):
    group = np.array([*numbers, *range(100, 160)])
    ids = some_ids(len(group))
    part = dict(zip(ids, splitting.deal(ids, group, seed, 0), strict=True))
    order = random.sample(range(len(ids)), len(ids))
    renamed = 1000 - group[order]  # groups that have another number, too
    shuffled = splitting.deal([ids[i] for i in order], renamed, seed, 0)
    assert shuffled == [part[ids[i]] for i in order]
    assert pd.Series(part.values()).groupby(group).nunique().max() == 1
    target = round(len(ids) / 10)
    assert 0 < shuffled.count("test") <= target
    assert 0 < shuffled.count("valid") <= target


def test_the_same_seed_deals_the_same_and_another_seed_or_fold_deals_anew():
    ids = some_ids(200)
    first = splitting.deal(ids, alone(200), 1, 0)
    assert splitting.deal(ids, alone(200), 1, 0) == first
    for seed, fold in [(2, 0), (1, 1)]:
        other = splitting.deal(ids, alone(200), seed, fold)
        assert 20 < sum(a != b for a, b in zip(first, other, strict=True)) <= 80


def test_a_preset_more_in_training_moves_no_other():
    ids = some_ids(200)
    part = dict(zip(ids, splitting.deal(ids, alone(200), 1, 0), strict=True))
    without = [name for name in ids if name != next(i for i in ids if part[i] == "train")]
    assert splitting.deal(without, alone(199), 1, 0) == [part[name] for name in without]


@pytest.mark.parametrize(("members", "held_out"), [(5, True), (6, False)])
def test_a_group_larger_than_a_quarter_of_the_test_part_stays_in_training(members: int, held_out: bool):
    """Of 200 presets 20 are for testing: groups of 5 may be among them, groups of 6 may not."""
    group = np.concatenate([np.zeros(members, dtype=int), np.arange(1, 201 - members)])
    parts = {splitting.deal(some_ids(200), group, seed, 0)[0] for seed in range(40)}
    assert parts == (set(PARTS) if held_out else {"train"})


def test_parts_are_never_larger_than_a_tenth():
    """Of 110 presets in pairs, 10 are for testing: a sixth pair would make them 12."""
    for seed in range(5):
        part = splitting.deal(some_ids(110), np.arange(110) // 2, seed, 0)
        assert [part.count(name) for name in PARTS] == [90, 10, 10]


def test_a_group_of_one_is_never_too_large():
    part = splitting.deal(some_ids(10), alone(10), 1, 0)
    assert (part.count("valid"), part.count("test")) == (1, 1)


@pytest.mark.parametrize("items", [1, 2, 4])
def test_too_few_presets_are_refused(items: int):
    with pytest.raises(ValueError, match=f"{items} presets in {items} groups are too few for train, valid and test"):
        splitting.deal(some_ids(items), alone(items), 1, 0)


def test_too_few_groups_are_refused():
    with pytest.raises(ValueError, match="100 presets in 1 groups are too few"):
        splitting.deal(some_ids(100), np.zeros(100, dtype=int), 1, 0)


def test_leaks_are_test_items_with_a_close_training_item():
    part = np.array(["test", "train", "test", "valid", "test", "train", "train"])
    close = pairs((0, 1), (0, 5), (1, 2), (2, 3), (2, 4), (3, 4), (5, 6))
    assert splitting.count_leaks(part, close) == 2  # 0, once though it has two, and 2; 4 has a test and a valid item
    assert splitting.count_leaks(part, pairs()) == 0


@pytest.fixture(scope="module")
def twins() -> tuple[list[str], np.ndarray, np.ndarray]:
    """150 presets and a near-duplicate of each: by parameters of the first half, by sound of the others."""
    values, mel = far_apart(150)
    rng = np.random.default_rng(2)
    other_values, other_mel = far_apart(150, seed=3)
    other_values[:75] = np.clip(values[:75] + rng.uniform(-0.01, 0.01, (75, 16)), 0, 1)
    other_mel[75:] = mel[75:] + rng.uniform(-0.03, 0.03, (75, 16, 24))
    return some_ids(300), np.concatenate([values, other_values]), np.concatenate([mel, other_mel])


def test_near_duplicates_by_parameters_or_by_sound_are_in_one_group(twins):
    table, _ = splitting.split("grouped", *twins, folds=1, seed=1)
    group = table["group"].to_numpy()
    assert (group[:150] == group[150:]).all()
    assert len(set(group)) == 150


def test_what_hangs_together_over_both_kinds_is_one_group():
    values, mel = far_apart(30)
    values[1] = values[0]
    mel[2] = mel[1]
    table, _ = splitting.split("grouped", some_ids(30), values, mel, folds=1, seed=1)
    assert table["group"][:3].nunique() == 1
    assert table["group"].nunique() == 28


def test_grouped_leaks_nothing_where_random_leaks(twins):
    leaked = {}
    for kind in ("grouped", "random"):
        table, leaks = splitting.split(kind, *twins, folds=3, seed=1)
        assert table.groupby(["fold", "group"])["part"].nunique().max() == 1
        assert (leaks["split"] == kind).all()
        assert set(zip(leaks["fold"], leaks["kind"], leaks["within"], strict=True)) == set(
            itertools.product(range(3), ["parameters", "sound"], [0.05])
        ) | {(f, k, w) for f in range(3) for k, w in [("parameters", 0.01), ("sound", 0.2)]}
        np.testing.assert_allclose(leaks["share"], leaks["leaked"] / leaks["items"])
        tested = table[table["part"] == "test"].groupby("fold").size()
        assert (leaks["items"] == leaks["fold"].map(tested)).all()
        leaked[kind] = leaks.groupby(["fold", "kind"])["leaked"].min()
    assert (leaked["grouped"] == 0).all()
    assert (leaked["random"] > 5).all()


def test_leaks_are_counted_within_each_distance():
    """Copies at all distances, and the count is what comparing all pairs gives."""
    values, mel = far_apart(100)
    rng = np.random.default_rng(4)
    values = np.concatenate([values, np.abs(values - rng.uniform(0, 0.15, (100, 1)))]).astype(np.float32)
    mel = np.concatenate([mel, mel + rng.uniform(0, 0.4, (100, 1, 1))]).astype(np.float32)
    table, leaks = splitting.split("random", some_ids(200), values, mel, folds=1, seed=1)
    part = table["part"].to_numpy()
    found = leaks.set_index(["kind", "within"])["leaked"]
    for kind, arrays in (("parameters", values), ("sound", mel)):
        counts = []
        for within in splitting.REPORTED[kind]:
            close = brute_force(arrays, within)
            ends = {
                end
                for i, j in close
                for end, other in ((i, j), (j, i))
                if (part[end], part[other]) == ("test", "train")
            }
            assert found[kind, within] == len(ends)
            counts.append(len(ends))
        assert counts == sorted(set(counts))


def test_each_fold_holds_every_preset_once(twins):
    ids, _, _ = twins
    table, _ = splitting.split("random", *twins, folds=3, seed=1)
    assert list(table.columns) == ["fold", "id", "part", "group"]
    for _, fold in table.groupby("fold"):
        assert fold["id"].tolist() == ids
        assert fold["part"].value_counts().to_dict() == {"train": 240, "valid": 30, "test": 30}
    assert table.groupby("id")["part"].nunique().max() > 1


@pytest.mark.parametrize("kind", ["random", "grouped"])
def test_a_split_does_not_depend_on_the_order_of_the_presets(twins, kind: str):
    ids, values, mel = twins
    order = np.random.default_rng(5).permutation(len(ids))
    table, leaks = splitting.split(kind, ids, values, mel, folds=2, seed=1)
    other, other_leaks = splitting.split(kind, [ids[i] for i in order], values[order], mel[order], folds=2, seed=1)
    part = table.set_index(["fold", "id"])["part"]
    pd.testing.assert_series_equal(other.set_index(["fold", "id"])["part"].loc[part.index], part)
    pd.testing.assert_frame_equal(other_leaks, leaks)


def test_a_fold_does_not_depend_on_the_number_of_folds(twins):
    one, _ = splitting.split("grouped", *twins, folds=1, seed=1)
    three, _ = splitting.split("grouped", *twins, folds=3, seed=1)
    pd.testing.assert_frame_equal(three[three["fold"] == 0], one)


def test_an_unknown_kind_is_refused(twins):
    with pytest.raises(ValueError, match="split: got 'sorted', expected random, grouped or published"):
        splitting.split("sorted", *twins, folds=1, seed=1)
