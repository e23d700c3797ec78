"""Which symmetry do noisy data support? The subgroup that a child has but for noise, and the child put onto it.

The child is taken as an H-symmetric distortion plus independent Gaussian noise sigma on every coordinate. For every
subgroup H of the parent's group that holds the child's translations two averages decide, whatever H is:
``S_H = |P_H u|^2``, the mean of c_g = <u, g u> over H, and p_H, the number of free coordinates, the mean of chi_g, the
character of g on the displacements. No projector and no irrep is needed in the search.

The cost of H, with s = sigma^2, n = 3 N - 3 coordinates and t = max(S_H / p_H - s, 0) the variance of the signal:

    C(H) = RSS_H / s + (n - p) ln s + S_H / (s + t) + p ln(s + t) + [p > 0] ln n + 4 ln |G:H|
           + RSS^E_H / sigma_E^2 + 2 (6 - p^E) ln(sigma_E / 5e-4) + 2 p^E ln(0.02 / sigma_E)

which is the evidence of a Gaussian signal in Gaussian noise, with a prior against large indices (without it pure noise
becomes a false phase), and the same for the six strains. Sigma, where it is not given, is chosen for every H from
0.001 to 0.06 angstrom.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from orderparam.distortion import Distortion
from orderparam.errors import InvalidInputError
from orderparam.quotientgroup import GeneratedGroup, QuotientGroup
from orderparam.supercell import Subgroup, Supercell

from .relate import Relation

SIGMAS = np.geomspace(1e-3, 0.06, 60)
STRAIN_SIGMAS = np.array([5e-4, 1e-3, 2e-3, 4e-3])
INDEX_PRIOR = 4.0
BEAM = 4
FEW_COORDINATES = 10
CLOSE_CALL = 10.0
CRITERION = "Gaussian evidence, prior 4 ln(index)"


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
        Standard deviation per coordinate, angstrom.
    estimated : bool
        Whether sigma was found from the data, sqrt(RSS / (n - p)).
    residual_rms : float
        Root mean square of what the group does not explain, per coordinate, angstrom.
    space_group : (int, str)
        The group that the data support.
    next_lower : NextLower or None
        The best lower group.
    detection_limit : float
        As (angstrom) of an order parameter that may have been missed: four sigma.
    warnings : tuple of str
    """

    sigma: float
    estimated: bool
    residual_rms: float
    space_group: tuple[int, str]
    next_lower: NextLower | None
    detection_limit: float
    warnings: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Statistics:
    """The averages that every subgroup is judged by, one entry per element of G / T_S."""

    overlaps: np.ndarray
    characters: np.ndarray
    strain_overlaps: np.ndarray
    strain_characters: np.ndarray
    n_coordinates: int

    @classmethod
    def of(cls, distortion: Distortion, group: QuotientGroup, field: np.ndarray) -> Statistics:
        """Gather them from displacements (n, 3) on the group's supercell and the strain."""
        supercell, parent = group.supercell, group.supercell.parent
        share = distortion.supercell.n_atoms / supercell.n_atoms
        pairs = np.stack(np.divmod(np.arange(group.order), supercell.n_cells), axis=1)
        overlaps, fixed = np.empty(group.order), np.empty(group.order)
        sites = np.arange(supercell.n_atoms)
        for operation, rotation in enumerate(parent.rotations_cart):
            mine = pairs[:, 0] == operation
            permutations = supercell.permutations(pairs[mine])
            turned = field @ rotation.T
            overlaps[mine] = share * np.einsum("gna,na->g", field[permutations], turned)
            fixed[mine] = (permutations == sites).sum(axis=1)
        traces = np.trace(parent.rotations_cart, axis1=1, axis2=2)
        squares = np.trace(parent.rotations_cart @ parent.rotations_cart, axis1=1, axis2=2)
        turned_strain = parent.rotations_cart @ distortion.strain @ np.swapaxes(parent.rotations_cart, 1, 2)
        strain_overlaps = np.einsum("ab,gab->g", distortion.strain, turned_strain)
        repeat = supercell.n_cells
        return cls(
            overlaps,
            (fixed - 1) * traces.repeat(repeat),
            strain_overlaps.repeat(repeat),
            ((traces**2 + squares) / 2).repeat(repeat),
            3 * distortion.supercell.n_atoms - 3,
        )


