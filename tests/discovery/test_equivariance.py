"""Equivariance as users meet it: other cells, orientations and origins; trained in one, all predicted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from orderparam.crystals.crystal import Crystal
from orderparam.discovery.analyse import Analysis, analyse
from orderparam.discovery.discover import Discovery, discover
from orderparam.discovery.family import gather_family
from orderparam.discovery.prediction import Predictor
from orderparam.lattice import QuotientLattice
from orderparam.o3 import Irrep, wigner_d
from orderparam.parent import symmetrise
from orderparam.spacegroup import report_symmetry
from orderparam.symmetry.orderparameter import decompose
from orderparam.testing import random_rotation, scramble
from tests.discovery.test_constraints import analysed

NAMES = ("LaMnO3_62", "BaTiO3_99", "Ca3Ti2O7_36")
CENTRED = np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]])


@pytest.fixture(scope="module", params=NAMES)
def trained(request) -> Discovery:
    """Return a fit in the orientation of the files."""
    return discover(analysed(request.param), seed=0)


def in_cell(crystal: Crystal, matrix: np.ndarray, rotation: np.ndarray) -> tuple[Crystal, np.ndarray]:
    """Write a crystal in a larger cell and turned; return it with the old number of every atom."""
    cells = QuotientLattice(matrix).representatives
    positions = (crystal.positions[:, None] + cells).reshape(-1, 3) @ np.linalg.inv(matrix)
    source = np.repeat(np.arange(crystal.n_sites), len(cells))
    species = tuple(crystal.species[i] for i in source)
    return Crystal(matrix @ crystal.lattice @ rotation.T, positions, species), source


FORMS = {
    "the same": np.eye(3, dtype=int),
    "doubled": np.diag([1, 2, 1]),
    "body-centred": CENTRED,
    "sheared": np.array([[1, 1, 0], [0, 1, 0], [0, 1, 1]]),
}


@pytest.mark.parametrize("turn", ["as it is", "turned", "turned and inverted"])
@pytest.mark.parametrize("form", FORMS)
def test_one_orientation_is_trained_and_all_are_predicted(trained, form, turn):
    """The learned fields in any cell and orientation give the child in that cell and orientation.

    The control: fields that are carried over but not turned along do not.
    """
    distortion = trained.analysis.relation.distortion
    rotation = np.eye(3) if turn == "as it is" else random_rotation(np.random.default_rng(5))
    rotation = -rotation if "inverted" in turn else rotation
    reference, source = in_cell(distortion.reference(), FORMS[form], rotation)
    network = trained.fit.network.on(reference.lattice, reference.positions, reference.species)
    plain = {name: field[source] for name, field in trained.fit.inputs.items()}
    turned = {n: f @ wigner_d(irrep_of(n), rotation[None])[0].T for n, f in plain.items()}
    displacements, strain = network.predict(turned)
    target, target_strain = distortion.displacements[source] @ rotation.T, rotation @ distortion.strain @ rotation.T
    assert np.abs(displacements - target).max() <= 1e-6
    assert np.abs(strain - target_strain).max() <= 1e-6
    if turn == "turned":
        assert np.abs(network.predict(plain)[0] - target).max() > 1e-2


def irrep_of(name: str) -> Irrep:
    return Irrep.parse(name.partition(" ")[0].rsplit(":", 1)[-1])


def written(analysis: Analysis, form: str) -> tuple[Crystal, Crystal]:
    """Return parent and child as other people may have written them."""
    rng = np.random.default_rng(len(form))
    parent, child = analysis.relation.parent.crystal, analysis.relation.child
    rotation = random_rotation(rng)
    if form == "conventional":
        return in_cell(parent, analysis.relation.parent.conventional, np.eye(3))[0], child
    if form == "supercell":
        return in_cell(parent, np.diag([2, 2, 2]), np.eye(3))[0], scramble(child, rng)
    if form == "rotated":
        return in_cell(parent, np.eye(3, dtype=int), rotation)[0], child
    if form == "another origin of the child":
        return parent, replace(child, positions=child.positions + rng.random(3))
    return in_cell(parent, np.eye(3, dtype=int), rotation)[0], scramble(child, rng)


@pytest.mark.parametrize(
    "form", ["conventional", "supercell", "rotated", "another origin of the child", "all of it, and another order"]
)
def test_other_files_of_the_same_crystals(trained, form):
    """The same order parameters, and the network of the first files predicts the child of the others from them."""
    parent, child = written(trained.analysis, form)
    analysis = analyse(symmetrise(parent), child)
    first = {o.label: o.amplitude for o in trained.analysis.decomposition.displacive if not o.is_zero}
    found = {o.label: o.amplitude for o in analysis.decomposition.displacive if not o.is_zero}
    assert found == pytest.approx(first, abs=1e-6)
    labels = [m.label for m in trained.primaries]
    family = gather_family({"child": analysis.decomposition}, irreps=labels, carrier=trained.carrier.name)
    here = Predictor(replace(family, unit=trained.predictor.family.unit), trained.predictor.network)
    target = analysis.relation.distortion
    predicted = here.on(target.supercell, here.child.components)
    again = {o.label: o.amplitude for o in decompose(predicted).displacive if not o.is_zero}
    assert again == pytest.approx(first, abs=2e-6)
    assert predicted.group.space_group == target.group.space_group
    assert report_symmetry(predicted.crystal(), 1e-4).number == target.group.space_group[0]
    strains = [np.sort(np.linalg.eigvalsh(d.strain)) for d in (predicted, target)]
    np.testing.assert_allclose(*strains, atol=2e-6)
