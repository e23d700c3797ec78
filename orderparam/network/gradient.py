"""Which inputs could matter: the gradient at no input at all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from orderparam.o3 import Irrep, symmetric_to_irreps

from .layout import DISPLACEMENT, READOUT, STRAIN, draw_weights
from .orbits import Orbits
from .problem import Architecture, FitProblem
from .reduced import single_thread
from .residuals import build_network

CHANNELS = 1
"""One is enough: at h = 0 the network is linear in the input, and only zeros have a meaning."""


def input_gradient(
    problem: FitProblem, irreps: Sequence[Irrep], *, seed: int, lmax: int | None = None, of_strain: bool = False
) -> dict[Irrep, np.ndarray]:
    """Return the gradient of the loss |f(h) - u|^2 / 2 by an input of each irrep on every site, at h = 0.

    There f(0) = 0, so the gradient is -(df/dh)^T u: an equivariant linear image of the displacements u. By symmetry
    only the irreps of the parent's group that u contains can appear in it; those zeros are exact, the other entries
    depend on the random weights.

    Parameters
    ----------
    problem : FitProblem
        Its displacements are the target (or its strain); its inputs are not used.
    irreps : sequence of Irrep
        Irreps of O(3).
    seed : int
        Of the weights.
    of_strain : bool
        Take the strain for the target in place of the displacements: |f(h) - strain|^2 / 2, no unit.
    lmax : int, optional
        Of the network. Default: the largest l asked for, at least 1.

    Returns
    -------
    dict
        Irrep -> gradient (n_sites, 2l+1), angstrom.
    """
    lmax = max([1, *(irrep.l for irrep in irreps)]) if lmax is None else lmax
    architecture = Architecture(lmax=lmax, channels=CHANNELS)
    orbits = Orbits.trivial(problem.n_sites)
    network = build_network(problem, architecture, orbits)
    weights, embedding = draw_weights(network.shapes, len(problem.kinds), architecture.channels, (seed,))
    covector = torch.zeros(problem.n_sites, 1, READOUT.dim, dtype=torch.float64)
    if of_strain:
        covector[:, 0, STRAIN] = -torch.from_numpy(symmetric_to_irreps(problem.strain)) / problem.n_sites
    else:
        covector[:, 0, DISPLACEMENT] = -torch.from_numpy(problem.displacements.copy())
    with single_thread():
        flat, species = torch.from_numpy(weights), torch.from_numpy(embedding)
        still = torch.zeros(problem.n_sites, network.source.dim, dtype=torch.float64)
        _, tape = network.forward(flat, species, still)
        _, fields = network.backward(covector[None], network.tangent(flat, tape), network.kernels(flat, species))
    return {irrep: fields[0, :, network.source.slices[irrep]].numpy().copy() for irrep in irreps}
