"""Primary order parameters: the smallest sets of order parameters that leave exactly the child's symmetry.

A deterministic rule. Candidates are irreps with a direction; a set qualifies when its joint isotropy subgroup is the
child's group H and no member can be left out; its score is the share of the symmetry-breaking squared displacement
that it holds, less 0.1 for every member beyond the first. Sets within 0.03 of the best are tied: the smallest total
dimension decides, then the fewest irreps away from Gamma, then the score. Primary is meant by symmetry; which order
parameter drives a transition is a question of energies.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from operator import and_

import numpy as np

from orderparam.supercell import Subgroup

from .isotropy import fixed_space, stabiliser
from .orderparameter import ZERO_AMPLITUDE, Decomposition, OrderParameter

NEGLIGIBLE = 0.02
"""Order parameters below this As (angstrom) are no candidates unless the rest does not suffice."""

TIED = 0.03
SIZE_COST = 0.1
_LARGEST_SET = 4
_MANY_CANDIDATES = 24


@dataclass(frozen=True, eq=False)
class Candidate:
    """An order parameter along one direction that the child's group allows.

    Attributes
    ----------
    order_parameter : OrderParameter
    components : (copies, dimension)
        Its part along the direction.
    directions : (r, dimension)
        Orthonormal basis of the direction.
    subgroup : Subgroup
        Isotropy subgroup of that part.
    share : float
        Of the symmetry-breaking squared displacement (of the squared breaking strain for a strain).
    is_strain : bool
    """

    order_parameter: OrderParameter
    components: np.ndarray
    directions: np.ndarray
    subgroup: Subgroup
    share: float
    is_strain: bool = False

    @property
    def label(self) -> str:
        """Label of the irrep."""
        return self.order_parameter.label

    @property
    def key(self) -> tuple[str, bool]:
        """What tells two irreps in one set apart."""
        return (self.label, self.is_strain)


@dataclass(frozen=True, eq=False)
class PrimarySet:
    """A set of order parameters that together leave exactly the child's symmetry.

    Attributes
    ----------
    members : tuple of Candidate
    share : float
        Sum of the members' shares of the squared displacement, 0 to 1.
    score : float
    tied : bool
        Whether the rule cannot tell it from the best by shares.
    mean_degree : float
        Mean order at which the other order parameters follow from this set (nan when nothing else is there).
    """

    members: tuple[Candidate, ...]
    share: float
    score: float
    tied: bool = False
    mean_degree: float = float("nan")

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the members; a strain says so."""
        return tuple(f"{m.label} (strain)" if m.is_strain else m.label for m in self.members)

    @property
    def dimension(self) -> int:
        """Total dimension of the irreps."""
        return sum(m.order_parameter.irrep.dimension for m in self.members)

    @property
    def off_gamma(self) -> int:
        """Number of irreps away from Gamma."""
        return sum(bool(m.order_parameter.irrep.k.any()) for m in self.members)


def primary_sets(decomposition: Decomposition, negligible: float = NEGLIGIBLE) -> tuple[PrimarySet, ...]:
    """Return the minimal sets of order parameters that generate the child's group, the chosen one first.

    An empty tuple means that nothing is broken. Order parameters below `negligible` (As, angstrom) take part only where
    the others cannot do without.
    """
    H = decomposition.distortion.group
    if H.index == 1:
        return ()
    displacive = displacive_candidates(decomposition)
    large = [c for c in displacive if _length(c) >= negligible]
    strains = strain_candidates(decomposition)
    found: list[PrimarySet] = []
    for pool in (large, displacive, [*large, *strains], [*displacive, *strains]):
        found = _qualifying(pool, H)
        if found:
            break
    return _ranked(found, decomposition)


def displacive_candidates(decomposition: Decomposition) -> list[Candidate]:
    """Return every displacive irrep and direction with an amplitude, the identity irrep left out."""
    shares = decomposition.breaking_share
    found = []
    for order_parameter in decomposition.displacive:
        if not order_parameter.irrep.is_identity and not order_parameter.is_zero:
            found += _directions(order_parameter, decomposition.distortion.group, shares[order_parameter.label], False)
    return found


def strain_candidates(decomposition: Decomposition) -> list[Candidate]:
    """Return every symmetry-breaking irrep of the strain; shares count only where there is no displacement."""
    breaking = [o for o in decomposition.strain if not o.irrep.is_identity and not o.is_zero]
    total = sum(o.amplitude**2 for o in breaking)
    still = not any(decomposition.breaking_share.values())
    found = []
    for o in breaking:
        share = o.amplitude**2 / total if still else 0.0
        found += _directions(o, decomposition.distortion.group, share, True)
    return found


