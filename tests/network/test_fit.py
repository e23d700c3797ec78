"""The fit as a whole: it reaches real children, fails where it must, and what it learned can be kept."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.reading import read_crystal
from orderparam.discovery.analyse import analyse
from orderparam.discovery.discover import discover
from orderparam.discovery.inputs import choose_inputs, fit_problem
from orderparam.errors import InvalidInputError, RecordError
from orderparam.network.architecture import assess, choose_architecture, climb
from orderparam.network.fit import fit
from orderparam.network.gradient import input_gradient
from orderparam.network.orbits import Orbits
from orderparam.network.problem import Architecture, FitConfig
from orderparam.network.residuals import Residuals, build_network
from orderparam.network.solver import _Model, solve
from orderparam.network.trained import TrainedNetwork
from orderparam.o3 import Irrep, wigner_d
from orderparam.parent import Parent, symmetrise
from orderparam.supercell import Supercell
from tests.network.fit_problems import STRUCTURES, blocks, low_symmetry, pair, parent_action, random_network

PAIRS = json.loads((Path(__file__).parents[1] / "tables/pairs.json").read_text())
LADDER = {"WO3_14", "NbO2_88", "AuCd_51", "U_63", "Mn3O4_95", "Mn3O4_141", "LaMnO3_62"}
QUICK = ["LaMnO3_62", "PbO_67", "FeSe_67", "SiO2_154"]


@pytest.fixture(scope="module")
def manganite():
    return pair("perovskite/LaMnO3_221.cif", "perovskite/LaMnO3_62.cif", "Mn:1e")


# --- real children --------------------------------------------------------------------------------------------------


def check(entry: dict, seeds: range) -> None:
    analysis = analyse(
        symmetrise(read_crystal(STRUCTURES / entry["parent"])), read_crystal(STRUCTURES / entry["child"])
    )
    for seed in seeds:
        found = discover(analysis, seed=seed)
        assert found.fit.converged
        assert found.fit.deviation.max <= 1e-6
        assert found.fit.deviation.strain <= 1e-6
        assert found.predicted_group[0] == entry["child_space_group"]
        assert found.necessity
        for n in found.necessity:  # Curie: no better than symmetry allows, and as good
            assert n.residual_max == pytest.approx(n.exact_floor_max, abs=1e-5)
            assert n.strain_residual == pytest.approx(n.strain_floor, abs=1e-5)
            assert max(n.exact_floor_max, n.strain_floor) > 1e-4


@pytest.mark.parametrize("entry", [pytest.param(p, id=p["name"]) for p in PAIRS if Path(p["child"]).stem in QUICK])
def test_some_pairs_with_two_seeds(entry):
    check(entry, range(2))


@pytest.mark.slow
@pytest.mark.parametrize("entry", [pytest.param(p, id=p["name"]) for p in PAIRS])
def test_all_pairs_with_twenty_seeds(entry):
    check(entry, range(20))


def random_child(seed: int, *, centre: bool, size: int = 2) -> tuple[Parent, Crystal]:
    """Return cubic SrTiO3 and a supercell of it with random displacements of 0.05 angstrom, P1 or P-1."""
    parent = symmetrise(read_crystal(STRUCTURES / "perovskite/SrTiO3_221.cif"))
    supercell = Supercell.build(parent, size * np.eye(3, dtype=int))
    moves = np.random.default_rng(seed).normal(0, 0.05, (supercell.n_atoms, 3))
    if centre:
        sums = supercell.positions[:, None] + supercell.positions
        opposite = np.abs(sums - np.rint(sums)).sum(axis=2).argmin(axis=1)
        moves = (moves - moves[opposite]) / 2
    return parent, supercell.with_displacements(moves, np.zeros((3, 3)))


@pytest.mark.parametrize(
    ("draw", "centre"),
    [(77, True), (3, False)]
    + [pytest.param(n, c, marks=pytest.mark.slow) for n in range(10, 20) for c in (True, False)],
)
def test_random_children_with_hardly_any_symmetry(draw, centre):
    """40 atoms, 54 numbers in P-1 and 123 in P1: reached at once, with the secondary irreps as helpers."""
    found = discover(analyse(*random_child(draw, centre=centre)), seed=0)
    assert found.fit.converged
    assert found.fit.deviation.max <= 1e-6
    assert found.predicted_group[0] == (2 if centre else 1)
    assert found.fit.restarts == 0
    assert found.fit.iterations <= 60
    assert found.helpers
    for n in found.necessity:
        assert n.residual_max == pytest.approx(n.exact_floor_max, abs=1e-5)


def test_a_fit_that_stalls_gets_help(monkeypatch):
    """The rank test holds at random weights; where it was too hopeful the secondary irreps are given and named."""
    monkeypatch.setattr("orderparam.discovery.reach.MANY_RESIDUALS", 1000)
    monkeypatch.setattr("orderparam.discovery.reach.RESTARTS_WITHOUT_HELP", 0)
    found = discover(analyse(*random_child(77, centre=True)), seed=0)
    assert found.fit.converged
    assert found.helpers
    assert found.fit.restarts >= 1


def test_the_ladder_is_climbed():
    """Some of the shipped pairs need a higher lmax than their inputs, some a third layer, one a larger cutoff."""
    chosen = {}
    for entry in PAIRS:
        if (name := Path(entry["child"]).stem) in LADDER:
            analysis = analyse(
                symmetrise(read_crystal(STRUCTURES / entry["parent"])), read_crystal(STRUCTURES / entry["child"])
            )
            inputs = choose_inputs(analysis)
            problem = fit_problem(analysis, inputs.blocks(analysis.relation.distortion.supercell))
            chosen[name] = choose_architecture(problem, FitConfig(seed=0))
    assert all(choice.reachable for choice in chosen.values())
    first = {name: choice.rungs[0].architecture for name, choice in chosen.items()}
    last = {name: choice.architecture for name, choice in chosen.items()}
    assert {name for name in chosen if last[name].lmax > first[name].lmax} == {"AuCd_51", "U_63"}
    assert {name for name in chosen if last[name].layers > first[name].layers} == {"WO3_14", "NbO2_88"}
    assert {name for name in chosen if last[name].cutoff_factor > first[name].cutoff_factor} == {"Mn3O4_95"}
    assert {name for name in chosen if last[name] == first[name]} == {"Mn3O4_141", "LaMnO3_62"}


# --- the rank test --------------------------------------------------------------------------------------------------


def test_the_rank_test_predicts_what_a_fit_reaches(manganite):
    """One layer is of degree 2 in h: R5+, of third order in the tilts, is out of its reach, and so it turns out.

    What is missed at least is R5+ alone: 0.043 angstrom at most, as every network that is linear in h misses it.
    """
    config = FitConfig(seed=1, max_restarts=1)
    small, large = Architecture(layers=1), Architecture()
    choice, _ = climb(manganite, config, [small])
    assert not choice.reachable
    missed = fit(manganite, config, architecture=small)
    assert not missed.converged
    assert missed.deviation.max > 1e-3
    choice, _ = climb(manganite, config, [small, large])
    assert choice.reachable
    assert len(choice.rungs) == 2
    assert fit(manganite, config, architecture=large).converged


def test_without_inputs_nothing_can_be_reached(manganite):
    config = FitConfig(seed=0)
    bare = pair("perovskite/LaMnO3_221.cif", "perovskite/LaMnO3_62.cif")
    residuals = Residuals(bare, build_network(bare, Architecture(), Orbits.of(bare.group)), config)
    rung = assess(bare, Architecture(), residuals, config)
    assert rung.rank == 0
    assert rung.unreachable == pytest.approx(np.linalg.norm(residuals.target))


# --- the gradient ---------------------------------------------------------------------------------------------------


def test_the_gradient_is_an_invariant_image_of_the_target(manganite):
    """It is left alone by the child's group, and turns with the target: the gradient of g.u is g applied to it."""
    irreps = [Irrep(1, 1), Irrep(1, -1), Irrep(2, 1)]
    gradients = input_gradient(manganite, irreps, seed=3)
    group = parent_action(manganite)
    for irrep, gradient in gradients.items():
        invariant = manganite.group.average(wigner_d(irrep, manganite.group.rotations), gradient)
        assert np.allclose(invariant, gradient, atol=1e-10)
        assert np.abs(gradient).max() > 1e-4
    one = np.arange(group.n_elements) == 17
    moved = group.transform(group.rotations, manganite.displacements)[one][0]
    trivial = low_symmetry(manganite, "", 0.0).group
    turned = input_gradient(replace(manganite, displacements=moved, group=trivial), irreps, seed=3)
    for irrep, gradient in turned.items():
        expected = group.transform(wigner_d(irrep, group.rotations), gradients[irrep])[one][0]
        assert np.allclose(gradient, expected, atol=1e-10)


