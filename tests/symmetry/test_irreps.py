"""Theorems about the space-group irreps; spgrep, spglib and the table's own reality types are the second opinions."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import spglib
from hypothesis import given, settings
from hypothesis import strategies as st
from spgrep import get_spacegroup_irreps_from_primitive_symmetry

from orderparam.errors import InvalidInputError
from orderparam.symmetry.irreps import (
    SpaceGroupIrrep,
    centring,
    characters,
    coset_representatives,
    irrep_named,
    irreps_at,
    real_matrices,
    special_points,
)
from orderparam.symmetry.irreptable import GroupTable, Star, irrep_matrices, load_table
from orderparam.symmetry.realform import frobenius_schur_indicator

ALL_GROUPS = range(1, 231)
SAMPLE = [1, 2, 14, 19, 24, 36, 62, 76, 82, 106, 122, 144, 157, 161, 174, 180, 194, 198, 205, 214, 220, 221, 227, 230]
PARAMETERS = (Fraction(1, 5), Fraction(1, 7), Fraction(1, 9))
INDICATOR_OF_TABLE_TYPE = {1: 1, 2: -1, 3: 0}

# Rows: primitive lattice vectors in the conventional basis.
PRIMITIVE = {
    "P": np.eye(3),
    "A": np.array([[2, 0, 0], [0, 1, 1], [0, -1, 1]]) / 2,
    "C": np.array([[1, 1, 0], [-1, 1, 0], [0, 0, 2]]) / 2,
    "I": np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]]) / 2,
    "F": np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2,
    "R": np.array([[2, 1, 1], [-1, 1, 1], [-1, -2, 1]]) / 3,
}


def centring_letter(table: GroupTable) -> str:
    count = len(table.centring)
    if count == 2:
        return {(0, 12, 12): "A", (12, 12, 0): "C", (12, 12, 12): "I"}[tuple(table.centring[1].tolist())]
    return {1: "P", 3: "R", 4: "F"}[count]


def generic_wavevectors(number: int) -> list[tuple[Fraction, Fraction, Fraction]]:
    """One k vector of every type, special or not."""
    table = load_table(number)
    found = []
    for k_type in table.k_types:
        star = table.star(k_type, PARAMETERS)
        found.append(tuple(Fraction(int(n), star.denominator) for n in star.numerators[0]))
    return found


def random_elements(number: int, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Coset indices (count,) and lattice translations (count, 3)."""
    table = load_table(number)
    shifts = table.centring[rng.integers(len(table.centring), size=count)] / 24
    return rng.integers(len(table.rotations), size=count), rng.integers(-4, 5, (count, 3)) + shifts


def multiply(number: int, first: tuple, second: tuple) -> tuple[np.ndarray, np.ndarray]:
    """{W|w}{V|v} = {W V|W v + w}, elements as coset indices and lattice translations."""
    table = load_table(number)
    (a, s), (b, t) = first, second
    W, w = table.rotations, table.translations / 24
    c = table.indices(W[a] @ W[b])
    return c, np.einsum("mij,mj->mi", W[a], w[b] + t) + w[a] + s - w[c]


def homomorphism_error(irrep: SpaceGroupIrrep, rng: np.random.Generator, corrupt: bool = False) -> float:
    """Largest deviation from D(g1) D(g2) = D(g1 g2) and from D D^T = 1 over random pairs."""
    first, second = random_elements(irrep.number, 24, rng), random_elements(irrep.number, 24, rng)
    D1, D2 = real_matrices(irrep, *first), real_matrices(irrep, *second)
    D12 = real_matrices(irrep, *multiply(irrep.number, first, second))
    if corrupt:
        D12 = D12 * np.where(np.arange(24) == 7, -1, 1)[:, None, None]
    orthogonality = np.abs(D1 @ D1.transpose(0, 2, 1) - np.eye(irrep.dimension)).max()
    return max(np.abs(D1 @ D2 - D12).max(), orthogonality)


