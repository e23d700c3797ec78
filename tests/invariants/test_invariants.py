"""Invariant polynomials: theorems, published forms, CrystOD as a second opinion."""

import json
import re
import subprocess
import sys
from importlib.resources import files
from itertools import product
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from orderparam.crystals.reading import read_crystal
from orderparam.errors import InvalidInputError
from orderparam.invariants import (
    Polynomial,
    find_couplings,
    invariant_counts,
    invariant_polynomials,
    landau_expansion,
    transition_conditions,
)
from orderparam.invariants.basis import check_feasible, group_generators, symmetric_power
from orderparam.invariants.counts import symmetric_characters, translation_characters
from orderparam.parent import abstract_parent, symmetrise
from orderparam.records import invariants_record
from orderparam.symmetry.parentirreps import ParentIrrep, named_irrep, special_irreps
from orderparam.symmetry.strata import Images

STRUCTURES = Path(__file__).parents[2] / "structures"
PROGRAM = Path(sys.executable).parent / "crystod-group"


def irreps_of(number: int, *labels: str) -> list[ParentIrrep]:
    parent = abstract_parent(number)
    return [named_irrep(parent, label) for label in labels]


def random_images(images: Images, rng: np.random.Generator, n: int = 12) -> np.ndarray:
    return images.matrices[rng.integers(0, len(images.matrices), n)]


def check(number: int, irreps: list[ParentIrrep], degree: int) -> int:
    """Check invariance under random elements, independence, and the number by Molien; return the number."""
    parent = abstract_parent(number)
    images = Images.of(parent, irreps)
    found = invariant_polynomials(parent, irreps, degree)
    rng = np.random.default_rng(number)
    points = rng.normal(size=(3 * max(len(found), 4), images.dimension))
    for polynomial in found:
        for matrix in random_images(images, rng):
            assert np.allclose(polynomial(points @ matrix.T), polynomial(points), rtol=1e-8, atol=1e-8)
    counts = invariant_counts(images, degree)
    for total in range(1, degree + 1):
        own = [p for p in found if p.degree == total]
        assert len(own) == sum(n for degrees, n in counts.items() if sum(degrees) == total)
        if own:
            values = np.array([p(points) for p in own])
            values /= np.linalg.norm(values, axis=1)[:, None]
            assert np.linalg.matrix_rank(values, tol=1e-9) == len(own)
    return len(found)


CASES = [
    (221, ("R4+",), 6),
    (221, ("GM3+",), 6),
    (221, ("X5+",), 4),
    (221, ("M3+", "R4+"), 6),
    (221, ("GM3+", "GM5+"), 4),
    (191, ("K5",), 6),
    (191, ("GM6-", "M2-"), 4),
    (194, ("K5",), 4),
    (205, ("R1-R3-",), 4),
    (166, ("L1+",), 4),
    (198, ("GM2GM3",), 4),
    (141, ("X1",), 4),
    (62, ("U1+U4+",), 4),
]


@pytest.mark.parametrize(("number", "labels", "degree"), CASES)
def test_theorems(number, labels, degree):
    assert check(number, irreps_of(number, *labels), degree) > 0


@pytest.mark.slow
@pytest.mark.parametrize("number", range(3, 231, 6))
def test_theorems_in_many_groups(number):
    n = 0
    for irrep in special_irreps(abstract_parent(number)):
        if irrep.dimension <= 8:
            n += check(number, [irrep], 4)
    assert n > 0


def test_counts_of_the_tilts():
    """M3+ and R4+: six quartics. With X5+: one trilinear term and 21 quartics."""
    tilts = landau_expansion(abstract_parent(221), irreps_of(221, "M3+", "R4+"), 4, couplings=False)
    assert tilts.counts == {1: 0, 2: 2, 3: 0, 4: 6}
    three = landau_expansion(abstract_parent(221), irreps_of(221, "M3+", "R4+", "X5+"), 4, couplings=False)
    assert three.counts == {1: 0, 2: 3, 3: 1, 4: 21}
    trilinear = next(p for p in three.polynomials if p.degree == 3)
    assert set(map(tuple, np.add.reduceat(trilinear.exponents, [0, 3, 6], axis=1).tolist())) == {(1, 1, 1)}


