"""How well noisy data support a symmetry: the cost of a subgroup, and the search for the cheapest.

The child is taken as an H-symmetric distortion plus independent Gaussian noise sigma on every coordinate. For every
subgroup H of the parent's group that holds the child's translations two averages decide, whatever H is:
``S_H = |P_H u|^2``, the mean of <u, g u> over H, and p_H, the number of free coordinates, the mean of chi_g, the
character of g on the displacements. No projector and no irrep is needed in the search.

With s = sigma^2, n = 3 N - 3 coordinates and t = max(S_H / p_H - s, 0), the variance of the signal, the cost is

    C(H) = RSS_H / s + (n - p) ln s + S_H / (s + t) + p ln(s + t) + [p > 0] ln(n) / 2 + 4 ln |G:H|
           + RSS^E_H / sigma_E^2 + 2 (6 - p^E) ln(sigma_E / 5e-4) + 2 p^E ln(0.02 / sigma_E)

the evidence of a Gaussian signal in Gaussian noise, with a prior against large indices (without it pure noise becomes
a false phase), and the same for the six strains. Where the child's file keeps a group of its own, n are the coordinates
that it leaves free, and S and RSS count each set of atoms that follow one another once (`Statistics.within`). Sigma,
where it is not given, is chosen for every H between 0.001 and 0.06 angstrom, sigma_E between 0.0005 and 0.004.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from orderparam.distortion import Distortion
from orderparam.quotientgroup import GeneratedGroup, QuotientGroup

SIGMAS = np.geomspace(1e-3, 0.06, 60)
STRAIN_SIGMAS = np.array([5e-4, 1e-3, 2e-3, 4e-3])
TYPICAL_STRAIN = 0.02
INDEX_PRIOR = 4.0
BEAM = 4
CRITERION = f"Gaussian evidence with prior {INDEX_PRIOR:g} ln(index)"


@dataclass(frozen=True, eq=False)
class Statistics:
    """The averages that every subgroup is judged by, one entry per element of G / T_S.

    Attributes
    ----------
    overlaps, characters : (order,)
        <u, g u> over the child's cell, angstrom^2, and chi_g with the uniform translations taken out.
    strain_overlaps, strain_characters : (order,)
        The same for the strain.
    n_coordinates : int
        3 N - 3 for the N atoms of the child's cell, fewer `within` a group.
    multiplicity : float
        Squared displacement per unit of `overlaps`.
    """

    overlaps: np.ndarray
    characters: np.ndarray
    strain_overlaps: np.ndarray
    strain_characters: np.ndarray
    n_coordinates: int
    multiplicity: float = 1.0

    @classmethod
    def of(cls, distortion: Distortion, group: QuotientGroup, field: np.ndarray) -> Statistics:
        """Gather them from displacements (n, 3) on the group's supercell and the strain."""
        supercell, parent = group.supercell, group.supercell.parent
        share = distortion.supercell.n_atoms / supercell.n_atoms
        pairs = np.stack(np.divmod(np.arange(group.order), supercell.n_cells), axis=1)
        overlaps, fixed = np.empty(group.order), np.empty(group.order)
        sites = np.arange(supercell.n_atoms)
        rotations = parent.rotations_cart
        for operation, rotation in enumerate(rotations):
            mine = pairs[:, 0] == operation
            permutations = supercell.permutations(pairs[mine])
            overlaps[mine] = share * np.einsum("gna,na->g", field[permutations], field @ rotation.T)
            fixed[mine] = (permutations == sites).sum(axis=1)
        traces = np.trace(rotations, axis1=1, axis2=2).repeat(supercell.n_cells)
        squares = np.trace(rotations @ rotations, axis1=1, axis2=2).repeat(supercell.n_cells)
        turned = rotations @ distortion.strain @ np.swapaxes(rotations, 1, 2)
        strain_overlaps = np.einsum("ab,gab->g", distortion.strain, turned).repeat(supercell.n_cells)
        characters = (fixed - 1) * traces
        return cls(
            overlaps, characters, strain_overlaps, (traces**2 + squares) / 2, 3 * distortion.supercell.n_atoms - 3
        )

    def within(self, own: GeneratedGroup) -> Statistics:
        """Return the statistics of noise that keeps a group, as in a refinement with symmetry.

        It lives in the p free coordinates alone, and each moves (3 N - 3) / p others with it.
        """
        p = round(float(self.characters[own.elements].mean()))
        m = self.n_coordinates / p if p else 1.0
        return replace(self, overlaps=self.overlaps / m, n_coordinates=p, multiplicity=m)

    @property
    def total(self) -> float:
        """Squared norm of the displacements: the overlap at the identity."""
        return float(self.overlaps.max())


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
    signal = min(max(float(statistics.overlaps[chosen].mean()), 0.0), statistics.total)
    p = round(float(statistics.characters[chosen].mean()))
    residual = max(statistics.total - signal, 0.0)
    s = np.array([sigma**2]) if sigma is not None else SIGMAS**2
    costs = residual / s + (n - p) * np.log(s)
    if p:
        # a coordinate that is free under H holds signal and noise, the others noise alone
        t = np.maximum(signal / p - s, 0.0)
        costs = costs + signal / (s + t) + p * np.log(s + t) + np.log(max(n, 1)) / 2
    best = int(np.argmin(costs))
    cost = float(costs[best]) + INDEX_PRIOR * float(np.log(order / group.order)) + _strain_cost(group, statistics)
    return Judged(group, cost, float(np.sqrt(s[best])), residual, p)


def _strain_cost(group: GeneratedGroup, statistics: Statistics) -> float:
    kept = float(statistics.strain_overlaps[group.elements].mean())
    lost = max(float(statistics.strain_overlaps.max()) - kept, 0.0)
    p = round(float(statistics.strain_characters[group.elements].mean()))
    sigmas = STRAIN_SIGMAS
    costs = lost / sigmas**2 + 2 * (6 - p) * np.log(sigmas / sigmas[0]) + 2 * p * np.log(TYPICAL_STRAIN / sigmas)
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
    singles: dict[bytes, int] = {}
    for joined in group.joins(own, group.coset_representatives(own, np.ones(group.order, bool))):
        # a join that several elements generate is tried once
        singles.setdefault(joined.key, joined.generators[-1])
        add(joined)
    generators = np.zeros(group.order, bool)
    generators[list(singles.values())] = True
    expanded: set[bytes] = set()
    while True:
        best = sorted(known.values(), key=lambda j: j.cost)[:BEAM]
        fresh = [j for j in best if j.group.key not in expanded]
        if not fresh:
            return list(known.values())
        for judged in fresh:
            expanded.add(judged.group.key)
            for joined in group.joins(judged.group, group.coset_representatives(judged.group, generators)):
                add(joined)
