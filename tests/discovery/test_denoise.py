"""Which symmetry noisy coordinates support: the table of successes and false positives, and its edges."""

import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.reading import read_crystal
from orderparam.discovery import denoise as denoising
from orderparam.discovery.analyse import Analysis, analyse
from orderparam.discovery.denoise import FEWEST_COORDINATES, detection_limit
from orderparam.discovery.discover import discover, predicted_crystal
from orderparam.discovery.evidence import SIGMAS
from orderparam.discovery.inputs import fit_problem
from orderparam.errors import InvalidInputError
from orderparam.network.fit import fit
from orderparam.network.problem import FitConfig
from orderparam.parent import Parent, symmetrise
from orderparam.records import modes_record, to_json
from orderparam.report.summary import noise_text
from orderparam.supercell import Supercell
from tests.network.fit_problems import blocks

STRUCTURES = Path(__file__).parents[2] / "structures"
PAIRS = {p["name"]: p for p in json.loads((Path(__file__).parents[1] / "tables/pairs.json").read_text())}
BY_CHILD = {Path(p["child"]).stem: p for p in PAIRS.values()}


def exact(name: str) -> tuple[Parent, Analysis]:
    if name in MADE:
        return MADE[name]()
    pair = BY_CHILD[name]
    parent = symmetrise(read_crystal(STRUCTURES / pair["parent"]))
    return parent, analyse(parent, read_crystal(STRUCTURES / pair["child"]))


def rhombohedral_titanate() -> tuple[Parent, Analysis]:
    """BaTiO3 R3m near 0 K (0.169 angstrom), after Kwei et al., J. Phys. Chem. 97, 2368 (1993)."""
    parent = symmetrise(read_crystal(STRUCTURES / "ferroelectric/BaTiO3_221.cif"))
    cosine = np.cos(np.radians(89.839))
    lattice = 4.0036 * np.linalg.cholesky(np.full((3, 3), cosine) + (1 - cosine) * np.eye(3))
    oxygens = [np.roll([0.0191, 0.513, 0.513], n) for n in range(3)]
    positions = np.array([[0, 0, 0], [0.489] * 3, *oxygens])
    return parent, analyse(parent, Crystal(lattice, positions, ("Ba", "Ti", "O", "O", "O")))


def weakly_tilted_cuprate(amplitude: float) -> tuple[Parent, Analysis]:
    """Scale the tilt of La2CoO4 Cmce to another amplitude (As, angstrom), as in La2CuO4 nearer to its transition."""
    parent, analysis = exact("La2CoO4_64")
    truth = analysis.relation.distortion
    factor = amplitude / truth.total_amplitude
    return parent, analyse(
        parent, truth.supercell.with_displacements(truth.displacements * factor, truth.strain * factor)
    )


MADE: dict[str, Callable[[], tuple[Parent, Analysis]]] = {
    "BaTiO3_R3m": rhombohedral_titanate,
    "La2CuO4_0.162": lambda: weakly_tilted_cuprate(0.162),
    "La2CuO4_0.1145": lambda: weakly_tilted_cuprate(0.1145),
}


def noisy(crystal: Crystal, sigma: float, rng: np.random.Generator) -> Crystal:
    """Add Gaussian noise to every coordinate, shuffle the atoms and move the origin."""
    moved = crystal.positions + rng.normal(0, sigma, (crystal.n_sites, 3)) @ np.linalg.inv(crystal.lattice)
    order = rng.permutation(crystal.n_sites)
    return Crystal(crystal.lattice, (moved + rng.random(3))[order], tuple(crystal.species[i] for i in order))


def successes(name: str, sigma: float, draws: int, *, known: bool) -> float:
    """Return the share of draws with the right space-group type and index."""
    parent, analysis = exact(name)
    truth = analysis.relation.distortion
    right = 0
    for seed in range(draws):
        child = noisy(truth.crystal(), sigma, np.random.default_rng(seed))
        found = analyse(parent, child, noise=sigma if known else "auto").relation.distortion.group
        right += found.space_group == truth.group.space_group and found.index == truth.group.index
    return right / draws


