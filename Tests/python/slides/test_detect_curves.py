# SPDX-License-Identifier: Apache-2.0
"""Precision, recall and the curves are those of the largest matching at each threshold."""

from __future__ import annotations

import math
from itertools import combinations, permutations

import numpy as np
import pytest

pytest.importorskip("scipy", reason='detections are not tested: pip install "equiconv[slides]"')

from equiconv.slides._detect import matching
from equiconv.slides._detect.curves import (
    average_precision,
    froc,
    precision_recall,
    precision_recall_curve,
)
from equiconv.slides._detect.points import Detections
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching


def draw(seed, found=60, truths=40, side=30, levels=12):
    """Crowded points on whole numbers, with few different scores."""
    rng = np.random.default_rng(seed)
    points = Detections(rng.integers(0, side, (found, 2)), rng.integers(0, levels, found) / levels)
    return points, rng.integers(0, side, (truths, 2)).astype(float)


def largest_matching(positions, truth, distance):
    near = ((positions[:, None] - truth[None]) ** 2).sum(2) <= distance**2
    return int((maximum_bipartite_matching(csr_matrix(near), "column") >= 0).sum())


def exhaustive_matching(positions, truth, distance):
    """The most pairs, by trying all."""
    near = ((positions[:, None] - truth[None]) ** 2).sum(2) <= distance**2
    few, many = sorted(near.shape)
    near = near if near.shape[0] == few else near.T
    for size in range(few, 0, -1):
        for chosen in combinations(range(few), size):
            for others in permutations(range(many), size):
                if all(near[one, other] for one, other in zip(chosen, others, strict=True)):
                    return size
    return 0


@pytest.mark.parametrize("seed", range(30))
def test_true_positives_are_the_most_pairs_that_there_can_be(seed):
    found, truth = draw(seed, 4, 5, side=6)
    result = precision_recall(found, truth, 2)
    assert result.true_positives == exhaustive_matching(found.positions, truth, 2)