def test_the_energy_of_a_ferroelectric():
    """The polynomial of Devonshire, Phil. Mag. 40, 1040 (1949), for P in a cubic crystal, up to sixth order."""
    found = invariant_polynomials(abstract_parent(221), irreps_of(221, "GM4-"), 6)
    assert [p.text() for p in found] == [
        "p1^2 + p2^2 + p3^2",
        "p1^4 + p2^4 + p3^4",
        "p1^2 p2^2 + p1^2 p3^2 + p2^2 p3^2",
        "p1^6 + p2^6 + p3^6",
        "p1^4 p2^2 + p1^4 p3^2 + p1^2 p2^4 + p1^2 p3^4 + p2^4 p3^2 + p2^2 p3^4",
        "p1^2 p2^2 p3^2",
    ]


def test_the_cubic_invariant_of_an_e_mode():
    """An E representation has one cubic invariant, e1^3 - 3 e1 e2^2."""
    (cubic,) = [p for p in invariant_polynomials(abstract_parent(221), irreps_of(221, "GM3+"), 3) if p.degree == 3]
    assert cubic.text() in {"p1^3 - 3 p1 p2^2", "p2^3 - 3 p1^2 p2"}


@pytest.mark.parametrize(
    ("number", "label", "landau", "lifshitz"),
    [
        (221, "R4+", True, True),
        (221, "GM5+", False, True),
        (221, "GM3+", False, True),
        (227, "W1", None, False),  # W is a point without inversion among its images
        (198, "GM4", False, False),
    ],
)
def test_conditions(number, label, landau, lifshitz):
    found = transition_conditions(abstract_parent(number), *irreps_of(number, label))
    assert landau is None or found.landau_condition is landau
    assert found.lifshitz_condition is lifshitz


def test_conditions_by_brute_force():
    """The counts agree with projections: cubic invariants, and vectors in the antisymmetric square."""
    for number, label in ((198, "GM4"), (221, "X5+"), (166, "L1+"), (227, "W1"), (62, "U1+U4+")):
        parent = abstract_parent(number)
        (irrep,) = irreps_of(number, label)
        found = transition_conditions(parent, irrep)
        images = Images.of(parent, [irrep])
        n = irrep.dimension
        matrices = images.matrices[images.image_of]  # (operations, cells, n, n)
        square = np.einsum("gtij,gtkl->gtikjl", matrices, matrices)
        total = np.einsum("gtikjl,gab->ikajlb", square, parent.rotations_cart) / images.image_of.size
        projector = total.reshape(n * n * 3, n * n * 3)
        swap = np.einsum("ij,kl,ab->ikaljb", np.eye(n), np.eye(n), np.eye(3)).reshape(n * n * 3, n * n * 3)
        antisymmetric = (np.eye(n * n * 3) - swap) / 2
        assert round(np.trace(antisymmetric @ projector)) == found.lifshitz
        assert found.cubic == len([p for p in invariant_polynomials(parent, [irrep], 3) if p.degree == 3])


def test_couplings_of_the_tilts():
    """X5+ follows trilinearly from M3+ and R4+, strain quadratically; each term is invariant and linear."""
    parent = symmetrise(read_crystal(STRUCTURES / "perovskite/LaMnO3_221.cif"))
    primaries = [named_irrep(parent, "M3+"), named_irrep(parent, "R4+")]
    found = find_couplings(parent, primaries, 4)
    by_label = {c.secondary.label: c for c in found}
    assert by_label["X5+"].degree == 3
    assert by_label["GM5+"].by_strain
    assert not by_label["GM5+"].by_displacements
    assert {c.secondary.label for c in found if c.by_strain} == {"GM1+", "GM3+", "GM5+"}
    assert by_label["R5+"].degree == by_label["M2+"].degree == 4
    rng = np.random.default_rng(0)
    for coupling in found:
        images = Images.of(parent, [*primaries, coupling.secondary])
        points = rng.normal(size=(5, images.dimension))
        for polynomial in coupling.polynomials:
            assert (polynomial.exponents[:, 6:].sum(axis=1) == 1).all()
            for matrix in random_images(images, rng):
                assert np.allclose(polynomial(points @ matrix.T), polynomial(points), atol=1e-9)


