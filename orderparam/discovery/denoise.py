"""A child that is less symmetric by noise alone: the symmetry that its coordinates support, and the child put onto it.

The criterion and its assumptions stand in `evidence`. It errs upwards: an order parameter of less than about four to
five sigma (As) is taken for noise, and so is a weak one inside a strong structure. Therefore the best lower group, its
cost and the detection limit are always reported. Where sigma is to be found from the data, and the group leaves too few
coordinates over to find it from, the report says that the data cannot tell, what was taken instead, and why.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from orderparam.distortion import Distortion
from orderparam.errors import InvalidInputError
from orderparam.quotientgroup import GeneratedGroup, QuotientGroup
from orderparam.supercell import Subgroup, Supercell

from .evidence import CRITERION, INDEX_PRIOR, SIGMAS, STRAIN_SIGMAS, TYPICAL_STRAIN, Judged, Statistics, search
from .relate import Relation

FEW_COORDINATES = 10
"""With fewer coordinates than this to judge the noise by, there is a warning."""
FEWEST_COORDINATES = 5
"""With fewer, the data cannot tell sigma: at 95 % it may be 2.5 times what five coordinates give, 2.9 times what four
do, 32 times what one does (sqrt(m / q), q the 2.5 % quantile of chi squared with m degrees of freedom)."""
LARGEST_KEPT_NOISE = 0.02
"""Where a file keeps a symmetry exactly, and a higher one would leave fewer than `FEWEST_COORDINATES` or need more
noise than this (angstrom per coordinate), what breaks it is structure."""
CLOSE_CALL = INDEX_PRIOR * float(np.log(2))
"""A lower group costs at least this more by its index alone; below it the data themselves favour it."""


@dataclass(frozen=True)
class NextLower:
    """The best subgroup of the chosen group, and by how much it costs more."""

    space_group: tuple[int, str]
    cost_difference: float


@dataclass(frozen=True)
class NoiseReport:
    """What is noise and what is structure.

    Attributes
    ----------
    sigma : float
        Standard deviation per coordinate, angstrom; zero where no coordinate is left to find it from.
    mode_sigma : float
        The same of As of a mode: larger where the file keeps a symmetry, so that several atoms err together.
    estimated : bool
        Whether sigma was found from the data, sqrt(RSS / (n - p)).
    residual_rms : float
        Root mean square of what the group does not explain, per coordinate, angstrom.
    space_group : (int, str)
        The group that the data support; the one that was taken where they cannot tell.
    next_lower : NextLower or None
        The best lower group.
    detection_limit : float
        As (angstrom) below which an order parameter of one component goes unseen.
    n_free : int
        Number of coordinates that the group leaves free: signal and noise.
    n_left : int
        Number of coordinates that are noise alone.
    criterion : str
    warnings : tuple of str
    undetermined : str or None
        Why the data cannot tell: sigma was not given, and fewer than `FEWEST_COORDINATES` are left to find it from.
        Sigma and what follows from it (detection limit, expected error, error bars) then mean nothing. None where they
        can.
    taken : str or None
        What was taken instead, and why; None where the data can tell.
    """

    sigma: float
    mode_sigma: float
    estimated: bool
    residual_rms: float
    space_group: tuple[int, str]
    next_lower: NextLower | None
    detection_limit: float
    n_free: int
    n_left: int
    criterion: str
    warnings: tuple[str, ...]
    undetermined: str | None = None
    taken: str | None = None

    @property
    def determined(self) -> bool:
        """Whether sigma is known: given, or found from enough coordinates."""
        return self.undetermined is None

    @property
    def expected_error(self) -> float:
        """Rms distance of the denoised from the noise-free child to expect, per coordinate: sigma sqrt(p / n).

        Noise survives in the p = `n_free` of n coordinates alone; in the child as given it is sigma.
        """
        n = self.n_free + self.n_left
        return self.sigma * float(np.sqrt(self.n_free / n)) if n else 0.0


def denoise(relation: Relation, sigma: float | None = None) -> tuple[Relation, NoiseReport]:
    """Put a noisy child onto the subgroup that its coordinates support.

    Parameters
    ----------
    relation : Relation
        Of a child whose own group is small because of noise.
    sigma : float, optional
        Noise per coordinate, angstrom, only where it is really known: a value 30 % too small makes false phases.

    Returns
    -------
    Relation
        With the denoised distortion, in the primitive cell of the group found.
    NoiseReport

    Raises
    ------
    InvalidInputError
        When sigma is not positive, or larger than the distortion itself.

    Examples
    --------
    >>> import numpy as np
    >>> from orderparam import analyse, read_crystal, relate, symmetrise
    >>> parent = symmetrise(read_crystal("structures/perovskite/LaMnO3_221.cif"))
    >>> truth = relate(parent, read_crystal("structures/perovskite/LaMnO3_62.cif")).distortion
    >>> noise = np.random.default_rng(0).normal(0, 0.02, truth.displacements.shape)
    >>> child = truth.supercell.with_displacements(truth.displacements + noise, truth.strain)
    >>> before = relate(parent, child)
    >>> after, report = denoise(before)
    >>> before.distortion.group.space_group[1], report.space_group[1], round(report.sigma, 2)
    ('P1', 'Pnma', 0.02)
    """
    if sigma is not None and not 0 < sigma < np.inf:
        raise InvalidInputError(f"--noise expects auto or a positive sigma in angstrom, received {sigma:g}")
    distortion = relation.distortion
    group = QuotientGroup(relation.parent, distortion.supercell.matrix)
    field = spread(distortion, group.supercell)
    own = own_elements(distortion, group)
    statistics = Statistics.of(distortion, group, field).within(own)
    if sigma is not None:
        _check_level(sigma, statistics)
    judged = search(group, own, statistics, sigma)
    allowed = judged
    if sigma is None and statistics.multiplicity > 1:
        allowed = [j for j in judged if j.group.key == own.key or _may_be_noise(j, statistics)]
    best = min(allowed, key=lambda j: j.cost)
    reduced, atoms = on_group(distortion, group, field, best.group)
    lower = [j for j in allowed if j is not best and best.group.contains(j.group)]
    report = _report(best, _next_lower(best, lower, group), statistics, sigma, reduced.group.space_group)
    if sigma is None and report.n_left < FEWEST_COORDINATES:
        report = _undetermined(report, best, judged, own, group)
    labels = tuple(relation.child_labels[atom] for atom in atoms)
    return replace(relation, distortion=reduced, child_labels=labels, tolerance_notes=()), report


def _may_be_noise(judged: Judged, statistics: Statistics) -> bool:
    """Return whether what a group leaves over is many coordinates, and small, in a child that keeps a symmetry."""
    left = statistics.n_coordinates - judged.n_free
    return left >= FEWEST_COORDINATES and judged.residual <= left * LARGEST_KEPT_NOISE**2


def _check_level(sigma: float, statistics: Statistics) -> None:
    """Refuse a noise that would have moved the atoms much further than they are."""
    from scipy.special import gammainc

    n = statistics.n_coordinates
    if n and gammainc(n / 2, statistics.total / (2 * sigma**2)) < 1e-4:
        rms = np.sqrt(statistics.total / n)
        raise InvalidInputError(
            f"--noise {sigma:g}: this noise level is above the whole distortion (rms {rms:.4f} angstrom per "
            f"coordinate); give a sigma of at most {rms:.2g}, or auto"
        )


# --- between the child's cell and T_S -----------------------------------------------------------------------------


def spread(distortion: Distortion, supercell: Supercell) -> np.ndarray:
    """Return the displacements (n, 3) on the atoms of a larger supercell."""
    own = distortion.supercell
    return distortion.displacements[own.atoms_at(supercell.sites, supercell.cells)]


def own_elements(distortion: Distortion, group: QuotientGroup) -> GeneratedGroup:
    """Return the child's own group H within G / T_S."""
    pairs = distortion.group.pairs
    translations = distortion.supercell.translations[pairs[:, 1]]
    found = group.translation_subgroup(distortion.supercell.matrix)
    for element in group.elements(pairs[:, 0], translations):
        found = group.join(found, int(element))
    return found


