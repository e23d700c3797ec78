"""From order parameter to structure: equivariance, exact powers, domains, and the files of a run."""

import json
from dataclasses import replace

import numpy as np
import pytest

from orderparam.discovery.discover import Discovery, discover
from orderparam.discovery.prediction import Predictor, build_predictor
from orderparam.discovery.states import all_states
from orderparam.errors import ConvergenceError, InvalidInputError
from orderparam.network.fit import fit
from orderparam.network.problem import FitConfig
from orderparam.spacegroup import report_symmetry
from orderparam.subgroups import find_domains
from orderparam.subgroups.constraints import parse_constraints
from orderparam.symmetry.orderparameter import decompose
from tests.discovery.test_constraints import analysed


@pytest.fixture(scope="module")
def manganite() -> Discovery:
    return discover(analysed("LaMnO3_62"), seed=0)


@pytest.fixture(scope="module")
def predictor(manganite) -> Predictor:
    return manganite.predictor


def scaled(predictor: Predictor, s: float) -> dict[str, np.ndarray]:
    return {label: s * vector for label, vector in predictor.child.components.items()}


# --- the path -------------------------------------------------------------------------------------------------------


def test_the_ends_of_the_path_are_parent_and_child(manganite, predictor):
    first, *_, last = predictor.path(3)
    target = manganite.analysis.relation.distortion
    assert np.abs(first.distortion.displacements).max() < 1e-12
    assert np.abs(first.distortion.strain).max() < 1e-12
    assert np.abs(last.distortion.displacements - target.displacements).max() <= 1e-6
    assert np.abs(last.distortion.strain - target.strain).max() <= 1e-6
    assert last.from_power_law <= 1e-6
    assert last.from_linear <= 1e-6


def test_every_irrep_follows_with_its_own_power(predictor):
    """Slopes are 2 for X5+ and the strains, 3 for M2+ and R5+; a straight line has slope 1 for all: the control."""
    degrees = {f.label: f.degree for f in predictor.followers()}
    expected = {"R4+": 1, "M3+": 1, "X5+": 2, "M2+": 3, "R5+": 3, "strain GM3+": 2, "strain GM5+": 2}
    assert degrees.items() >= expected.items()
    path = predictor.path(11)
    for label, degree in expected.items():
        near, far = path[1].amplitudes[label], path[2].amplitudes[label]
        assert np.log(far / near) / np.log(2) == pytest.approx(degree, abs=0.05)
        assert path[2].linear[label] / path[1].linear[label] == pytest.approx(2)
    assert max(image.from_linear for image in path) > 0.05
    assert max(image.from_power_law for image in path) < 0.01


def is_monotone_and_smooth(predictor: Predictor) -> bool:
    path = predictor.path(11)
    for label in path[0].amplitudes:
        values = np.array([image.amplitudes[label] for image in path])
        rough = np.abs(np.diff(values, 4)).max() > 0.1 * values.max()
        if (np.diff(values) < -1e-9).any() or rough:
            return False
    return True


def seeded(seed: int) -> Predictor:
    from orderparam.discovery.inputs import choose_inputs, fit_problem

    analysis = analysed("LaMnO3_62")
    inputs = choose_inputs(analysis)
    found = fit(fit_problem(analysis, inputs.blocks(analysis.relation.distortion.supercell)), FitConfig(seed=seed))
    labels = [m.label for m in inputs.members]
    return build_predictor(analysis.decomposition, labels, inputs.carrier.name, found.network, seed=seed)


def test_paths_are_monotone_and_smooth():
    assert is_monotone_and_smooth(seeded(1))


@pytest.mark.slow
def test_paths_are_monotone_and_smooth_for_ten_seeds():
    found = [seeded(seed) for seed in range(10)]
    assert all(is_monotone_and_smooth(p) for p in found)
    assert all(max(i.from_power_law for i in p.path(5)) < 0.02 for p in found)


def test_a_path_has_two_ends(predictor):
    with pytest.raises(InvalidInputError, match="at least 2 structures"):
        predictor.path(1)


# --- any amplitude, direction or domain -----------------------------------------------------------------------------


def test_what_is_set_is_what_the_structure_has(predictor):
    for s in (0.3, 0.8):
        found = decompose(predictor.predict(scaled(predictor, s)))
        for given in predictor.inputs:
            size = np.linalg.norm(predictor.child.components[given.label])
            assert found[given.label].amplitude == pytest.approx(s * size, abs=1e-9)


@pytest.mark.parametrize(
    ("given", "group"),
    [
        ({"R4+": (0.4, 0, 0)}, 140),
        ({"R4+": (0.3, 0.3, 0)}, 74),
        ({"R4+": (0.3, 0.3, 0.3)}, 167),
        ({"M3+": (0, 0, 0.3)}, 127),
        ({"M3+": (0.3, 0.3, 0.3)}, 204),
        ({"R4+": (0, 0.4, 0), "M3+": (0, 0, 0.0)}, 140),
        ({}, 221),
    ],
)
def test_the_structure_has_the_symmetry_of_the_order_parameter(predictor, given, group):
    """Curie, by spglib, for directions that the network was never shown."""
    found = predictor.predict(given)
    assert found.group.space_group[0] == group
    assert report_symmetry(found.crystal(), 1e-4).number == group


def test_warnings_tell_range_and_direction(predictor):
    assert predictor.warnings(scaled(predictor, 1.0)) == ()
    assert predictor.warnings(scaled(predictor, -0.5)) == ()  # another domain
    assert "outside the trained range" in predictor.warnings(scaled(predictor, 1.1))[0]
    assert "the direction is no domain" in predictor.warnings({"R4+": (0.1, 0, 0)})[0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"X5+": (0.1,) * 6}, "not an input of this fit; its inputs are R4+, M3+"),
        ({"R4+": (0.1, 0.1)}, "expected 3 finite components"),
        ({"R4+": (0.1, np.nan, 0)}, "expected 3 finite components"),
    ],
)
def test_what_cannot_be_set(predictor, given, message):
    with pytest.raises(InvalidInputError) as problem:
        predictor.predict(given)
    assert message in str(problem.value)