def test_couplings_say_what_a_child_has():
    """What CaTiO3's structure has beside its tilts follows from them at the degrees that are listed."""
    from orderparam.discovery.analyse import analyse
    from orderparam.symmetry.primary import coupling_degree

    parent = symmetrise(read_crystal(STRUCTURES / "perovskite/CaTiO3_221.cif"))
    analysis = analyse(parent, read_crystal(STRUCTURES / "perovskite/CaTiO3_62.cif"))
    primaries = analysis.primary_sets[0]
    found = find_couplings(parent, [m.order_parameter.irrep for m in primaries.members], 5)
    degrees = {c.secondary.label: c.degree for c in found}
    n = 0
    for o in analysis.decomposition.displacive:
        if o.label not in primaries.labels and not o.is_zero:
            assert degrees[o.label] - 1 <= (coupling_degree(primaries, o) or 9)
            n += 1
    assert n == 3


def test_strain_tensors_are_orthonormal():
    parent = abstract_parent(166)
    (primary,) = irreps_of(166, "GM3-")
    for coupling in find_couplings(parent, [primary], 3):
        if coupling.by_strain:
            tensors = coupling.strain_tensors(parent).reshape(-1, 9)
            assert np.allclose(tensors @ tensors.T, np.eye(len(tensors)), atol=1e-9)


def test_symmetric_powers():
    """S(g h) represents: S of a product, characters by Newton's identities, values on points."""
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 3, 3))
    for d in (1, 2, 3, 5):
        assert np.allclose(symmetric_power(a @ b, d), symmetric_power(a, d) @ symmetric_power(b, d))
        assert np.trace(symmetric_power(a, d)) == pytest.approx(symmetric_characters(a[None], d)[d][0])


def test_translation_characters():
    for number, label in ((221, "R4+"), (227, "W1"), (198, "M1M2"), (205, "X1")):
        (irrep,) = irreps_of(number, label)
        t = np.array(list(product((0, 1), repeat=3)))
        direct = np.einsum("tij,gji->gt", irrep.translation_matrices(t), irrep.matrices)
        assert np.allclose(translation_characters(irrep, t), direct)


def test_polynomials_as_text_and_sympy():
    import sympy

    for number, label in ((221, "GM3+"), (191, "K5")):
        for polynomial in invariant_polynomials(abstract_parent(number), irreps_of(number, label), 4):
            expression = polynomial.sympy()
            point = np.random.default_rng(1).normal(size=len(polynomial.variables))
            values = dict(zip(polynomial.variables, point, strict=True))
            exact = expression.subs({s: values[s.name] for s in expression.free_symbols})
            assert float(exact) == pytest.approx(float(polynomial(point)))
            text = re.sub(r"(?<=[\w)]) (?=[a-z])", "*", polynomial.text()).replace("^", "**")
            names = {s: values[str(s)] for s in sympy.sympify(text).free_symbols}
            assert float(sympy.sympify(text).subs(names)) == pytest.approx(float(exact))
            h = 1e-6
            slopes = [(polynomial(point + h * u) - polynomial(point - h * u)) / (2 * h) for u in np.eye(len(point))]
            assert polynomial.gradient(point) == pytest.approx(slopes, abs=1e-6)
    energy = landau_expansion(abstract_parent(221), irreps_of(221, "R4+"), 4, couplings=False)
    assert len(energy.sympy().free_symbols) == 3 + 1 + 3
    assert energy.latex().startswith(r"E = E_{0} + c_{1} \left(p_{1}^{2} + p_{2}^{2} + p_{3}^{2}\right)")


def test_two_copies_of_one_irrep():
    """R4+ twice: three squares, the mixed one among them."""
    found = landau_expansion(abstract_parent(221), irreps_of(221, "R4+", "R4+"), 2, couplings=False)
    assert [p.text() for p in found.polynomials] == [
        "p1^2 + p2^2 + p3^2",
        "p1 q1 + p2 q2 + p3 q3",
        "q1^2 + q2^2 + q3^2",
    ]


