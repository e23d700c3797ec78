"""The plain network: all sites, ordinary autograd. The reference of the reduced one, and the one that predicts."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from orderparam.o3 import irreps_to_symmetric

from .environments import SiteGraph, environments
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

SITES_AT_ONCE = 1024
"""All products of the components of so many sites fit into the cache and are allocated without a page fault each."""


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
        vectors, label = edges.vectors[first], label.ravel()
        self.sites = SiteGraph.build(kinds, edges.centres, edges.neighbours, label, len(first))
        classes = environments(kinds, edges.centres, edges.neighbours, label)
        chosen = np.unique(classes, return_index=True)[1]
        mine = np.isin(edges.centres, chosen)
        at_rest = (classes[edges.centres[mine]], classes[edges.neighbours[mine]], label[mine])
        self.rest = SiteGraph.build(kinds[chosen], *at_rest, len(first))
        self.rest_kinds, self.classes = torch.from_numpy(kinds[chosen]), torch.from_numpy(classes)
        self.by_class = [torch.from_numpy(np.flatnonzero(classes == k)) for k in range(len(chosen))]
        values = radial(np.linalg.norm(vectors, axis=1)) * self.scale
        self.n_vectors, self.n_radial = values.shape
        self.tables = {
            one: torch.from_numpy(np.einsum("vfoi,vb->fbvoi", one.kernels(vectors), values)).flatten(2).flatten(0, 1)
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
        out = self.read(self.propagate(fields)[1])
        displacements = out[:, DISPLACEMENT]
        return displacements - displacements.mean(dim=0), out[:, STRAIN].mean(dim=0)

    def predict_fields(self, fields: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return displacements (n_sites, 3) and strain (3, 3) for fields (n_sites, dim), without gradients."""
        with torch.no_grad():
            displacements, strain = self(torch.from_numpy(fields))
        return displacements.numpy(), irreps_to_symmetric(strain.numpy())

    def features(self, fields: Tensor) -> Tensor:
        """Return the readout of every site (n_sites, 9), that of the parent included."""
        rest, change = self.propagate(fields)
        return self.read(rest[self.classes] + change)

    def read(self, x: Tensor) -> Tensor:
        """Return the readout (n_sites, 9) of features, which is linear."""
        return self.mix(self.sites, READOUT, self.weights["readout"][None], x)[:, 0] * READOUT_SCALE

    def propagate(self, fields: Tensor) -> tuple[Tensor, Tensor]:
        """Return features of the parent, one per class of sites, and what the fields add to them on every site.

        With x = x0 + d a convolution acts on both alike, and the square of x0 + d is that of x0, and d d + x0 d + d x0.
        """
        own = self.embedding[self.rest_kinds]
        rest = torch.nn.functional.pad(own[..., None], (0, self.source.dim - 1))
        change = self.embedding[self.kinds][:, :, None] * fields[:, None, :]
        for stage in self.stages:
            if stage.kind == "convolve":
                kernels = self.kernels(stage)
                rest = self.convolve(self.rest, stage, kernels, rest)
                change = self.convolve(self.sites, stage, kernels, change)
            else:
                rest, change = self.square(stage, rest, change)
        return rest, change

    def mix(self, sites: SiteGraph, layout: Layout, weight: Tensor, x: Tensor) -> Tensor:
        """Mix channels by species and irrep: one matrix (c i, d i) per species, diagonal in i."""
        chosen = weight[:, :, :, torch.from_numpy(layout.irrep_of)] / sqrt(x.shape[1])  # (d, c, kind, i)
        blocks = torch.diag_embed(chosen).permute(2, 1, 3, 0, 4).flatten(3, 4).flatten(1, 2)
        flat = x.flatten(1)
        mixed = torch.zeros(len(x), blocks.shape[2], dtype=x.dtype)
        for own, block in zip(sites.by_kind, blocks.unbind(), strict=True):
            mixed.index_add_(0, own, flat.index_select(0, own) @ block)
        return mixed.unflatten(1, (len(weight), layout.dim))

    def convolve(self, sites: SiteGraph, stage: Stage, kernels: Tensor, x: Tensor) -> Tensor:
        """Sum over neighbours, one kernel per distinct edge vector."""
        flat, z = x.flatten(1), torch.zeros(len(x), kernels.shape[1], dtype=x.dtype)
        for (centres, neighbours), kernel in zip(sites.by_vector, kernels.mT.unbind(), strict=True):
            z.index_add_(0, centres, flat.index_select(0, neighbours) @ kernel)
        linear = self.mix(sites, stage.source, self.weights[f"{stage.name}.linear".replace(".", "_")], x)
        padded = torch.nn.functional.pad(linear, (0, stage.target.dim - stage.source.dim))
        return (z.unflatten(1, (x.shape[1], stage.target.dim)) + padded) / sqrt(2)

    def kernels(self, stage: Stage) -> Tensor:
        """Return the kernel of every distinct edge vector, (n_vectors, d o, c i)."""
        channels, rows = self.embedding.shape[1], []
        for l_out in {irrep.l: None for irrep in stage.target.irreps}:
            weight = self.weights[f"{stage.name}.{l_out}".replace(".", "_")]  # (p, d, q, c)
            weight = weight / sqrt(weight.shape[2] * channels)
            mine = [one for one in filters(stage.source, stage.target) if one.l_out == l_out]
            parts = weight.split([len(one.degrees) * self.n_radial for one in mine], dim=2)
            found = {}
            for one, part in zip(mine, parts, strict=True):
                product = part.transpose(2, 3).flatten(0, 2) @ self.tables[one]  # (p d c, v o i)
                shape = (len(weight), channels, channels, -1, 2 * l_out + 1, 2 * one.l_in + 1)
                found[one.l_in, one.degrees[0] % 2] = product.view(shape)
            for p, irrep_out in enumerate(irrep for irrep in stage.target.irreps if irrep.l == l_out):
                row = []
                for irrep_in in stage.source.irreps:
                    block = found.get((irrep_in.l, int(irrep_in.parity != irrep_out.parity)))
                    shape = (channels, channels, self.n_vectors, irrep_out.dim, irrep_in.dim)
                    row.append(torch.zeros(shape, dtype=weight.dtype) if block is None else block[p])
                rows.append(torch.cat(row, dim=4))
        kernels = torch.cat(rows, dim=3).permute(2, 0, 3, 1, 4)  # (v, d, o, c, i)
        return kernels.flatten(3, 4).flatten(1, 2)

    def square(self, stage: Stage, rest: Tensor, change: Tensor) -> tuple[Tensor, Tensor]:
        """Add the mixed tensor square, to the parent's features and to what the fields change in them."""
        parts = []
        for irrep in stage.target.irreps:
            table = torch.from_numpy(square_table(stage.source, irrep).copy())
            weight = self.weights[f"{stage.name}.{irrep}".replace(".", "_")] / sqrt(len(table))
            parts.append(torch.einsum("cp,poij->cijo", weight, table).flatten(1, 2))
        tables = torch.cat(parts, dim=2)  # (c, i j, o)
        squares = torch.bmm(_products(rest), tables).transpose(0, 1)
        parts = [torch.bmm(_products(some), tables) for some in change.split(SITES_AT_ONCE)]
        changed = torch.cat(parts, dim=1).transpose(0, 1) + self.cross_terms(tables, rest, change)
        mixed = [
            self.mix(sites, stage.target, self.weights[f"{stage.name}.linear".replace(".", "_")], one)
            for sites, one in ((self.rest, squares), (self.sites, changed))
        ]
        columns = torch.from_numpy(stage.source.columns_of(stage.target))
        return (rest[..., columns] + mixed[0]) / sqrt(2), (change[..., columns] + mixed[1]) / sqrt(2)

    def cross_terms(self, tables: Tensor, rest: Tensor, change: Tensor) -> Tensor:
        """Return x0 d + d x0 of the squares (n_sites, c, o): one matrix per class of sites and channel."""
        dim = rest.shape[2]
        square = tables.unflatten(1, (dim, dim))  # (c, i, j, o)
        first = torch.einsum("cijo,kcj->kcio", square, rest.roll(1, dims=1))
        second = torch.einsum("cijo,kci->kcjo", square, rest)
        both = torch.cat([change, change.roll(1, dims=1)], dim=2).transpose(0, 1)
        matrices = torch.cat([first, second], dim=2)
        out = torch.zeros(len(both), len(change), tables.shape[2], dtype=change.dtype)
        for sites, matrix in zip(self.by_class, matrices.unbind(), strict=True):
            out.index_add_(1, sites, both.index_select(1, sites) @ matrix)
        return out.transpose(0, 1)


def _products(x: Tensor) -> Tensor:
    """Return all products of a channel with the one before it, (channels, n_sites, i j)."""
    left, right = x.transpose(0, 1), x.roll(1, dims=1).transpose(0, 1)
    return (left[..., :, None] * right[..., None, :]).flatten(2)
