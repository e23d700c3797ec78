"""What every `DistortionModel` has to keep: the same theorems for the default network and for the gated one of e3nn."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from orderparam.errors import InvalidInputError
from orderparam.network.model import DistortionModel
from orderparam.network.problem import Architecture, FitProblem
from orderparam.o3 import Irrep, wigner_d
from orderparam.siteaction import SiteAction
from tests.network import fit_problems
from tests.network.fit_problems import random_network

IRREPS = tuple(map(Irrep.parse, ("0e", "0o", "1e", "1o", "2e")))
Fields = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def problem() -> FitProblem:
    return fit_problems.pair("perovskite/LaMnO3_221.cif", "perovskite/LaMnO3_62.cif", "Mn:1e")


def default(problem: FitProblem) -> DistortionModel:
    return random_network(problem, Architecture(2))


def gated(problem: FitProblem) -> DistortionModel:
    from orderparam.network.gated import GatedNetwork

    return GatedNetwork(problem.lattice, problem.positions, problem.species, multiplicity=2, seed=3)


@pytest.fixture(scope="module", params=[default, gated], ids=["default", "gated"])
def build(request) -> Callable[[FitProblem], DistortionModel]:
    """Return what makes a model with random weights on the sites of a problem."""
    if request.param is gated:
        pytest.importorskip("e3nn")
    return request.param


@pytest.fixture(scope="module")
def model(build, problem) -> DistortionModel:
    with quiet():
        return build(problem)


def quiet() -> warnings.catch_warnings:
    """Silence what e3nn says about torch."""
    return warnings.catch_warnings(action="ignore")


def random_fields(n_sites: int, seed: int) -> Fields:
    rng = np.random.default_rng(seed)
    return {str(irrep): rng.normal(size=(n_sites, irrep.dim)) for irrep in IRREPS}


def turned(fields: Fields, rotation: np.ndarray) -> Fields:
    return {name: field @ wigner_d(Irrep.parse(name), rotation[None])[0].T for name, field in fields.items()}


def invariant(fields: Fields, group: SiteAction) -> Fields:
    return {n: group.average(wigner_d(Irrep.parse(n), group.rotations), field) for n, field in fields.items()}


def outputs(model: DistortionModel, fields: Fields) -> tuple[np.ndarray, np.ndarray]:
    with quiet():
        displacements, strain = model.predict(fields)
    assert np.abs(displacements).max() > 1e-4  # a model that says nothing keeps every symmetry
    assert np.abs(strain).max() > 1e-4
    return displacements, strain


def moved(model: DistortionModel, lattice, positions, species) -> DistortionModel:
    with quiet():
        return model.on(lattice, positions, species)


def test_it_is_one(model):
    assert isinstance(model, DistortionModel)
    assert not isinstance(np.zeros(3), DistortionModel)


@pytest.mark.parametrize("sign", [1, -1], ids=["proper", "improper"])
def test_rotations_and_inversion(model, problem, sign):
    rotation = sign * Rotation.random(rng=np.random.default_rng(2)).as_matrix()
    fields = random_fields(problem.n_sites, 1)
    displacements, strain = outputs(model, fields)
    other = moved(model, problem.lattice @ rotation.T, problem.positions, problem.species)
    found, found_strain = outputs(other, turned(fields, rotation))
    np.testing.assert_allclose(found, displacements @ rotation.T, atol=1e-10)
    np.testing.assert_allclose(found_strain, rotation @ strain @ rotation.T, atol=1e-10)
    forgotten, _ = outputs(other, fields)  # the negative control: fields that do not turn along
    assert np.abs(forgotten - displacements @ rotation.T).max() > 1e-3


def test_translations_and_permutations(model, problem):
    rng, fields = np.random.default_rng(4), random_fields(problem.n_sites, 3)
    order = rng.permutation(problem.n_sites)
    positions = problem.positions + rng.normal(size=3) + rng.integers(-2, 3, problem.positions.shape)
    other = moved(model, problem.lattice, positions[order], [problem.species[i] for i in order])
    displacements, strain = outputs(model, fields)
    found, found_strain = outputs(other, {name: field[order] for name, field in fields.items()})
    np.testing.assert_allclose(found, displacements[order], atol=1e-10)
    np.testing.assert_allclose(found_strain, strain, atol=1e-10)
    unmoved, _ = outputs(other, fields)
    assert np.abs(unmoved - displacements[order]).max() > 1e-3


def test_cell_and_supercell_agree(model, problem):
    fields = random_fields(problem.n_sites, 5)
    positions = np.concatenate([problem.positions, problem.positions + np.array([1, 0, 0])]) / [2, 1, 1]
    larger = moved(model, np.diag([2, 1, 1]) @ problem.lattice, positions, problem.species * 2)
    displacements, strain = outputs(model, fields)
    found, found_strain = outputs(larger, {name: np.tile(field, (2, 1)) for name, field in fields.items()})
    np.testing.assert_allclose(found, np.tile(displacements, (2, 1)), atol=1e-10)
    np.testing.assert_allclose(found_strain, strain, atol=1e-10)


def test_curie(model, problem):
    """What the inputs keep the output keeps, and without an input nothing moves at all."""
    nothing = {name: 0 * field for name, field in random_fields(problem.n_sites, 0).items()}
    for silent in ({}, nothing):
        displacements, strain = model.predict(silent)
        assert np.abs(displacements).max() == 0
        assert np.abs(strain).max() == 0
    group, fields = problem.group, random_fields(problem.n_sites, 6)
    displacements, strain = outputs(model, invariant(fields, group))
    np.testing.assert_allclose(group.average(group.rotations, displacements), displacements, atol=1e-12)
    images = group.rotations @ strain @ group.rotations.transpose(0, 2, 1)
    np.testing.assert_allclose(images, np.broadcast_to(strain, images.shape), atol=1e-12)
    free, _ = outputs(model, fields)
    assert np.abs(group.average(group.rotations, free) - free).max() > 1e-3


def test_nothing_floats_away(model, problem):
    displacements, strain = outputs(model, random_fields(problem.n_sites, 7))
    assert np.abs(displacements.mean(axis=0)).max() < 1e-14
    np.testing.assert_allclose(strain, strain.T, atol=1e-14)


def test_a_finite_set_has_no_strain(build):
    corners = np.array([[1.0, 1, 0], [-1, 1, 0], [-1, -1, 0], [1, -1, 0]])
    nobody = SiteAction(np.eye(3)[None], np.arange(4)[None])
    with quiet():
        model = build(fit_problems.points(corners, 1.1 * corners, nobody, ""))
        displacements, strain = model.predict(random_fields(4, 1))
    assert np.abs(displacements).max() > 1e-4
    assert not strain.any()


def test_what_it_cannot_take(model, problem):
    with pytest.raises(InvalidInputError, match="trained for La, Mn, O, not for Xe"):
        model.on(problem.lattice, problem.positions, ["Xe"] * problem.n_sites)
    with pytest.raises(InvalidInputError, match=r"input 1e: expected \(20, 3\)"):
        model.predict({"1e": np.zeros((5, 3))})
    with pytest.raises(InvalidInputError, match="input 3o"):
        model.predict({"3o": np.zeros((20, 7))})