# --- all degenerate states ------------------------------------------------------------------------------------------


def test_every_domain_regenerates_its_target(manganite, predictor):
    """f(g h) = g f(h): each of the 24 predictions is one of the 24 domains, to the tolerance of the fit."""
    domains = find_domains(manganite.analysis)
    states = manganite.domains()
    assert len(states) == len(domains) == manganite.analysis.relation.distortion.group.index
    left = {d.number: d for d in domains}
    for number in range(len(states)):
        cell = states.supercell
        gaps = {}
        for domain in left.values():
            own = domain.supercell
            spread = domain.displacements[own.atoms_at(cell.sites, cell.cells)]
            gaps[domain.number] = max(
                np.abs(spread - states.displacements[number]).max(),
                np.abs(domain.strain - states.strains[number]).max(),
            )
        best = min(gaps, key=lambda n: gaps[n])
        assert gaps[best] <= 1e-6
        del left[best]
    assert not left


def test_samples_are_whole_patterns(predictor):
    """The set averages to zero, no sample does; correlations of many samples are those of the set."""
    states = all_states(predictor)
    assert np.abs(states.mean).max() < 1e-12
    sample = states.sample(4000, seed=1)
    norms = np.linalg.norm(sample.displacements, axis=(1, 2))
    assert norms.min() == pytest.approx(norms.max(), rel=1e-9)
    assert norms.min() > 1.0
    counts = np.bincount(sample.numbers, minlength=len(states))
    expected = 4000 / len(states)
    assert ((counts - expected) ** 2 / expected).sum() < 60  # chi squared, 23 degrees of freedom
    flat = sample.displacements.reshape(4000, -1)
    error = flat.T @ flat / 4000 - states.correlations
    assert np.abs(error).max() < 0.1 * np.abs(states.correlations).max()
    independent = np.random.default_rng(0).permuted(sample.displacements, axis=0).reshape(4000, -1)  # the control
    wrong = independent.T @ independent / 4000 - states.correlations
    assert np.abs(wrong).max() > 0.5 * np.abs(states.correlations).max()
    assert (states.sample(5, seed=3).numbers == states.sample(5, seed=3).numbers).all()
    with pytest.raises(InvalidInputError, match="at least one"):
        states.sample(0, seed=0)


def test_quartz_keeps_what_its_parent_may_do():
    """Two hands of one child: the average over the domains is the symmetric part, not zero, where there is one."""
    found = discover(analysed("SiO2_154"), seed=0)
    states = found.domains()
    assert len(states) == found.analysis.relation.distortion.group.index
    assert np.linalg.norm(states.mean) < 0.1 * np.linalg.norm(states.displacements[0])


# --- other fits -----------------------------------------------------------------------------------------------------


def test_a_constrained_fit_predicts_its_intermediate_structure(manganite):
    analysis = manganite.analysis
    found = discover(analysis, seed=0, constraint=parse_constraints(analysis, ["subgroup=74"]))
    last = found.predictor.path(2)[-1]
    assert last.distortion.supercell.n_atoms == 10  # the primitive cell of Imma, half the child's
    assert np.abs(last.distortion.displacements - found.taught.displacements).max() <= 1e-6
    assert np.linalg.norm(found.taught.displacements) * np.sqrt(2) == pytest.approx(
        np.linalg.norm(found.target.displacements)
    )
    assert report_symmetry(last.distortion.crystal(), 1e-4).number == 74


def test_a_fit_without_order_parameter_predicts_nothing(manganite):
    found = discover(manganite.analysis, seed=0, order_parameter=False)
    with pytest.raises(InvalidInputError, match="it had no order parameter"):
        found.predict({"R4+": (0.1, 0, 0)})


def test_a_target_out_of_reach_is_said(manganite):
    """One layer is linear times linear: R5+ and M2+, of third order, cannot be met."""
    network = manganite.fit.network
    small = replace(network, architecture=replace(network.architecture, layers=1))
    from orderparam.network.layout import n_weights, weight_shapes

    shapes = weight_shapes(small.architecture, len(small.kinds), small.radial.combination.shape[1])
    small = replace(small, weights=np.random.default_rng(0).normal(size=n_weights(shapes)))
    labels = [m.label for m in manganite.primaries]
    with pytest.raises(ConvergenceError, match="does not follow from its order parameters"):
        build_predictor(manganite.analysis.decomposition, labels, manganite.carrier.name, small, seed=0)


def test_predictions_do_not_depend_on_the_cell(predictor):
    """Primitive cell or supercell: the same displacements."""
    from orderparam.supercell import Supercell

    components = predictor.components({"R4+": (0.3, 0.2, 0.1)})
    small = predictor.predict(components)
    large = predictor.on(
        Supercell.build(predictor.family.parent, np.diag([1, 2, 1]) @ small.supercell.matrix), components
    )
    again = large.displacements[large.supercell.atoms_at(small.supercell.sites, small.supercell.cells)]
    assert np.allclose(again, small.displacements, atol=1e-10)
    assert np.allclose(large.strain, small.strain, atol=1e-10)


def test_records_are_json(manganite):
    from orderparam.records.model import model_record

    again = json.loads(json.dumps(model_record(manganite)))
    assert again["order_parameters"] == ["R4+", "M3+"]
    assert again["carrier"] == "Mn:1e"