def test_a_scalar_feels_no_gradient(manganite):
    """Curie: what cannot break the symmetry cannot be asked for."""
    gradient = input_gradient(manganite, [Irrep(0, 1)], seed=0)[Irrep(0, 1)]
    assert np.abs(gradient).max() < 1e-12


# --- reproducibility, solver, files ---------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_result(manganite):
    one, two, other = (fit(manganite, FitConfig(seed=s)) for s in (4, 4, 5))
    assert (one.network.weights == two.network.weights).all()
    assert not np.allclose(one.network.weights, other.network.weights)


def test_a_child_without_symmetry_is_reached_from_free_inputs(manganite):
    found = fit(low_symmetry(manganite, "Mn:1e Mn:1o La:1o O:1o O:1e", 0.05), FitConfig(seed=0))
    assert found.converged


class Curved:
    """Four equations a.x + (a.x)^3 / 10 = b in nine unknowns; counts how often it is differentiated."""

    matrix, goal = np.random.default_rng(0).normal(size=(4, 9)), np.random.default_rng(1).normal(size=4)
    differentiated = 0

    def __init__(self, x):
        self.x, self.residuals = x, self.matrix @ x + 0.1 * (self.matrix @ x) ** 3 - self.goal

    def jacobian(self):
        type(self).differentiated += 1
        return (1 + 0.3 * (self.matrix @ self.x) ** 2)[:, None] * self.matrix


