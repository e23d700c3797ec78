import numpy as np
import pytest
import spglib
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pymatgen.core import Lattice

from orderparam.errors import InvalidInputError
from orderparam.lattice import (
    QuotientLattice,
    adjugate,
    cell_parameters,
    cell_vectors,
    common_denominator,
    determinant,
    dual_basis,
    hermite_normal_form,
    invariant_sublattice,
    lattice_basis,
    lattice_points_within,
    shortest_distances,
    shortest_images,
    unimodular_inverse,
    with_a_along_x,
)
from orderparam.niggli import niggli_reduce

integer_matrices = arrays(np.int64, (3, 3), elements=st.integers(-4, 4))
supercells = integer_matrices.filter(lambda m: determinant(m) != 0)


def few(max_examples):
    """Limit a property test; no deadline, since the first example pays for imports."""
    return settings(max_examples=max_examples, deadline=None)


seeds = st.integers(0, 2**31 - 1)

FOURFOLD_Z = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]])
THREEFOLD = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]])


def random_unimodular(rng, n_steps=6):
    matrix = np.eye(3, dtype=np.int64)
    for _ in range(n_steps):
        i, j = rng.permutation(3)[:2]
        matrix[i] += rng.integers(-2, 3) * matrix[j]
    return matrix


def generated_group(*generators):
    elements = {tuple(np.eye(3, dtype=int).ravel())}
    while True:
        found = elements | {
            tuple((g @ np.array(e).reshape(3, 3)).ravel().tolist()) for g in generators for e in elements
        }
        if len(found) == len(elements):
            return np.array(sorted(found)).reshape(-1, 3, 3)
        elements = found


@given(integer_matrices)
@few(40)
def test_adjugate_and_determinant_are_exact(m):
    assert determinant(m) == round(np.linalg.det(m))
    assert np.array_equal(m @ adjugate(m), determinant(m) * np.eye(3, dtype=int))


@given(seeds)
@few(30)
def test_unimodular_inverse(seed):
    m = random_unimodular(np.random.default_rng(seed))
    assert np.array_equal(m @ unimodular_inverse(m), np.eye(3))


def test_unimodular_inverse_refuses_other_determinants():
    with pytest.raises(InvalidInputError, match=r"\[2\]"):
        unimodular_inverse(np.diag([2, 1, 1]))


@given(arrays(np.int64, (5, 3), elements=st.integers(-5, 5)))
@few(40)
def test_hermite_form_is_a_unimodular_combination_in_echelon_form(rows):
    form, u = hermite_normal_form(rows)
    assert np.array_equal(u @ rows, form)
    assert abs(round(np.linalg.det(u))) == 1
    last = -1
    for index, row in enumerate(form):
        support = np.flatnonzero(row)
        if len(support) == 0:
            assert not np.any(form[index:])
            break
        pivot = support[0]
        assert pivot > last
        assert row[pivot] > 0
        assert np.all((form[:index, pivot] >= 0) & (form[:index, pivot] < row[pivot]))
        last = pivot


@given(supercells, seeds)
@few(40)
def test_basis_is_canonical_and_idempotent(s, seed):
    basis = lattice_basis(s)
    changed = random_unimodular(np.random.default_rng(seed)) @ s
    assert np.array_equal(lattice_basis(changed), basis)
    assert np.array_equal(lattice_basis(np.concatenate([changed, s, 0 * s])), basis)
    assert abs(determinant(s)) == determinant(basis)


@given(supercells, st.integers(1, 6))
@few(40)
def test_dual_of_the_dual_is_the_lattice(s, denominator):
    basis, d = dual_basis(s, denominator)
    products = basis @ s.T / (d * denominator)
    assert np.allclose(products, np.rint(products))
    assert np.isclose(np.linalg.det(basis / d) * abs(np.linalg.det(s / denominator)), 1.0)
    back, e = dual_basis(basis, d)
    assert np.array_equal(back * denominator, lattice_basis(s) * e)


def test_dual_needs_full_rank():
    with pytest.raises(InvalidInputError, match="rank 2"):
        dual_basis(np.array([[1, 0, 0], [0, 1, 0]]))


