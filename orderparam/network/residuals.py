"""What is left to fit: a few numbers that vanish when the network gives the child."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..o3 import Irrep, symmetric_to_irreps
from .graph import RadialBasis, choose_cutoff, find_edges, shells_of
from .layout import DISPLACEMENT, READOUT, STRAIN
from .orbits import Orbits, invariant_displacements, invariant_tensors
from .problem import Architecture, FitConfig, FitProblem
from .reduced import ReducedNetwork

STATIC_RANK = 1e-14  # of J J^T: singular values of 1e-7


def build_network(problem: FitProblem, architecture: Architecture, orbits: Orbits) -> ReducedNetwork:
    """Build the network of an architecture on the parent's sites, one site per orbit."""
    cutoff = choose_cutoff(problem.lattice, problem.positions, architecture.cutoff_factor)
    edges = find_edges(problem.lattice, problem.positions, cutoff)
    radial = RadialBasis.on_shells(cutoff, shells_of(edges.lengths))
    kinds = np.array([problem.kinds.index(name) for name in problem.species])
    return ReducedNetwork(architecture, edges, radial, orbits, kinds)


class Residuals:
    """The residuals r = B^T (f(h) - f(0) - u) of a fit, and their Jacobian.

    B is an orthonormal basis of the displacements that H leaves alone, without uniform translations, and of the
    invariant strains times a length. The unknowns are the weights, then the coefficients of every input.
    """

    def __init__(self, problem: FitProblem, network: ReducedNetwork, config: FitConfig) -> None:
        self.network, self.embedding = network, torch.empty(0)
        self.batch_elements = config.batch_elements
        covectors, target = project_target(problem, network.orbits, config.strain_length)
        self.covectors, self.target = torch.from_numpy(covectors), target
        self.inputs = torch.from_numpy(_input_map(problem, network))
        self.static: Tensor | None = None

    @property
    def n_unknowns(self) -> int:
        """Number of weights and input coefficients."""
        return self.network.n_weights + len(self.inputs)

    def use_embedding(self, embedding: np.ndarray) -> None:
        """Set the species vectors (n_kinds, channels) of a new start."""
        self.embedding = torch.from_numpy(embedding)

    def evaluate(self, unknowns: np.ndarray) -> Point:
        """Return the residuals at a point (n_unknowns,), ready to be differentiated."""
        flat, coefficients = torch.from_numpy(unknowns).split([self.network.n_weights, len(self.inputs)])
        fields = torch.einsum("k,kmi->mi", coefficients, self.inputs)
        out, tape = self.network.forward(flat, self.embedding, fields)
        still, still_tape = self.network.forward(flat, self.embedding, torch.zeros_like(fields))
        values = torch.einsum("rmi,mi->r", self.covectors, out - still).numpy()
        return Point(values - self.target, self, flat, tape, still_tape)

    def pull_back(self, covectors: Tensor, tape: list, kernels: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Pull covectors back in batches that fit into memory: to the weights and to the input coefficients."""
        width = max(kernel.numel() // max(len(kernel), 1) for kernel in kernels[:1]) // tape[-1][0].shape[1]
        batch = max(1, self.batch_elements // max(1, width // 8 * covectors.shape[1] // max(1, len(kernels[0]))))
        parts = [self.network.backward(some, tape, kernels) for some in covectors.split(batch)]
        weights, fields = (torch.cat(pieces) for pieces in zip(*parts, strict=True))
        return weights, fields.flatten(1) @ self.inputs.flatten(1).T

    def static_rows(self, tape: list, kernels: list[Tensor]) -> Tensor:
        """Return an orthonormal basis (n_residuals, q) of what f(0) can reach: the parent's own free parameters.

        f(0) keeps the parent's symmetry, so this is a small space that does not depend on the weights.
        """
        if self.static is None:
            weights, _ = self.pull_back(self.covectors, tape, kernels)
            values, vectors = torch.linalg.eigh(weights @ weights.T)
            self.static = vectors[:, values > STATIC_RANK * values[-1]]
        return self.static


@dataclass(frozen=True)
class Point:
    """A point of the fit: its residuals, and the tape from which the Jacobian follows."""

    residuals: np.ndarray
    problem: Residuals
    flat: Tensor
    tape: list
    still_tape: list

    def jacobian(self) -> np.ndarray:
        """Return [J_w J_h], (n_residuals, n_unknowns)."""
        problem, kernels = self.problem, self.problem.network.kernels(self.flat)
        by_weight, by_input = problem.pull_back(problem.covectors, self.tape, kernels)
        static = problem.static_rows(self.still_tape, kernels)
        if static.shape[1]:
            rows = torch.einsum("rq,rmi->qmi", static, problem.covectors)
            still, _ = problem.pull_back(rows, self.still_tape, kernels)
            by_weight = by_weight - static @ still
        return torch.cat([by_weight, by_input], dim=1).numpy()


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
    """Return an orthonormal basis (n, 6) of the strains that H leaves alone, as 0e + 2e; none for a finite point set."""
    if problem.lattice is None:
        return np.zeros((0, 6))
    shapes = invariant_tensors(problem.group, Irrep(2, 1))
    out = np.zeros((1 + len(shapes), 6))
    out[0, 0], out[1:, 1:] = 1, shapes
    return out


def _input_map(problem: FitProblem, network: ReducedNetwork) -> np.ndarray:
    """Return the input field on the representatives per coefficient: (n_free, n_orbits, dim of the first layout)."""
    blocks = [np.zeros((0, network.orbits.n_orbits, network.source.dim))]
    for block in problem.inputs:
        part = np.zeros((block.n_free, network.orbits.n_orbits, network.source.dim))
        part[:, :, network.source.slices[block.irrep]] = block.basis[:, network.orbits.representatives]
        blocks.append(part)
    return np.concatenate(blocks)