def test_the_solver_finds_roots_of_an_underdetermined_system():
    steps = []
    found = solve(Curved, np.zeros(9), tolerance=1e-10, max_iterations=50, on_step=lambda *step: steps.append(step))
    assert found.converged
    assert found.iterations == len(steps) < 20
    assert np.linalg.norm(Curved(found.unknowns).residuals) <= 1e-10
    stuck = solve(Curved, np.zeros(9), tolerance=1e-10, max_iterations=1)
    assert not stuck.converged


def test_a_jacobian_that_foretells_well_is_kept(monkeypatch):
    """The same root with half the Jacobians; all steps stay in the span of the rows, so it is the one nearest to 0."""
    found = []
    for kept in (0.0, 0.1):
        monkeypatch.setattr("orderparam.network.solver.KEPT_REST", kept)
        monkeypatch.setattr(Curved, "differentiated", 0)
        solution = solve(Curved, np.zeros(9), tolerance=1e-10, max_iterations=50)
        assert solution.converged
        found.append((solution.unknowns, Curved.differentiated, solution.iterations))
    assert np.allclose(found[0][0], found[1][0], atol=1e-9)
    assert found[0][1] == found[0][2]
    assert found[1][1] <= found[0][1] / 2


def test_a_corrected_model_agrees_with_the_step():
    rng = np.random.default_rng(2)
    model = _Model(rng.normal(size=(3, 7)))
    for _ in range(3):
        step, change = rng.normal(size=7), rng.normal(size=3)
        model.correct(step, change)
        assert np.allclose(model.jacobian @ step, change, atol=1e-12)
        assert np.allclose(model.gram, model.jacobian @ model.jacobian.T, atol=1e-12)


def test_a_corrected_jacobian_that_misleads_is_computed_anew(monkeypatch):
    """Made to point backwards, it costs one step each time and no damping; the root is found as ever."""

    def spoil(self, _step, _change):
        self.jacobian, self.corrected = -self.jacobian, True

    monkeypatch.setattr(Curved, "differentiated", 0)
    plain = solve(Curved, np.zeros(9), tolerance=1e-10, max_iterations=50)
    monkeypatch.setattr(_Model, "correct", spoil)
    found = solve(Curved, np.zeros(9), tolerance=1e-10, max_iterations=50)
    assert found.converged
    assert np.allclose(found.unknowns, plain.unknowns, atol=1e-9)


def test_a_fit_can_be_trained_on(manganite):
    """From its own result nothing is left to do; for another target it is nearer than random weights are."""
    config = FitConfig(seed=0)
    first = fit(manganite, config)
    again = fit(manganite, config, start=first)
    assert again.iterations == 0
    assert (again.network.weights == first.network.weights).all()
    assert np.allclose(again.displacements, first.displacements, atol=1e-12)
    closer = replace(manganite, displacements=0.9 * manganite.displacements, strain=0.9 * manganite.strain)
    on, anew = fit(closer, config, start=first), fit(closer, config)
    assert on.converged
    assert anew.converged
    assert on.history[0] < anew.history[0] / 2