def test_invariant_sublattice_of_the_pnma_cell_is_the_doubled_cube():
    cubic = generated_group(FOURFOLD_Z, THREEFOLD, -np.eye(3, dtype=int))
    assert len(cubic) == 48
    pnma = np.array([[1, 0, -1], [0, 2, 0], [1, 0, 1]])
    assert np.array_equal(invariant_sublattice(pnma, cubic), 2 * np.eye(3))
    tetragonal = generated_group(FOURFOLD_Z, -np.eye(3, dtype=int))
    assert np.array_equal(invariant_sublattice(np.diag([1, 1, 3]), tetragonal), np.diag([1, 1, 3]))
    assert np.array_equal(invariant_sublattice(np.diag([2, 1, 3]), tetragonal), np.diag([2, 2, 3]))


@given(supercells.filter(lambda m: abs(determinant(m)) <= 6))
@few(25)
def test_invariant_sublattice_is_invariant_contained_and_largest(s):
    group = generated_group(FOURFOLD_Z, THREEFOLD)
    basis = invariant_sublattice(s, group)
    quotient, own = QuotientLattice(s), QuotientLattice(basis)
    assert not np.any(quotient.index(basis))
    assert not np.any(own.index(basis @ group.transpose(0, 2, 1)))
    # largest: a point of Z^3 whose whole orbit lies in the supercell's lattice lies in it
    points = own.representatives
    inside = np.all(quotient.index(points @ group.transpose(0, 2, 1)) == 0, axis=0)
    assert inside.sum() == 1


@given(supercells, arrays(np.int64, (7, 3), elements=st.integers(-50, 50)))
@few(40)
def test_quotient_lattice_is_the_group_of_translations(s, t):
    quotient = QuotientLattice(s)
    assert quotient.order == abs(determinant(s))
    assert np.array_equal(quotient.index(quotient.representatives), np.arange(quotient.order))
    assert np.array_equal(quotient.representatives[quotient.index(t)], quotient.reduce(t))
    difference = (t - quotient.reduce(t)) @ adjugate(s)
    assert not np.any(difference % abs(determinant(s)))
    assert np.array_equal(quotient.reduce(t + t[::-1] @ s), quotient.reduce(t))


@pytest.mark.parametrize("matrix", [np.zeros((3, 3)), np.eye(3) * 0.5, np.eye(2)])
def test_quotient_lattice_refuses_what_is_no_supercell(matrix):
    with pytest.raises(InvalidInputError, match="supercell"):
        QuotientLattice(matrix)


@given(seeds)
@few(60)
@pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")
def test_niggli_agrees_with_spglib(seed):
    rng = np.random.default_rng(seed)
    lattice = random_unimodular(rng) @ (rng.normal(size=(3, 3)) + 2 * np.eye(3)) * 3
    reduced, transformation = niggli_reduce(lattice)
    assert determinant(transformation) == 1
    assert np.allclose(transformation @ lattice, reduced)
    expected = spglib.niggli_reduce(lattice)
    assert np.allclose(cell_parameters(reduced), cell_parameters(expected), atol=1e-3)
    assert np.array_equal(niggli_reduce(reduced)[1], np.eye(3))


@pytest.mark.parametrize(
    ("name", "lattice"),
    [
        ("cubic", np.eye(3)),
        ("fcc", 0.5 * np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]])),
        ("bcc", 0.5 * np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]])),
        ("hexagonal", np.array([[1, 0, 0], [-0.5, np.sqrt(0.75), 0], [0, 0, 1.6]])),
        ("tetragonal I", 0.5 * np.array([[-1, 1, 3], [1, -1, 3], [1, 1, -3]])),
    ],
)
def test_niggli_of_symmetric_lattices_forgets_the_basis(name, lattice):
    rng = np.random.default_rng(7)
    expected = cell_parameters(niggli_reduce(4 * lattice)[0])
    for _ in range(20):
        found, _ = niggli_reduce(4 * random_unimodular(rng, 10) @ lattice)
        assert np.allclose(cell_parameters(found), expected, atol=1e-6), name


def test_niggli_of_a_textbook_cell():
    """Krivy & Gruber, Acta Cryst. A32, 297 (1976): the example with A, B, C = 9, 27, 4 and xi, eta, zeta = -5, -4, -22.

    Their reduced form is 4, 9, 9 with 9, 3, 4.
    """
    gram = np.array([[9, -11, -2], [-11, 27, -2.5], [-2, -2.5, 4]])
    reduced, _ = niggli_reduce(np.linalg.cholesky(gram))
    found = reduced @ reduced.T
    assert np.allclose(np.diagonal(found), [4, 9, 9])
    assert np.allclose([2 * found[1, 2], 2 * found[0, 2], 2 * found[0, 1]], [9, 3, 4])


