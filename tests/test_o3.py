"""The irreps of O(3): theorems, and agreement with e3nn in float64."""
# ruff: noqa: E741

from __future__ import annotations

import subprocess
import sys
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from orderparam.errors import InvalidInputError
from orderparam.o3 import (
    L_MAX,
    Irrep,
    irreps_to_symmetric,
    spherical_harmonics,
    symmetric_to_irreps,
    wigner_3j,
    wigner_d,
)

IRREPS = [Irrep(l, p) for l in range(L_MAX + 1) for p in (1, -1)]
TRIPLES = [t for t in product(range(L_MAX + 1), repeat=3) if abs(t[0] - t[1]) <= t[2] <= t[0] + t[1]]


def random_o3(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return Rotation.random(n, rng=rng).as_matrix() * rng.choice([-1.0, 1.0], n)[:, None, None]


@pytest.mark.parametrize("irrep", IRREPS, ids=str)
def test_representation_is_orthogonal_homomorphism(irrep):
    first, second = random_o3(20, 1), random_o3(20, 2)
    left, right = wigner_d(irrep, first), wigner_d(irrep, second)
    np.testing.assert_allclose(left @ right, wigner_d(irrep, first @ second), atol=1e-13)
    np.testing.assert_allclose(left @ left.swapaxes(1, 2), np.broadcast_to(np.eye(irrep.dim), left.shape), atol=1e-13)
    np.testing.assert_allclose(wigner_d(irrep, -np.eye(3)), irrep.parity * np.eye(irrep.dim), atol=1e-14)


def test_vector_and_pseudovector():
    rotations = random_o3(10, 3)
    np.testing.assert_allclose(wigner_d(Irrep(1, -1), rotations), rotations, atol=1e-14)
    determinants = np.linalg.det(rotations)[:, None, None]
    np.testing.assert_allclose(wigner_d(Irrep(1, 1), rotations), determinants * rotations, atol=1e-13)


@pytest.mark.parametrize("l", range(L_MAX + 1))
def test_spherical_harmonics_turn_with_their_argument(l):
    rng = np.random.default_rng(4)
    vectors, rotations = rng.normal(size=(30, 3)), random_o3(30, 5)
    turned = spherical_harmonics(l, np.einsum("nij,nj->ni", rotations, vectors))
    irrep = Irrep(l, (-1) ** l)
    expected = np.einsum("nab,nb->na", wigner_d(irrep, rotations), spherical_harmonics(l, vectors))
    np.testing.assert_allclose(turned, expected, atol=1e-13)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=1), 1, atol=1e-14)
    wrong = np.einsum("nab,nb->na", wigner_d(Irrep(l, -((-1) ** l)), rotations), spherical_harmonics(l, vectors))
    assert np.abs(turned - wrong).max() > 0.1  # the other parity must not pass


@pytest.mark.parametrize("degrees", TRIPLES, ids=str)
def test_3j_is_invariant(degrees):
    tensor = wigner_3j(*degrees)
    (rotation,) = random_o3(1, 6)
    parity = 1
    turned = np.einsum("ai,bj,ck,ijk->abc", *[wigner_d(Irrep(l, parity), rotation) for l in degrees], tensor)
    np.testing.assert_allclose(turned, tensor, atol=1e-14)
    assert np.linalg.norm(tensor) == pytest.approx(1, abs=1e-14)


def test_3j_of_three_vectors_is_the_levi_civita_tensor():
    levi_civita = np.linalg.det(np.eye(3)[np.array(list(product(range(3), repeat=3)))]).reshape(3, 3, 3)
    np.testing.assert_allclose(np.abs(wigner_3j(1, 1, 1)), np.abs(levi_civita) / np.sqrt(6), atol=1e-15)


@given(st.integers(0, 2**32 - 1))
def test_symmetric_matrices_round_trip(seed):
    matrix = np.random.default_rng(seed).normal(size=(2, 3, 3))
    matrix = matrix + matrix.swapaxes(1, 2)
    components = symmetric_to_irreps(matrix)
    np.testing.assert_allclose(irreps_to_symmetric(components), matrix, atol=1e-13)
    np.testing.assert_allclose(np.linalg.norm(components, axis=1), np.linalg.norm(matrix, axis=(1, 2)), rtol=1e-13)


def test_symmetric_matrices_turn_as_0e_and_2e():
    rng = np.random.default_rng(7)
    (rotation,), vector = random_o3(1, 8), rng.normal(size=3)
    dyad = np.outer(vector, vector)
    before, after = symmetric_to_irreps(dyad), symmetric_to_irreps(rotation @ dyad @ rotation.T)
    np.testing.assert_allclose(after[:1], before[:1], atol=1e-13)
    np.testing.assert_allclose(after[1:], wigner_d(Irrep(2, 1), rotation) @ before[1:], atol=1e-13)
    scale = np.sqrt(2 / 3) * (vector @ vector)
    np.testing.assert_allclose(before[1:], scale * spherical_harmonics(2, vector), atol=1e-13)


def test_notation_and_refusals():
    assert [str(Irrep.parse(text)) for text in ("0e", "1o", " 4e ")] == ["0e", "1o", "4e"]
    for wrong in ("e1", "1", "", "1x", "5e", "-1e"):
        with pytest.raises(InvalidInputError, match=r"irrep of O\(3\)"):
            Irrep.parse(wrong)
    with pytest.raises(InvalidInputError, match="3j"):
        wigner_3j(1, 1, 3)


@pytest.fixture(scope="module")
def e3nn_o3():
    """Return e3nn's o3 module, with tables and results in float64."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("e3nn")
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    from e3nn import o3

    yield o3
    torch.set_default_dtype(before)


def test_harmonics_agree_with_e3nn(e3nn_o3):
    import torch

    vectors = np.random.default_rng(9).normal(size=(50, 3))
    for l in range(L_MAX + 1):
        theirs = e3nn_o3.spherical_harmonics(l, torch.from_numpy(vectors), True, "norm").numpy()
        np.testing.assert_allclose(spherical_harmonics(l, vectors), theirs, atol=1e-12)


def test_3j_agrees_with_e3nn(e3nn_o3):
    import torch

    for degrees in TRIPLES:
        theirs = e3nn_o3.wigner_3j(*degrees, dtype=torch.float64).numpy()
        np.testing.assert_allclose(wigner_3j(*degrees), theirs, atol=1e-12, err_msg=str(degrees))


def test_matrices_agree_with_e3nn(e3nn_o3):
    import torch

    rotations = random_o3(20, 10)
    for irrep in IRREPS:
        theirs = e3nn_o3.Irrep(str(irrep)).D_from_matrix(torch.from_numpy(rotations)).numpy()
        np.testing.assert_allclose(wigner_d(irrep, rotations), theirs, atol=1e-12, err_msg=str(irrep))


def test_import_needs_no_torch():
    code = "import sys, orderparam.o3; sys.exit('torch' in sys.modules or 'scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