def test_what_a_fit_cannot_start_from(manganite):
    """Inputs that the earlier fit did not have begin at zero; without any there is nothing to train."""
    config = FitConfig(seed=0, max_restarts=0)
    first = fit(manganite, config)
    more = replace(manganite, inputs=(*manganite.inputs, *blocks(manganite.group, manganite.species, "O:1o")))
    assert fit(more, config, start=first).iterations == 0
    bare = fit(replace(manganite, inputs=()), config, start=first)
    assert not bare.converged
    assert not bare.choice.reachable
    with pytest.raises(InvalidInputError, match="expected a start with lmax 2"):
        fit(manganite, config, architecture=Architecture(lmax=2), start=first)


def test_numbers_that_are_not_finite_end_a_fit_at_its_last_good_state(manganite, monkeypatch):
    from orderparam.network import residuals

    calls, plain = [], residuals.Point.jacobian

    def spoiled(self):
        calls.append(np.linalg.norm(self.residuals))
        return plain(self) * (np.nan if len(calls) == 4 else 1)

    monkeypatch.setattr(residuals.Point, "jacobian", spoiled)
    found = fit(manganite, FitConfig(seed=0, max_restarts=0))
    assert "not finite came up after" in found.trouble
    assert not found.converged
    assert np.isfinite(found.network.weights).all()
    assert np.linalg.norm(found.displacements - manganite.displacements) < calls[0]
    calls.clear()
    again = fit(manganite, FitConfig(seed=0))  # the next start makes up for it
    assert again.converged
    assert again.trouble == ""
    monkeypatch.setattr(residuals.Point, "jacobian", lambda self: plain(self) * np.nan)
    assert fit(manganite, FitConfig(seed=0, max_restarts=1)).trouble


def test_weights_survive_a_file(manganite, tmp_path):
    found = fit(manganite, FitConfig(seed=2))
    found.network.save(tmp_path / "w.safetensors")
    again = TrainedNetwork.load(tmp_path / "w.safetensors")
    one, two = found.predict(found.inputs), again.predict(found.inputs)
    assert (one[0] == two[0]).all()
    assert (one[1] == two[1]).all()


@pytest.mark.parametrize("content", [b"", b"junk" * 100, None])
def test_foreign_and_truncated_files_are_refused(manganite, tmp_path, content):
    path = tmp_path / "w.safetensors"
    if content is None:
        fit(manganite, FitConfig(seed=2)).network.save(path)
        content = path.read_bytes()[:-100]
    path.write_bytes(content)
    with pytest.raises(RecordError, match="not the weights of an orderparam network"):
        TrainedNetwork.load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": lambda a: a[:-3]}, "weights: expected"),
        ({"weights": lambda a: a * np.nan}, "weights: numbers that are not finite"),
        ({"embedding": lambda a: a[:, :2]}, "embedding: expected"),
        ({"architecture": lambda a: {**a, "attention": 8}}, "attention"),
        ({"architecture": lambda a: {**a, "lmax": 2}}, "weights: expected"),
        ({"kinds": None}, "'kinds'"),
        ({"schema": lambda a: "orderparam-network-99"}, "expected schema orderparam-network-1"),
    ],
)
def test_files_whose_parts_do_not_belong_together_are_refused(manganite, tmp_path, change, message):
    path = tmp_path / "w.safetensors"
    random_network(manganite, Architecture(1)).save(path)
    with safe_open(path, framework="numpy") as file:
        facts = json.loads(file.metadata()["orderparam"])
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 not a dict
    for name, how in change.items():
        place = arrays if name in arrays else facts
        value = place.pop(name)
        if how is not None:
            place[name] = how(value)
    save_file({n: np.ascontiguousarray(a) for n, a in arrays.items()}, path, metadata={"orderparam": json.dumps(facts)})
    with pytest.raises(RecordError, match=re.escape(message)):
        TrainedNetwork.load(path)
    with pytest.raises(RecordError, match="not the weights"):
        TrainedNetwork.load(tmp_path / "nowhere.safetensors")


def test_inputs_of_the_wrong_shape_are_refused(manganite):
    found = fit(manganite, FitConfig(seed=2))
    with pytest.raises(InvalidInputError, match=r"expected \(20, 3\)"):
        found.predict({"Mn:1e": np.zeros((5, 3))})