def on_group(
    distortion: Distortion, group: QuotientGroup, field: np.ndarray, chosen: GeneratedGroup
) -> tuple[Distortion, np.ndarray]:
    """Return the distortion averaged over a group, in that group's primitive cell, and the atoms kept of the old cell.

    `field` are the displacements (n, 3) on the atoms of the group's supercell.
    """
    whole = group.supercell
    elements = Subgroup(whole, chosen.elements.reshape(whole.parent.group.order, whole.n_cells).copy())
    action = elements.action()
    averaged = action.average(action.rotations, field)
    strain = (action.rotations @ distortion.strain @ np.swapaxes(action.rotations, 1, 2)).mean(axis=0)
    matrix = elements.lattice_basis
    atoms = _one_of_each(distortion.supercell, matrix)
    cell = Supercell(whole.parent, matrix, distortion.supercell.sites[atoms], distortion.supercell.cells[atoms])
    displacements = averaged[whole.atoms_at(cell.sites, cell.cells)]
    mask = np.zeros((whole.parent.group.order, cell.n_cells), bool)
    pairs = elements.pairs
    mask[pairs[:, 0], cell.quotient.index(whole.translations[pairs[:, 1]])] = True
    return Distortion(cell, displacements - displacements.mean(axis=0), strain, Subgroup(cell, mask)), atoms