def test_flat_lattice_is_refused():
    with pytest.raises(InvalidInputError, match="volume"):
        niggli_reduce(np.array([[1.0, 0, 0], [0, 1, 0], [1, 1, 0]]))


@given(seeds)
@few(30)
def test_shortest_images_against_brute_force(seed):
    rng = np.random.default_rng(seed)
    lattice = random_unimodular(rng, 3) @ (rng.normal(size=(3, 3)) + 1.5 * np.eye(3))
    differences = rng.normal(size=(6, 3)) * 2
    images = shortest_images(differences, lattice)
    assert np.allclose(images - differences, np.rint(images - differences))
    reduced, transformation = niggli_reduce(lattice)
    grid = np.stack(np.meshgrid(*3 * [np.arange(-3, 4)], indexing="ij"), axis=-1).reshape(-1, 3)
    start = differences @ unimodular_inverse(transformation)
    start -= np.rint(start)
    brute = np.linalg.norm((start[:, None] + grid) @ reduced, axis=-1).min(axis=1)
    assert np.allclose(shortest_distances(differences, lattice), brute)


def test_wrapping_alone_does_not_give_the_shortest_image():
    lattice = np.array([[1.0, 0, 0], [5.0, 1, 0], [0, 0, 1]])
    difference = np.array([0.0, 0.4, 0.0])
    assert np.linalg.norm(difference @ lattice) > 2
    assert np.isclose(shortest_distances(difference, lattice), 0.4)


def test_lattice_points_of_the_simple_cubic_lattice_come_in_known_shells():
    counts = [len(lattice_points_within(np.eye(3), np.sqrt(s) + 1e-6)) for s in range(7)]
    assert counts == [1, 7, 19, 27, 33, 57, 81]
    skewed = random_unimodular(np.random.default_rng(3)) @ np.eye(3)
    assert len(lattice_points_within(skewed, np.sqrt(6) + 1e-6)) == 81


def test_common_denominator():
    numerators, denominator = common_denominator(np.array([[0.5, 1 / 3], [-0.25, 2.0]]))
    assert denominator == 12
    assert numerators.tolist() == [[6, 4], [-3, 24]]
    with pytest.raises(InvalidInputError, match=r"0\.3031"):
        common_denominator(np.array([0.3031]), max_denominator=12)


def test_cell_parameters_agree_with_pymatgen():
    lattice = np.array([[4.0, 0.3, 0.1], [-1.2, 5.0, 0.7], [0.4, 0.2, 6.0]])
    assert np.allclose(cell_parameters(lattice), Lattice(lattice).parameters)


def test_cell_vectors_have_the_lengths_and_angles():
    rng = np.random.default_rng(2)
    for _ in range(50):
        lengths, angles = rng.uniform(3, 12, 3), rng.uniform(70, 110, 3)
        for lattice in (cell_vectors(lengths, angles), with_a_along_x(cell_vectors(lengths, angles))):
            assert np.linalg.norm(lattice, axis=1) == pytest.approx(lengths)
            cosines = [lattice[i] @ lattice[j] / lengths[i] / lengths[j] for i, j in ((1, 2), (0, 2), (0, 1))]
            assert np.degrees(np.arccos(cosines)) == pytest.approx(angles)
            assert np.linalg.det(lattice) > 0
        turned, standard = with_a_along_x(lattice), cell_vectors(lengths, angles)
        assert np.abs([turned[0, 1], turned[0, 2], turned[1, 2]]).max() < 1e-12
        assert np.abs([standard[0, 1], standard[2, 0], standard[2, 1]]).max() == 0


@pytest.mark.parametrize(
    ("lengths", "angles"),
    [((1, 1, 0), (90, 90, 90)), ((1, 1, -1), (90, 90, 90)), ((1, 1, 1), (30, 30, 60)), ((1, 1, 1), (120, 120, 120)),
     ((1, 1, 1), (90, 90, 180)), ((1, 1, 1), (-90, 90, 90))],
)  # fmt: skip
def test_no_cell_has_these_parameters(lengths, angles):
    with pytest.raises(InvalidInputError, match=r"^here: no cell has these lengths and angles: 1 1"):
        cell_vectors(lengths, angles, "here")
