"""The physics of a pair: by how much every atom moves and the lattice stretches, and which symmetry is left."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from orderparam.wording import counted

from .crystals.crystal import Crystal
from .errors import InvalidInputError
from .supercell import Subgroup, Supercell


@dataclass(frozen=True, eq=False)
class Distortion:
    """A child as a distortion of its parent, in the parent's frame.

    Attributes
    ----------
    supercell : Supercell
        The child's primitive cell cut out of the parent.
    displacements : (n, 3)
        Cartesian, angstrom, in the unstrained metric of the parent; their mean is zero.
    strain : (3, 3)
        U - 1, symmetric; every vector is stretched to (1 + strain) times itself.
    group : Subgroup
        H, the child's space group within the parent's; displacements and strain are invariant under it.

    Raises
    ------
    InvalidInputError
        When shapes do not fit or a number is not finite.
    """

    supercell: Supercell
    displacements: np.ndarray
    strain: np.ndarray
    group: Subgroup

    def __post_init__(self) -> None:
        if self.displacements.shape != (self.supercell.n_atoms, 3) or self.strain.shape != (3, 3):
            raise InvalidInputError(
                f"Distortion: expected displacements ({self.supercell.n_atoms}, 3) and strain (3, 3), received "
                f"{self.displacements.shape} and {self.strain.shape}"
            )
        if not (np.isfinite(self.displacements).all() and np.isfinite(self.strain).all()):
            raise InvalidInputError("Distortion: a displacement or strain is not a finite number")
        self.displacements.setflags(write=False)
        self.strain.setflags(write=False)

    @property
    def total_amplitude(self) -> float:
        """As: root of the sum of squared displacements in the child's primitive cell, angstrom."""
        return float(np.linalg.norm(self.displacements))

    @property
    def lengths(self) -> np.ndarray:
        """Displacement of every atom (n,), angstrom."""
        return np.linalg.norm(self.displacements, axis=1)

    def crystal(self, name: str = "") -> Crystal:
        """Return the distorted crystal."""
        return self.supercell.with_displacements(self.displacements, self.strain, name)

    def reference(self, name: str = "") -> Crystal:
        """Return the undistorted parent in the child's cell, atoms in the same order."""
        zero = np.zeros_like(self.displacements)
        return self.supercell.with_displacements(zero, np.zeros((3, 3)), name)

    def projected(self, group: Subgroup) -> Distortion:
        """Return the part that a larger group (of the same supercell lattice) leaves invariant."""
        displacements, strain = project(self.supercell, group, self.displacements, self.strain)
        return replace(self, displacements=displacements, strain=strain, group=group)

    def __str__(self) -> str:
        atoms = counted(self.supercell.n_atoms, "atom")
        return f"Distortion({atoms}, {self.group}, As {self.total_amplitude:.4f} angstrom)"

    __repr__ = __str__


def project(
    supercell: Supercell, group: Subgroup, displacements: np.ndarray, strain: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Average displacements (n, 3) and strain (3, 3) over a group that keeps the supercell's lattice."""
    action = group.action()
    moved = action.average(action.rotations, displacements)
    turned = action.rotations @ strain @ np.swapaxes(action.rotations, 1, 2)
    return moved - moved.mean(axis=0), turned.mean(axis=0)