def _one_of_each(supercell: Supercell, matrix: np.ndarray) -> np.ndarray:
    """Return the first atom of every set that a smaller cell makes equivalent."""
    smaller = Supercell.build(supercell.parent, matrix)
    keys = supercell.sites * smaller.n_cells + smaller.quotient.index(supercell.cells)
    return np.sort(np.unique(keys, return_index=True)[1])


# --- what to say about it -----------------------------------------------------------------------------------------


def _next_lower(best: Judged, lower: list[Judged], group: QuotientGroup) -> NextLower | None:
    """Return the cheapest of the lower groups."""
    if not lower:
        return None
    second = min(lower, key=lambda j: j.cost)
    return NextLower(_space_group(second, group), float(second.cost - best.cost))


def _space_group(judged: Judged, group: QuotientGroup) -> tuple[int, str]:
    whole = group.supercell
    return Subgroup(whole, judged.group.elements.reshape(whole.parent.group.order, whole.n_cells).copy()).space_group


def _undetermined(
    report: NoiseReport, best: Judged, judged: list[Judged], own: GeneratedGroup, group: QuotientGroup
) -> NoiseReport:
    """Say that the data cannot tell sigma, what was taken instead, and why."""
    n = report.n_free + report.n_left
    name = "{1} ({0})".format(*report.space_group)
    why = f"{name} leaves {report.n_left or 'none'} of {n} coordinates to find sigma from, fewer than "
    why = f"{why}{FEWEST_COORDINATES}" if n else f"{name} has no free coordinate to find sigma from"
    taken = f"the child as given, {name}" if best.group.key == own.key else f"{name}, the cheapest group"
    higher = [j for j in judged if j is not best and j.group.contains(best.group)]
    if not higher:
        return replace(report, undetermined=why, taken=f"{taken}: the parent has no higher group")
    rival = min(higher, key=lambda j: j.cost)
    return replace(report, undetermined=why, taken=f"{taken}: {_why_not(rival, best, n, group)}")


