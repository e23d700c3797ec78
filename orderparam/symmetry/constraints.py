"""Hard constraints on inputs: invariant under a subgroup, of chosen irreps or k, along a direction, of components.

Every term is a set of linear equations on the coefficients of an input, so that what it leaves is a `Subspace`, and
terms are composed by intersection. Directions and components depend on the domain: such terms have an image under every
element of the parent's group, and they are read in the domain in which they leave most of the target.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

import numpy as np

from orderparam.o3 import wigner_d
from orderparam.supercell import Subgroup, Supercell

from .carriers import SiteIrrep
from .inputspace import InputSpace
from .isotropy import fixed_projector
from .parentirreps import ParentIrrep
from .primary import PrimarySet
from .subspace import Subspace


@dataclass(frozen=True, eq=False)
class InvariantUnder:
    """Fields that are invariant under a group between the child's and the parent's.

    Attributes
    ----------
    spec : str
    group : Subgroup
    primaries : PrimarySet or None
        What generates the structure of this group, where that is known.
    """

    spec: str
    group: Subgroup
    primaries: PrimarySet | None = None

    def equations(self, space: InputSpace) -> np.ndarray:
        """Return the equations (m, n_free)."""
        return _rejected(space, lambda irrep: fixed_projector(irrep, self.group))


@dataclass(frozen=True, eq=False)
class OfIrreps:
    """Fields of chosen irreps of the space group, by label or by star."""

    spec: str
    labels: tuple[str, ...]

    def equations(self, space: InputSpace) -> np.ndarray:
        """Return the equations (m, n_free)."""
        return _rejected(space, lambda irrep: float(irrep.label in self.labels) * np.eye(irrep.dimension))


@dataclass(frozen=True, eq=False)
class AlongDirection:
    """Fields whose part in one irrep lies in a subspace (r, dimension); other irreps are not touched."""

    spec: str
    irrep: ParentIrrep
    subspace: Subspace

    def equations(self, space: InputSpace) -> np.ndarray:
        """Return the equations (m, n_free)."""
        own = self.subspace.projector
        return _rejected(space, lambda irrep: own if irrep.label == self.irrep.label else np.eye(irrep.dimension))

    def image(self, supercell: Supercell, operation: int, translation: np.ndarray) -> AlongDirection:
        """Return the same direction in another domain: under {W|w + t}."""
        turned = self.subspace.basis @ self.irrep.matrices[operation].T
        moved = self.irrep.translate(turned, translation[None])[0]
        return replace(self, subspace=Subspace(moved))

    @property
    def key(self) -> bytes:
        """What equal terms have in common."""
        return _key(self.subspace.projector)


@dataclass(frozen=True, eq=False)
class WithoutComponents:
    """Fields on one site irrep with ``vectors @ f(site) = 0`` at every site, vectors (q, 2 l + 1)."""

    spec: str
    site_irrep: SiteIrrep
    vectors: np.ndarray

    def equations(self, space: InputSpace) -> np.ndarray:
        """Return the equations (m, n_free)."""
        if space.site_irrep.name != self.site_irrep.name:
            return np.zeros((0, space.n_free))
        return np.einsum("qa,kna->nqk", self.vectors, space.fields).reshape(-1, space.n_free)

    def image(self, supercell: Supercell, operation: int, translation: np.ndarray) -> WithoutComponents:
        """Return the same condition in another domain."""
        rotation = supercell.parent.rotations_cart[operation]
        return replace(self, vectors=self.vectors @ wigner_d(self.site_irrep.irrep, rotation[None])[0].T)

    @property
    def key(self) -> bytes:
        """What equal terms have in common."""
        return _key(self.vectors.T @ np.linalg.pinv(self.vectors @ self.vectors.T) @ self.vectors)


Term = InvariantUnder | OfIrreps | AlongDirection | WithoutComponents


@dataclass(frozen=True, eq=False)
class Constraint:
    """Terms that hold together.

    Attributes
    ----------
    terms : tuple
    """

    terms: tuple[Term, ...] = field(default=())

    @property
    def spec(self) -> str:
        """How it is written."""
        return " & ".join(term.spec for term in self.terms)

    @property
    def carrier(self) -> str | None:
        """The site irrep whose components it is about, if it is."""
        return next((t.site_irrep.name for t in self.terms if isinstance(t, WithoutComponents)), None)

    @property
    def subgroups(self) -> tuple[InvariantUnder, ...]:
        """The terms that name a group."""
        return tuple(t for t in self.terms if isinstance(t, InvariantUnder))

    def __and__(self, other: Constraint) -> Constraint:
        return Constraint((*self.terms, *other.terms))

    def subspace(self, space: InputSpace) -> Subspace:
        """Return the coefficients (of R^n_free) that all terms allow."""
        parts = [Subspace.null(term.equations(space)) for term in self.terms]
        return reduce(Subspace.__and__, parts, Subspace.whole(space.n_free))

    def restrict(self, spaces: Sequence[InputSpace]) -> tuple[InputSpace, ...]:
        """Return what is left of some inputs; those with nothing left are dropped."""
        return tuple(left for s in spaces if (left := s.restricted(self.subspace(s))).n_free)

    def images(self, supercell: Supercell) -> Iterator[Constraint]:
        """Yield the constraint in every domain in which it reads differently, as it stands first."""
        turning = [t for t in self.terms if isinstance(t, AlongDirection | WithoutComponents)]
        seen: set[tuple[bytes, ...]] = set()
        for operation in range(supercell.parent.group.order if turning else 0):
            for translation in supercell.translations:
                moved = {id(t): t.image(supercell, operation, translation) for t in turning}
                key = tuple(m.key for m in moved.values())
                if key not in seen:
                    seen.add(key)
                    yield Constraint(tuple(moved.get(id(t), t) for t in self.terms))
        if not turning:
            yield self


def _rejected(space: InputSpace, projector: Callable[[ParentIrrep], np.ndarray]) -> np.ndarray:
    """Return the equations that no part of any irrep lies outside the range of its projector."""
    rows = [np.zeros((0, space.n_free))]
    for basis in space.bases:
        components = space.components(basis)
        rows.append((components - components @ projector(basis.irrep)).reshape(space.n_free, -1).T)
    return np.concatenate(rows)


def _key(projector: np.ndarray) -> bytes:
    return (np.round(projector + 0.00012345, 4) + 0.0).tobytes()
