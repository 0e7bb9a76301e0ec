"""Splits depend on the identity of presets, not on their order; near-duplicates stay in one partition."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowsynth.data import splits as splitting
from flowsynth.data.splits import ClosePairs

PARTS = ("train", "valid", "test")


def some_ids(items: int) -> list[str]:
    return [f"id{i:04}" for i in range(items)]


def single_groups(items: int) -> np.ndarray:
    """Groups of one item each."""
    return np.arange(items)


def distant_items(items: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Parameters and sounds, no two of which are close."""
    rng = np.random.default_rng(seed)
    return rng.random((items, 16)).astype(np.float32), rng.normal(0, 3, (items, 16, 24)).astype(np.float32)


def pairs(*indices: tuple[int, int]) -> ClosePairs:
    first, second = np.array(indices, dtype=int).reshape(-1, 2).T
    return ClosePairs(first, second, np.zeros(len(indices)))


def distances_of(close: ClosePairs) -> dict[tuple[int, int], float]:
    assert (close.first < close.second).all()
    indices = list(zip(close.first.tolist(), close.second.tolist(), strict=True))
    assert len(set(indices)) == len(indices)
    return dict(zip(indices, close.distance.tolist(), strict=True))


def brute_force(arrays: np.ndarray, radius: float) -> dict[tuple[int, int], float]:
    arrays = arrays.astype(np.float64)
    distances = {(i, j): np.abs(arrays[i] - arrays[j]).mean() for i, j in itertools.combinations(range(len(arrays)), 2)}
    return {pair: distance for pair, distance in distances.items() if distance <= radius}


def clustered_sounds(shape: tuple[int, int], seed: int) -> np.ndarray:
    """Sounds at all distances: copies, shifted copies, noisy copies, copies with changed edges."""
    rng = np.random.default_rng(seed)
    base = rng.normal(0, 1, (6, *shape))
    shifted = base + rng.uniform(-0.3, 0.3, (6, 1, 1))
    noisy = base + rng.normal(0, 1, (6, *shape)) * rng.uniform(0, 0.3, (6, 1, 1))
    edges = base.copy()
    edges[:, -1, :] += 1
    edges[:, :, -1] += rng.uniform(-2, 2, (6, 1))
    inside = base.copy()  # copies that differ only where the tiles are
    inside[:, : shape[0] - shape[0] % 8, : shape[1] - shape[1] % 8] += rng.uniform(0, 0.3, (6, 1, 1))
    return np.concatenate([base, base[:2], shifted, noisy, edges, inside]).astype(np.float32)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", [(64, 80), (8, 8), (13, 23), (15, 9)])
@pytest.mark.parametrize("radius", [0.05, 0.2])
def test_close_sounds_equal_brute_force(shape: tuple[int, int], seed: int, radius: float):
    mel = clustered_sounds(shape, seed)
    expected = brute_force(mel, radius)
    actual = distances_of(splitting.close_sounds(mel, radius))
    assert actual.keys() == expected.keys()
    assert 2 <= len(expected) < len(mel) * 3
    for pair, distance in expected.items():
        assert actual[pair] == pytest.approx(distance, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_close_parameters_equal_brute_force(seed: int):
    rng = np.random.default_rng(seed)
    base = rng.random((30, 16))
    values = np.concatenate([base, base[:3], base + rng.normal(0, 0.1, base.shape) * rng.random((30, 1))])
    expected = brute_force(values, 0.05)
    actual = distances_of(splitting.close_parameters(values, 0.05))
    assert actual.keys() == expected.keys()
    assert 5 < len(expected) < 60
    for pair, distance in expected.items():
        assert actual[pair] == pytest.approx(distance, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("items", [2, 46])
def test_close_sounds_in_one_and_in_several_batches(items: int):
    """One pair, and more than fit in a batch."""
    rng = np.random.default_rng(1)
    mel = rng.normal(size=(1, 8, 9)).astype(np.float32) + rng.uniform(0.01, 0.04, (items, 8, 9)).astype(np.float32)
    expected = brute_force(mel, 0.05)
    assert len(expected) == items * (items - 1) // 2
    assert distances_of(splitting.close_sounds(mel, 0.05)) == pytest.approx(expected, rel=1e-3)


def test_equal_items_are_a_pair_at_distance_zero():
    values, mel = distant_items(3)
    values[2], mel[1] = values[0], mel[0]
    assert distances_of(splitting.close_parameters(values, 0.05)) == {(0, 2): 0}
    assert distances_of(splitting.close_sounds(mel, 0.05)) == {(0, 1): 0}


def test_distant_items_give_no_pairs():
    values, mel = distant_items(5)
    assert distances_of(splitting.close_parameters(values, 0.05)) == {}
    assert distances_of(splitting.close_sounds(mel, 0.05)) == {}


def test_within_selects_pairs_by_distance():
    close = ClosePairs(np.array([0, 1, 2]), np.array([5, 6, 7]), np.array([0.01, 0.05, 0.06]))
    assert distances_of(close.within(0.05)) == {(0, 5): 0.01, (1, 6): 0.05}


def test_groups_connect_pairs_of_all_kinds():
    group = splitting.connected_groups(6, pairs((0, 1)), pairs((1, 4), (0, 1)))
    assert group[0] == group[1] == group[4]
    assert len({group[0], group[2], group[3], group[5]}) == 4


def test_items_without_pairs_are_their_own_groups():
    assert sorted(splitting.connected_groups(4, pairs(), pairs())) == [0, 1, 2, 3]


@pytest.mark.parametrize("items", [10, 40, 200, 3236])
def test_parts_of_single_presets_have_exact_sizes(items: int):
    part = splitting.assign_parts(some_ids(items), single_groups(items), 1, 0)
    held_out = round(items / 10)
    assert [part.count(name) for name in PARTS] == [items - 2 * held_out, held_out, held_out]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 20), max_size=40), st.integers(0, 99), st.randoms(use_true_random=False))
