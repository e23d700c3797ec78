"""The plain network: all sites, ordinary autograd. The reference of the reduced one, and the one that predicts."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from orderparam.o3 import irreps_to_symmetric

from .graph import Edges, RadialBasis
from .layout import (
    DISPLACEMENT,
    READOUT,
    READOUT_SCALE,
    STRAIN,
    Layout,
    Stage,
    filters,
    square_table,
    stages,
    weight_shapes,
)
from .problem import Architecture


@runtime_checkable
class DistortionModel(Protocol):
    """Whatever turns input fields on the parent's sites into a distortion, on the sites of one cell.

    The contract, for any fields h: f(g h) = g f(h) for all of E(3) and for permutations of the sites, f(0) = 0, the
    same on a cell and on a supercell. `tests/network/test_distortion_models.py` holds every implementation to it:
    `TrainedNetwork`, the default, and `gated.GatedNetwork` (extra ``e3nn``).
    """

    def predict(self, inputs: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return the distortion for named input fields.

        Parameters
        ----------
        inputs : dict
            Fields (n_sites, 2l+1) by a name that is an irrep of O(3) or ends in one: "1e", "Mn:1e".

        Returns
        -------
        displacements : (n_sites, 3) float64
            Cartesian, angstrom, mean zero.
        strain : (3, 3) float64
            Symmetric; zero for a finite set of points.
        """
        ...

    def on(self, lattice: np.ndarray | None, positions: np.ndarray, species: Sequence[str]) -> DistortionModel:
        """Return the same function on other sites of the same species, such as another cell of the parent."""
        ...


