"""The network: equivariance, Curie's principle, and the reduced evaluation against the plain one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from orderparam.network.layout import READOUT_SCALE, Layout
from orderparam.network.model import PlainNetwork
from orderparam.network.orbits import Orbits, invariant_displacements, invariant_fields
from orderparam.network.problem import Architecture, FitConfig, FitProblem
from orderparam.network.reduced import single_thread
from orderparam.network.residuals import Residuals, build_network
from orderparam.o3 import Irrep, symmetric_to_irreps
from orderparam.siteaction import SiteAction
from tests.network import fit_problems
from tests.network.fit_problems import full_fields, geometry, random_network

ARCHITECTURES = [Architecture(1), Architecture(2), Architecture(1, layers=3, squares=2), Architecture(3, layers=1)]
IDS = ["lmax1", "lmax2", "deep", "lmax3"]


@pytest.fixture(scope="module")
def problem() -> FitProblem:
    return fit_problems.pair("perovskite/LaMnO3_221.cif", "perovskite/LaMnO3_62.cif", "Mn:1e")


def outputs(network, fields: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    displacements, strain = network.module().predict_fields(fields)
    assert np.abs(displacements).max() > 0.01 * READOUT_SCALE  # a network that says nothing is equivariant, too
    return displacements, strain


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=IDS)
@pytest.mark.parametrize("inversion", [1, -1], ids=["proper", "improper"])
def test_rotations_and_inversion(problem, architecture, inversion):
    network, layout = random_network(problem, architecture), Layout.all_up_to(architecture.lmax)
    fields = full_fields(problem, architecture.lmax, 1)
    rotation = inversion * Rotation.random(rng=np.random.default_rng(2)).as_matrix()
    displacements, strain = outputs(network, fields)
    turned = network.on(problem.lattice @ rotation.T, problem.positions, problem.species)
    (matrix,) = layout.matrices(rotation[None])
    turned_displacements, turned_strain = outputs(turned, fields @ matrix.T)
    np.testing.assert_allclose(turned_displacements, displacements @ rotation.T, atol=1e-10)
    np.testing.assert_allclose(turned_strain, rotation @ strain @ rotation.T, atol=1e-10)
    forgotten, _ = outputs(turned, fields)  # the negative control: fields that do not turn along
    assert np.abs(forgotten - displacements @ rotation.T).max() > 1e-3


@pytest.mark.parametrize("architecture", ARCHITECTURES[:2], ids=IDS[:2])
def test_translations_and_permutations(problem, architecture):
    network, fields = random_network(problem, architecture), full_fields(problem, architecture.lmax, 3)
    rng = np.random.default_rng(4)
    order = rng.permutation(problem.n_sites)
    positions = (problem.positions + rng.normal(size=3) + rng.integers(-2, 3, problem.positions.shape))[order]
    moved = network.on(problem.lattice, positions, [problem.species[i] for i in order])
    displacements, strain = outputs(network, fields)
    moved_displacements, moved_strain = outputs(moved, fields[order])
    np.testing.assert_allclose(moved_displacements, displacements[order], atol=1e-10)
    np.testing.assert_allclose(moved_strain, strain, atol=1e-10)


def test_cell_and_supercell_agree(problem):
    network, fields = random_network(problem, Architecture(2)), full_fields(problem, 2, 5)
    matrix = np.diag([2, 1, 1])
    positions = np.concatenate([problem.positions, problem.positions + np.array([1, 0, 0])]) / [2, 1, 1]
    larger = network.on(matrix @ problem.lattice, positions, problem.species * 2)
    displacements, strain = outputs(network, fields)
    larger_displacements, larger_strain = outputs(larger, np.tile(fields, (2, 1)))
    np.testing.assert_allclose(larger_displacements, np.tile(displacements, (2, 1)), atol=1e-10)
    np.testing.assert_allclose(larger_strain, strain, atol=1e-10)


@pytest.mark.parametrize("architecture", ARCHITECTURES[:2], ids=IDS[:2])
def test_curie(problem, architecture):
    network = random_network(problem, architecture)
    assert (
        np.abs(network.module().predict_fields(np.zeros((20, Layout.all_up_to(architecture.lmax).dim)))[0]).max() == 0
    )
    displacements, strain = outputs(network, full_fields(problem, architecture.lmax, 6, invariant=True))
    group = problem.group
    np.testing.assert_allclose(group.average(group.rotations, displacements), displacements, atol=1e-12)
    turned = group.rotations @ strain @ group.rotations.transpose(0, 2, 1)
    np.testing.assert_allclose(turned, np.broadcast_to(strain, turned.shape), atol=1e-12)
    free, _ = outputs(network, full_fields(problem, architecture.lmax, 6))
    assert np.abs(group.average(group.rotations, free) - free).max() > 1e-3


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=IDS)
def test_reduced_evaluation_equals_the_plain_one(problem, architecture):
    orbits = Orbits.of(problem.group)
    plain, reduced = random_network(problem, architecture), build_network(problem, architecture, orbits)
    fields = full_fields(problem, architecture.lmax, 7, invariant=True)
    with torch.no_grad():
        expected = plain.module().features(torch.from_numpy(fields)).numpy()
        on_orbits = torch.from_numpy(fields[orbits.representatives])
        found, _ = reduced.forward(torch.from_numpy(plain.weights), torch.from_numpy(plain.embedding), on_orbits)
    assert reduced.orbits.n_orbits == 4
    np.testing.assert_allclose(found.numpy(), expected[orbits.representatives], atol=1e-12)


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=IDS)
def test_jacobian_equals_autograd_of_the_plain_network(problem, architecture):
    orbits, config = Orbits.of(problem.group), FitConfig(seed=0)
    residuals = Residuals(problem, build_network(problem, architecture, orbits), config)
    trained = random_network(problem, architecture)
    residuals.use_embedding(trained.embedding)
    rng = np.random.default_rng(8)
    coefficients = rng.normal(size=problem.inputs[0].n_free)
    with single_thread():
        point = residuals.evaluate(np.concatenate([trained.weights, coefficients]))
        jacobian = point.jacobian()
    plain = trained.module()
    unknown = torch.from_numpy(coefficients).requires_grad_()
    layout = Layout.all_up_to(architecture.lmax)
    fields = torch.zeros(20, layout.dim, dtype=torch.float64)
    basis = torch.from_numpy(problem.inputs[0].basis)
    fields[:, layout.slices[Irrep(1, 1)]] = torch.einsum("k,kni->ni", unknown, basis)
    displacements, strain = plain(fields)
    n_modes = len(invariant_displacements(problem.group))
    modes = torch.from_numpy(invariant_displacements(problem.group))
    values = torch.einsum("rni,ni->r", modes, displacements)
    np.testing.assert_allclose(
        point.residuals[:n_modes], values.detach().numpy() - residuals.target[:n_modes], atol=1e-12
    )
    trace = config.strain_length * (strain[0].item() - symmetric_to_irreps(problem.strain)[0])
    np.testing.assert_allclose(point.residuals[n_modes], trace, atol=1e-12)
    for row in (0, n_modes - 1, n_modes):
        plain.zero_grad()
        unknown.grad = None
        (values[row] if row < n_modes else strain[0] * config.strain_length).backward(retain_graph=True)
        gradients = [part.grad for part in plain.weights.values()]
        filled = [
            torch.zeros_like(part) if grad is None else grad
            for part, grad in zip(plain.weights.values(), gradients, strict=True)
        ]
        expected = torch.cat([part.flatten() for part in [*filled, unknown.grad]]).numpy()
        np.testing.assert_allclose(jacobian[row], expected, atol=1e-12 * max(1, np.abs(expected).max()))


def test_jacobian_in_small_batches_is_the_same(problem):
    network = build_network(problem, Architecture(1), Orbits.of(problem.group))
    trained, found = random_network(problem, Architecture(1)), []
    for elements in (1, 10_000_000):
        residuals = Residuals(problem, network, FitConfig(seed=0, batch_elements=elements))
        residuals.use_embedding(trained.embedding)
        with single_thread():
            found.append(residuals.evaluate(np.concatenate([trained.weights, [0.1, 0.2, 0.3]])).jacobian())
    np.testing.assert_allclose(*found, atol=1e-13)


@pytest.mark.parametrize(
    "architecture",
    [Architecture(1), Architecture(2), Architecture(1, layers=3, squares=2)],
    ids=["lmax1", "lmax2", "deep"],
)
@pytest.mark.parametrize("finite", [False, True], ids=["crystal", "points"])
def test_jacobian_orbit_by_orbit_is_the_same(monkeypatch, architecture, finite):
    """Without symmetry every site is an orbit: the reverse pass then begins on one at a time and stays near it."""
    cell = fit_problems.pair("perovskite/SrTiO3_221.cif", "perovskite/SrTiO3_221.cif")
    lattice, sites = (
        2 * cell.lattice,
        ((cell.positions + np.array(list(np.ndindex(2, 2, 2)))[:, None]) / 2).reshape(-1, 3),
    )
    if finite:  # a rod of the same atoms
        lattice, sites = (
            None,
            (cell.positions + np.outer(np.arange(8), [0, 0, 1])[:, None]).reshape(-1, 3) @ cell.lattice,
        )
    nobody, still = SiteAction(np.eye(3)[None], np.arange(40)[None]), np.zeros((40, 3))
    whole = FitProblem(lattice, sites, cell.species * 8, nobody, still, np.zeros((3, 3)))
    problem = fit_problems.low_symmetry(whole, "Ti:1o O:1e", 0.05)
    network, trained = build_network(problem, architecture, Orbits.of(nobody)), random_network(problem, architecture)
    unknowns = np.append(trained.weights, np.random.default_rng(1).normal(size=sum(b.n_free for b in problem.inputs)))
    found, mixed = [], []
    for many, elements in ((16, 1_000_000), (16, 1), (1000, 1_000_000)):
        monkeypatch.setattr("orderparam.network.residuals.MANY_ORBITS", many)
        monkeypatch.setattr("orderparam.network.residuals.LOCAL_GAIN", 0)  # whether it pays or not
        residuals = Residuals(problem, network, FitConfig(seed=0, batch_elements=elements))
        residuals.use_embedding(trained.embedding)
        with single_thread():
            point = residuals.evaluate(unknowns)
            found.append(point.jacobian())
            np.testing.assert_allclose(point.jacobian_by_weights(), found[-1][:, : len(trained.weights)], atol=1e-13)
        mixed.append(residuals.batches.mixing is not None)
    assert mixed == [True, True, False]
    for one in found[:2]:
        np.testing.assert_allclose(one, found[2], atol=1e-12 * np.abs(found[2]).max())


def test_threads_are_restored(problem):
    before = torch.get_num_threads()
    with single_thread():
        assert torch.get_num_threads() == 1
        assert not torch.is_grad_enabled()
    assert torch.get_num_threads() == before
    assert torch.is_grad_enabled()


def test_invariant_fields_are_all_and_only_those(problem):
    for text in ("0e", "0o", "1e", "1o", "2e", "3o"):
        irrep = Irrep.parse(text)
        basis = invariant_fields(problem.group, irrep)
        matrices = Layout((irrep,)).matrices(problem.group.rotations)
        for field in basis:
            np.testing.assert_allclose(problem.group.average(matrices, field), field, atol=1e-12)
        flat = basis.reshape(len(basis), -1)
        np.testing.assert_allclose(flat @ flat.T, np.eye(len(basis)), atol=1e-12)
        units = np.eye(20 * irrep.dim).reshape(-1, 20, irrep.dim)
        averages = [problem.group.average(matrices, unit).ravel() for unit in units]
        assert np.linalg.matrix_rank(np.array(averages), tol=1e-8) == len(basis)


def test_plain_network_is_a_torch_module(problem):
    architecture = Architecture(1)
    radial, edges = geometry(problem, architecture)
    trained = random_network(problem, architecture)
    kinds = np.array([problem.kinds.index(name) for name in problem.species])
    plain = PlainNetwork(architecture, edges, radial, kinds, weights=trained.weights, embedding=trained.embedding)
    np.testing.assert_array_equal(plain.flat_weights().detach().numpy(), trained.weights)
    assert all(part.dtype == torch.float64 for part in plain.parameters())