def test_assignment_ignores_order_and_keeps_groups_together(numbers: list[int], seed: int, random):
    group = np.array([*numbers, *range(100, 160)])
    ids = some_ids(len(group))
    part = dict(zip(ids, splitting.assign_parts(ids, group, seed, 0), strict=True))
    order = random.sample(range(len(ids)), len(ids))
    renamed = 1000 - group[order]  # other group labels, too
    shuffled = splitting.assign_parts([ids[i] for i in order], renamed, seed, 0)
    assert shuffled == [part[ids[i]] for i in order]
    assert pd.Series(part.values()).groupby(group).nunique().max() == 1
    target = round(len(ids) / 10)
    assert 0 < shuffled.count("test") <= target
    assert 0 < shuffled.count("valid") <= target


def test_assignment_depends_on_seed_and_fold():
    ids = some_ids(200)
    first = splitting.assign_parts(ids, single_groups(200), 1, 0)
    assert splitting.assign_parts(ids, single_groups(200), 1, 0) == first
    for seed, fold in [(2, 0), (1, 1)]:
        other = splitting.assign_parts(ids, single_groups(200), seed, fold)
        assert 20 < sum(a != b for a, b in zip(first, other, strict=True)) <= 80


def test_additional_training_preset_moves_no_other():
    ids = some_ids(200)
    part = dict(zip(ids, splitting.assign_parts(ids, single_groups(200), 1, 0), strict=True))
    without = [name for name in ids if name != next(i for i in ids if part[i] == "train")]
    assert splitting.assign_parts(without, single_groups(199), 1, 0) == [part[name] for name in without]


@pytest.mark.parametrize(("members", "held_out"), [(5, True), (6, False)])
def test_large_groups_stay_in_the_training_set(members: int, held_out: bool):
    """The test set has 20 of 200 presets: it may contain groups of 5, but not groups of 6."""
    group = np.concatenate([np.zeros(members, dtype=int), np.arange(1, 201 - members)])
    parts = {splitting.assign_parts(some_ids(200), group, seed, 0)[0] for seed in range(40)}
    assert parts == (set(PARTS) if held_out else {"train"})


