"""Bases of the invariant polynomials of irreps.

A polynomial in several order parameters is a sum of parts that are homogeneous in each, and the group mixes only
monomials of the same degrees. Where the images permute the components up to signs, every orbit of monomials whose signs
agree is one invariant. Otherwise the invariants are the common fixed vectors of the symmetric powers of generators: in
the basis x^a sqrt(multinomial(a)) these are orthogonal, S(g), and p is invariant if and only if p S(g) p = p p for all
generators, so that the eigenvalue one of their mean is wanted. Molien's numbers check both.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement
from math import comb, factorial, prod

import numpy as np

from orderparam.errors import InvalidInputError
from orderparam.parent import Parent
from orderparam.symmetry.isotropy import reduced_echelon
from orderparam.symmetry.parentirreps import ParentIrrep
from orderparam.symmetry.strata import Images

from .counts import Degrees, degrees_of, invariant_counts
from .polynomial import Polynomial, component_names, simple_number

MANY_MONOMIALS = 60_000
"""Monomials of one degree that are still listed where the images permute components."""

MANY_UNKNOWNS = 1_500
"""Monomials of one degree for which fixed vectors are still looked for."""


def invariant_polynomials(
    parent: Parent, irreps: Sequence[ParentIrrep], degree: int, *, force: bool = False
) -> tuple[Polynomial, ...]:
    """Return a basis of the invariant polynomials of degree 1 to `degree`, lowest first.

    Products of lower ones are among them; an irrep that is given twice stands for two copies of it.

    Parameters
    ----------
    force : bool
        Whether to go on where the estimate says that there are too many monomials.

    Raises
    ------
    InvalidInputError
        When the degree is below one, or beyond what is feasible.

    Examples
    --------
    >>> from orderparam.parent import abstract_parent
    >>> from orderparam.symmetry.parentirreps import named_irrep
    >>> parent = abstract_parent(221)
    >>> for found in invariant_polynomials(parent, [named_irrep(parent, "R4+")], 4):
    ...     print(found)
    p1^2 + p2^2 + p3^2
    p1^4 + p2^4 + p3^4
    p1^2 p2^2 + p1^2 p3^2 + p2^2 p3^2
    """
    if degree < 1:
        raise InvalidInputError(f"--degree {degree}: expected at least 1")
    generators = group_generators(parent, irreps)
    if not force:
        check_feasible(generators, degree)
    counts = invariant_counts(Images.of(parent, irreps), degree)
    found: list[Polynomial] = []
    for total in range(1, degree + 1):
        for degrees in degrees_of(total, len(irreps)):
            if counts[degrees]:
                found += homogeneous_invariants(generators, degrees, counts[degrees])
    return tuple(found)


def homogeneous_invariants(
    generators: Sequence[np.ndarray], degrees: Degrees, count: int, variables: Sequence[str] | None = None
) -> list[Polynomial]:
    """Return the invariants of given degrees in every order parameter; their number must be Molien's."""
    dimensions = [g.shape[1] for g in generators]
    names = tuple(variables) if variables is not None else component_names(dimensions)
    taken = [i for i, d in enumerate(degrees) if d]
    monomials = _monomials([dimensions[i] for i in taken], [degrees[i] for i in taken])
    matrices = [generators[i] for i in taken]
    rows = _by_orbits(matrices, monomials) if _permute(matrices) else _by_fixed_vectors(matrices, degrees, monomials)
    if len(rows) != count:
        raise ArithmeticError(f"invariants of degrees {degrees}: {len(rows)} found, Molien counts {count}")
    columns = np.concatenate([np.arange(dimensions[i]) + sum(dimensions[:i]) for i in taken])
    found = []
    for row in rows:
        terms = np.flatnonzero(row)
        exponents = np.zeros((len(terms), sum(dimensions)), int)
        exponents[:, columns] = monomials[terms]
        found.append(Polynomial(names, exponents, row[terms]))
    return found


def group_generators(parent: Parent, irreps: Sequence[ParentIrrep]) -> list[np.ndarray]:
    """Return, irrep by irrep, the matrices (n_generators, d, d) of elements that generate the space group."""
    operations = _generating_operations(parent.group.rotations)
    return [
        np.concatenate([irrep.matrices[operations], irrep.translation_matrices(np.eye(3, dtype=int))])
        for irrep in irreps
    ]


