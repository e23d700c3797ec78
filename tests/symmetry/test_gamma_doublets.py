"""Which direction of a doublet at Gamma has which group: the tabulated matrices themselves, functions, CrystOD.

The matrices are read here without the library: at k = 0 translations do nothing, the irrep is one of the point group.
"""

import json
import re
import zipfile
from collections import deque
from importlib.resources import files
from pathlib import Path

import moyopy
import numpy as np
import pytest

from orderparam.crystals.crystal import Crystal
from orderparam.parent import abstract_parent, symmetrise
from orderparam.symmetry.directioncodes import direction_code
from orderparam.symmetry.parentirreps import named_irrep, special_irreps
from orderparam.symmetry.strata import find_directions
from tests.symmetry.test_directions_against_crystod import crystod

TABLE = json.loads((Path(__file__).parents[1] / "tables" / "gamma_doublets.json").read_text())
ENTRIES = {(entry["parent"], entry["irrep"]): entry for entry in TABLE["entries"]}
REAL = [key for key, entry in ENTRIES.items() if "(a,0)" in entry["iso_ir"]]
ODD = [key for key in REAL if key[1] == "GM3-"]
VECTORS = {"(a,0)": (1.0, 0.0), "(0,a)": (0.0, 1.0), "(a,b)": (1.0, 0.37)}
CENTRINGS = {"P": [(0, 0, 0)], "I": [(0, 0, 0), (0.5, 0.5, 0.5)]}
CENTRINGS["F"] = [(0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)]
QUARTER_TURN = np.array([[0.0, -1.0], [1.0, 0.0]])


class Tabulated:
    """A real irrep at Gamma as the data file has it: W, w and D(W) of all coset representatives, nothing else."""

    def __init__(self, number: int, label: str) -> None:
        with (files("orderparam") / "data" / "irreps.zip").open("rb") as stream, zipfile.ZipFile(stream) as archive:
            document = json.loads(archive.read(f"{number:03d}.json"))
            values = {c: complex(*parts) for c, parts in json.loads(archive.read("values.json")).items()}
        (point,) = (point for point in document["points"] if point["k"] == "GM")
        (entry,) = (entry for entry in point["irreps"] if entry["label"] == label)
        entries = np.array([values[c] for c in entry["matrices"]])
        assert np.isreal(entries).all()  # real as tabulated: the real form needs no change of basis
        d = entry["dimension"]
        generators = np.real(entries).reshape(-1, d, d)
        self.rotations = np.array(document["rotations"]).reshape(-1, 3, 3)
        self.translations = np.array(document["translations"]) / 24
        self.centrings = np.array(CENTRINGS[document["centring"]])
        found = {np.eye(3, dtype=int).tobytes(): np.eye(d)}
        queue = deque([np.eye(3, dtype=int)])
        while queue:
            W = queue.popleft()
            for g, D in zip(document["generators"], generators, strict=True):
                V = W @ self.rotations[g]
                if V.tobytes() not in found:
                    found[V.tobytes()] = found[W.tobytes()] @ D
                    queue.append(V)
        self.matrices = np.array([found[W.tobytes()] for W in self.rotations])

    def group(self, vector: tuple[float, float], basis: np.ndarray | None = None) -> int:
        """Return the number of the group that leaves a vector alone, by moyopy; columns of ``basis`` as new axes.

        moyopy is asked about a structure of two general orbits in the cubic cell: no other symmetry is left.
        """
        v = np.array(vector) if basis is None else basis @ vector
        kept = np.abs(self.matrices @ v - v).max(axis=1) < 1e-9
        points = np.array([(0.0613, 0.1377, 0.2291), (0.3119, 0.0457, 0.1723)])
        orbits = self.rotations[kept] @ points.T + self.translations[kept][:, :, None]  # (n_kept, 3, 2)
        sites = np.moveaxis(orbits, 2, 0)[:, :, None] + self.centrings
        numbers = np.repeat([1, 2], sites[0, ..., 0].size)
        cell = moyopy.Cell((10 * np.eye(3)).tolist(), (sites.reshape(-1, 3) % 1.0).tolist(), numbers.tolist())
        return moyopy.MoyoDataset(cell, symprec=1e-5).number

    def matrix_of(self, rotation: list[list[int]]) -> np.ndarray:
        """Return D of the representative with a given rotation part."""
        (index,) = np.flatnonzero((self.rotations == np.array(rotation)).all(axis=(1, 2)))
        return self.matrices[index]


def d_functions(r: np.ndarray) -> np.ndarray:
    """Return 2z^2 - x^2 - y^2 and sqrt 3 (y^2 - x^2), (n, 2), at points r (n, 3)."""
    x, y, z = r.T
    return np.stack([2 * z**2 - x**2 - y**2, np.sqrt(3) * (y**2 - x**2)], axis=1)


def action_on(functions, rotations: np.ndarray, n: int = 20) -> np.ndarray:
    """Return D(W) with f_j(W^-1 r) = sum_i f_i(r) D_ij(W), (n_rotations, 2, 2)."""
    r = np.random.default_rng(3).normal(size=(n, 3))
    here = functions(r)
    return np.array([np.linalg.lstsq(here, functions(r @ W), rcond=None)[0] for W in rotations])  # W^-1 = W^T


def as_set(matrices: np.ndarray) -> set[bytes]:
    """Return the distinct matrices, rounded; adding zero turns -0 into 0."""
    return {(D.round(6) + 0.0).tobytes() for D in matrices}


