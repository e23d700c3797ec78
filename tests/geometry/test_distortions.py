"""Measures of distortion against closed forms and a second algorithm."""

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from orderparam.geometry.distortions import (
    angle_variance,
    baur_index,
    bond_lengths,
    pair_lengths,
    principal_axis,
    quadratic_elongation,
    shannon_delta,
    van_vleck,
    volume,
)
from orderparam.testing import random_rotation

REGULAR = 2.0 * np.repeat(np.eye(3), 2, axis=0) * np.array([1, -1] * 3)[:, None]


def stretched(x, y, z):
    return REGULAR / 2 * np.repeat([x, y, z], 2)[:, None]


def test_a_regular_octahedron_is_not_distorted():
    for rotation in (np.eye(3), random_rotation(np.random.default_rng(1))):
        vectors = REGULAR @ rotation
        assert baur_index(vectors) == pytest.approx(0, abs=1e-14)
        assert shannon_delta(vectors) == pytest.approx(0, abs=1e-14)
        assert angle_variance(vectors) == pytest.approx(0, abs=1e-20)
        assert quadratic_elongation(vectors) == pytest.approx(1)
        assert volume(vectors) == pytest.approx(4 / 3 * 2.0**3)
        lengths = pair_lengths(vectors, rotation.T, np.eye(3))
        np.testing.assert_allclose(van_vleck(lengths), 0, atol=1e-12)


def test_a_tetragonal_octahedron_has_the_values_of_the_definitions():
    short, long = 1.9, 2.2
    vectors = stretched(short, short, long)
    mean = (2 * short + long) / 3
    assert baur_index(vectors) == pytest.approx((2 * (mean - short) + long - mean) / 3 / mean)
    assert shannon_delta(vectors) == pytest.approx((2 * (mean - short) ** 2 + (long - mean) ** 2) / 3 / mean**2)
    assert angle_variance(vectors) == pytest.approx(0, abs=1e-20)
    regular = (short**2 * long) ** (1 / 3)
    assert quadratic_elongation(vectors) == pytest.approx((2 * short**2 + long**2) / 3 / regular**2)


def test_van_vleck_modes_of_kanamori():
    """J. Kanamori, J. Appl. Phys. 31, 14S (1960): Q2 = sqrt 2 (x - y), Q3 = 2 (2 z - x - y) / sqrt 6."""
    lengths = pair_lengths(stretched(2.1, 1.9, 2.0), np.eye(3), np.eye(3))
    q2, q3 = van_vleck(lengths)
    assert q2 == pytest.approx(np.sqrt(2) * 0.2)
    assert q3 == pytest.approx(0, abs=1e-14)
    lengths = pair_lengths(stretched(2.0, 2.0, 2.3), np.eye(3), np.eye(3))
    q2, q3 = van_vleck(lengths)
    assert q2 == pytest.approx(0, abs=1e-14)
    assert q3 == pytest.approx(2 / np.sqrt(6) * 0.6)


def test_size_in_the_plane_of_van_vleck_modes_does_not_depend_on_the_axis():
    lengths = np.array([2.1, 1.87, 1.99])
    sizes = [np.hypot(*van_vleck(lengths, axis)) for axis in range(3)]
    np.testing.assert_allclose(sizes, sizes[0])


def test_the_principal_axis_is_across_alternating_bonds_or_along_common_ones():
    assert principal_axis(np.array([[2.2, 1.95, 1.9], [1.9, 1.95, 2.2]])) == 1
    assert principal_axis(np.array([[2.2, 1.9, 1.9], [2.2, 1.9, 1.9]])) == 0


def test_a_shear_opens_angles_only():
    """A rhombohedral stretch: all bonds equal, angles 90 +- delta, six of each."""
    vectors = REGULAR @ (np.eye(3) + 0.02 * (np.ones((3, 3)) - np.eye(3)))
    assert baur_index(vectors) == pytest.approx(0, abs=1e-12)
    cosine = vectors[0] @ vectors[2] / (vectors[0] @ vectors[0])
    delta = 90 - np.degrees(np.arccos(cosine))
    assert angle_variance(vectors) == pytest.approx(12 * delta**2 / 11)


@pytest.mark.parametrize("seed", range(10))
def test_volume_against_the_convex_hull_and_elongation_at_least_one(seed):
    rng = np.random.default_rng(seed)
    vectors = (REGULAR + rng.normal(scale=0.15, size=(6, 3))) @ random_rotation(rng)
    hull = ConvexHull(vectors)
    assert all(len({corner // 2 for corner in face}) == 3 for face in hull.simplices)  # no face holds opposite ligands
    assert volume(vectors) == pytest.approx(hull.volume)
    assert volume(vectors + rng.normal(scale=0.1, size=3)) == pytest.approx(volume(vectors))
    assert (bond_lengths(vectors) > 0).all()
    assert quadratic_elongation(vectors - vectors.mean(axis=0)) > 1


def test_measures_do_not_depend_on_orientation_or_scale():
    rng = np.random.default_rng(5)
    vectors = REGULAR + rng.normal(scale=0.1, size=(6, 3))
    turned = 1.7 * vectors @ random_rotation(rng)
    for measure in (baur_index, shannon_delta, angle_variance, quadratic_elongation):
        assert measure(turned) == pytest.approx(measure(vectors))
    assert volume(turned) == pytest.approx(1.7**3 * volume(vectors))