@pytest.mark.parametrize("sigma", [0.01, 0.03])
@pytest.mark.parametrize("draws", [pytest.param(4), pytest.param(20, marks=pytest.mark.slow)])
def test_the_manganite(sigma, draws):
    """Pnma, M3+ and R4+ primary on every draw, amplitudes within four sigma."""
    parent, analysis = exact("LaMnO3_62")
    truth = {o.label: o.amplitude_supercell for o in analysis.decomposition.displacive}
    for seed in range(draws):
        child = noisy(analysis.relation.distortion.crystal(), sigma, np.random.default_rng(seed))
        found = analyse(parent, child, noise="auto")
        assert found.noise.space_group == (62, "Pnma")
        assert found.noise.estimated
        assert {m.label for m in found.primary_members} == {"M3+", "R4+"}
        for o in found.decomposition.displacive:
            assert abs(o.amplitude_supercell - truth[o.label]) < 4 * sigma
        assert found.noise.sigma == pytest.approx(sigma, rel=0.35)
        assert found.noise.next_lower.cost_difference > 3


@pytest.mark.parametrize("draws", [pytest.param(3), pytest.param(20, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("name", "n"), [("SrTiO3_140", 2), ("ZrO2_137", 1), ("BaTiO3_99", 1), ("As_166", 2)])
@pytest.mark.parametrize("sigma", [0.01, 0.05])
def test_pure_noise_is_no_phase(name, n, sigma, draws):
    parent, _ = exact(name)
    supercell = Supercell.build(parent, n * np.eye(3, dtype=int))
    ideal = supercell.with_displacements(np.zeros((supercell.n_atoms, 3)), np.zeros((3, 3)))
    for seed in range(draws):
        found = analyse(parent, noisy(ideal, sigma, np.random.default_rng(seed)), noise="auto")
        assert found.relation.distortion.group.index == 1
        assert any("the child is the parent" in w for w in found.warnings)


# (name, sigma, known sigma, unknown sigma): what the method reached when it was designed, 20 draws each
TABLE = [
    *((name, s, 1.0, 1.0) for name in ("CaTiO3_62", "Ca3Ti2O7_36", "SiO2_154", "YMnO3_185", "WO3_14", "ZrO2_14")
      for s in (0.01, 0.03, 0.05)),
    ("ZrO2_137", 0.05, 0.95, 0.95),
    ("SrTiO3_140", 0.01, 1.0, 0.95),
    ("SrTiO3_140", 0.03, 1.0, 1.0),
    ("SrTiO3_140", 0.05, 0.95, 0.95),
    ("As_166", 0.01, 1.0, 1.0),
    ("As_166", 0.03, 1.0, 0.95),
    ("As_166", 0.05, 1.0, 0.70),
    ("BaTiO3_99", 0.01, 1.0, 1.0),
    ("BaTiO3_99", 0.03, 0.90, 0.65),
    ("BaTiO3_99", 0.05, 0.50, 0.25),
    ("BaTiO3_R3m", 0.01, 1.0, 1.0),
    ("BaTiO3_R3m", 0.03, 1.0, 0.75),
    ("BaTiO3_R3m", 0.05, 0.40, 0.25),
    ("La2CoO4_64", 0.01, 1.0, 1.0),
    ("La2CoO4_64", 0.03, 0.85, 0.80),
    ("La2CoO4_64", 0.05, 0.20, 0.25),
    ("La2CuO4_0.162", 0.01, 1.0, 1.0),
    ("La2CuO4_0.162", 0.03, 0.60, 0.55),  # five sigma: first measured here
    ("La2CuO4_0.162", 0.05, 0.20, 0.15),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("name", "sigma", "known", "unknown"), TABLE)
def test_the_table_of_successes(name, sigma, known, unknown):
    """No case is worse than the table by more than 0.1, and one in ten for chance where the table is below 0.9."""
    for wanted, given in ((known, True), (unknown, False)):
        share = successes(name, sigma, 20, known=given)
        print(f"{name} {sigma} {'known' if given else 'unknown'} {share:.2f} (table {wanted:.2f})")  # noqa: T201
        assert share >= wanted - (0.1 if wanted >= 0.9 else 0.2)


def test_noise_is_split_off_exactly_where_there_is_none():
    parent, analysis = exact("LaMnO3_62")
    found = analyse(parent, analysis.relation.child, noise="auto")
    assert found.noise.residual_rms < 1e-6
    assert found.relation.distortion.group.space_group == (62, "Pnma")
    one, two = ({o.label: o.amplitude for o in a.decomposition.displacive} for a in (analysis, found))
    assert one == pytest.approx(two, abs=1e-6)


@pytest.mark.parametrize("name", ["LaMnO3_62", "CaTiO3_62"])
def test_noise_that_keeps_a_symmetry(name):
    """As in a refinement with inversion: fewer coordinates carry it, and each moves two atoms."""
    parent, analysis = exact(name)
    truth = analysis.relation.distortion
    action = truth.group.action()
    inversion = action.permutations[np.flatnonzero(np.trace(action.rotations, axis1=1, axis2=2) < -2.9)[0]]
    sigmas = []
    for seed in range(3):
        noise = np.random.default_rng(seed).normal(0, 0.01, truth.displacements.shape)
        kept = (noise - noise[inversion]) / np.sqrt(2)
        child = truth.supercell.with_displacements(truth.displacements + kept, truth.strain)
        before, found = analyse(parent, child), analyse(parent, child, noise="auto")
        assert before.relation.distortion.group.space_group == (2, "P-1")
        assert found.noise.space_group == analyse(parent, child, noise=0.01).noise.space_group == (62, "Pnma")
        assert found.noise.mode_sigma == pytest.approx(found.noise.sigma * np.sqrt(57 / 24))
        sigmas.append(found.noise.sigma)
    assert np.sqrt(np.mean(np.square(sigmas))) == pytest.approx(0.01, rel=0.35)


SMALL = ["Smidt2021_62", "VO2_14", "NbO2_88", "BaTiO3_99", "La2CoO4_64", "PbO_67"]
CHILDREN = [pytest.param(n, marks=[] if n in SMALL else [pytest.mark.slow]) for n in BY_CHILD]


@pytest.mark.parametrize("name", CHILDREN)
def test_an_exact_child_keeps_its_symmetry(name):
    """What few free coordinates do is no noise, however small."""
    parent, analysis = exact(name)
    group, found = analysis.relation.distortion.group, analyse(parent, analysis.relation.child, noise="auto")
    assert found.relation.distortion.group.space_group == group.space_group
    assert found.relation.distortion.group.index == group.index
    assert any("no coordinate is left" in w for w in found.warnings)


def test_the_denoised_child_is_nearer_to_the_truth():
    parent, analysis = exact("LaMnO3_62")
    truth = analysis.relation.distortion
    rng = np.random.default_rng(7)
    noise = rng.normal(0, 0.03, truth.displacements.shape)
    child = truth.supercell.with_displacements(truth.displacements + noise, truth.strain)
    found = analyse(parent, child, noise="auto").relation.distortion
    one, two = (sorted(np.round(d.lengths, 6)) for d in (truth, found))
    assert np.abs(np.array(one) - two).max() < 0.5 * np.linalg.norm(noise, axis=1).max()
    assert found.supercell.n_cells == truth.supercell.n_cells


def test_few_coordinates_are_a_warning():
    parent, analysis = exact("As_166")
    child = noisy(analysis.relation.distortion.crystal(), 0.01, np.random.default_rng(0))
    assert any("coordinates are left" in w for w in analyse(parent, child, noise="auto").warnings)


# --- where the data cannot tell -----------------------------------------------------------------------------------


def strongly_distorted(size: float = 0.18) -> tuple[Parent, Crystal]:
    """SrTiO3 in its own cell, every atom far off and the cell too: as often in databases of predicted structures."""
    parent, _ = exact("SrTiO3_140")
    supercell = Supercell.build(parent, np.eye(3, dtype=int))
    moves = np.random.default_rng(0).normal(0, size, (supercell.n_atoms, 3))
    return parent, supercell.with_displacements(moves, np.diag([-0.03, -0.01, 0.04]))


def printed(analysis: Analysis) -> str:
    """Return the block on noise as the terminal shows it, on one line."""
    from rich.console import Console

    console = Console(width=100)
    with console.capture() as capture:
        console.print(noise_text(analysis.noise))
    return " ".join(capture.get().split())


def test_the_data_cannot_tell_where_no_coordinate_is_left():
    """No sigma, detection limit or error bar is claimed for P1; the next group up would need much noise."""
    parent, child = strongly_distorted()
    found = analyse(parent, child, noise="auto")
    assert found.noise.space_group == (1, "P1")
    assert (found.noise.n_free, found.noise.n_left, found.noise.determined) == (12, 0, False)
    assert "none of 12 coordinates" in found.noise.undetermined
    assert found.noise.taken.startswith("the child as given, P1 (1): the best higher group, ")
    assert "(tried up to 0.06)" in found.noise.taken
    assert found.errors is None
    block = printed(found)
    assert "the data cannot tell" in block
    assert "supported" not in block
    assert "0.0000" not in block
    record = json.loads(to_json(modes_record(found)))
    jsonschema.validate(record, json.loads((files("orderparam") / "data/schemas/modes.json").read_text()))
    assert record["noise"]["determined"] is False
    assert record["noise"]["undetermined"] == found.noise.undetermined
    assert record["noise"]["taken"] == found.noise.taken
    assert not any("above_noise" in irrep for irrep in record["irreps"])


def test_a_sigma_larger_than_was_tried_is_said():
    """What 0.12 angstrom do to every coordinate is averaged away as well as it goes, with a warning; 0.04 is noise."""
    for size, said in ((0.12, True), (0.04, False)):
        found = analyse(*strongly_distorted(size), noise="auto")
        assert found.noise.n_left > 0
        assert (found.noise.sigma > SIGMAS[-1]) == said
        assert any("exceeds the largest sigma that is tried" in w for w in found.warnings) == said


def test_a_sigma_given_is_always_known():
    parent, child = strongly_distorted()
    found = analyse(parent, child, noise=0.01)
    assert found.noise.determined
    assert found.noise.taken is None
    assert "supported by the data" in printed(found)
    assert modes_record(found)["noise"]["determined"] is True


def test_a_strain_alone_tells_no_sigma():
    """One atom per cell has no free coordinate, whatever its group."""
    from orderparam.crystals.crystal import Crystal

    simple = symmetrise(Crystal(3.0 * np.eye(3), np.zeros((1, 3)), ("Po",)))
    found = analyse(simple, Crystal(np.diag([3.0, 3.0, 3.1]), np.zeros((1, 3)), ("Po",)), noise="auto")
    assert found.noise.space_group == (123, "P4/mmm")
    assert found.noise.undetermined == "P4/mmm (123) has no free coordinate to find sigma from"
    assert "is broken by the strain alone" in found.noise.taken


@pytest.mark.parametrize(
    ("name", "matrix", "left"),
    [("As_166", [[0, 1, 1], [1, 0, 1], [1, 1, 0]], 3), ("ZrO2_137", [[1, 0, 0], [0, 1, 0], [0, 0, 1]], 6)],
)
def test_few_coordinates_of_pure_noise(name, matrix, left):
    """Two atoms leave three coordinates, which cannot tell; three atoms six, which can. The group is the same."""
    parent, _ = exact(name)
    supercell = Supercell.build(parent, np.array(matrix))
    ideal = supercell.with_displacements(np.zeros((supercell.n_atoms, 3)), np.zeros((3, 3)))
    found = analyse(parent, noisy(ideal, 0.01, np.random.default_rng(2)), noise="auto")
    assert found.relation.distortion.group.index == 1
    assert found.noise.n_left == left
    assert found.noise.determined == (left >= FEWEST_COORDINATES)
    assert ("the data cannot tell" in printed(found)) == (left < FEWEST_COORDINATES)


@pytest.mark.parametrize(("wanted", "told"), [(0, True), (2, True), (3, False)])
def test_the_boundary_of_too_few_coordinates(wanted, told, monkeypatch):
    """As many coordinates as are wanted tell sigma, one fewer does not; what is found is the same."""
    monkeypatch.setattr(denoising, "FEWEST_COORDINATES", wanted)
    parent, analysis = exact("As_166")
    found = analyse(parent, noisy(analysis.relation.distortion.crystal(), 0.01, np.random.default_rng(0)), noise="auto")
    assert found.noise.n_left == 2
    assert found.noise.determined == told
    assert found.noise.space_group == (166, "R-3m")
    assert (found.errors is not None) == told
    assert ("R-3m (166), the cheapest group" in printed(found)) != told


def test_how_far_off_sigma_may_be():
    """The upper end of the 95 % interval over the estimate, from m coordinates: what `FEWEST_COORDINATES` rests on."""
    from scipy.stats import chi2

    ends = {m: np.sqrt(m / chi2.ppf(0.025, m)) for m in (1, FEWEST_COORDINATES - 1, FEWEST_COORDINATES)}
    assert ends == pytest.approx({1: 31.9, 4: 2.87, 5: 2.45}, rel=0.01)


def test_a_kept_symmetry_says_what_it_would_take():
    parent, analysis = exact("LaMnO3_62")
    found = analyse(parent, analysis.relation.child, noise="auto")
    assert "Pnma (62) leaves none of 7 coordinates" in found.noise.undetermined
    assert found.noise.taken.startswith("the child as given, Pnma (62): the best higher group, ")


def test_a_sigma_that_is_too_small_is_said():
    parent, analysis = exact("LaMnO3_62")
    child = noisy(analysis.relation.distortion.crystal(), 0.03, np.random.default_rng(1))
    found = analyse(parent, child, noise=0.012)
    lower = found.relation.distortion.group.index > analysis.relation.distortion.group.index
    assert lower or any("exceeds the sigma given" in w for w in found.warnings)


def test_a_sigma_above_the_distortion_is_said():
    parent, analysis = exact("LaMnO3_62")
    found = analyse(parent, analysis.relation.child, noise=0.25)
    assert any("above the whole distortion" in w for w in found.warnings)
    assert not any("above the whole" in w for w in analyse(parent, analysis.relation.child, noise=0.02).warnings)


def test_the_detection_limit_is_a_few_sigma():
    for n in (6, 57, 400):
        limit = detection_limit(0.01, n)
        assert 0.03 < limit < 0.06
    assert detection_limit(0.02, 57) == pytest.approx(2 * detection_limit(0.01, 57))


def test_order_parameters_around_the_detection_limit():
    """Twice the limit is found, a third of it is not: the tilt of SrTiO3 at other sizes, in the cubic cell."""
    parent, analysis = exact("SrTiO3_140")
    truth = analysis.relation.distortion
    sigma = 0.02
    found = []
    for size in (0.3, 2.0):
        target = size * detection_limit(sigma, 3 * truth.supercell.n_atoms - 3)
        field = truth.displacements * (target / truth.total_amplitude)
        rng = np.random.default_rng(3)
        shaken = field + rng.normal(0, sigma, field.shape)
        child = truth.supercell.with_displacements(shaken, np.zeros((3, 3)))
        found.append(analyse(parent, child, noise="auto").relation.distortion.group.index)
    assert found == [1, truth.group.index]


@pytest.mark.parametrize("noise", [0.0, -1.0, float("nan"), 3.0, "some"])
def test_senseless_levels_are_refused(noise):
    parent, analysis = exact("LaMnO3_62")
    with pytest.raises(InvalidInputError, match="--noise"):
        analyse(parent, analysis.relation.child, noise=noise)


def distance(one: Crystal, two: Crystal) -> float:
    """Return the rms distance of two structures (angstrom), by pymatgen: any origin and order of the atoms."""
    from pymatgen.analysis.structure_matcher import StructureMatcher

    structures = [c.to_pymatgen() for c in (one, two)]
    found = StructureMatcher(primitive_cell=False, scale=False).get_rms_dist(*structures)
    assert found is not None
    return found[0] * (abs(np.linalg.det(one.lattice)) / one.n_sites) ** (1 / 3)


@pytest.mark.parametrize(
    ("sigma", "draws"), [(0.03, 2), *(pytest.param(s, 20, marks=pytest.mark.slow) for s in (0.01, 0.03))]
)
def test_a_fit_does_not_chase_noise(sigma, draws):
    """The prediction is nearer to the noise-free child than the noisy one is, by about sqrt(p / n), on every draw.

    The control: fitted to the noisy child as it is, in P1, the network comes no nearer.
    """
    parent, analysis = exact("LaMnO3_62")
    truth = analysis.relation.distortion.crystal()
    ratios = []
    for seed in range(draws):
        child = noisy(truth, sigma, np.random.default_rng(seed))
        before = distance(child, truth)
        found = discover(analyse(parent, child, noise="auto"), seed=0)
        assert found.fit.converged
        noise = found.analysis.noise
        assert (noise.n_free, noise.n_left) == (7, 50)
        assert found.off_noisy_child == pytest.approx(noise.sigma * np.sqrt(50 / 57), rel=1e-6)
        predicted = predicted_crystal(found.analysis, found.fit)
        after = distance(predicted, truth)
        assert after < before
        ratios.append(after / before)
        assert distance(predicted, child) == pytest.approx(np.sqrt(3) * found.off_noisy_child, rel=0.05)
        if seed == 0:
            chased = analyse(parent, child)
            cell = chased.relation.distortion.supercell
            free = blocks(chased.relation.distortion.group.action(), cell.species, "La:1o La:1e Mn:1o Mn:1e O:1o O:1e")
            control = fit(fit_problem(chased, free), FitConfig(seed=0))
            assert control.converged
            assert distance(predicted_crystal(chased, control), truth) == pytest.approx(before, rel=1e-3)
    print(f"{sigma}: {len(ratios)} draws, ratio {min(ratios):.3f} to {max(ratios):.3f}")  # noqa: T201
    assert np.sqrt(np.mean(np.square(ratios))) == pytest.approx(np.sqrt(7 / 57), rel=0.35)
