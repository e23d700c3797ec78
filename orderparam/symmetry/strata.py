"""Order-parameter directions: every isotropy subgroup of one irrep, or of several together.

The images of a representation are finitely many matrices D(g). A direction is a subspace that some set of them leaves
alone, V = Fix(H), H the elements that fix it point by point; its generic vectors have just H as their stabiliser. All
such subspaces are intersections of the spaces Fix(g); they are found from the whole space downwards, one of every
orbit (Stokes & Hatch, Isotropy Subgroups of the 230 Crystallographic Space Groups, World Scientific 1988).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from orderparam.errors import InvalidInputError
from orderparam.lattice import lattice_basis
from orderparam.parent import Parent
from orderparam.spacegroup import standard_setting
from orderparam.supercell import Subgroup, Supercell

from .isotropy import reduced_echelon, write_direction
from .parentirreps import ParentIrrep

MANY_IMAGES = 20_000


@dataclass(frozen=True, eq=False)
class Images:
    """The direct sum of some irreps as matrices of the finite group G / T; T are the translations that change none.

    Attributes
    ----------
    irreps : tuple of ParentIrrep
    supercell : Supercell
        Its lattice is T.
    matrices : (n_images, n, n)
        The distinct matrices.
    image_of : (n_operations, n_cells) int
        Which of them every element has.
    """

    irreps: tuple[ParentIrrep, ...]
    supercell: Supercell
    matrices: np.ndarray
    image_of: np.ndarray

    @classmethod
    def of(cls, parent: Parent, irreps: Sequence[ParentIrrep]) -> Images:
        """Gather the images of irreps at commensurate wave vectors."""
        supercell = Supercell.build(parent, kernel_lattice(irreps))
        blocks = []
        for irrep in irreps:
            moved = irrep.translation_matrices(supercell.translations)
            blocks.append(np.einsum("tij,gjk->gtik", moved, irrep.matrices))
        sizes = [irrep.dimension for irrep in irreps]
        n = sum(sizes)
        if blocks[0].shape[0] * blocks[0].shape[1] * n * n > 4e8:
            raise InvalidInputError(
                f"{' + '.join(i.label for i in irreps)}: {blocks[0].shape[0] * blocks[0].shape[1]} elements in {n} "
                "dimensions are more than can be listed; take fewer irreps at once"
            )
        total = np.zeros((*blocks[0].shape[:2], n, n))
        start = 0
        for block, size in zip(blocks, sizes, strict=True):
            total[:, :, start : start + size, start : start + size] = block
            start += size
        flat = np.rint(total.reshape(-1, n * n) * 1e5).astype(np.int64)
        _, first, inverse = np.unique(row_hashes(flat), return_index=True, return_inverse=True)
        matrices = total.reshape(-1, n, n)[first]
        return cls(tuple(irreps), supercell, matrices, inverse.reshape(total.shape[:2]))

    @property
    def dimension(self) -> int:
        """Number of components."""
        return self.matrices.shape[1]

    @cached_property
    def separators(self) -> list[str]:
        """What stands between components: ``,`` within an arm, ``;`` between arms, ``|`` between irreps."""
        found = []
        for irrep in self.irreps:
            arms = irrep.irrep.component_arms
            found += ["|" if found or irrep is not self.irreps[0] else ""]
            found += [";" if arms[i] != arms[i - 1] else "," for i in range(1, len(arms))]
        return found

    def subgroup(self, basis: np.ndarray) -> Subgroup:
        """Return the elements that leave every vector of a subspace (r, n) alone."""
        fixing = np.abs(self.matrices @ basis.T - basis.T).max(axis=(1, 2), initial=0.0) < 1e-4
        return Subgroup(self.supercell, fixing[self.image_of])


@dataclass(frozen=True, eq=False)
class Direction:
    """One class of equivalent order-parameter directions.

    Attributes
    ----------
    images : Images
    basis : (r, n)
        Orthonormal basis of the subspace, in the domain that is written.
    symbol : str
        Letters are free parameters.
    is_maximal : bool
        Whether no other proper isotropy subgroup of these irreps lies above its own.
    """

    images: Images
    basis: np.ndarray
    symbol: str
    is_maximal: bool

    @property
    def n_free(self) -> int:
        """Number of free parameters."""
        return len(self.basis)

    @cached_property
    def subgroup(self) -> Subgroup:
        """Isotropy subgroup, in the domain that is written."""
        return self.images.subgroup(self.basis)

    @property
    def index(self) -> int:
        """Index of the isotropy subgroup: the number of domains."""
        return self.subgroup.index

    @property
    def size(self) -> int:
        """Cell multiplication: primitive cells of the parent in one of the subgroup."""
        return abs(round(float(np.linalg.det(self.subgroup.lattice_basis))))

    def setting(self) -> tuple[np.ndarray, np.ndarray]:
        """Return basis (rows) and origin of the subgroup's standard setting in the parent's conventional cell."""
        parent = self.images.supercell.parent
        rotations, translations = self.subgroup.operations()
        own = self.subgroup.lattice_basis
        basis, origin = standard_setting(rotations, translations, own @ parent.lattice)
        to_conventional = own @ np.linalg.inv(parent.conventional)
        place = origin @ to_conventional
        return basis @ to_conventional, place - np.floor(place + 1e-6)

    def k_active(self) -> list[np.ndarray]:
        """Return the arms (primitive basis) on which the direction has components."""
        arms, start = [], 0
        for irrep in self.images.irreps:
            part = np.abs(self.basis[:, start : start + irrep.dimension]).max(axis=0) > 1e-6
            start += irrep.dimension
            arms += [irrep.k[a] for a in dict.fromkeys(irrep.irrep.component_arms[part].tolist())]
        return arms

    def components(self, values: Sequence[float] | None = None) -> list[np.ndarray]:
        """Return a vector of the subspace, irrep by irrep, with given letters.

        By default the letters are as 1, 0.618, 0.382 ... and the vector has norm one.
        """
        echelon = reduced_echelon(self.basis)
        letters = np.array(values if values is not None else [0.618034**i for i in range(len(echelon))], float)
        vector = letters @ echelon
        if values is None:
            vector = vector / np.linalg.norm(vector)
        ends = np.cumsum([irrep.dimension for irrep in self.images.irreps])[:-1]
        return np.split(vector, ends)

    def __str__(self) -> str:
        return f"{self.symbol} {self.subgroup}"


def kernel_lattice(irreps: Sequence[ParentIrrep]) -> np.ndarray:
    """Return a basis (rows, primitive) of the translations that act as 1 on all irreps: k . t integer for every arm."""
    arms = np.concatenate([irrep.k for irrep in irreps])
    denominator = next((d for d in range(1, 241) if np.abs(arms * d - np.rint(arms * d)).max() < 1e-5), None)
    if denominator is None:
        raise InvalidInputError("directions: the wave vector is not commensurate")
    # the dual of the lattice that the arms and the reciprocal lattice generate
    rows = np.concatenate([np.rint(arms * denominator).astype(int), denominator * np.eye(3, dtype=int)])
    generated = lattice_basis(rows) / denominator
    dual = np.rint(np.linalg.inv(generated).T).astype(int)
    return dual if np.linalg.det(dual) > 0 else -dual


def find_directions(parent: Parent, irreps: Sequence[ParentIrrep]) -> tuple[Direction, ...]:
    """Return all classes of directions of one irrep or of several coupled ones, fewest parameters first.

    With several irreps only directions in which every one takes part are listed.

    Examples
    --------
    >>> from orderparam.parent import abstract_parent
    >>> from orderparam.symmetry.parentirreps import named_irrep
    >>> parent = abstract_parent(221)
    >>> for found in find_directions(parent, [named_irrep(parent, "R4+")])[:3]:
    ...     print(found.symbol, found.subgroup.space_group, found.index)
    (a,0,0) (140, 'I4/mcm') 6
    (a,a,0) (74, 'Imma') 12
    (a,a,a) (167, 'R-3c') 8
    """
    images = Images.of(parent, irreps)
    subspaces = _subspaces(images.matrices)
    found = []
    for orbit in subspaces:
        basis, symbol = _written(orbit, images)
        if _takes_part(basis, images):
            found.append((basis, symbol, orbit))
    maximal = _maximal(subspaces)
    by_orbit = {id(orbit): flag for orbit, flag in zip(subspaces, maximal, strict=True)}
    directions = [Direction(images, basis, symbol, by_orbit[id(orbit)]) for basis, symbol, orbit in found]
    return tuple(sorted(directions, key=lambda d: (d.n_free, d.symbol.count("a"), d.index, d.symbol)))


# --- subspaces ----------------------------------------------------------------------------------------------------


def _subspaces(matrices: np.ndarray) -> list[np.ndarray]:
    """Return one orbit of projectors (m, n, n) for every class of fixed subspaces but zero."""
    n = matrices.shape[1]
    fixed = _distinct(_fixed_projectors(matrices))
    seen: set[bytes] = set()
    orbits: list[np.ndarray] = []

    def add(projector: np.ndarray) -> bool:
        if np.trace(projector) < 0.5 or _key(projector) in seen:
            return False
        orbit = _distinct(matrices @ projector @ np.swapaxes(matrices, 1, 2))
        seen.update(_key(p) for p in orbit)
        orbits.append(orbit)
        return True

    add(np.eye(n))
    todo = 0
    while todo < len(orbits):
        space = orbits[todo][0]
        todo += 1
        for projector in _intersections(space, fixed):
            add(projector)
    return orbits


def _fixed_projectors(matrices: np.ndarray) -> np.ndarray:
    """Return the projector onto Fix(g) for every matrix."""
    symmetric = matrices + np.swapaxes(matrices, 1, 2)  # D x = x if and only if x (D + D^T) x = 2 x x
    values, vectors = np.linalg.eigh(symmetric)
    chosen = np.abs(values - 2) < 1e-6
    kept = vectors * chosen[:, None, :]
    return kept @ np.swapaxes(kept, 1, 2)


def _intersections(space: np.ndarray, fixed: np.ndarray) -> np.ndarray:
    """Return the distinct projectors onto the intersections of one subspace with others."""
    values, vectors = np.linalg.eigh(space + fixed)
    chosen = np.abs(values - 2) < 1e-6
    kept = vectors * chosen[:, None, :]
    return _distinct(kept @ np.swapaxes(kept, 1, 2))


def _key(projector: np.ndarray) -> bytes:
    return (np.round(projector + 0.00012345, 4) + 0.0).tobytes()


def _distinct(projectors: np.ndarray) -> np.ndarray:
    numbers = np.rint((projectors.reshape(len(projectors), -1) + 0.00012345) * 1e4).astype(np.int64)
    _, first = np.unique(row_hashes(numbers), return_index=True)
    return projectors[np.sort(first)]


def row_hashes(rows: np.ndarray) -> np.ndarray:
    """Return one 64-bit number per row of integers (m, n), by a fixed random linear form modulo 2^64.

    Equal rows have equal numbers; m different ones share one with probability m^2 / 2^65, and sorting numbers is many
    times faster than sorting rows.
    """
    weights = np.random.default_rng(20).integers(-(2**63), 2**63 - 1, rows.shape[1], dtype=np.int64, endpoint=True)
    with np.errstate(over="ignore"):
        return (rows * (weights | 1)).sum(axis=1)


def _maximal(orbits: list[np.ndarray]) -> list[bool]:
    """Return for every orbit whether no other subspace lies within its first one."""
    flags = []
    for orbit in orbits:
        space, rank = orbit[0], np.trace(orbit[0])
        inside = False
        for other in orbits:
            if np.trace(other[0]) < rank - 0.5:
                # P_other lies in P_space if tr(P_other P_space) is its rank
                overlaps = np.einsum("mij,ji->m", other, space)
                inside = inside or bool((overlaps > np.trace(other[0]) - 1e-4).any())
        flags.append(not inside)
    return flags


# --- how they are written -----------------------------------------------------------------------------------------


def _written(orbit: np.ndarray, images: Images) -> tuple[np.ndarray, str]:
    """Return the basis and the symbol of the member of an orbit that is written: fewest entries, then the largest."""
    best: tuple[tuple[float, ...], np.ndarray] | None = None
    for projector in orbit:
        echelon = reduced_echelon(projector)
        entries = np.round(echelon, 4).ravel().tolist()
        key = (float(np.count_nonzero(entries)), *(x for v in entries for x in (-abs(v), float(v < 0))))
        if best is None or key < best[0]:
            best = (key, echelon)
    if best is None:
        raise InvalidInputError("directions: an orbit has no member")
    echelon = best[1]
    basis = np.linalg.qr(echelon.T)[0].T
    arms = np.cumsum([0 if s in {"", ","} else 1 for s in images.separators])
    text = write_direction(echelon, arms)
    return basis, _between_irreps(text, images)


def _between_irreps(text: str, images: Images) -> str:
    """Put ``|`` between irreps in place of ``;``."""
    parts = text.strip("()").replace(";", ",").split(",")
    out = parts[0]
    for separator, part in zip(images.separators[1:], parts[1:], strict=True):
        out += separator + part
    return f"({out})"


def _takes_part(basis: np.ndarray, images: Images) -> bool:
    """Whether every irrep has a component."""
    start = 0
    for irrep in images.irreps:
        if np.abs(basis[:, start : start + irrep.dimension]).max() < 1e-6:
            return False
        start += irrep.dimension
    return True
