"""All degenerate states of a child from one fit, and samples of them.

An equivariant function obeys f(g h) = g f(h): what was learned for one domain is known for all |G : H| of them. Their
average has the parent's symmetry, so that a function without an order parameter could only give that average; a sample
is one whole pattern instead, its atoms correlated as in a domain.

References
----------
Y. Xie, T. Smidt, Equivariant symmetry breaking sets, Trans. Mach. Learn. Res. (2024), arXiv:2402.02681. H. Lawrence,
V. Portilheiro, Y. Zhang, S.-O. Kaba, Improving equivariant networks with probabilistic symmetry breaking (SymPE), ICLR
(2025), arXiv:2503.21985.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orderparam.crystals.crystal import Crystal
from orderparam.errors import InvalidInputError
from orderparam.lattice import invariant_sublattice
from orderparam.supercell import Supercell

from .prediction import Predictor


@dataclass(frozen=True, eq=False)
class States:
    """The equivalent states of a child, by the network, on the sites of one cell that holds all of them.

    Attributes
    ----------
    supercell : Supercell
    components : tuple of dict
        The order parameters (dimension,) of every state, Ap, by label; the child's own first.
    displacements : (n_states, n_atoms, 3) float64
        Angstrom.
    strains : (n_states, 3, 3) float64
    """

    supercell: Supercell
    components: tuple[dict[str, np.ndarray], ...]
    displacements: np.ndarray
    strains: np.ndarray

    def __len__(self) -> int:
        return len(self.components)

    def crystal(self, number: int, name: str = "") -> Crystal:
        """Return one of the structures."""
        return self.supercell.with_displacements(self.displacements[number], self.strains[number], name)

    @property
    def mean(self) -> np.ndarray:
        """Average displacement (n_atoms, 3): P_G u, zero where the parent has no free coordinate."""
        return self.displacements.mean(axis=0)

    @property
    def correlations(self) -> np.ndarray:
        """Pair correlations <u_i u_j>, (3 n_atoms, 3 n_atoms), square angstrom: those of the whole set."""
        flat = self.displacements.reshape(len(self), -1)
        return flat.T @ flat / len(self)

    def sample(self, n: int, *, seed: int) -> Sample:
        """Draw whole patterns, every state with the same probability.

        Raises
        ------
        InvalidInputError
            When n is not positive.
        """
        if n < 1:
            raise InvalidInputError(f"sample: expected at least one structure, received {n}")
        return Sample(self, np.random.default_rng(seed).integers(len(self), size=n))


@dataclass(frozen=True, eq=False)
class Sample:
    """Structures drawn from the states of a child.

    Attributes
    ----------
    states : States
    numbers : (n,) int
        Which state each one is.
    """

    states: States
    numbers: np.ndarray

    @property
    def displacements(self) -> np.ndarray:
        """One whole pattern per draw: (n, n_atoms, 3), angstrom."""
        return self.states.displacements[self.numbers]

    @property
    def strains(self) -> np.ndarray:
        """One strain per draw: (n, 3, 3)."""
        return self.states.strains[self.numbers]


def all_states(predictor: Predictor) -> States:
    """Return every state of a child: the network's answer to all images g h of its order parameters.

    Parameters
    ----------
    predictor : Predictor
    """
    parent = predictor.family.parent
    matrix = invariant_sublattice(predictor.child.distortion.supercell.matrix, parent.group.rotations)
    supercell = Supercell.build(parent, matrix)
    images = _images(predictor, supercell)
    found = [predictor.on(supercell, components) for components in images]
    return States(
        supercell,
        tuple(images),
        np.array([d.displacements for d in found]),
        np.array([d.strain for d in found]),
    )


def _images(predictor: Predictor, supercell: Supercell) -> list[dict[str, np.ndarray]]:
    """Return the distinct images of the child's order parameters under all elements, itself first."""
    seen: dict[bytes, dict[str, np.ndarray]] = {}
    rotations = supercell.parent.group.rotations
    identity = int(np.flatnonzero((rotations == np.eye(3, dtype=int)).all(axis=(1, 2)))[0])
    for operation in [identity, *(g for g in range(len(rotations)) if g != identity)]:
        turned = {
            given.label: given.irrep.translate(
                given.irrep.matrices[operation] @ predictor.child.components[given.label], supercell.translations
            )
            for given in predictor.inputs
        }
        for t in range(supercell.n_cells):
            image = {label: moved[t] for label, moved in turned.items()}
            size = max(float(np.linalg.norm(v)) for v in image.values())
            key = b"".join((np.round(v / size + 0.00012345, 4) + 0.0).tobytes() for v in image.values())
            seen.setdefault(key, image)
    return list(seen.values())
