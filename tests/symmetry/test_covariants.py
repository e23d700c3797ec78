"""The power law is equivariant, homogeneous, and exact where a follower is of lowest order."""

from __future__ import annotations

import numpy as np
import pytest

from orderparam.symmetry.covariants import PowerLaw
from orderparam.symmetry.orderparameter import decompose
from orderparam.symmetry.parentirreps import named_irrep
from orderparam.tiltsystems import cubic_perovskite, tilt_system

PARENT = cubic_perovskite()
PRIMARIES = [named_irrep(PARENT, label) for label in ("M3+", "R4+")]


def law(label: str) -> PowerLaw:
    return PowerLaw.between(PARENT, PRIMARIES, named_irrep(PARENT, label))


def random_vector(rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.normal(size=irrep.dimension) for irrep in PRIMARIES]


@pytest.mark.parametrize(("label", "degree"), [("X5+", 2), ("M4+", 2), ("R5+", 3), ("M2+", 3), ("GM3+", 2)])
def test_lowest_degrees(label, degree):
    assert law(label).degree([random_vector(np.random.default_rng(0))]) == degree


def test_ninth_degree_is_beyond_the_search():
    """R4+ alone, in any direction, drives R1+ at the ninth order."""
    one = PowerLaw.between(PARENT, PRIMARIES[1:], named_irrep(PARENT, "R1+"))
    assert one.degree([[np.array([0.5, 0.3, 0.2])]]) is None
    assert np.abs(one.kernel(9, [np.array([0.5, 0.3, 0.2])], [np.array([0.5, 0.3, 0.2])])).max() > 0


@pytest.mark.parametrize("label", ["X5+", "R5+", "GM3+"])
def test_equivariance(label):
    one, rng = law(label), np.random.default_rng(1)
    known, wanted = [random_vector(rng) for _ in range(3)], random_vector(rng)
    values = [rng.normal(size=(2, one.follower.dimension)) for _ in known]
    plain = one.predict(known, values, wanted)
    assert np.abs(plain).max() > 1e-3
    for operation in (5, 17, 40):
        shift = one.supercell.translations[operation % one.supercell.n_cells][None]

        def turn(irrep, vector, operation=operation, shift=shift):
            return irrep.translate(vector @ irrep.matrices[operation].T, shift)[0]

        moved = [turn(irrep, part) for irrep, part in zip(PRIMARIES, wanted, strict=True)]
        assert np.allclose(one.predict(known, values, moved), turn(one.follower, plain), atol=1e-10)


@pytest.mark.parametrize(("label", "degree"), [("X5+", 2), ("M2+", 3)])
def test_one_child_gives_the_power_of_its_amplitude(label, degree):
    found = decompose(tilt_system("a+b-b-", PARENT))
    h = [found["M3+"].components[0], found["R4+"].components[0]]
    values = [found[label].components]
    one = law(label)
    assert np.allclose(one.predict([h], values, h), values[0], atol=1e-10)
    assert np.allclose(one.predict([h], values, [0.5 * part for part in h]), 0.5**degree * values[0], atol=1e-10)


def test_small_tilts_follow_their_lowest_order():
    """X5+ learned from one system predicts another up to the next order: the relative error falls as the square."""
    errors = []
    for angle in (8.0, 4.0, 2.0):
        known, other = (decompose(tilt_system(s, PARENT, angle=angle)) for s in ("a+b-c-", "a+b-b-"))
        vectors = [[d["M3+"].components[0], d["R4+"].components[0]] for d in (known, other)]
        exact = other["X5+"].components
        predicted = law("X5+").predict([vectors[0]], [known["X5+"].components], vectors[1])
        errors.append(np.linalg.norm(predicted - exact) / np.linalg.norm(exact))
    assert errors[0] < 0.05
    assert errors[1] < 0.3 * errors[0]
    assert errors[2] < 0.3 * errors[1]


def test_what_cannot_couple_stays_zero():
    """Negative control: R4+ alone makes no X5+."""
    one = PowerLaw.between(PARENT, PRIMARIES[1:], named_irrep(PARENT, "X5+"))
    h = [np.array([0.3, 0.2, 0.1])]
    assert one.degree([h]) is None
    assert not one.predict([h], [np.ones((1, 6))], h).any()
