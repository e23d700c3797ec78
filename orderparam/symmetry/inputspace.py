"""The fields that one input may take, and the symmetry that all of them keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from orderparam.supercell import Subgroup, Supercell

from .carriers import SiteIrrep
from .isotropy import fixed_space, stabiliser, whole_group
from .modes import ModeBasis, mode_basis
from .parentirreps import ParentIrrep, commensurate_irreps
from .primary import Candidate
from .subspace import Subspace


@dataclass(frozen=True, eq=False)
class InputSpace:
    """A linear space of fields on one site irrep.

    Attributes
    ----------
    site_irrep : SiteIrrep
    supercell : Supercell
    bases : tuple of ModeBasis
        One per irrep of the space group that takes part.
    fields : (n_free, n_atoms, 2 l + 1)
        Orthonormal.
    """

    site_irrep: SiteIrrep
    supercell: Supercell
    bases: tuple[ModeBasis, ...]
    fields: np.ndarray

    @classmethod
    def along(
        cls, site_irrep: SiteIrrep, directions: Sequence[tuple[ParentIrrep, np.ndarray]], supercell: Supercell
    ) -> InputSpace:
        """Return all copies of the given irreps, each along its directions (r, dimension)."""
        bases, fields = [], []
        for irrep, rows in directions:
            if not site_irrep.holds(irrep):
                continue
            basis = mode_basis(site_irrep.representation(), irrep)
            bases.append(basis)
            for copy in range(basis.copies):
                for row in rows:
                    components = np.zeros((basis.copies, irrep.dimension))
                    components[copy] = row
                    field = site_irrep.field(basis, components, supercell)
                    fields.append(field / np.linalg.norm(field))
        shape = (-1, supercell.n_atoms, site_irrep.irrep.dim)
        return cls(site_irrep, supercell, tuple(bases), np.array(fields).reshape(shape))

    @classmethod
    def of_candidates(cls, site_irrep: SiteIrrep, candidates: Sequence[Candidate], supercell: Supercell) -> InputSpace:
        """Return the fields along order parameters and nothing else."""
        directions = [(c.order_parameter.irrep, c.directions) for c in candidates]
        return cls.along(site_irrep, directions, supercell)

    @classmethod
    def free(cls, site_irrep: SiteIrrep, group: Subgroup, supercell: Supercell) -> InputSpace:
        """Return every field that is invariant under a group, whatever its irreps."""
        directions = [(irrep, fixed_space(irrep, group)) for irrep in commensurate_irreps(supercell)]
        return cls.along(site_irrep, [(i, rows) for i, rows in directions if len(rows)], supercell)

    @property
    def n_free(self) -> int:
        """Number of free parameters."""
        return len(self.fields)

    def components(self, basis: ModeBasis) -> np.ndarray:
        """Return the components (n_free, copies, dimension) of every field in one irrep."""
        found = [self.site_irrep.components(basis, field, self.supercell) for field in self.fields]
        return np.array(found).reshape(self.n_free, basis.copies, basis.irrep.dimension)

    def restricted(self, subspace: Subspace) -> InputSpace:
        """Return the fields with coefficients in a subspace of R^n_free."""
        return replace(self, fields=np.tensordot(subspace.basis, self.fields, axes=1))

    @cached_property
    def stabilisers(self) -> dict[str, Subgroup]:
        """The elements that leave every field's part in an irrep alone, by label of the irreps that are there."""
        found: dict[str, Subgroup] = {}
        for basis in self.bases:
            for components in self.components(basis):
                if np.linalg.norm(components) > 1e-6:
                    own = stabiliser(self.supercell, basis.irrep, components)
                    found[basis.irrep.label] = found.get(basis.irrep.label, own) & own
        return found


def joint_stabiliser(spaces: Sequence[InputSpace], supercell: Supercell) -> Subgroup:
    """Return the elements under which every input is invariant, whatever its field: K, which no input can break."""
    group = whole_group(supercell)
    for space in spaces:
        for own in space.stabilisers.values():
            group = group & own
    return group