@pytest.mark.parametrize("distance", [0, 1, 3, 5, 100])
@pytest.mark.parametrize("seed", range(4))
def test_each_threshold_of_the_curves_is_a_largest_matching(seed, distance):
    found, truth = draw(seed)
    curve, free = precision_recall_curve(found, truth, distance), froc(found, truth, distance, areas=2.5)
    assert curve.thresholds.tolist() == free.thresholds.tolist() == sorted(set(found.scores.tolist()), reverse=True)
    for place, threshold in enumerate(curve.thresholds.tolist()):
        chosen = found.above(threshold)
        most = largest_matching(chosen.positions, truth, distance)
        assert curve.precision[place] == most / len(chosen)
        assert curve.recall[place] == free.sensitivity[place] == most / len(truth)
        assert free.false_positives[place] == (len(chosen) - most) / 2.5
        at_once = precision_recall(found, truth, distance, threshold=threshold)
        assert (at_once.precision, at_once.recall) == (curve.precision[place], curve.recall[place])
        assert math.isclose(at_once.f1, curve.f1[place], rel_tol=1e-12, abs_tol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_points_changes_no_curve(seed):
    found, truth = draw(seed)
    rng = np.random.default_rng(seed)
    other = found.select(rng.permutation(len(found)))
    one, two = (froc(points, places, 3) for points, places in ((found, truth), (other, rng.permutation(truth))))
    assert one.sensitivity.tolist() == two.sensitivity.tolist()
    assert one.false_positives.tolist() == two.false_positives.tolist()


@pytest.mark.parametrize("seed", range(3))
def test_pairs_are_one_to_one_and_close(seed):
    found, truth = draw(seed)
    result = precision_recall([found, found], [truth, truth[:7]], 3)
    slides, points, targets = result.pairs.T
    assert len(result.pairs) == result.true_positives
    for slide, places in enumerate((truth, truth[:7])):
        chosen = slides == slide
        assert len(set(points[chosen].tolist())) == len(set(targets[chosen].tolist())) == chosen.sum()
        assert np.hypot(*(found.positions[points[chosen]] - places[targets[chosen]]).T).max() <= 3
    assert result.true_positives + result.false_positives == 2 * len(found)
    assert result.true_positives + result.false_negatives == len(truth) + 7


def test_a_second_detection_of_a_point_is_false_and_a_chain_is_paired_from_end_to_end():
    twice = Detections([[5, 5], [5, 6]], [0.9, 0.8])
    assert repr(precision_recall(twice, [[5, 5]], 2)).endswith("1 true, 1 false, 0 missed>")
    # The best detection is nearest to the second point, which the next one needs; and so on for a thousand.
    count = 1000
    found = Detections(np.stack([np.arange(count), np.zeros(count)], 1), np.linspace(1, 0.1, count))
    truth = np.stack([np.arange(count) - 0.625, np.zeros(count)], 1)
    assert precision_recall(found, truth, 0.625).true_positives == count


def test_points_without_a_partner_are_not_searched_for_again_and_again():
    looks = []

    class Row(list):
        def __iter__(self):
            looks.append(self)
            return super().__iter__()

    taken = matching._augmented([Row(range(100)) for _ in range(300)], 100)
    assert (taken >= 0).tolist() == [True] * 100 + [False] * 200
    # One row for each point, and all once, for the first one that finds no partner.
    assert len(looks) == 300 + 100


def test_slides_are_counted_together_and_paired_apart():
    one, other = draw(1), draw(2)
    curve = froc([one[0], other[0]], [one[1], other[1]], 3)
    for place, threshold in enumerate(curve.thresholds.tolist()):
        parts = [precision_recall(found, truth, 3, threshold=threshold) for found, truth in (one, other)]
        assert curve.sensitivity[place] == sum(part.true_positives for part in parts) / 80
        assert curve.false_positives[place] == sum(part.false_positives for part in parts) / 2
    assert froc([one[0], other[0]], [one[1], other[1]], 3, areas=[1, 3]).false_positives.tolist() == (
        (curve.false_positives / 2).tolist()
    )


def test_average_precision_is_that_of_a_classifier_times_what_is_found():
    metrics = pytest.importorskip("sklearn.metrics", reason="one check is left out: pip install scikit-learn")
    found, truth = draw(7, levels=10**6)
    result = precision_recall(found, truth, 3)
    is_true = np.isin(np.arange(len(found)), result.pairs[:, 1])
    expected = metrics.average_precision_score(is_true, found.scores) * result.recall
    assert math.isclose(average_precision(found, truth, 3), expected, rel_tol=1e-12)


def test_perfect_detections_have_average_precision_one():
    found, truth = draw(3)
    assert average_precision(Detections(truth, np.linspace(0, 1, len(truth))), truth, 0) == 1
    assert average_precision(Detections(truth[:10], np.ones(10)), truth[:20], 0) == 0.5
    assert average_precision(found.select(np.zeros(len(found), bool)), truth, 3) == 0


def test_sensitivity_at_a_rate_is_a_step():
    found = Detections([[0, 0], [9, 9], [1, 1], [2, 2]], [0.9, 0.8, 0.7, 0.6])
    curve = froc(found, [[0, 0], [1, 1], [2, 2], [5, 5]], 0.5)
    assert [curve.sensitivity_at(rate) for rate in (0, 0.9, 1, 8)] == [0.25, 0.25, 0.75, 0.75]
    assert curve.score([0, 1]) == 0.5
    assert curve.score() == (2 * 0.25 + 4 * 0.75) / 6
    late = froc(Detections([[9, 9]], [0.9]), [[0, 0]], 0.5)
    assert late.sensitivity_at(0.5) == 0


def test_distances_are_micrometers_where_they_are_known():
    found = Detections([[10, 10]], [1], mpp=(0.5, 0.25))
    assert precision_recall(found, [[10, 14]], 1).true_positives == 1
    assert precision_recall(found, [[14, 10]], 1).true_positives == 0
    assert precision_recall(found, Detections([[12, 10]], [1]), 1).true_positives == 1


def test_nothing_found_and_nothing_to_find_have_no_ratio():
    none, some = Detections(np.zeros((0, 2)), []), Detections([[1, 1]], [0.5])
    result = precision_recall(none, [], 3)
    assert all(math.isnan(value) for value in (result.precision, result.recall, result.f1))
    result = precision_recall(some, [], 3)
    assert (result.precision, result.f1) == (0, 0)
    assert math.isnan(result.recall)
    with pytest.raises(ValueError, match="truth has no points, expected one or more"):
        froc(some, [], 3)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([[1, 1]], [[1, 1]], 3), TypeError, r"found has \[1, 1\] \(list\), expected Detections"),
        ((3, [[1, 1]], 3), TypeError, r"found is 3 \(int\), expected Detections, or a sequence of them"),
        (([], [], 3), ValueError, "truth has points of 0 slides, expected 0"),
        (([Detections([[1, 1]], [1])], [[[1, 1]], []], 3), ValueError, "truth has points of 2 slides, expected 1"),
        ((Detections([[1, 1]], [1]), [[1, 1, 1]], 3), ValueError, r"truth has shape \(1, 3\), expected \(N, 2\)"),
        ((Detections([[1, 1]], [1]), [[1, np.nan]], 3), ValueError, "truth has nan, expected finite numbers"),
        ((Detections([[1, 1]], [1]), [["a", "b"]], 3), TypeError, "truth has dtype <U1, expected real numbers"),
        ((Detections([[1, 1]], [1]), [[1, 1]], -1), ValueError, "distance is -1.0, expected a finite number of 0"),
    ],
)
def test_wrong_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        precision_recall(*arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([[1, 2]], [1, 2]), ValueError, r"scores has shape \(2,\), expected \(1,\), one for each point"),
        (([[1, np.inf]], [1]), ValueError, "positions has inf, expected finite numbers"),
        (([[1, 2]], [np.nan]), ValueError, "scores has nan, expected finite numbers"),
        (([[1, 2]], [1], [1]), ValueError, "classes has 1 to 1, expected indices of 1 names"),
        (([[1, 2]], [1], [0.5]), TypeError, "classes has dtype float64, expected integers"),
        (([[1, 2]], [1], [0], []), ValueError, r"names is \[\], expected one or more texts"),
        (([[1, 2]], [1], [0], [3]), TypeError, r"names has 3 \(int\), expected texts"),
        (([[1, 2]], [1], [0], ["a"], -1), ValueError, "mpp is -1, expected a positive, finite number"),
    ],
)
def test_detections_check_what_they_are_made_of(arguments, error, message):
    with pytest.raises(error, match=message):
        Detections(*arguments)


def test_areas_and_rates_are_checked():
    found, truth = draw(0)
    for areas in (0, [1, 2], np.inf):
        with pytest.raises(ValueError, match="expected a positive, finite number for each of 1 slides"):
            froc(found, truth, 3, areas=areas)
    with pytest.raises(ValueError, match="rates is empty"):
        froc(found, truth, 3).score([])
    with pytest.raises(ValueError, match="name is 'x', expected one of 'detection'"):
        found.of_class("x")