def test_held_out_parts_never_exceed_a_tenth():
    """The test set has 10 of 110 presets that come in pairs; a sixth pair would exceed a tenth."""
    for seed in range(5):
        part = splitting.assign_parts(some_ids(110), np.arange(110) // 2, seed, 0)
        assert [part.count(name) for name in PARTS] == [90, 10, 10]


def test_single_presets_are_never_too_large():
    part = splitting.assign_parts(some_ids(10), single_groups(10), 1, 0)
    assert (part.count("valid"), part.count("test")) == (1, 1)


@pytest.mark.parametrize("items", [1, 2, 4])
def test_too_few_presets_raise(items: int):
    with pytest.raises(ValueError, match=f"{items} presets in {items} groups"):
        splitting.assign_parts(some_ids(items), single_groups(items), 1, 0)


def test_too_few_groups_raise():
    with pytest.raises(ValueError, match="100 presets in 1 groups"):
        splitting.assign_parts(some_ids(100), np.zeros(100, dtype=int), 1, 0)


def test_count_leaks_counts_test_items_close_to_training_items():
    part = np.array(["test", "train", "test", "valid", "test", "train", "train"])
    close = pairs((0, 1), (0, 5), (1, 2), (2, 3), (2, 4), (3, 4), (5, 6))
    assert splitting.count_leaks(part, close) == 2  # item 0, counted once, and item 2
    assert splitting.count_leaks(part, pairs()) == 0


@pytest.fixture(scope="module")
def twins() -> tuple[list[str], np.ndarray, np.ndarray]:
    """150 presets and a near-duplicate of each: by parameters in the first half, by sound in the second."""
    values, mel = distant_items(150)
    rng = np.random.default_rng(2)
    other_values, other_mel = distant_items(150, seed=3)
    other_values[:75] = np.clip(values[:75] + rng.uniform(-0.01, 0.01, (75, 16)), 0, 1)
    other_mel[75:] = mel[75:] + rng.uniform(-0.03, 0.03, (75, 16, 24))
    return some_ids(300), np.concatenate([values, other_values]), np.concatenate([mel, other_mel])


def test_near_duplicates_are_in_one_group(twins):
    table, _ = splitting.split("grouped", *twins, folds=1, seed=1)
    group = table["group"].to_numpy()
    assert (group[:150] == group[150:]).all()
    assert len(set(group)) == 150


def test_groups_connect_parameters_and_sounds():
    values, mel = distant_items(30)
    values[1] = values[0]
    mel[2] = mel[1]
    table, _ = splitting.split("grouped", some_ids(30), values, mel, folds=1, seed=1)
    assert table["group"][:3].nunique() == 1
    assert table["group"].nunique() == 28


def test_grouped_split_has_no_leaks_unlike_random(twins):
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


def test_leaks_within_each_radius_equal_brute_force():
    """Copies at all distances; the expected counts come from all pairs."""
    values, mel = distant_items(100)
    rng = np.random.default_rng(4)
    values = np.concatenate([values, np.abs(values - rng.uniform(0, 0.15, (100, 1)))]).astype(np.float32)
    mel = np.concatenate([mel, mel + rng.uniform(0, 0.4, (100, 1, 1))]).astype(np.float32)
    table, leaks = splitting.split("random", some_ids(200), values, mel, folds=1, seed=1)
    part = table["part"].to_numpy()
    leaked = leaks.set_index(["kind", "within"])["leaked"]
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
            assert leaked[kind, within] == len(ends)
            counts.append(len(ends))
        assert counts == sorted(set(counts))


def test_each_fold_has_every_preset_once(twins):
    ids, _, _ = twins
    table, _ = splitting.split("random", *twins, folds=3, seed=1)
    assert list(table.columns) == ["fold", "id", "part", "group"]
    for _, fold in table.groupby("fold"):
        assert fold["id"].tolist() == ids
        assert fold["part"].value_counts().to_dict() == {"train": 240, "valid": 30, "test": 30}
    assert table.groupby("id")["part"].nunique().max() > 1


@pytest.mark.parametrize("kind", ["random", "grouped"])
def test_split_does_not_depend_on_the_order_of_presets(twins, kind: str):
    ids, values, mel = twins
    order = np.random.default_rng(5).permutation(len(ids))
    table, leaks = splitting.split(kind, ids, values, mel, folds=2, seed=1)
    other, other_leaks = splitting.split(kind, [ids[i] for i in order], values[order], mel[order], folds=2, seed=1)
    part = table.set_index(["fold", "id"])["part"]
    pd.testing.assert_series_equal(other.set_index(["fold", "id"])["part"].loc[part.index], part)
    pd.testing.assert_frame_equal(other_leaks, leaks)


def test_fold_does_not_depend_on_the_number_of_folds(twins):
    one, _ = splitting.split("grouped", *twins, folds=1, seed=1)
    three, _ = splitting.split("grouped", *twins, folds=3, seed=1)
    pd.testing.assert_frame_equal(three[three["fold"] == 0], one)


def test_unknown_kind_raises(twins):
    with pytest.raises(ValueError, match="'sorted'"):
        splitting.split("sorted", *twins, folds=1, seed=1)