def _directions(order_parameter: OrderParameter, H: Subgroup, share: float, is_strain: bool) -> list[Candidate]:
    """Return one candidate per fixed sub-direction of an order parameter that has its own isotropy subgroup.

    The part along a sub-direction never breaks more than the order parameter does: where its components have more
    symmetry than H leaves them, sub-directions oblique to them are none of its parts.
    """
    irrep, components = order_parameter.irrep, order_parameter.components
    own = stabiliser(order_parameter.supercell, irrep, components)
    found: list[Candidate] = []
    seen: set[bytes] = set()
    for subspace in fixed_subspaces(order_parameter, H):
        part = components @ subspace.T @ subspace
        size = np.linalg.norm(part)
        if size < ZERO_AMPLITUDE:
            continue
        subgroup = stabiliser(order_parameter.supercell, irrep, part)
        key = subgroup.elements.tobytes()
        if key not in seen and not (own.elements & ~subgroup.elements).any():
            seen.add(key)
            part_share = share * float(size / order_parameter.amplitude) ** 2
            found.append(Candidate(order_parameter, part, subspace, subgroup, part_share, is_strain))
    return found


def fixed_subspaces(order_parameter: OrderParameter, H: Subgroup) -> list[np.ndarray]:
    """Return the subspaces of the H-invariant components that larger groups fix, the whole space first.

    They are the intersections of Fix(H) with the null spaces of R(g) - 1, g any element; each is an orthonormal basis
    (r, dimension). Where Fix(H) has more than three dimensions only the whole is returned.
    """
    irrep, supercell = order_parameter.irrep, order_parameter.supercell
    whole = fixed_space(irrep, H)
    if not 1 < len(whole) <= 3:
        return [whole] if len(whole) else []
    turned = np.einsum("cij,rj->cri", irrep.matrices, whole)
    shifted = irrep.translate(whole, -supercell.translations)
    found = {_projector_key(whole): whole}
    for operation in turned:
        gaps = operation - shifted  # (cells, r, dimension), rows: (R(W) - R(-t)) applied to the basis vectors
        _, values, right = np.linalg.svd(np.swapaxes(gaps, 1, 2), full_matrices=False)
        ranks = (values > 1e-6).sum(axis=1)
        for rank in set(ranks) - {0, len(whole)}:
            for null in _distinct(right[ranks == rank, rank:] @ whole):
                found.setdefault(_projector_key(null), null)
    spaces = list(found.values())
    for first, second in combinations(spaces[1:], 2):
        if len(first) == len(second) == 2:
            line = _intersection(first, second)
            if line is not None:
                found.setdefault(_projector_key(line), line)
    return sorted(found.values(), key=lambda s: -len(s))


def _projector_key(basis: np.ndarray) -> bytes:
    return (np.round(basis.T @ basis + 0.00012345, 4) + 0.0).tobytes()


def _distinct(bases: np.ndarray) -> np.ndarray:
    """Return one of each subspace among orthonormal bases (n, r, dimension)."""
    projectors = np.round(np.swapaxes(bases, 1, 2) @ bases + 0.00012345, 4) + 0.0
    return bases[np.unique(projectors.reshape(len(bases), -1), axis=0, return_index=True)[1]]


def _intersection(first: np.ndarray, second: np.ndarray) -> np.ndarray | None:
    left, values, _ = np.linalg.svd(first @ second.T)
    return (left[:, 0] @ first)[None] if values[0] > 1 - 1e-8 > values[1] else None


def _length(candidate: Candidate) -> float:
    return float(np.linalg.norm(candidate.components) * np.sqrt(candidate.order_parameter.supercell.n_cells))


def _qualifying(pool: list[Candidate], H: Subgroup) -> list[PrimarySet]:
    """Return every minimal set from a pool whose joint isotropy subgroup is H."""
    pool = sorted(pool, key=lambda c: -c.share)
    wanted, groups = _bits(H), [_bits(c.subgroup) for c in pool]
    if not pool or reduce(and_, groups) != wanted:
        return []
    few = range(min(len(pool), _MANY_CANDIDATES))
    found: list[tuple[int, ...]] = []
    known: list[int] = []  # the same sets as bits
    for size in range(1, _LARGEST_SET + 1):
        for members in combinations(few, size):
            if reduce(and_, (groups[m] for m in members)) != wanted:
                continue
            mask = sum(1 << m for m in members)
            if len({pool[m].key for m in members}) == size and not any(mask & k == k for k in known):
                found.append(members)
                known.append(mask)
    if not found:
        return [_scored(_greedy(pool, H))]
    return [_scored(tuple(pool[m] for m in members)) for members in found]


def _bits(group: Subgroup) -> int:
    """Return the elements of a subgroup as the bits of a number: & is their intersection."""
    return int.from_bytes(np.packbits(group.elements).tobytes(), "big")