@dataclass(frozen=True, eq=False)
class Judged:
    """A subgroup with its cost, the sigma that goes with it, what it leaves over and its free coordinates."""

    group: GeneratedGroup
    cost: float
    sigma: float
    residual: float
    n_free: int


def judge(group: GeneratedGroup, order: int, statistics: Statistics, sigma: float | None) -> Judged:
    """Return the cost of a subgroup of a group of given order."""
    chosen, n = group.elements, statistics.n_coordinates
    total = float(statistics.overlaps.max())  # that of the identity
    signal = min(max(float(statistics.overlaps[chosen].mean()), 0.0), total)
    p = round(float(statistics.characters[chosen].mean()))
    residual = max(total - signal, 0.0)
    s = np.array([sigma**2]) if sigma is not None else SIGMAS**2
    # a coordinate that is free under H holds signal and noise, the others noise alone
    t = np.maximum(signal / p - s, 0.0) if p else np.zeros_like(s)
    costs = residual / s + (n - p) * np.log(s) + (signal / (s + t) + p * np.log(s + t) + np.log(max(n, 1)) if p else 0)
    best = int(np.argmin(costs))
    cost = float(costs[best]) + INDEX_PRIOR * np.log(order / group.order) + _strain_cost(group, statistics)
    return Judged(group, cost, float(np.sqrt(s[best])), residual, p)


def _strain_cost(group: GeneratedGroup, statistics: Statistics) -> float:
    kept = float(statistics.strain_overlaps[group.elements].mean())
    lost = max(float(statistics.strain_overlaps.max()) - kept, 0.0)
    p = round(float(statistics.strain_characters[group.elements].mean()))
    sigmas = STRAIN_SIGMAS
    costs = lost / sigmas**2 + 2 * (6 - p) * np.log(sigmas / sigmas[0]) + 2 * p * np.log(0.02 / sigmas)
    return float(costs.min())


def search(group: QuotientGroup, own: GeneratedGroup, statistics: Statistics, sigma: float | None) -> list[Judged]:
    """Judge subgroups that hold the child's own elements: all joins of one more element, then a beam of joins of joins.

    Joins with one element come first; the best are joined with every generator until nothing new is among the best.
    """
    known: dict[bytes, Judged] = {}

    def add(candidate: GeneratedGroup) -> None:
        if candidate.key not in known:
            known[candidate.key] = judge(candidate, group.order, statistics, sigma)

    add(own)
    add(group.whole())
    covered = own.elements.copy()
    singles: list[int] = []
    first: dict[bytes, GeneratedGroup] = {}
    for element in range(group.order):
        if covered[element]:
            continue
        joined = group.join(own, element)
        # every element of the double coset that generates the same join need not be tried again
        if joined.key not in first:
            first[joined.key] = joined
            singles.append(element)
            add(joined)
        covered[group.product(np.flatnonzero(own.elements), element)] = True
    expanded: set[bytes] = set()
    while True:
        best = sorted(known.values(), key=lambda j: j.cost)[:BEAM]
        fresh = [j for j in best if j.group.key not in expanded]
        if not fresh:
            return list(known.values())
        for judged in fresh:
            expanded.add(judged.group.key)
            for element in singles:
                add(group.join(judged.group, element))


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
    """
    if sigma is not None and not sigma > 0:
        raise InvalidInputError(f"--noise expects auto or a positive sigma in angstrom, received {sigma:g}")
    distortion = relation.distortion
    group = QuotientGroup(relation.parent, distortion.supercell.matrix)
    field = spread(distortion, group.supercell)
    own = own_elements(distortion, group)
    statistics = Statistics.of(distortion, group, field)
    judged = search(group, own, statistics, sigma)
    best = min(judged, key=lambda j: j.cost)
    lower = [j for j in judged if j is not best and best.group.contains(j.group)]
    reduced = on_group(distortion, group, field, best.group)
    report = _report(best, lower, group, statistics, sigma, reduced)
    if sigma is not None and sigma * np.sqrt(max(statistics.n_coordinates, 1)) > 3 * distortion.total_amplitude > 0:
        raise InvalidInputError(
            f"--noise {sigma:g}: the whole distortion (rms {distortion.total_amplitude / np.sqrt(3 * len(field)):.4f} "
            "angstrom per coordinate) is far below this noise; give a smaller sigma, or auto"
        )
    return replace(relation, distortion=reduced), report


# --- between the child's cell and T_S -----------------------------------------------------------------------------


def spread(distortion: Distortion, supercell: Supercell) -> np.ndarray:
    """Return the displacements (n, 3) on the atoms of a larger supercell."""
    own = distortion.supercell
    table = np.empty((own.parent.crystal.n_sites, own.n_cells), int)
    table[own.sites, own.quotient.index(own.cells)] = np.arange(own.n_atoms)
    return distortion.displacements[table[supercell.sites, own.quotient.index(supercell.cells)]]


def own_elements(distortion: Distortion, group: QuotientGroup) -> GeneratedGroup:
    """Return the child's own group H within G / T_S."""
    pairs = distortion.group.pairs
    translations = distortion.supercell.translations[pairs[:, 1]]
    found = group.translation_subgroup(distortion.supercell.matrix)
    for element in group.elements(pairs[:, 0], translations):
        found = group.join(found, int(element))
    return found


