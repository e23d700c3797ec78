"""The network on one site per orbit of the child's group, with a reverse pass for many residuals at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .convolution import Convolution, ConvolutionTables, ConvolutionTangent, Reach, to_neighbours
from .graph import Edges, RadialBasis
from .layout import READOUT, READOUT_SCALE, Layout, n_weights, stages, weight_shapes
from .local import Linear, LinearTangent, Square, SquareTangent, Weights
from .orbits import Orbits
from .problem import Architecture


@contextmanager
def single_thread() -> Iterator[None]:
    """Run torch on one thread, without gradients, and restore: the arrays are too small for more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.no_grad():
            yield
    finally:
        torch.set_num_threads(before)


class ReducedNetwork:
    """The network for inputs that are invariant under a group.

    Parameters
    ----------
    architecture : Architecture
        Its size.
    edges, radial : Edges, RadialBasis
        Neighbours of all sites.
    orbits : Orbits
        Orbits of the group (trivial ones give the network on all sites).
    kinds : (n_sites,) int64
        Number of the species of every site.
    """

    def __init__(
        self, architecture: Architecture, edges: Edges, radial: RadialBasis, orbits: Orbits, kinds: np.ndarray
    ) -> None:
        channels = architecture.channels
        self.radial, self.orbits, self.kinds = radial, orbits, torch.from_numpy(kinds[orbits.representatives])
        self.shapes = weight_shapes(architecture, int(kinds.max()) + 1, radial.combination.shape[1])
        self.n_weights = n_weights(self.shapes)
        self.width = channels * max(stage.target.dim for stage in stages(architecture))
        self.source = Layout.all_up_to(architecture.lmax)
        self.stages: list[Convolution | Square] = []
        tables: dict[Layout, ConvolutionTables] = {}
        own = kinds[orbits.representatives]
        for stage in stages(architecture):
            if stage.kind == "square":
                self.stages.append(Square(stage, own, channels))
                continue
            if stage.target not in tables:
                tables[stage.target] = ConvolutionTables(stage, edges, radial, orbits, len(kinds))
            self.stages.append(Convolution(stage, tables[stage.target], own, channels))
        self.readout = Linear(READOUT, own, channels)
        self.tables, self.n_convolutions = next(iter(tables.values())), architecture.layers

    def split(self, flat: Tensor) -> Weights:
        """Name the parts of a flat vector of weights."""
        parts = flat.split([int(np.prod(shape)) for shape in self.shapes.values()])
        return {name: part.view(shape) for (name, shape), part in zip(self.shapes.items(), parts, strict=True)}

    def forward(self, flat: Tensor, embedding: Tensor, fields: Tensor) -> tuple[Tensor, list]:
        """Evaluate on the representatives.

        Parameters
        ----------
        flat : (n_weights,)
            Weights.
        embedding : (n_kinds, c)
            Species vectors.
        fields : (m, dim)
            Input field in all irreps of the first layout.

        Returns
        -------
        (m, 9)
            Per site: strain trace, displacement, rest of the strain (not yet averaged over sites).
        list
            Tape for `backward`.
        """
        weights, own = self.split(flat), embedding[self.kinds]
        x = own[:, :, None] * fields[:, None, :]
        x[:, :, 0] += own
        tape = []
        for stage in self.stages:
            x, memory = stage.forward(x, weights)
            tape.append(memory)
        expanded = self.readout.expand(weights["readout"][None])
        tape.append((x, expanded, own))
        return self.readout.forward(x, expanded)[:, 0] * READOUT_SCALE, tape

    def kernels(self, flat: Tensor, embedding: Tensor) -> list[Tensor]:
        """Return the convolutions as matrices between neighbouring orbits, the last one first.

        The first one acts on species vectors times fields: its matrices lead from the fields, (pair, d o, i).
        """
        weights = self.split(flat)
        kernels = [stage.kernel(weights) for stage in self.stages if isinstance(stage, Convolution)]
        own = embedding[self.kinds][self.tables.ends[1]]  # (pair, c)
        kernels[0] = torch.einsum("poci,pc->poi", kernels[0].unflatten(2, (own.shape[1], -1)), own)
        return kernels[::-1]

    def tangent(self, flat: Tensor, tape: list) -> Tangent:
        """Return the derivative on single sites at the point of a tape."""
        weights, (x, expanded, own) = self.split(flat), tape[-1]
        stages = [
            stage.tangent(memory) if isinstance(stage, Convolution) else stage.tangent(memory, weights)
            for stage, memory in zip(self.stages, tape[:-1], strict=True)
        ]
        return Tangent(stages[::-1], self.readout.tangent(x, expanded), own)

    def backward(
        self,
        covectors: Tensor,
        tangent: Tangent,
        kernels: list[Tensor],
        *,
        to_inputs: bool = True,
        path: Sequence[Reach] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Pull covectors back.

        Parameters
        ----------
        covectors : (g, m, R, 9)
            Groups of residuals, each on the orbits where the path begins.
        tangent, kernels
            From `tangent` and `kernels`.
        to_inputs : bool
            Whether the input fields are wanted too.
        path : sequence of Reach, optional
            One per convolution, the last first, from `path_from`. Default: one group, all orbits throughout.

        Returns
        -------
        (g R, n_weights)
            To the weights.
        (g R, n_orbits, dim)
            To the input fields (empty if they are not wanted).
        """
        path = [self.tables.everywhere] * len(kernels) if path is None else path
        steps, sites, grads = iter(zip(path, kernels, strict=True)), path[0].sites, {}
        grad, grads["readout"] = tangent.readout.backward(covectors[:, :, :, None] * READOUT_SCALE, sites)
        for stage in tangent.stages:
            grad_out = grad
            grad, more = stage.backward(grad_out, sites)
            grads |= more
            if isinstance(stage, SquareTangent):
                continue
            if stage is tangent.stages[-1]:
                if not to_inputs:
                    break
                grad = (grad * tangent.own[sites][:, :, None, :, None]).sum(dim=3)
            reach, kernel = next(steps)
            grad, sites = to_neighbours(grad_out, grad, kernel, reach), reach.sources
        by_weight = torch.cat([grads[name] for name in self.shapes], dim=2).flatten(0, 1)
        if not to_inputs:
            return by_weight, by_weight.new_zeros(0, self.orbits.n_orbits, self.source.dim)
        fields = grad.new_zeros(len(sites), self.orbits.n_orbits, *grad.shape[2:])
        fields.index_put_((torch.arange(len(sites))[:, None], sites), grad, accumulate=True)
        return by_weight, fields.transpose(1, 2).flatten(0, 1)

    def path_from(self, orbits: Sequence[int]) -> list[Reach]:
        """Return the way of the reverse pass for groups that begin on one orbit each."""
        path, groups = [], [np.array([orbit]) for orbit in orbits]
        for _ in range(self.n_convolutions):
            step, groups = self.tables.from_some(groups)
            path.append(step)
        return path


@dataclass(frozen=True)
class Tangent:
    """What the reverse pass needs on single sites: `stages`, the last first; `own` are species vectors (m, c)."""

    stages: list[ConvolutionTangent | SquareTangent]
    readout: LinearTangent
    own: Tensor
