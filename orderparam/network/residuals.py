"""What is left to fit: a few numbers that vanish when the network gives the child."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from orderparam.errors import InvalidInputError
from orderparam.o3 import Irrep, symmetric_to_irreps

from .convolution import Reach
from .graph import RadialBasis, choose_cutoff, find_edges, shells_of
from .layout import DISPLACEMENT, READOUT, STRAIN, Layout
from .orbits import Orbits, invariant_displacements, invariant_tensors
from .problem import Architecture, FitConfig, FitProblem
from .reduced import ReducedNetwork

STATIC_RANK = 1e-9  # of the largest singular value
LOCAL_GAIN = 3  # smaller portions are slower: so much less must there be to do
MANY_ORBITS = 16  # from here on it may pay to keep the reverse pass near one orbit at a time


def build_network(
    problem: FitProblem, architecture: Architecture, orbits: Orbits, radial: RadialBasis | None = None
) -> ReducedNetwork:
    """Build the network of an architecture on the parent's sites, one site per orbit.

    Networks that share weights share their radial functions, too: cells of one parent have the same shells, but for
    rounding.
    """
    if radial is None:
        cutoff = choose_cutoff(problem.lattice, problem.positions, architecture.cutoff_factor, problem.periodic)
        edges = find_edges(problem.lattice, problem.positions, cutoff)
        radial = RadialBasis.on_shells(cutoff, shells_of(edges.lengths))
    else:
        edges = find_edges(problem.lattice, problem.positions, radial.cutoff)
    kinds = np.array([problem.kinds.index(name) for name in problem.species])
    return ReducedNetwork(architecture, edges, radial, orbits, kinds)


class Residuals:
    """The residuals r = B^T (f(h) - f(0) - u) of a fit, and their Jacobian.

    B is an orthonormal basis of the displacements that are invariant under H, without uniform translations, and of the
    invariant strains times a length. The unknowns are the weights, then the coefficients of every input.
    """

    def __init__(self, problem: FitProblem, network: ReducedNetwork, config: FitConfig) -> None:
        self.network, self.embedding = network, torch.empty(0)
        self.batch_elements = config.batch_elements
        covectors, target = project_target(problem, network.orbits, config.strain_length)
        self.covectors, self.target = torch.from_numpy(covectors.transpose(1, 0, 2).copy()), target
        self.inputs = torch.from_numpy(input_basis(problem, network.source)[:, network.orbits.representatives])
        self.static: Tensor | None = None

    @cached_property
    def batches(self) -> Batches:
        """Return the covectors as the reverse pass takes them."""
        return Batches.of(self.covectors, self.network, self.batch_elements)

    @property
    def n_unknowns(self) -> int:
        """Number of weights and input coefficients."""
        return self.network.n_weights + len(self.inputs)

    def use_embedding(self, embedding: np.ndarray) -> None:
        """Set the species vectors (n_kinds, channels) of a new start."""
        self.embedding = torch.from_numpy(embedding)

    def evaluate(self, unknowns: np.ndarray, *, subtract_still: bool = True) -> Point:
        """Return the residuals at a point (n_unknowns,), ready to be differentiated.

        Without `subtract_still` f(0) is left in them, for a caller who takes it out.
        """
        flat, coefficients = torch.from_numpy(unknowns).split([self.network.n_weights, len(self.inputs)])
        fields = torch.einsum("k,kmi->mi", coefficients, self.inputs)
        out, tape = self.network.forward(flat, self.embedding, fields)
        values = torch.einsum("mri,mi->r", self.covectors, out).numpy() - self.target
        if not subtract_still:
            return Point(values, self, flat, tape, None)
        still, still_tape = self.still(flat)
        return Point(values - still, self, flat, tape, still_tape)

    def still(self, flat: Tensor) -> tuple[np.ndarray, list]:
        """Return B^T f(0), what the network does without inputs (n_residuals,), and its tape."""
        nothing = torch.zeros(len(self.covectors), self.network.source.dim, dtype=torch.float64)
        out, tape = self.network.forward(flat, self.embedding, nothing)
        return torch.einsum("mri,mi->r", self.covectors, out).numpy(), tape

    def still_jacobian(self, flat: Tensor, tape: list, kernels: list[Tensor]) -> Tensor | None:
        """Return its derivative by the weights (n_residuals, n_weights), None where f(0) has no free parameter."""
        static = self.static_rows()
        if not static.shape[1]:
            return None
        rows = torch.einsum("rq,mri->mqi", static, self.covectors)[None]
        return static @ self.network.backward(rows, self.network.tangent(flat, tape), kernels, to_inputs=False)[0]

    def jacobian(self, flat: Tensor, tape: list, kernels: list[Tensor], *, to_inputs: bool) -> Tensor:
        """Return the derivative of B^T f by the weights and, if wanted, by the input coefficients."""
        tangent, inputs = self.network.tangent(flat, tape), self.inputs.flatten(1).T
        parts = []
        for rows, path in self.batches.groups:
            by_weight, by_field = self.network.backward(rows, tangent, kernels, to_inputs=to_inputs, path=path)
            parts.append(torch.cat([by_weight, by_field.flatten(1) @ inputs], dim=1) if to_inputs else by_weight)
        found = torch.cat(parts)
        return found if self.batches.mixing is None else self.batches.mixing @ found

    def static_rows(self) -> Tensor:
        """Return an orthonormal basis (n_residuals, q) of what f(0) can reach: the parent's own free parameters.

        f(0) keeps the parent's symmetry, so this is a small space that does not depend on the weights: random
        weights are drawn until they bring nothing new.
        """
        if self.static is None:
            rng, samples = np.random.default_rng(0), []
            values = right = np.zeros(0)
            while len(values) == len(samples) and len(samples) <= len(self.target):
                for _ in range(4 + len(samples)):
                    flat = torch.from_numpy(rng.normal(size=self.network.n_weights))
                    samples.append(self.still(flat)[0])
                _, values, right = np.linalg.svd(np.array(samples), full_matrices=False)
                values, right = values[kept := values > STATIC_RANK * values[0]], right[kept]
            self.static = torch.from_numpy(right.T.copy())
        return self.static


@dataclass(frozen=True)
class Point:
    """A point of the fit: its residuals, and the tape from which the Jacobian follows."""

    residuals: np.ndarray
    problem: Residuals
    flat: Tensor
    tape: list
    still_tape: list | None

    def jacobian(self) -> np.ndarray:
        """Return [J_w J_h], (n_residuals, n_unknowns)."""
        return self._derivative(to_inputs=True)

    def jacobian_by_weights(self) -> np.ndarray:
        """Return J_w alone, (n_residuals, n_weights)."""
        return self._derivative(to_inputs=False)

    def _derivative(self, *, to_inputs: bool) -> np.ndarray:
        problem, kernels = self.problem, self.problem.network.kernels(self.flat, self.problem.embedding)
        found = problem.jacobian(self.flat, self.tape, kernels, to_inputs=to_inputs)
        still = None if self.still_tape is None else problem.still_jacobian(self.flat, self.still_tape, kernels)
        if still is not None:
            found[:, : still.shape[1]] -= still
        return found.numpy()


@dataclass(frozen=True)
class Batches:
    """The covectors of all residuals, in portions for the reverse pass that fit into memory.

    Where there are many orbits they are combinations of covectors that live on one orbit, whose reverse pass stays
    near it.

    Attributes
    ----------
    groups : list of (covectors, path)
        (g, m, k, 9) on the orbits where the path begins, on all of them where it is None.
    mixing : (n_residuals, all g k) or None
        The residuals' covectors from those, if they are others.
    """

    groups: list[tuple[Tensor, list[Reach] | None]]
    mixing: Tensor | None = None

    @classmethod
    def of(cls, covectors: Tensor, network: ReducedNetwork, batch_elements: int) -> Batches:
        """Divide covectors (m, R, 9)."""
        n_orbits, n_rows, _ = covectors.shape
        if n_orbits < MANY_ORBITS:
            return cls.of_all_orbits(covectors, network, batch_elements)
        strained = torch.from_numpy(np.flatnonzero(covectors[..., STRAIN].abs().amax(dim=(0, 2)).numpy()))
        # what a Jacobian takes, in pairs of orbits times rows; one orbit stands for all
        near = [len(step.rounds[0][0]) for step in network.path_from([0])]
        n_pairs = len(network.tables.ends[0])
        takes = 3 * n_orbits * sum(near) + len(strained) * len(near) * n_pairs
        if LOCAL_GAIN * takes > n_rows * len(near) * n_pairs:
            return cls.of_all_orbits(covectors, network, batch_elements)
        whole = torch.zeros(n_orbits, len(strained), READOUT.dim, dtype=torch.float64)
        whole[..., STRAIN] = covectors[:, strained][..., STRAIN]
        groups = cls.of_all_orbits(whole, network, batch_elements).groups if len(strained) else []
        left, values, right = torch.linalg.svd(covectors[..., DISPLACEMENT], full_matrices=False)  # one per orbit
        rows = torch.zeros(n_orbits, 1, 3, READOUT.dim, dtype=torch.float64)
        rows[:, 0, :, DISPLACEMENT] = right
        at_once = max(1, batch_elements // (near[-1] * network.width * network.source.dim))
        some = torch.arange(n_orbits).split(at_once)
        groups += [(rows[few], network.path_from(few.tolist())) for few in some]
        mixing = (left * values[:, None]).transpose(0, 1).flatten(1)
        return cls(groups, torch.cat([torch.eye(n_rows, dtype=torch.float64)[:, strained], mixing], dim=1))

    @classmethod
    def of_all_orbits(cls, covectors: Tensor, network: ReducedNetwork, batch_elements: int) -> Batches:
        """Take covectors (m, R, 9) as they are."""
        at_once = max(1, batch_elements // (len(covectors) * network.width))
        return cls([(some[None], None) for some in covectors.split(at_once, dim=1)])


def project_target(problem: FitProblem, orbits: Orbits, strain_length: float) -> tuple[np.ndarray, np.ndarray]:
    """Return how residuals are read off the network's output, and the target in the same numbers.

    Returns
    -------
    covectors : (n_residuals, n_orbits, 9) float64
        To be contracted with the output on the representatives: orbits count with their sizes; the strain is the
        mean over the sites.
    target : (n_residuals,) float64
        Angstrom.
    """
    displacements = invariant_displacements(problem.group)
    strains = invariant_strains(problem)
    n_displacements, n_rows = len(displacements), len(displacements) + len(strains)
    covectors = np.zeros((n_rows, orbits.n_orbits, READOUT.dim))
    covectors[:n_displacements, :, DISPLACEMENT] = displacements[:, orbits.representatives] * orbits.sizes[:, None]
    share = orbits.sizes[:, None] / problem.n_sites
    covectors[n_displacements:, :, STRAIN] = strain_length * strains[:, None, :] * share
    target = np.concatenate(
        [
            np.einsum("rni,ni->r", displacements, problem.displacements),
            strain_length * strains @ symmetric_to_irreps(problem.strain),
        ]
    )
    return covectors, target


def invariant_strains(problem: FitProblem) -> np.ndarray:
    """Return an orthonormal basis (n, 6) of the H-invariant strains, as 0e + 2e; none for finite point sets."""
    if problem.lattice is None:
        return np.zeros((0, 6))
    shapes = invariant_tensors(problem.group, Irrep(2, 1))
    out = np.zeros((1 + len(shapes), 6))
    out[0, 0], out[1:, 1:] = 1, shapes
    return out


def input_basis(problem: FitProblem, layout: Layout) -> np.ndarray:
    """Return the input field on all sites per coefficient: (n_free, n_sites, dim of the layout)."""
    parts = [np.zeros((0, problem.n_sites, layout.dim))]
    for block in problem.inputs:
        part = np.zeros((block.n_free, problem.n_sites, layout.dim))
        if block.irrep not in layout.slices:
            raise InvalidInputError(f"input {block.name}: the network carries l <= {layout.lmax} only")
        part[:, :, layout.slices[block.irrep]] = block.basis
        parts.append(part)
    return np.concatenate(parts)