def _greedy(pool: list[Candidate], H: Subgroup) -> tuple[Candidate, ...]:
    """Return a minimal set by leaving out the smallest members that are not needed, each irrep with all it has."""
    whole: dict[tuple[str, bool], Candidate] = {}
    for candidate in sorted(pool, key=lambda c: -c.share):
        whole.setdefault(candidate.key, candidate)
    members = list(whole.values())
    for candidate in reversed(list(members)):
        rest = [m for m in members if m is not candidate]
        if rest and reduce(and_, (_bits(m.subgroup) for m in rest)) == _bits(H):
            members = rest
    return tuple(members)


def _scored(members: tuple[Candidate, ...]) -> PrimarySet:
    members = tuple(sorted(members, key=lambda m: -m.share))
    share = sum(m.share for m in members)
    return PrimarySet(members, share, share - SIZE_COST * (len(members) - 1))


def _ranked(found: list[PrimarySet], decomposition: Decomposition) -> tuple[PrimarySet, ...]:
    """Order sets by the rule and fill in ties and coupling degrees."""
    if not found:
        return ()
    # directions of equal share (of strains beside displacements) are one set: the first, with all that the irrep has
    found = list({(s.labels, round(s.share, 9)): s for s in reversed(found)}.values())[::-1]
    best = max(s.score for s in found)
    tied = [s for s in found if s.score > best - TIED]
    rest = [s for s in found if s.score <= best - TIED]
    tied.sort(key=lambda s: (s.dimension, s.off_gamma, -round(s.score, 6), s.labels))
    rest.sort(key=lambda s: (-round(s.score, 6), s.labels))
    shown = [*tied, *rest][:12]
    return tuple(
        PrimarySet(s.members, s.share, s.score, len(tied) > 1 and s in tied, mean_coupling_degree(s, decomposition))
        for s in shown
    )


# --- coupling -----------------------------------------------------------------------------------------------------


def coupling_degree(primaries: PrimarySet, follower: OrderParameter, *, highest: int = 6) -> int | None:
    """Return the lowest order at which an order parameter follows from the primary ones.

    A covariant of degree d maps the primary components eta to the follower's: ``sum_g R_f(g)^T w (a . R_p(g) eta)^d``
    for some vectors a, w. The degree is the smallest for which such a vector does not vanish; None beyond `highest`.
    """
    return _degree(_joint_subgroup(primaries), _probes(primaries), follower, highest)


def mean_coupling_degree(primaries: PrimarySet, decomposition: Decomposition) -> float:
    """Return the mean order at which the other displacive order parameters follow, 7 for those beyond order six."""
    keys = {m.key for m in primaries.members}
    H, probes = _joint_subgroup(primaries), _probes(primaries)
    degrees = [
        _degree(H, probes, o, 6) or 7
        for o in decomposition.displacive
        if not o.irrep.is_identity and o.amplitude_supercell >= NEGLIGIBLE and (o.label, False) not in keys
    ]
    return float(np.mean(degrees)) if degrees else float("nan")


def _joint_subgroup(primaries: PrimarySet) -> Subgroup:
    H = primaries.members[0].subgroup
    for member in primaries.members[1:]:
        H = H & member.subgroup
    return H


def _probes(primaries: PrimarySet, n: int = 6) -> np.ndarray:
    """Return ``a . R_p(g) eta`` of n random vectors a, for every rotation and translation (n, operations, cells)."""
    rng = np.random.default_rng(7)
    found: np.ndarray | float = 0.0
    for member in primaries.members:
        irrep, eta = member.order_parameter.irrep, member.components
        shifted = irrep.translate(eta / np.linalg.norm(eta), member.order_parameter.supercell.translations)
        a = rng.normal(size=(n, *eta.shape))
        turned = np.tensordot(a, irrep.matrices, axes=(2, 1))  # (n, copies, operations, dimension)
        found = found + np.tensordot(turned, shifted, axes=((1, 3), (1, 2)))
    return np.asarray(found)


def _degree(H: Subgroup, probes: np.ndarray, follower: OrderParameter, highest: int) -> int | None:
    fixed = fixed_space(follower.irrep, H)
    if not len(fixed):
        return None
    w = np.random.default_rng(8).normal(size=(len(probes), follower.irrep.dimension))
    # R_f(c t)^T w seen by the fixed directions: w . R_f(c) R_f(t) f, as (probes, operations, cells, fixed)
    seen = np.tensordot(
        np.tensordot(w, follower.irrep.matrices, axes=(1, 1)),
        follower.irrep.translate(fixed, follower.supercell.translations),
        axes=(2, 2),
    )
    for degree in range(1, highest + 1):
        driven = np.einsum("nct,nctr->nr", probes**degree, seen) / probes[0].size
        if np.abs(driven).max() > 1e-8:
            return degree
    return None