def on_group(distortion: Distortion, group: QuotientGroup, field: np.ndarray, chosen: GeneratedGroup) -> Distortion:
    """Return the distortion averaged over a group, in the primitive cell of that group."""
    whole = group.supercell
    elements = Subgroup(whole, chosen.elements.reshape(whole.parent.group.order, whole.n_cells).copy())
    action = elements.action()
    averaged = action.average(action.rotations, field)
    strain = (action.rotations @ distortion.strain @ np.swapaxes(action.rotations, 1, 2)).mean(axis=0)
    matrix = elements.lattice_basis
    cell = Supercell(whole.parent, matrix, *_one_of_each(distortion.supercell, matrix))
    table = np.empty((whole.parent.crystal.n_sites, whole.n_cells), int)
    table[whole.sites, whole.quotient.index(whole.cells)] = np.arange(whole.n_atoms)
    displacements = averaged[table[cell.sites, whole.quotient.index(cell.cells)]]
    mask = np.zeros((whole.parent.group.order, cell.n_cells), bool)
    pairs = elements.pairs
    mask[pairs[:, 0], cell.quotient.index(whole.translations[pairs[:, 1]])] = True
    return Distortion(cell, displacements - displacements.mean(axis=0), strain, Subgroup(cell, mask))


def _one_of_each(supercell: Supercell, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return sites and cells of the first atom of every set that a smaller cell makes equivalent."""
    smaller = Supercell.build(supercell.parent, matrix)
    keys = supercell.sites * smaller.n_cells + smaller.quotient.index(supercell.cells)
    _, first = np.unique(keys, return_index=True)
    first = np.sort(first)
    return supercell.sites[first], supercell.cells[first]


# --- what to say about it -----------------------------------------------------------------------------------------


def _report(
    best: Judged,
    lower: list[Judged],
    group: QuotientGroup,
    statistics: Statistics,
    sigma: float | None,
    reduced: Distortion,
) -> NoiseReport:
    n, p = statistics.n_coordinates, best.n_free
    left = n - p
    estimate = float(np.sqrt(best.residual / left)) if left > 0 else 0.0
    used = sigma if sigma is not None else estimate
    next_lower = None
    if lower:
        second = min(lower, key=lambda j: j.cost)
        whole = group.supercell
        mask = second.group.elements.reshape(whole.parent.group.order, whole.n_cells).copy()
        next_lower = NextLower(Subgroup(whole, mask).space_group, second.cost - best.cost)
    space_group = reduced.group.space_group
    notes = []
    if left < FEW_COORDINATES:
        notes.append(
            f"noise: only {left} coordinates are left to judge it by (at least {FEW_COORDINATES} are wanted): the space "
            "group found is uncertain"
        )
    if next_lower is not None and next_lower.cost_difference < CLOSE_CALL:
        number, symbol = next_lower.space_group
        notes.append(
            f"noise: {space_group[1]} ({space_group[0]}) is chosen, but {symbol} ({number}) costs only "
            f"{next_lower.cost_difference:.1f} more: the data hardly tell them apart"
        )
    if sigma is not None and left > 0 and estimate > 1.3 * sigma:
        notes.append(
            f"noise: what is left over ({estimate:.4f} angstrom per coordinate) exceeds the sigma given ({sigma:g}); "
            "try --noise auto"
        )
    rms = float(np.sqrt(best.residual / n)) if n else 0.0
    return NoiseReport(used, sigma is None, rms, space_group, next_lower, 4 * used, tuple(notes))