def check_representations(number: int) -> int:
    """Real matrices: homomorphism; complex ones: orthogonality of small characters, completeness. Returns a count."""
    rng = np.random.default_rng(number)
    count = 0
    for k in generic_wavevectors(number):
        irreps = irreps_at(number, k)
        count += len(irreps)
        for irrep in irreps:
            assert homomorphism_error(irrep, rng) < 1e-10, irrep
            assert irrep.form.matrices.shape[1] == irrep.dimension
    return count


def small_characters(star: Star, matrices: np.ndarray) -> np.ndarray:
    """Characters of the small irrep at the first arm, for the coset representatives of its little group."""
    small = matrices.shape[1] // star.n_arms
    return np.einsum("caa->c", matrices[star.images[:, 0] == 0, :small, :small])


def table_characters(number: int, index: int) -> tuple[Star, np.ndarray]:
    """Star of one k type; small characters (n_irreps, order of the little co-group) of all its complex irreps."""
    table = load_table(number)
    k_type = table.k_types[index]
    star = table.star(k_type, PARAMETERS)
    return star, np.array([small_characters(star, irrep_matrices(star, k_type, i)) for i in range(len(k_type.irreps))])


def check_small_orthogonality(number: int) -> int:
    count = 0
    for index in range(len(load_table(number).k_types)):
        star, chi = table_characters(number, index)
        order = chi.shape[1]
        assert order * star.n_arms == len(star.table.rotations)
        assert np.abs(chi @ chi.conj().T / order - np.eye(len(chi))).max() < 1e-10
        assert np.sum(np.rint(chi[:, 0].real) ** 2) == order
        count += len(chi)
    return count


def check_against_spgrep(number: int, conjugate: bool = True) -> int:
    """Match small characters one to one with those that spgrep finds from scratch; returns how many k agree."""
    table = load_table(number)
    P = PRIMITIVE[centring_letter(table)]
    inverse = np.linalg.inv(P)
    rotations = np.rint(inverse.T @ table.rotations @ P.T).astype(int)
    translations = table.translations / 24 @ inverse
    for index, k_type in enumerate(table.k_types):
        if (number, k_type.letters) in {(24, "W"), (73, "W")}:
            continue  # spgrep 0.3.4 raises "not irreducible"
        star, chi = table_characters(number, index)
        irreps, little = get_spacegroup_irreps_from_primitive_symmetry(rotations, translations, P @ star.values[0])
        assert np.array_equal(np.sort(little), np.flatnonzero(star.images[:, 0] == 0))
        theirs = np.array([np.einsum("caa->c", irrep)[np.argsort(little)] for irrep in irreps])
        overlap = np.abs(theirs.conj() @ (chi.conj() if conjugate else chi).T / chi.shape[1])
        assert np.abs(np.sort(overlap, axis=0)[-1] - 1).max() < 1e-6, (number, k_type.letters)
        assert np.abs(overlap.sum(axis=0) - 1).max() < 1e-6
    return len(table.k_types)


def preferred_hall_numbers() -> dict[int, int]:
    """Spglib's Hall number of every space group, chosen in the order of preference that matches ISOTROPY's setting."""
    preference = ["2", "H", "b", "b1", "abc", ""]
    choices: dict[int, tuple[int, int]] = {}
    for hall in range(1, 531):
        kind = spglib.get_spacegroup_type(hall)
        assert kind is not None
        if kind.choice in preference:
            rank = preference.index(kind.choice)
            choices[kind.number] = min(choices.get(kind.number, (99, 0)), (rank, hall))
    return {number: hall for number, (_, hall) in choices.items()}


# --- the groups -------------------------------------------------------------------------------------------------------


def test_coset_representatives_are_those_of_spglib() -> None:
    halls = preferred_hall_numbers()
    assert len(halls) == 230
    for number, hall in halls.items():
        database = spglib.get_symmetry_from_database(hall)
        assert database is not None
        theirs = {
            (W.tobytes(), tuple(np.rint(24 * w).astype(int) % 24))
            for W, w in zip(database["rotations"].astype(int), database["translations"], strict=True)
        }
        rotations, translations = coset_representatives(number)
        ours = {
            (W.tobytes(), tuple((w + c) % 24))
            for W, w in zip(rotations, translations, strict=True)
            for c in centring(number)
        }
        assert ours == theirs, number
        assert np.array_equal(rotations[0], np.eye(3))
        assert not translations[0].any()