def check_feasible(generators: Sequence[np.ndarray], degree: int) -> None:
    """Refuse a degree with too many monomials.

    Raises
    ------
    InvalidInputError
    """
    size, limit = _largest(generators, degree)
    if size <= limit:
        return
    possible = next((d for d in range(degree - 1, 0, -1) if _fits(generators, d)), 0)
    raise InvalidInputError(
        f"--degree {degree}: {size} monomials of one kind, at most {limit} are feasible; "
        + (f"the highest degree that is feasible here is {possible}" if possible else "take fewer irreps at once")
        + " (--force tries all the same)"
    )


def is_feasible(generators: Sequence[np.ndarray], degrees: Degrees) -> bool:
    """Whether the monomials of given degrees in every order parameter are few enough."""
    size, limit = _size(generators, degrees)
    return size <= limit


def _size(generators: Sequence[np.ndarray], degrees: Degrees) -> tuple[int, int]:
    """Return the number of monomials of given degrees, and how many are feasible."""
    taken = [i for i, d in enumerate(degrees) if d]
    size = prod(comb(generators[i].shape[1] + degrees[i] - 1, degrees[i]) for i in taken)
    return size, MANY_MONOMIALS if _permute([generators[i] for i in taken]) else MANY_UNKNOWNS


def _fits(generators: Sequence[np.ndarray], degree: int) -> bool:
    size, limit = _largest(generators, degree)
    return size <= limit


def _largest(generators: Sequence[np.ndarray], degree: int) -> tuple[int, int]:
    """Return the number of monomials of the worst degrees, relative to what is feasible, and the limit there."""
    worst = (0, MANY_MONOMIALS)
    for degrees in degrees_of(degree, len(generators)):
        worst = max(worst, _size(generators, degrees), key=lambda pair: pair[0] / pair[1])
    return worst


def _generating_operations(rotations: np.ndarray) -> list[int]:
    """Return a few operations whose rotation parts generate the point group."""
    number = {r.tobytes(): i for i, r in enumerate(np.ascontiguousarray(rotations))}
    chosen: list[int] = []
    reached = {next(i for i, r in enumerate(rotations) if (r == np.eye(3, dtype=int)).all())}
    orders = [len(_powers(r)) for r in rotations]
    for candidate in sorted(range(len(rotations)), key=lambda i: -orders[i]):
        if candidate in reached:
            continue
        chosen.append(candidate)
        pending = list(reached)
        while pending:
            element = pending.pop()
            for generator in chosen:
                product = number[np.ascontiguousarray(rotations[generator] @ rotations[element]).tobytes()]
                if product not in reached:
                    reached.add(product)
                    pending.append(product)
        if len(reached) == len(rotations):
            break
    return chosen


def _powers(rotation: np.ndarray) -> list[np.ndarray]:
    found = [rotation]
    while not (found[-1] == np.eye(3, dtype=int)).all():
        found.append(found[-1] @ rotation)
    return found


def _monomials(dimensions: Sequence[int], degrees: Sequence[int]) -> np.ndarray:
    """Return the exponents (n_monomials, n) of all monomials of given degrees, block by block."""
    blocks = [_block_monomials(n, d) for n, d in zip(dimensions, degrees, strict=True)]
    total = blocks[0]
    for block in blocks[1:]:
        total = np.concatenate([np.repeat(total, len(block), axis=0), np.tile(block, (len(total), 1))], axis=1)
    return total


def _block_monomials(n: int, d: int) -> np.ndarray:
    """Return the exponents (m, n) of the monomials of degree d in n components: squares before products."""
    chosen = np.array(list(combinations_with_replacement(range(n), d)), int).reshape(comb(n + d - 1, d), d)
    exponents = np.zeros((len(chosen), n), int)
    np.add.at(exponents, (np.arange(len(chosen))[:, None], chosen), 1)
    return exponents[np.argsort(-exponents.max(axis=1), kind="stable")]


# --- components that are permuted ---------------------------------------------------------------------------------


def _permute(matrices: Sequence[np.ndarray]) -> bool:
    """Whether every matrix has one entry, 1 or -1, in every row."""
    sizes = np.concatenate([np.abs(m).ravel() for m in matrices])
    return bool((np.minimum(sizes, np.abs(sizes - 1)) < 1e-6).all())