class PlainNetwork(nn.Module):
    """f_w(h): features on every site, convolutions over every edge, tensor squares, linear readout.

    Parameters
    ----------
    architecture : Architecture
        Its size.
    edges, radial : Edges, RadialBasis
        Neighbours of all sites.
    kinds : (n_sites,) int64
        Number of the species of every site.
    weights : (n_weights,) float64
        Flat vector, in the order of `layout.weight_shapes`.
    embedding : (n_kinds, channels) float64
        Species vectors.
    """

    def __init__(
        self,
        architecture: Architecture,
        edges: Edges,
        radial: RadialBasis,
        kinds: np.ndarray,
        *,
        weights: np.ndarray,
        embedding: np.ndarray,
    ) -> None:
        super().__init__()
        self.stages, self.source = stages(architecture), Layout.all_up_to(architecture.lmax)
        self.kinds = torch.from_numpy(kinds)
        self.embedding = torch.from_numpy(embedding)
        shapes = weight_shapes(architecture, len(embedding), radial.combination.shape[1])
        parts = torch.from_numpy(weights).split([int(np.prod(shape)) for shape in shapes.values()])
        self.weights = nn.ParameterDict(
            {
                name.replace(".", "_"): nn.Parameter(part.view(shape).clone())
                for (name, shape), part in zip(shapes.items(), parts, strict=True)
            }
        )
        self.scale = 1 / sqrt(len(edges.centres) / len(kinds))
        _, first, label = np.unique(np.round(edges.vectors, 6), axis=0, return_index=True, return_inverse=True)
        vectors = edges.vectors[first]
        self.groups = [np.flatnonzero(label == number) for number in range(len(first))]
        self.centres, self.neighbours = torch.from_numpy(edges.centres), torch.from_numpy(edges.neighbours)
        self.radial = torch.from_numpy(radial(np.linalg.norm(vectors, axis=1)))
        self.angular = {
            one: torch.from_numpy(one.kernels(vectors))
            for stage in self.stages
            if stage.kind == "convolve"
            for one in filters(stage.source, stage.target)
        }

    def flat_weights(self) -> Tensor:
        """Return all weights as one vector."""
        return torch.cat([part.flatten() for part in self.weights.values()])

    def forward(self, fields: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate f(h) - f(0).

        Parameters
        ----------
        fields : (n_sites, dim)
            Input field in all irreps up to lmax, both parities (`Layout.all_up_to`).

        Returns
        -------
        displacements : (n_sites, 3)
            Angstrom, mean zero.
        strain : (6,)
            0e + 2e, mean over the sites.
        """
        out = self.features(fields) - self.features(torch.zeros_like(fields))
        displacements = out[:, DISPLACEMENT]
        return displacements - displacements.mean(dim=0), out[:, STRAIN].mean(dim=0)

    def predict_fields(self, fields: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return displacements (n_sites, 3) and strain (3, 3) for fields (n_sites, dim), without gradients."""
        with torch.no_grad():
            displacements, strain = self(torch.from_numpy(fields))
        return displacements.numpy(), irreps_to_symmetric(strain.numpy())

    def features(self, fields: Tensor) -> Tensor:
        """Return the readout of every site (n_sites, 9)."""
        own = self.embedding[self.kinds]
        x = own[:, :, None] * fields[:, None, :]
        x = torch.cat([x[..., :1] + own[..., None], x[..., 1:]], dim=2)
        for stage in self.stages:
            x = self.convolve(stage, x) if stage.kind == "convolve" else self.square(stage, x)
        return self.mix(READOUT, self.weights["readout"][None], x)[:, 0] * READOUT_SCALE

    def mix(self, layout: Layout, weight: Tensor, x: Tensor) -> Tensor:
        """Mix channels by species and irrep."""
        chosen = weight[:, :, :, torch.from_numpy(layout.irrep_of)][:, :, self.kinds]  # (d, c, m, i)
        return torch.einsum("dcmi,mci->mdi", chosen, x) / sqrt(x.shape[1])

    def convolve(self, stage: Stage, x: Tensor) -> Tensor:
        """Sum over neighbours, one kernel per distinct edge vector."""
        kernels = self.kernels(stage)
        z = torch.zeros(len(x), x.shape[1], stage.target.dim, dtype=x.dtype)
        for number, edges in enumerate(self.groups):
            moved = torch.einsum("doci,mci->mdo", kernels[number], x[self.neighbours[edges]])
            z = z.index_add(0, self.centres[edges], moved * self.scale)
        linear = self.mix(stage.source, self.weights[f"{stage.name}.linear".replace(".", "_")], x)
        padding = torch.zeros(len(x), x.shape[1], stage.target.dim - stage.source.dim, dtype=x.dtype)
        return (z + torch.cat([linear, padding], dim=2)) / sqrt(2)

    def kernels(self, stage: Stage) -> Tensor:
        """Return the kernel of every distinct edge vector, (n_vectors, d, o, c, i)."""
        channels = self.embedding.shape[1]
        out = torch.zeros(len(self.radial), channels, stage.target.dim, channels, stage.source.dim, dtype=torch.float64)
        offset: dict[int, int] = {}
        for one in filters(stage.source, stage.target):
            weight = self.weights[f"{stage.name}.{one.l_out}".replace(".", "_")]
            begin, count = offset.get(one.l_out, 0), len(one.degrees) * self.radial.shape[1]
            offset[one.l_out] = begin + count
            chosen = weight[:, :, begin : begin + count].unflatten(2, (len(one.degrees), -1))
            chosen = chosen / sqrt(weight.shape[2] * channels)
            for p, irrep_out in enumerate(irrep for irrep in stage.target.irreps if irrep.l == one.l_out):
                p_in = irrep_out.parity * (-1) ** one.degrees[0]
                irrep_in = next(r for r in stage.source.irreps if (r.l, r.parity) == (one.l_in, p_in))
                kernel = torch.einsum("vfoi,vb,dfbc->vdoci", self.angular[one], self.radial, chosen[p])
                out[:, :, stage.target.slices[irrep_out], :, stage.source.slices[irrep_in]] += kernel
        return out

    def square(self, stage: Stage, z: Tensor) -> Tensor:
        """Add the mixed tensor square."""
        parts = []
        for irrep in stage.target.irreps:
            table = torch.from_numpy(square_table(stage.source, irrep).copy())
            weight = self.weights[f"{stage.name}.{irrep}".replace(".", "_")] / sqrt(len(table))
            parts.append(torch.einsum("cp,poij,mci,mcj->mco", weight, table, z, z.roll(1, dims=1)))
        mixed = self.mix(stage.target, self.weights[f"{stage.name}.linear".replace(".", "_")], torch.cat(parts, dim=2))
        return (z[..., torch.from_numpy(stage.source.columns_of(stage.target))] + mixed) / sqrt(2)