def test_wrong_invariants_are_found_out():
    """Negative control: a polynomial that is no invariant fails the check that the others pass."""
    images = Images.of(abstract_parent(221), irreps_of(221, "R4+"))
    wrong = Polynomial(("p1", "p2", "p3"), np.array([[2, 0, 0], [0, 2, 0]]), np.ones(2))
    point = np.array([0.3, 0.5, 0.7])
    assert not all(np.isclose(wrong(m @ point), wrong(point)) for m in images.matrices)


def test_too_high_a_degree_is_refused():
    generators = group_generators(abstract_parent(221), irreps_of(221, "X5+", "R4+"))
    check_feasible(generators, 6)
    with pytest.raises(InvalidInputError, match="highest degree that is feasible here is 1"):
        check_feasible(generators, 20)
    with pytest.raises(InvalidInputError, match="expected at least 1"):
        invariant_polynomials(abstract_parent(221), irreps_of(221, "R4+"), 0)


@pytest.mark.parametrize("labels", [("R4+", "M3+"), ("X5+",)])
def test_the_record_follows_its_schema(labels):
    parent = abstract_parent(221)
    record = invariants_record(parent, landau_expansion(parent, irreps_of(221, *labels), 4))
    schema = json.loads((files("orderparam") / "data/schemas/invariants.json").read_text())
    jsonschema.validate(json.loads(json.dumps(record)), schema)
    assert record["counts"]["4"] == sum(p["degree"] == 4 for p in record["polynomials"])


# --- CrystOD ------------------------------------------------------------------------------------------------------


def crystod_counts(symbol: str, labels: tuple[str, ...], degree: int) -> tuple[dict[tuple[int, ...], int], list[bool]]:
    """Return CrystOD's numbers of invariants by degrees, and its Landau and Lifshitz conditions in turn."""
    command = [str(PROGRAM), "--parent", symbol, "--irrep", *labels, "--invariants", "--degree", str(degree)]
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600).stdout
    rows = re.findall(r"^degree \(?([\d, ]+)\)?: (\d+|none)", text, re.M)
    counts = {tuple(int(d) for d in key.split(",")): 0 if n == "none" else int(n) for key, n in rows}
    conditions = [word == "satisfied" for word in re.findall(r"(?:Landau|Lifshitz) condition: (satisfied|\w+)", text)]
    if not counts:
        raise RuntimeError(text[-400:])
    return counts, conditions


def against_crystod(number: int, labels: tuple[str, ...], degree: int) -> None:
    parent = abstract_parent(number)
    irreps = [named_irrep(parent, label) for label in labels]
    theirs, conditions = crystod_counts(parent.group.symbol, labels, degree)
    mine = invariant_counts(Images.of(parent, irreps), degree)
    assert {k: n for k, n in mine.items() if sum(k) >= 2} == {k: n for k, n in theirs.items() if sum(k) >= 2}
    own = [transition_conditions(parent, i) for i in irreps]
    assert [x for c in own for x in (c.landau_condition, c.lifshitz_condition)] == conditions


def test_against_crystod():
    against_crystod(221, ("R4+", "M3+", "X5+"), 4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "labels", "degree"),
    [
        (221, ("GM4-",), 6),
        (221, ("GM3+", "R5+"), 5),
        (225, ("X5+",), 4),
        (225, ("L3-", "GM5+"), 3),
        (191, ("K5", "GM6-"), 4),
        (194, ("M2-", "K5"), 3),
        (166, ("L1+", "GM3-"), 4),
        (139, ("X3-", "X2+", "GM5-"), 4),
        (136, ("M5+",), 6),
        (129, ("M1", "GM5+"), 4),
        (62, ("U1+U4+",), 4),
        (198, ("GM4",), 5),
        (227, ("X3",), 4),
        (147, ("GM2+GM3+",), 6),
    ],
)
def test_counts_against_crystod(number, labels, degree):
    against_crystod(number, labels, degree)