def test_table_is_complete() -> None:
    """All 53 physically irreducible doublets at Gamma of the cubic groups are in the table, and no other."""
    found = {
        (number, irrep.label)
        for number in range(195, 231)
        for irrep in special_irreps(abstract_parent(number))
        if irrep.irrep.k_label == "GM" and irrep.dimension == 2
    }
    assert found == set(ENTRIES)
    assert len(found) == 53


@pytest.mark.parametrize(("number", "label"), ENTRIES)
def test_library_gives_the_table(number: int, label: str) -> None:
    directions = find_directions(parent := abstract_parent(number), [named_irrep(parent, label)])
    assert {d.symbol: d.subgroup.space_group[0] for d in directions} == ENTRIES[number, label]["iso_ir"]


@pytest.mark.parametrize(("number", "label"), REAL)
def test_tabulated_matrices_give_the_table(number: int, label: str) -> None:
    tabulated = Tabulated(number, label)
    expected = ENTRIES[number, label]["iso_ir"]
    assert {symbol: tabulated.group(VECTORS[symbol]) for symbol in expected} == expected
    if "(0,a)" not in expected:  # no direction of its own: a general vector
        assert tabulated.group(VECTORS["(0,a)"]) == expected["(a,b)"]


def test_the_pyrochlore_doublet() -> None:
    """Fd-3m GM3-: the mirror plane x = y is diag(1, -1), the twofold axis [110] is diag(-1, 1)."""
    tabulated = Tabulated(227, "GM3-")
    np.testing.assert_allclose(tabulated.matrix_of([[0, 1, 0], [1, 0, 0], [0, 0, 1]]), np.diag([1, -1]), atol=1e-12)
    np.testing.assert_allclose(tabulated.matrix_of([[0, 1, 0], [1, 0, 0], [0, 0, -1]]), np.diag([-1, 1]), atol=1e-12)
    assert [tabulated.group(VECTORS[symbol]) for symbol in ("(a,0)", "(0,a)", "(a,b)")] == [119, 98, 22]
    parent = abstract_parent(227)
    directions = find_directions(parent, [named_irrep(parent, "GM3-")])
    codes = {d.subgroup.space_group[0]: direction_code(d) for d in directions}
    assert codes == {119: "P1", 98: None, 22: "C1"}


@pytest.mark.parametrize(("number", "label"), REAL)
def test_tabulated_matrices_are_those_of_functions(number: int, label: str) -> None:
    """GM3 and GM3+ transform as (2z^2 - x^2 - y^2, sqrt 3 (y^2 - x^2)), GM3- as the same times xyz."""
    tabulated = Tabulated(number, label)
    functions = d_functions if label != "GM3-" else lambda r: r.prod(axis=1)[:, None] * d_functions(r)
    np.testing.assert_allclose(action_on(functions, tabulated.rotations), tabulated.matrices, atol=1e-9)


@pytest.mark.parametrize(("number", "label"), ODD)
def test_a_quarter_turn_explains_the_other_choice(number: int, label: str) -> None:
    """det(W) d(W), a pseudoscalar times the d functions, is the tabulated GM3- turned by a quarter: groups exchange.

    The set of matrices is the same in both bases; only the assignment to operations tells them apart.
    """
    tabulated = Tabulated(number, label)
    other = np.linalg.det(tabulated.rotations)[:, None, None] * action_on(d_functions, tabulated.rotations)
    turned = QUARTER_TURN.T @ tabulated.matrices @ QUARTER_TURN
    np.testing.assert_allclose(other, turned, atol=1e-9)
    assert as_set(turned) == as_set(tabulated.matrices)
    swapped = {symbol: tabulated.group(vector, QUARTER_TURN) for symbol, vector in VECTORS.items()}
    assert swapped == ENTRIES[number, label]["crystod"]
    assert swapped != ENTRIES[number, label]["iso_ir"]


def test_neither_origin_nor_axes_exchange_the_directions() -> None:
    """Pyrochlore in all 48 orientations of the axes and at both origin choices: one answer."""
    positions = [(0, 0, 0), (0, 0.25, 0.25), (0.25, 0, 0.25), (0.25, 0.25, 0)]  # 16c
    positions = np.array([np.add(p, t) for p in positions for t in CENTRINGS["F"]])
    turns = Tabulated(221, "GM3-").rotations
    for W, shift in zip(turns, [(0, 0, 0), (0.125, 0.125, 0.125)] * 24, strict=True):
        crystal = Crystal(10.2 * np.eye(3), (positions + shift) @ W.T % 1.0, ("Re",) * 16)
        parent = symmetrise(crystal)
        assert parent.group.number == 227
        directions = find_directions(parent, [named_irrep(parent, "GM3-")])
        assert {d.symbol: d.subgroup.space_group[0] for d in directions} == ENTRIES[227, "GM3-"]["iso_ir"]


def test_differences_from_crystod_are_the_odd_doublets_of_oh() -> None:
    differing = {key for key, entry in ENTRIES.items() if entry["iso_ir"] != entry["crystod"]}
    assert differing == {(number, "GM3-") for number in range(221, 231)} == set(ODD)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(195, 231))
def test_crystod_still_answers_so(number: int) -> None:
    rows = re.findall(r"^(\S+?)(\([^)]*\))\s+(\d+) ", crystod("--parent", str(number), "--kpoint", "GM"), re.M)
    for (parent, label), entry in ENTRIES.items():
        if parent == number:
            assert {symbol: int(n) for name, symbol, n in rows if name == label} == entry["crystod"]


def test_a_wrong_table_is_found_out() -> None:
    """Negative control: the even doublet has its mirror plane and its twofold axis in one direction."""
    wrong = Tabulated(227, "GM3+")
    assert [wrong.group(vector) for vector in VECTORS.values()] == [141, 70, 70]
