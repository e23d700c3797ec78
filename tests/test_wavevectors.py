"""Wave vectors as they are printed: a copy modulo the reciprocal lattice, the simplest of all."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from orderparam.crystals.reading import read_crystal
from orderparam.discovery.analyse import analyse
from orderparam.parent import symmetrise
from orderparam.records import modes_record
from orderparam.spacegroup import CENTRINGS, centring_letter
from orderparam.symmetry.irreps import special_points
from orderparam.wavevectors import LARGEST_DENOMINATOR, fractions_text, printed_copy

STRUCTURES = Path(__file__).parents[1] / "structures"
STEPS = np.stack(np.meshgrid(*[np.arange(-5, 6)] * 3, indexing="ij"), -1).reshape(-1, 3)


def is_copy(k, other, basis):
    """Two wave vectors agree modulo the reciprocal lattice: (k - k') . t is an integer for every lattice vector t."""
    turns = basis @ (np.asarray(k) - other)
    return np.abs(turns - np.rint(turns)).max() < 1e-6


def rank(k):
    return round(float(np.abs(k).sum()), 6), int((np.asarray(k) < -1e-9).sum())


@pytest.mark.parametrize("letter", CENTRINGS)
def test_it_is_a_copy_and_no_other_is_simpler(letter):
    basis = np.array(CENTRINGS[letter], float)
    basis = basis / 24 if np.abs(basis).max() > 2 else basis
    reciprocal = np.linalg.inv(basis).T
    rng = np.random.default_rng(0)
    for _ in range(60):
        k = rng.integers(-20, 21, 3) / rng.choice([2, 3, 4, 5, 6, 8])
        printed = printed_copy(k, basis)
        assert is_copy(printed, k, basis)
        assert rank(printed) <= min(rank(other) for other in printed + STEPS @ reciprocal)
        np.testing.assert_array_equal(printed_copy(printed, basis), printed)
        if letter == "P":
            assert (printed > -0.5).all()
            assert (printed <= 0.5).all()


def test_the_special_points_of_all_groups():
    """Every tabulated k is printed as a copy of itself, with no more and no larger components and minus signs."""
    for number in range(1, 231):
        basis = CENTRINGS[centring_letter(number)]
        for _, point in special_points(number):
            k = np.array([float(value) for value in point])
            printed = printed_copy(k, basis)
            assert is_copy(printed, k, basis)
            assert rank(printed) <= rank(k)


@pytest.mark.parametrize(
    ("letter", "k", "expected"),
    [
        ("F", (0, -1, 0), "0,1,0"),
        ("F", (0.5, -1, 0), "1/2,1,0"),
        ("I", (1, 1, 1), "0,0,1"),
        ("C", (1, 0, 0), "1,0,0"),  # as good as 0,1,0: the table's stays
        ("C", (0, 1, 0), "0,1,0"),
        ("C", (0, -1, 0), "0,1,0"),
        ("A", (0, 0, -1), "0,0,1"),
        ("A", (0, 0.5, -0.5), "0,1/2,-1/2"),  # 0,1/2,1/2 is another arm, no copy
        ("R", (0, 0, 1.5), "0,0,3/2"),
        ("R", (-0.5, 0.5, 0.5), "-1/2,1/2,1/2"),
        ("P", (-0.5, 1.5, 2 / 3), "1/2,1/2,-1/3"),
        ("P", (-1 / 3, 0, 0), "-1/3,0,0"),  # -k is no copy of k
    ],
)
def test_by_hand(letter, k, expected):
    assert fractions_text(printed_copy(np.array(k), CENTRINGS[letter])) == expected


def test_fractions_up_to_the_largest_denominator():
    assert fractions_text((1 / LARGEST_DENOMINATOR, 0, 0)) == f"1/{LARGEST_DENOMINATOR},0,0"
    assert Fraction(fractions_text((1 / (LARGEST_DENOMINATOR + 1), 0, 0)).split(",")[0]).denominator != 1001


@pytest.mark.parametrize(
    "pair",
    [
        "perovskite/LaMnO3_221 LaMnO3_62",
        "ruddlesden_popper/Ca3Ti2O7_139 Ca3Ti2O7_36",
        "reo3/WO3_221 WO3_14",
        "fluorite/ZrO2_225 ZrO2_14",
    ],
)
def test_the_record_holds_what_is_printed_and_the_irrep_has_it(pair):
    folder, child = pair.split("/")[0], pair.split()[1]
    parent = symmetrise(read_crystal(STRUCTURES / f"{pair.split()[0]}.cif"))
    analysis = analyse(parent, read_crystal(STRUCTURES / folder / f"{child}.cif"))
    record = {row["name"]: row for row in modes_record(analysis)["irreps"]}
    for o in analysis.decomposition.displacive:
        row = record[o.label]
        assert fractions_text(row["k"]) == parent.k_text(o.irrep.k[0])
        np.testing.assert_allclose(parent.k_conventional(row["k_primitive"]), row["k"], atol=1e-9)
        assert is_copy(row["k_primitive"], o.irrep.k[0], np.eye(3))