def _why_not(rival: Judged, best: Judged, n: int, group: QuotientGroup) -> str:
    """Say why the best of the higher groups was not taken."""
    text = "the best higher group, {1} ({0}), ".format(*_space_group(rival, group))
    rest = n - rival.n_free
    if not rest:
        text += "is broken by the strain alone"
    else:
        needed = np.sqrt(rival.residual / rest)
        text += f"needs noise of {needed:.4f} angstrom in {rest} coordinates"
        if needed > SIGMAS[-1]:
            text += f" (tried up to {SIGMAS[-1]:g})"
    if rival.cost >= best.cost:
        return f"{text} and costs {rival.cost - best.cost:.1f} more"
    return (
        f"{text}; a file that keeps a symmetry is taken to break a higher one by noise of at most "
        f"{LARGEST_KEPT_NOISE:g}, in at least {FEWEST_COORDINATES} coordinates"
    )


def detection_limit(sigma: float, n_coordinates: int) -> float:
    """Return the As (angstrom) from which one more component pays, with six domains and a strain that it brings along.

    The root of x = 1 + ln x + ln(n) / 2 + INDEX_PRIOR ln 6 + 2 ln(0.02 / 0.0005), x = (As / sigma)^2: about four sigma.
    """
    x = 10.0
    constant = (
        np.log(max(n_coordinates, 1)) / 2 + INDEX_PRIOR * np.log(6) + 2 * np.log(TYPICAL_STRAIN / STRAIN_SIGMAS[0])
    )
    for _ in range(50):
        x = 1 + np.log(x) + constant
    return float(sigma * np.sqrt(x))


def _report(
    best: Judged, second: NextLower | None, statistics: Statistics, sigma: float | None, space_group: tuple[int, str]
) -> NoiseReport:
    n = statistics.n_coordinates
    left = n - best.n_free
    estimate = float(np.sqrt(best.residual / left)) if left > 0 else 0.0
    used = estimate if sigma is None else sigma
    notes = []
    if left == 0:
        notes.append(
            f"noise: the child's own symmetry {space_group[1]} ({space_group[0]}) is kept; no coordinate is left to "
            "judge the noise by" + (": the data cannot tell it" if sigma is None else "")
        )
    elif left < FEW_COORDINATES:
        notes.append(
            f"noise: only {left} coordinates are left to judge it by (at least {FEW_COORDINATES} are wanted); "
            f"{space_group[1]} ({space_group[0]}) is uncertain"
        )
    if sigma is None and estimate > SIGMAS[-1]:
        notes.append(
            f"noise: what is left over ({estimate:.4f} angstrom per coordinate) exceeds the largest sigma that is "
            f"tried ({SIGMAS[-1]:g}): it may be structure"
        )
    if second is not None and second.cost_difference < CLOSE_CALL:
        notes.append(
            f"noise: {space_group[1]} ({space_group[0]}) is chosen for its lower index alone; the data slightly favour "
            f"{second.space_group[1]} ({second.space_group[0]}), cost difference {second.cost_difference:.1f}"
        )
    if sigma is not None and n and statistics.total < n * sigma**2:
        notes.append(
            f"noise: the sigma given ({sigma:g}) is above the whole distortion (rms "
            f"{np.sqrt(statistics.total / n):.4f} angstrom per coordinate): noise alone may have made it"
        )
    if sigma is not None and left > 0 and estimate > 1.3 * sigma:
        notes.append(
            f"noise: what is left over ({estimate:.4f} angstrom per coordinate) exceeds the sigma given ({sigma:g}); "
            "try --noise auto"
        )
    return NoiseReport(
        sigma=used,
        mode_sigma=used * float(np.sqrt(statistics.multiplicity)),
        estimated=sigma is None,
        residual_rms=float(np.sqrt(best.residual / n)) if n else 0.0,
        space_group=space_group,
        next_lower=second,
        detection_limit=detection_limit(used, n) * float(np.sqrt(statistics.multiplicity)),
        n_free=best.n_free,
        n_left=left,
        criterion=CRITERION,
        warnings=tuple(notes),
    )
