"""What is to be fitted, and how: plain values, numpy only."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from orderparam.errors import InvalidInputError
from orderparam.o3 import Irrep
from orderparam.siteaction import SiteAction


@dataclass(frozen=True)
class InputBlock:
    """A learnable input: an irrep of O(3) carried by some sites.

    Attributes
    ----------
    irrep : Irrep
        How the field turns at every site.
    basis : (n_free, n_sites, 2l+1) float64
        Orthonormal basis of the fields that this input may take: invariant under the child's group, zero off the
        carrier's sites. The learned field is sum_k a_k basis[k].
    name : str
        For reports, such as "Mn:1e".
    """

    irrep: Irrep
    basis: np.ndarray
    name: str

    def __post_init__(self) -> None:
        if self.basis.ndim != 3 or self.basis.shape[2] != self.irrep.dim:
            raise InvalidInputError(
                f"input {self.name}: expected a basis (n_free, n_sites, {self.irrep.dim}), received {self.basis.shape}"
            )

    @property
    def n_free(self) -> int:
        """Number of learnable coefficients."""
        return len(self.basis)


@dataclass(frozen=True)
class FitProblem:
    """What the network has to reproduce.

    Attributes
    ----------
    lattice : (3, 3) float64 or None
        Rows, angstrom: the child's cell cut out of the undistorted parent. None: a finite set of points.
    positions : (n_sites, 3) float64
        Fractional positions of the parent's sites in that cell (Cartesian, angstrom, for a finite set of points).
    species : tuple of str, length n_sites
        What sits where; sites of one species share their weights.
    group : SiteAction
        H, the child's group modulo the translations of its cell, acting on these sites.
    displacements : (n_sites, 3) float64
        Target, Cartesian, angstrom, with mean zero.
    strain : (3, 3) float64
        Target, symmetric, dimensionless, Cartesian.
    inputs : tuple of InputBlock
        The learnable inputs.
    periodic : tuple of 3 bool
        Along which vectors of the cell the crystal repeats, as of a `Crystal`.
    """

    lattice: np.ndarray | None
    positions: np.ndarray
    species: tuple[str, ...]
    group: SiteAction
    displacements: np.ndarray
    strain: np.ndarray
    inputs: tuple[InputBlock, ...] = ()
    periodic: tuple[bool, bool, bool] = (True, True, True)

    def __post_init__(self) -> None:
        n = len(self.species)
        expected = {"positions": (n, 3), "displacements": (n, 3), "strain": (3, 3)}
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                raise InvalidInputError(f"fit: expected {name} {shape}, received {getattr(self, name).shape}")
        if self.lattice is not None and self.lattice.shape != (3, 3):
            raise InvalidInputError(f"fit: expected a lattice (3, 3), received {self.lattice.shape}")
        if self.group.n_sites != n or any(block.basis.shape[1] != n for block in self.inputs):
            raise InvalidInputError(f"fit: the group and every input must act on the {n} sites of the cell")
        if np.abs(self.displacements.mean(axis=0)).max() > 1e-8:
            raise InvalidInputError("fit: the displacements must have mean zero; take the uniform translation out")
        if not np.allclose(self.strain, self.strain.T, atol=1e-10):
            raise InvalidInputError("fit: the strain must be symmetric")

    @property
    def n_sites(self) -> int:
        """Number of sites of the cell."""
        return len(self.species)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The species that occur, sorted: the order of the network's species weights."""
        return tuple(sorted(set(self.species)))

    @property
    def max_input_degree(self) -> int:
        """Largest l among the inputs (0 without inputs)."""
        return max((block.irrep.l for block in self.inputs), default=0)


@dataclass(frozen=True)
class Architecture:
    """The size of a network: what decides which targets it can reach.

    Attributes
    ----------
    lmax : int
        Features of all degrees up to lmax and both parities.
    layers : int
        Number of convolutions. Layers times cutoff is how far an input is felt; the polynomial degree in the inputs
        is 2^(layers * squares).
    cutoff_factor : float
        Cutoff over the radius at which the parent's neighbour graph becomes connected in all its dimensions.
    squares : int
        Tensor squares in a row per layer.
    channels : int
        Copies of every feature.
    """

    lmax: int = 1
    layers: int = 2
    cutoff_factor: float = 1.3
    squares: int = 1
    channels: int = 4

    def __post_init__(self) -> None:
        if self.lmax not in range(5) or self.layers < 1 or self.squares < 1 or self.channels < 1:
            raise InvalidInputError(f"architecture: lmax 0 to 4 and positive sizes are needed, received {self}")

    def __str__(self) -> str:
        text = f"lmax {self.lmax}, {self.layers} layers, cutoff {self.cutoff_factor:g} x connection radius"
        return text + (f", {self.squares} squares per layer" if self.squares > 1 else "")


@dataclass(frozen=True)
class FitConfig:
    """How to fit.

    Attributes
    ----------
    seed : int
        Fixes the start: the same seed gives the same result.
    tolerance : float
        Aim for the norm of the residuals, angstrom.
    accepted : float
        A fit has converged when no atom is off by more than this, angstrom.
    max_iterations, max_restarts : int
        Levenberg-Marquardt steps per start; further starts from other random weights.
    channels : int
        Channels of the network.
    strain_length : float
        Angstrom; strain times this length is weighed like a displacement.
    batch_elements : int
        Largest intermediate array of the Jacobian, in numbers: bounds the memory.
    """

    seed: int = field(kw_only=True)
    tolerance: float = 1e-8
    accepted: float = 1e-6
    max_iterations: int = 60
    max_restarts: int = 5
    channels: int = 4
    strain_length: float = 3.0
    batch_elements: int = 1_000_000
