"""Mulliken's symbols against the character tables."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from orderparam.o3 import Irrep, irreps_to_symmetric, symmetric_to_irreps, wigner_d
from orderparam.pointparent import symmetrise_points
from orderparam.symmetry.mulliken import mulliken_symbol
from orderparam.symmetry.parentirreps import irreps_of_parent
from tests.clusters import GROUPS, cluster, scrambled

# group: all irreps; those of x, y, z; of the turns about x, y, z; of the five quadratic functions without x2 + y2 + z2.
# F. A. Cotton, Chemical Applications of Group Theory (1990), appendix IIA; C. J. Bradley & A. P. Cracknell (1972),
# table 2.2. Conjugate complex irreps are written as one E, as there.
TABLE = {
    "C1": ("A", "3A", "3A", "5A"),
    "Ci": ("Ag Au", "3Au", "3Ag", "5Ag"),
    "Cs": ("A' A''", "2A' A''", "A' 2A''", "3A' 2A''"),
    "C2": ("A B", "A 2B", "A 2B", "3A 2B"),
    "C2h": ("Ag Bg Au Bu", "Au 2Bu", "Ag 2Bg", "3Ag 2Bg"),
    "C2v": ("A1 A2 B1 B2", "A1 B1 B2", "A2 B1 B2", "2A1 A2 B1 B2"),
    "D2": ("A B1 B2 B3", "B1 B2 B3", "B1 B2 B3", "2A B1 B2 B3"),
    "D2h": ("Ag B1g B2g B3g Au B1u B2u B3u", "B1u B2u B3u", "B1g B2g B3g", "2Ag B1g B2g B3g"),
    "C4": ("A B E", "A E", "A E", "A 2B E"),
    "S4": ("A B E", "B E", "A E", "A 2B E"),
    "C4h": ("Ag Bg Eg Au Bu Eu", "Au Eu", "Ag Eg", "Ag 2Bg Eg"),
    "D4": ("A1 A2 B1 B2 E", "A2 E", "A2 E", "A1 B1 B2 E"),
    "C4v": ("A1 A2 B1 B2 E", "A1 E", "A2 E", "A1 B1 B2 E"),
    "D2d": ("A1 A2 B1 B2 E", "B2 E", "A2 E", "A1 B1 B2 E"),
    "D4h": ("A1g A2g B1g B2g Eg A1u A2u B1u B2u Eu", "A2u Eu", "A2g Eg", "A1g B1g B2g Eg"),
    "C3": ("A E", "A E", "A E", "A 2E"),
    "S6": ("Ag Eg Au Eu", "Au Eu", "Ag Eg", "Ag 2Eg"),
    "D3": ("A1 A2 E", "A2 E", "A2 E", "A1 2E"),
    "C3v": ("A1 A2 E", "A1 E", "A2 E", "A1 2E"),
    "D3d": ("A1g A2g Eg A1u A2u Eu", "A2u Eu", "A2g Eg", "A1g 2Eg"),
    "C6": ("A B E1 E2", "A E1", "A E1", "A E1 E2"),
    "C3h": ("A' E' A'' E''", "A'' E'", "A' E''", "A' E' E''"),
    "C6h": ("Ag Bg E1g E2g Au Bu E1u E2u", "Au E1u", "Ag E1g", "Ag E1g E2g"),
    "D6": ("A1 A2 B1 B2 E1 E2", "A2 E1", "A2 E1", "A1 E1 E2"),
    "C6v": ("A1 A2 B1 B2 E1 E2", "A1 E1", "A2 E1", "A1 E1 E2"),
    "D3h": ("A1' A2' E' A1'' A2'' E''", "A2'' E'", "A2' E''", "A1' E' E''"),
    "D6h": ("A1g A2g B1g B2g E1g E2g A1u A2u B1u B2u E1u E2u", "A2u E1u", "A2g E1g", "A1g E1g E2g"),
    "T": ("A E T", "T", "T", "E T"),
    "Th": ("Ag Eg Tg Au Eu Tu", "Tu", "Tg", "Eg Tg"),
    "O": ("A1 A2 E T1 T2", "T1", "T1", "E T2"),
    "Td": ("A1 A2 E T1 T2", "T2", "T1", "E T2"),
    "Oh": ("A1g A2g Eg T1g T2g A1u A2u Eu T1u T2u", "T1u", "T1g", "Eg T2g"),
}

# functions that tell apart what the axes decide: the same tables, their columns of quadratic and cubic functions
FUNCTIONS = {
    "D2": {"xy": "B1", "xz": "B2", "yz": "B3"},
    "D2h": {"xy": "B1g", "xz": "B2g", "yz": "B3g", "z": "B1u", "y": "B2u", "x": "B3u"},
    "C2v": {"xy": "A2", "x": "B1", "y": "B2", "z": "A1", "xz": "B1", "yz": "B2"},
    "D4": {"xx-yy": "B1", "xy": "B2"},
    "C4v": {"xx-yy": "B1", "xy": "B2"},
    "D2d": {"xx-yy": "B1", "xy": "B2"},
    "D4h": {"xx-yy": "B1g", "xy": "B2g"},
    "D6": {"xxx-3xyy": "B1", "3xxy-yyy": "B2"},
    "C6v": {"xxx-3xyy": "B1", "3xxy-yyy": "B2"},
    "D6h": {"xxx-3xyy": "B1u", "3xxy-yyy": "B2u"},
    "Td": {"xyz": "A1"},
    "O": {"xyz": "A2"},
    "Oh": {"xyz": "A2u"},
}


def counted(text: str) -> Counter:
    return Counter({name: int(n or 1) for n, name in re.findall(r"(\d*)([A-Z]\S*)", text)})


def parent_of(number: int):
    return symmetrise_points(scrambled(cluster(number, seed=3), 4))


def content(parent, matrices: np.ndarray) -> Counter:
    """Return how often every irrep is in a representation, by characters."""
    found = Counter()
    trace = np.trace(matrices, axis1=1, axis2=2)
    for irrep in irreps_of_parent(parent, np.zeros(3, int), 1):
        own = np.trace(irrep.matrices, axis1=1, axis2=2)
        found[irrep.label] += round(float((own * trace).mean() / (own * own).mean()))
    return +found


def axes_of(parent) -> np.ndarray:
    a, b, _ = parent.conventional @ parent.lattice
    x = a / np.linalg.norm(a)
    y = b - (b @ x) * x
    y /= np.linalg.norm(y)
    return np.array([x, y, np.cross(x, y)])


@pytest.mark.parametrize("number", GROUPS, ids=lambda n: f"{GROUPS[n]}-{n}")
def test_names_are_those_of_the_character_tables(number):
    parent = parent_of(number)
    names, vector, turns, quadratic = TABLE[GROUPS[number]]
    labels = [irrep.label for irrep in irreps_of_parent(parent, np.zeros(3, int), 1)]
    assert Counter(labels) == counted(names)
    rotations = parent.rotations_cart
    assert content(parent, rotations) == counted(vector)
    assert content(parent, wigner_d(Irrep(1, 1), rotations)) == counted(turns)
    assert content(parent, wigner_d(Irrep(2, 1), rotations)) == counted(quadratic)
    identity = [i.label for i in irreps_of_parent(parent, np.zeros(3, int), 1) if i.is_identity]
    assert identity == [names.split()[0]]


def test_all_thirty_two():
    assert set(GROUPS.values()) == set(TABLE)
    assert len(TABLE) == 32


@pytest.mark.parametrize("number", [n for n in GROUPS if GROUPS[n] in FUNCTIONS], ids=lambda n: f"{GROUPS[n]}-{n}")
def test_functions_of_x_y_z(number):
    """A function f is turned into f(R^-1 r); the irrep is read off its behaviour under every operation."""
    parent = parent_of(number)
    local = axes_of(parent) @ parent.rotations_cart @ axes_of(parent).T
    probes = np.random.default_rng(0).normal(size=(40, 3))
    for text, expected in FUNCTIONS[GROUPS[number]].items():
        signs = np.array([value(text, probes @ R) @ value(text, probes) for R in local])
        signs /= value(text, probes) @ value(text, probes)
        found = [
            irrep.label
            for irrep in irreps_of_parent(parent, np.zeros(3, int), 1)
            if irrep.dimension == 1 and np.allclose(irrep.matrices[:, 0, 0], signs)
        ]
        assert found == [expected], text


def value(text: str, points: np.ndarray) -> np.ndarray:
    """Evaluate a homogeneous polynomial such as xxx-3xyy."""
    total = np.zeros(len(points))
    for sign, factor, letters in re.findall(r"([+-]?)(\d*)([xyz]+)", text):
        term = np.prod([points[:, "xyz".index(letter)] for letter in letters], axis=0)
        total += (-1 if sign == "-" else 1) * int(factor or 1) * term
    return total


def test_another_frame_gives_other_names():
    """The negative control: with x along the other class of axes B1 and B2 change places."""
    parent = parent_of(123)
    axes = axes_of(parent)
    turned = np.array([axes[0] + axes[1], axes[1] - axes[0], axes[2] * np.sqrt(2)]) / np.sqrt(2)
    for irrep in irreps_of_parent(parent, np.zeros(3, int), 1):
        other = mulliken_symbol(parent.rotations_cart, turned, irrep.matrices)
        swap = {"B1": "B2", "B2": "B1"}
        assert other == (swap[irrep.label[:2]] + irrep.label[2] if irrep.label[:2] in swap else irrep.label)


def test_the_symmetric_tensor_used_above_is_the_quadratic_functions():
    tensor = np.random.default_rng(1).normal(size=6)
    np.testing.assert_allclose(symmetric_to_irreps(irreps_to_symmetric(tensor)), tensor, atol=1e-12)