def _by_orbits(matrices: Sequence[np.ndarray], monomials: np.ndarray) -> np.ndarray:
    """Return the invariants (n_invariants, n_monomials): orbits of monomials up to signs, by connected components."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    n = len(monomials)
    weights = np.random.default_rng(0).integers(1, 2**62, monomials.shape[1], dtype=np.int64)
    with np.errstate(over="ignore"):
        codes = monomials @ weights
    order = np.argsort(codes)
    starts, ends = [], []
    for g in range(len(matrices[0])):
        columns, signs, start = [], [], 0
        for block in matrices:
            columns.append(np.abs(block[g]).argmax(axis=1) + start)
            signs.append(np.rint(block[g].sum(axis=1)).astype(int))
            start += block.shape[1]
        moved = np.zeros_like(monomials)
        moved[:, np.concatenate(columns)] = monomials
        with np.errstate(over="ignore"):
            images = order[np.searchsorted(codes[order], moved @ weights)]
        odd = (monomials[:, np.concatenate(signs) < 0].sum(axis=1) % 2).astype(bool)
        for flip in (False, True):  # nodes m stand for +x^m, nodes n + m for -x^m
            starts.append(np.arange(n) + n * flip)
            ends.append(images + n * (odd ^ flip))
    begin, end = np.concatenate(starts), np.concatenate(ends)
    graph = coo_matrix((np.ones(len(begin), bool), (begin, end)), shape=(2 * n, 2 * n))
    _, member = connected_components(graph, directed=False)
    plus, minus = member[:n], member[n:]
    rows, done = [], set()
    for first in np.flatnonzero(plus != minus):
        if plus[first] not in done:
            done |= {plus[first], minus[first]}
            rows.append((plus == plus[first]).astype(float) - (minus == plus[first]))
    return np.array(rows).reshape(-1, n)


# --- in general ---------------------------------------------------------------------------------------------------


def _by_fixed_vectors(matrices: Sequence[np.ndarray], degrees: Degrees, monomials: np.ndarray) -> np.ndarray:
    """Return the invariants (n_invariants, n_monomials): fixed vectors of the symmetric powers of all generators."""
    powers = [d for d in degrees if d]
    scale = np.sqrt([prod(factorial(e) for e in row) for row in monomials.tolist()])
    places, start = [], 0
    for block, d in zip(matrices, powers, strict=True):
        own = _block_monomials(block.shape[1], d)
        index = {row.tobytes(): i for i, row in enumerate(own)}
        part = np.ascontiguousarray(monomials[:, start : start + block.shape[1]])
        places.append(np.array([index[row.tobytes()] for row in part]))
        start += block.shape[1]
    mean = np.zeros((len(monomials), len(monomials)))
    n = len(matrices[0])
    for g in range(n):
        S = np.ones_like(mean)
        for block, d, place in zip(matrices, powers, places, strict=True):
            S *= symmetric_power(block[g], d)[np.ix_(place, place)]
        S *= scale[None, :] / scale[:, None]
        mean += (S + S.T) / (2 * n)
    values, vectors = np.linalg.eigh(mean)
    fixed = vectors[:, values > 1 - 1e-9].T
    if not len(fixed):
        return fixed
    return np.array([_simplified(row) for row in reduced_echelon(fixed / scale, 1e-7)])


def symmetric_power(matrix: np.ndarray, d: int) -> np.ndarray:
    """Return S with (M x)^a = sum_b S[a, b] x^b over the monomials of degree d."""
    n = len(matrix)
    previous = _block_monomials(n, 0)
    S = np.ones((1, 1))
    for degree in range(1, d + 1):
        own = _block_monomials(n, degree)
        index = {row.tobytes(): i for i, row in enumerate(own)}
        known = {row.tobytes(): i for i, row in enumerate(previous)}
        raised = np.array([[index[(row + unit).tobytes()] for row in previous] for unit in np.eye(n, dtype=int)])
        first = (own > 0).argmax(axis=1)
        rest = own.copy()
        rest[np.arange(len(own)), first] -= 1
        lower = S[[known[row.tobytes()] for row in rest]]
        S = np.zeros((len(own), len(own)))
        for j in range(n):
            S[:, raised[j]] += matrix[first, j][:, None] * lower
        previous = own
    return S


def _simplified(row: np.ndarray) -> np.ndarray:
    """Snap coefficients to simple numbers where all are, and take denominators out."""
    row = np.where(np.abs(row) < 1e-8, 0.0, row)
    exact = [simple_number(v) for v in row]
    if any(e is None for e in exact):
        return row
    numbers = [e for e in exact if e is not None]
    shared = np.lcm.reduce([e[0].denominator for e in numbers])
    return np.array([float(e[0] * int(shared)) * e[1] ** 0.5 for e in numbers])