def test_counts_of_special_points_and_irreps() -> None:
    # 4777 physically irreducible ones: H. T. Stokes and D. M. Hatch, Isotropy Subgroups of the 230 Crystallographic
    # Space Groups (1988), as counted on https://iso.byu.edu/iso/isokovhelp.php; see the slow test below.
    tables = [load_table(number) for number in ALL_GROUPS]
    special = [k_type for table in tables for k_type in table.k_types if not k_type.parameters]
    assert len(special) == sum(len(special_points(number)) for number in ALL_GROUPS) == 1350
    assert sum(len(k_type.irreps) for k_type in special) == 5296
    assert sum(len(k_type.irreps) for table in tables for k_type in table.k_types) == 11202


def test_small_irreps_are_complete_in_every_group_at_every_k_type() -> None:
    count = 0
    for number in ALL_GROUPS:
        table = load_table(number)
        for k_type in table.k_types:
            star = table.star(k_type, PARAMETERS)
            little = np.count_nonzero(star.images[:, 0] == 0)
            assert sum((entry["dimension"] // star.n_arms) ** 2 for entry in k_type.irreps) == little
            count += 1
    assert count == 4141  # the number of k types that CrystOD 0.4.5 names too


# --- the representations ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", SAMPLE)
def test_small_characters_are_orthogonal(number: int) -> None:
    assert check_small_orthogonality(number) > 0


@pytest.mark.parametrize("number", SAMPLE)
def test_real_matrices_are_a_representation(number: int) -> None:
    assert check_representations(number) > 0


@pytest.mark.slow
def test_representations_of_all_groups() -> None:
    assert sum(check_representations(number) for number in ALL_GROUPS) > 9000
    assert sum(check_small_orthogonality(number) for number in ALL_GROUPS) == 11202


def test_homomorphism_check_sees_one_wrong_sign() -> None:
    irrep = irrep_named(221, "R4+")
    assert homomorphism_error(irrep, np.random.default_rng(0), corrupt=True) > 1


def test_wrong_translation_order_is_not_a_representation() -> None:
    """{W|w}{V|v} with W and V exchanged must fail where the group does not commute."""
    irrep = irrep_named(227, "X1")
    rng = np.random.default_rng(0)
    first, second = random_elements(227, 50, rng), random_elements(227, 50, rng)
    swapped = real_matrices(irrep, *multiply(227, second, first))
    assert np.abs(real_matrices(irrep, *first) @ real_matrices(irrep, *second) - swapped).max() > 0.5


@pytest.mark.parametrize(
    ("number", "k"),
    [
        (221, ("1/2", "1/2", "1/2")),
        (221, (0, "1/2", 0)),
        (62, ("1/3", 0, 0)),
        (19, ("1/2", "1/2", "1/2")),
        (205, ("1/2", "1/2", "1/2")),
        (75, (0, 0, "1/3")),
        (82, ("1/2", "1/2", "1/2")),
        (225, ("1/2", 1, 0)),
    ],
)
def test_characters_over_the_finite_group_are_orthogonal(number: int, k: tuple) -> None:
    """Over G/T_S: <chi_R, chi_R'> = delta times 1, 2, 4 for indicator 1, 0, -1; nu = <chi(g^2)>; also complex ones."""
    table = load_table(number)
    irreps = irreps_at(number, k)
    period = irreps[0].star.denominator // np.gcd.reduce([irreps[0].star.denominator, *irreps[0].star.numerators.flat])
    lattice = np.array(list(product(range(period), repeat=3)))[:, None] + table.centring / 24
    lattice = lattice.reshape(-1, 3)
    cosets = np.repeat(np.arange(len(table.rotations)), len(lattice))
    elements = (cosets, np.tile(lattice, (len(table.rotations), 1)))
    squares = multiply(number, elements, elements)
    real = np.array([np.einsum("gaa->g", real_matrices(irrep, *elements)) for irrep in irreps])
    expected = [{1: 1, 0: 2, -1: 4}[irrep.kind] for irrep in irreps]
    assert np.abs(real @ real.T / len(cosets) - np.diag(expected)).max() < 1e-10
    chi = np.array([characters(irrep, *elements) for irrep in irreps])
    assert np.abs(chi @ chi.conj().T / len(cosets) - np.eye(len(irreps))).max() < 1e-10
    for irrep, row, trace in zip(irreps, chi, real, strict=True):
        assert np.allclose(trace, row.real if irrep.kind == 1 else 2 * row.real, atol=1e-10)
        assert np.isclose(characters(irrep, *squares).mean(), irrep.kind, atol=1e-10)


@pytest.mark.parametrize("number", SAMPLE)
def test_real_functions_transform_by_the_real_matrices(number: int) -> None:
    """Project: phi = Re(psi B): if psi goes to psi D(g), phi goes to phi R(g)."""
    rng = np.random.default_rng(number)
    for k in generic_wavevectors(number):
        for irrep in irreps_at(number, k):
            form = irrep.form
            d = irrep.complex_dimension
            psi = rng.normal(size=d) + 1j * rng.normal(size=d)
            if irrep.kind == 1:  # psi of a real field: psi = phi B^+ with real phi
                psi = rng.normal(size=d) @ form.basis.conj().T
            left = np.real(psi @ irrep.complex_matrices @ form.basis)
            assert np.abs(left - np.real(psi @ form.basis) @ form.matrices).max() < 1e-10


def check_kinds(number: int) -> int:
    """Compare the indicator at a generic value of the parameters with the type that the table states."""
    table = load_table(number)
    count = 0
    for k_type in table.k_types:
        star = table.star(k_type, PARAMETERS)
        for index, entry in enumerate(k_type.irreps):
            matrices = irrep_matrices(star, k_type, index)
            indicator = frobenius_schur_indicator(star, matrices)
            assert indicator == INDICATOR_OF_TABLE_TYPE[entry["kind"]], (number, entry["label"])
            if indicator == 1 and star.opposites[0] == 0:
                assert np.abs(matrices.imag).max() < 1e-12, (number, entry["label"])
            count += 1
    return count


@pytest.mark.parametrize("number", SAMPLE)
def test_indicators_are_the_types_of_the_table(number: int) -> None:
    assert check_kinds(number) > 0


@pytest.mark.slow
def test_indicators_of_all_groups() -> None:
    assert sum(check_kinds(number) for number in ALL_GROUPS) == 11202


@pytest.mark.slow
def test_there_are_4777_physically_irreducible_representations_at_special_points() -> None:
    found = [len(irreps_at(number, k)) for number in ALL_GROUPS for _, k in special_points(number)]
    assert (len(found), sum(found)) == (1350, 4777)


# --- the second opinion -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", SAMPLE)
def test_small_irreps_are_those_of_spgrep(number: int) -> None:
    assert check_against_spgrep(number) > 0


@pytest.mark.slow
def test_small_irreps_of_all_groups_are_those_of_spgrep() -> None:
    assert sum(check_against_spgrep(number) for number in ALL_GROUPS) == 4141


def test_comparison_with_spgrep_sees_the_phase_convention() -> None:
    with pytest.raises(AssertionError):
        check_against_spgrep(144, conjugate=False)


# --- finding k --------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_copy_of_a_wavevector_finds_the_same_irreps(data: st.DataObject) -> None:
    number = data.draw(st.sampled_from(SAMPLE))
    table = load_table(number)
    k = np.array([Fraction(data.draw(st.integers(-12, 12)), data.draw(st.integers(1, 6))) for _ in range(3)])
    W = table.inverse_rotations[data.draw(st.integers(0, len(table.rotations) - 1))]
    reciprocal = np.rint(np.linalg.inv(PRIMITIVE[centring_letter(table)]).T).astype(int)
    G = np.array(data.draw(st.lists(st.integers(-3, 3), min_size=3, max_size=3))) @ reciprocal
    sign = data.draw(st.sampled_from([1, -1]))
    assert irreps_at(number, k) is irreps_at(number, sign * k @ W + G)


def test_all_wavevectors_with_2k_in_the_reciprocal_lattice_are_special() -> None:
    for number in SAMPLE:
        table = load_table(number)
        names = {name for name, _ in special_points(number)}
        reciprocal = np.rint(np.linalg.inv(PRIMITIVE[centring_letter(table)]).T).astype(int)
        for halves in product([0, 1], repeat=3):
            k = [Fraction(int(component), 2) for component in halves @ reciprocal]
            assert irreps_at(number, k)[0].k_label in names


def test_parameters_are_the_smallest_and_positive() -> None:
    for k in [("1/3", 0, 0), ("-1/3", 0, 0), ("4/3", 0, 0), ("-2/3", 1, 0)]:
        assert irreps_at(62, k)[0].k == (Fraction(1, 3), 0, 0)
    assert [irrep.label for irrep in irreps_at(62, ("1/3", 0, 0))] == ["SM1", "SM2", "SM3", "SM4"]


@pytest.mark.parametrize(("number", "k"), [(62, ("1/3", 0, 0)), (221, ("1/3", 0, 0)), (227, ("1/4", "1/4", 0))])
def test_inversion_acts_along_the_axes_on_lines(number: int, k: tuple) -> None:
    """On every arm inversion sends z to z*: (a, 0) is even and (0, a) is odd, for example for SM2 of K2SeO4."""
    inversion = load_table(number).indices(-np.eye(3, dtype=int)[None])
    for irrep in irreps_at(number, k):
        if irrep.small_dimension == 1:
            R = real_matrices(irrep, inversion, np.zeros((1, 3)))[0]
            assert np.allclose(R, np.diag([1, -1] * (irrep.dimension // 2)), atol=1e-12)


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "k", "labels"),
    [
        (221, ("1/2", "1/2", "1/2"), "R1+ R2+ R3+ R4+ R5+ R1- R2- R3- R4- R5-"),
        (205, ("1/2", "1/2", "1/2"), "R1+R3+ R2+R2+ R1-R3- R2-R2-"),
        (19, ("1/2", "1/2", "1/2"), "R1R1"),
        (75, (0, 0, "1/3"), "LD1LE1 LD2LE2 LD3LE3 LD4LE4"),
        (75, (0, 0, "-1/3"), "LD1LE1 LD2LE2 LD3LE3 LD4LE4"),
        (82, ("1/2", "1/2", "1/2"), "P1PA1 P2PA2 P3PA3 P4PA4"),
        (143, ("1/3", "1/3", "1/2"), "H1HA1 H2HA2 H3HA3"),
        (1, ("1/3", "1/5", 0), "GP1GQ1"),
    ],
)
def test_labels(number: int, k: tuple, labels: str) -> None:
    assert " ".join(irrep.label for irrep in irreps_at(number, k)) == labels


def test_dimensions_of_a_joined_pair() -> None:
    pair = irrep_named(205, "R1-R3-")
    assert (pair.kind, pair.dimension, pair.complex_dimension, pair.small_dimension) == (0, 4, 2, 2)
    assert pair.constituents == ("R1-", "R3-")
    assert irrep_named(205, "R3-") is pair
    arms = irrep_named(221, "X5+")
    assert (arms.dimension, arms.arms.shape, arms.component_arms.tolist()) == (6, (3, 3), [0, 0, 1, 1, 2, 2])


def test_a_line_is_found_by_name_at_its_wavevector() -> None:
    assert irrep_named(62, "SM2", ("1/3", 0, 0)).label == "SM2"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: irreps_at(231, (0, 0, 0)), "from 1 to 230"),
        (lambda: irreps_at(221, (0, 0)), "three fractions"),
        (lambda: irreps_at(221, ("x", 0, 0)), "three fractions"),
        (lambda: irreps_at(221, (1 / 3, 0, 0)), "not commensurate"),
        (lambda: irrep_named(221, "R9+"), "no irrep R9"),
        (lambda: irrep_named(62, "SM2"), "k must be given"),
    ],
)
def test_wrong_input_is_explained(call, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        call()
