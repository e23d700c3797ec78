"""The network on one site per orbit of the child's group, with a reverse pass for many residuals at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from .convolution import Convolution, ConvolutionTables
from .graph import Edges, RadialBasis
from .layout import READOUT, READOUT_SCALE, Layout, n_weights, stages, weight_shapes
from .local import Linear, Square, Weights
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
    """The network for inputs that a group leaves alone.

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

    def kernels(self, flat: Tensor) -> list[Tensor]:
        """Return what the reverse pass needs of the weights alone, one tensor per stage."""
        weights = self.split(flat)
        return [stage.kernel(weights) for stage in self.stages]

    def backward(
        self, covectors: Tensor, tape: list, kernels: list[Tensor], *, to_inputs: bool = True
    ) -> tuple[Tensor, Tensor]:
        """Pull covectors back.

        Parameters
        ----------
        covectors : (m, R, 9)
            One per residual.
        tape, kernels : list
            From `forward` and `kernels`.
        to_inputs : bool
            Whether the input fields are wanted too.

        Returns
        -------
        (R, n_weights)
            To the weights.
        (m, R, dim)
            To the input fields (without meaning if they are not wanted).
        """
        x, expanded, own = tape[-1]
        grads = {}
        grad, grads["readout"] = self.readout.backward(covectors[:, :, None] * READOUT_SCALE, x, expanded)
        for stage, memory, kernel in zip(self.stages[::-1], tape[-2::-1], kernels[::-1], strict=True):
            if isinstance(stage, Convolution):
                grad, more = stage.backward(grad, memory, kernel, to_source=to_inputs or stage is not self.stages[0])
            else:
                grad, more = stage.backward(grad, memory, kernel)
            grads |= more
        fields = (grad * own[:, None, :, None]).sum(dim=2)
        return torch.cat([grads[name] for name in self.shapes], dim=1), fields
