"""The network on one site per orbit of the child's group, with a reverse pass for many residuals at once.

For an input that a group H leaves alone every feature obeys x_j = D(g_j) x_rep(j). The convolution then is a fixed
linear map between representatives, tabulated once per structure:

    A[r, s] = sum over edges from r to sites j of orbit s of Q(v) B(|v|) D(g_j) / sqrt(mean number of neighbours)

and everything else acts on single sites. Backward, a stage takes covectors of all residuals together, so that the
full Jacobian costs a few matrix products. Letters in index comments: R residual, m orbit, k slot (an orbit that is a
neighbour), p parity of the result (even, odd), c channel in, d channel out, i component in, o component out,
q path and radial function, s kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import sqrt

import numpy as np
import torch
from torch import Tensor

from ..o3 import Irrep, wigner_d
from .graph import Edges, RadialBasis
from .layout import (
    READOUT,
    Filter,
    Layout,
    Stage,
    filters,
    n_weights,
    square_table,
    stages,
    weight_shapes,
)
from .orbits import Orbits
from .problem import Architecture

Weights = dict[str, Tensor]


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


class Linear:
    """Species-wise channel mixing of every irrep: y[m, d, i] = sum_c W[d, c, kind(m), irrep(i)] x[m, c, i] / sqrt c."""

    def __init__(self, layout: Layout, kinds: np.ndarray, channels: int) -> None:
        self.kinds = torch.from_numpy(kinds)
        self.irreps = torch.from_numpy(layout.irrep_of)
        self.scale = 1 / sqrt(channels)
        n_kinds, n_irreps = int(kinds.max()) + 1, len(layout.irreps)
        kind = np.eye(n_kinds)[kinds][:, None, :, None]
        irrep = np.eye(n_irreps)[layout.irrep_of][None, :, None, :]
        self.indicator = torch.from_numpy((kind * irrep).reshape(len(kinds), layout.dim, 1, -1))

    def expand(self, weight: Tensor) -> Tensor:
        """Return the weight (d, c, s, irrep) for every orbit and component: (m, i, d, c)."""
        return weight.permute(2, 3, 0, 1)[self.kinds[:, None], self.irreps] * self.scale

    def forward(self, x: Tensor, expanded: Tensor) -> Tensor:
        """Apply to x (m, c, i): (m, d, i)."""
        return (expanded @ x.transpose(1, 2)[..., None])[..., 0].transpose(1, 2)

    def backward(self, grad: Tensor, x: Tensor, expanded: Tensor) -> tuple[Tensor, Tensor]:
        """Pull covectors (R, m, d, i) back to x (R, m, c, i) and to the weight (R, n)."""
        grad_x = (grad.permute(1, 3, 0, 2) @ expanded).permute(2, 0, 3, 1)
        spread = (x.transpose(1, 2)[..., None] * self.indicator).flatten(0, 1).flatten(1)  # (m i, c s irrep)
        grad_w = grad.transpose(1, 2).flatten(2) @ (spread * self.scale)
        return grad_x, grad_w.flatten(1)


class Convolution:
    """z = (sum over neighbours + Linear) / sqrt 2 on orbit representatives."""

    def __init__(self, stage: Stage, tables: ConvolutionTables, kinds: np.ndarray, channels: int) -> None:
        self.stage, self.tables, self.channels = stage, tables, channels
        self.linear = Linear(stage.source, kinds, channels)
        self.l_out_max = stage.target.irreps[-1].l

    def forward(self, x: Tensor, weights: Weights) -> tuple[Tensor, tuple]:
        """Apply to x (m, c, i); the tape keeps what the reverse pass needs."""
        expanded = self.linear.expand(weights[f"{self.stage.name}.linear"])
        gathered = self.gather(x)
        parts, pieces = [], []
        for l_out in range(self.l_out_max + 1):
            piece = torch.cat([gathered[f] for f in gathered if f.l_out == l_out], dim=3)  # (p, m, o, q, c)
            piece = piece.flatten(3).flatten(1, 2)  # (p, m o, q c)
            weight = weights[f"{self.stage.name}.{l_out}"].flatten(2)  # (p, d, q c)
            part = piece @ weight.transpose(1, 2) / sqrt(weight.shape[2])
            parts.append(part.view(2, len(x), -1, self.channels).permute(1, 3, 0, 2).flatten(2))
            pieces.append(piece)
        z = torch.cat(parts, dim=2)
        z[..., : self.stage.source.dim] += self.linear.forward(x, expanded)
        return z / sqrt(2), (x, pieces, expanded)

    def gather(self, x: Tensor) -> dict[Filter, Tensor]:
        """Sum neighbours for every filter: (p, m, o, q, c), before the weights."""
        gathered, slots = {}, x[self.tables.slots]  # (m, k, c, i)
        for (l_in, odd), table in self.tables.forward.items():
            start, width = 2 * l_in**2, 2 * l_in + 1
            block = slots[..., start : start + 2 * width].unflatten(3, (2, width))  # (m, k, c, p, i)
            block = block.permute(3, 0, 1, 4, 2).flatten(2, 3)  # (p, m, k i, c)
            rows = table @ (block.flip(0) if odd else block)  # (p, m, rows, c)
            for one, where in self.tables.rows[l_in, odd].items():
                gathered[one] = rows[:, :, where].unflatten(2, (2 * one.l_out + 1, -1))
        return {one: gathered[one] for one in self.tables.filters}

    def kernel(self, weights: Weights) -> Tensor:
        """Return the convolution as matrices from slots of sources: (m, k d o, c i)."""
        source, target, channels = self.stage.source, self.stage.target, self.channels
        n, slots = self.tables.reverse_slots.shape
        out = torch.zeros(n, slots, channels, target.dim, channels, source.dim, dtype=torch.float64)
        offset = dict.fromkeys(range(self.l_out_max + 1), 0)
        for one in self.tables.filters:
            table = self.tables.reverse[one]  # (p, m k o i, q)
            weight = weights[f"{self.stage.name}.{one.l_out}"]  # (p, d, q, c)
            begin, count = offset[one.l_out], table.shape[2]
            offset[one.l_out] += count
            chosen = weight[:, :, begin : begin + count] / sqrt(weight.shape[2] * channels)
            product = table @ chosen.transpose(1, 2).flatten(2)  # (p, m k o i, d c)
            product = product.view(2, n, slots, 2 * one.l_out + 1, 2 * one.l_in + 1, channels, channels)
            product = product.permute(0, 1, 2, 5, 3, 6, 4)  # (p, m, k, d, o, c, i)
            for p in (0, 1):
                rows = slice(2 * one.l_out**2 + p * (2 * one.l_out + 1), 2 * one.l_out**2 + (p + 1) * (2 * one.l_out + 1))
                p_in = p ^ (one.degrees[0] % 2)
                start = 2 * one.l_in**2 + p_in * (2 * one.l_in + 1)
                out[:, :, :, rows, :, start : start + 2 * one.l_in + 1] = product[p]
        return out.flatten(1, 3).flatten(2)

    def backward(self, grad: Tensor, tape: tuple, kernel: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Pull covectors (R, m, d, o) back to x and to the weights of this stage."""
        x, pieces, expanded = tape
        grad = grad / sqrt(2)
        n_rows, n = grad.shape[:2]
        grads = {}
        for l_out, piece in enumerate(pieces):
            start, width = 2 * l_out**2, 2 * l_out + 1
            block = grad[..., start : start + 2 * width].unflatten(3, (2, width))  # (R, m, d, p, o)
            block = block.permute(3, 0, 2, 1, 4).reshape(2, n_rows * self.channels, n * width)
            product = block @ piece / sqrt(piece.shape[2])  # (p, R d, q c)
            grads[f"{self.stage.name}.{l_out}"] = product.unflatten(1, (n_rows, -1)).transpose(0, 1).flatten(1)
        direct, grads[f"{self.stage.name}.linear"] = self.linear.backward(
            grad[..., : self.stage.source.dim], x, expanded
        )
        slots = grad[:, self.tables.reverse_slots].transpose(0, 1).flatten(2)  # (m, R, k d o)
        through = (slots @ kernel).unflatten(2, (self.channels, -1)).transpose(0, 1)
        return direct + through, grads


class Square:
    """x' = (z + Linear(tensor square of z)) / sqrt 2: the only nonlinearity.

    Channel c is multiplied with channel c - 1, so that the antisymmetric products do not vanish.
    """

    def __init__(self, stage: Stage, kinds: np.ndarray, channels: int) -> None:
        self.stage, self.channels = stage, channels
        self.linear = Linear(stage.target, kinds, channels)
        self.columns = torch.from_numpy(stage.source.columns_of(stage.target))
        self.tables = {}
        for irrep in stage.target.irreps:
            table = torch.from_numpy(square_table(stage.source, irrep).copy())
            self.tables[irrep] = table.flatten(1) / sqrt(len(table))  # (path, o i j)
        self.rows = torch.cat([t.view(len(t) * irrep.dim, -1) for irrep, t in self.tables.items()])  # (path o, i j)

    def forward(self, z: Tensor, weights: Weights) -> tuple[Tensor, tuple]:
        """Apply to z (m, c, i)."""
        rolled = z.roll(1, dims=1)
        outer = (z[..., :, None] * rolled[..., None, :]).flatten(2)
        products = outer @ self.rows.T  # (m, c, all paths and components)
        paths, mixed, start = {}, [], 0
        for irrep, table in self.tables.items():
            count = len(table) * irrep.dim
            part = products[..., start : start + count].unflatten(2, (-1, irrep.dim))  # (m, c, path, o)
            start += count
            paths[irrep] = part
            mixed.append((weights[f"{self.stage.name}.{irrep}"][:, None] @ part)[:, :, 0])
        square = torch.cat(mixed, dim=2)  # (m, c, o)
        expanded = self.linear.expand(weights[f"{self.stage.name}.linear"])
        out = (z[..., self.columns] + self.linear.forward(square, expanded)) / sqrt(2)
        return out, (z, rolled, square, paths, expanded)

    def kernel(self, weights: Weights) -> Tensor:
        """Return the coefficients of the quadratic form: (c, o, i, j)."""
        dim, parts = self.stage.source.dim, []
        for irrep, table in self.tables.items():
            parts.append((weights[f"{self.stage.name}.{irrep}"] @ table).view(self.channels, irrep.dim, dim, dim))
        return torch.cat(parts, dim=1)

    def backward(self, grad: Tensor, tape: tuple, kernel: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Pull covectors (R, m, d, o) back to z and to the weights of this stage."""
        z, rolled, square, paths, expanded = tape
        grad = grad / sqrt(2)
        grad_square, grad_linear = self.linear.backward(grad, square, expanded)  # (R, m, c, o)
        grads = {}
        for irrep, where in self.stage.target.slices.items():
            rows = grad_square[..., where].permute(2, 0, 1, 3).flatten(2)  # (c, R, m o)
            values = paths[irrep].permute(1, 0, 3, 2).flatten(1, 2)  # (c, m o, path)
            grads[f"{self.stage.name}.{irrep}"] = (rows @ values).transpose(0, 1).flatten(1)
        grads[f"{self.stage.name}.linear"] = grad_linear
        channels, n_out, dim, _ = kernel.shape
        by_first = kernel.flatten(1, 2) @ rolled.permute(1, 2, 0)  # (c, o i, m)
        by_second = kernel.transpose(2, 3).flatten(1, 2) @ z.permute(1, 2, 0)  # (c, o j, m)
        both = torch.stack([by_first.view(channels, n_out, dim, -1), by_second.view(channels, n_out, dim, -1)], dim=2)
        pulled = grad_square.permute(1, 2, 0, 3) @ both.flatten(2, 3).permute(3, 0, 1, 2)  # (m, c, R, 2 i)
        first, second = pulled.unflatten(3, (2, dim)).unbind(dim=3)
        grad_z = (first + second.roll(-1, dims=1)).permute(2, 0, 1, 3).contiguous()
        grad_z[..., self.columns] += grad
        return grad_z, grads


class ConvolutionTables:
    """The linear maps between orbit representatives that the parent's geometry fixes.

    Attributes
    ----------
    slots : (m, k) int64
        Orbits that are neighbours of an orbit (padded; all of them if that is not much more).
    reverse_slots : (m, k') int64
        Orbits that an orbit is a neighbour of.
    forward : dict (l_in, odd) -> (p, m, rows, k i)
    rows : dict (l_in, odd) -> filter -> slice of the rows
    reverse : dict filter -> (p, m k' o i, q)
    """

    def __init__(self, stage: Stage, edges: Edges, radial: RadialBasis, orbits: Orbits, n_sites: int) -> None:
        self.filters = filters(stage.source.irreps[-1].l, stage.target.irreps[-1].l)
        orbit_number = np.full(n_sites, -1)
        orbit_number[orbits.representatives] = np.arange(orbits.n_orbits)
        kept = orbit_number[edges.centres] >= 0
        here, there = orbit_number[edges.centres[kept]], orbits.orbit_of[edges.neighbours[kept]]
        pair, edge_pair = np.unique(here * orbits.n_orbits + there, return_inverse=True)
        first, second = np.divmod(pair, orbits.n_orbits)
        slots, slot = _slots(first, second, orbits.n_orbits)
        back, back_slot = _slots(second, first, orbits.n_orbits)
        self.slots, self.reverse_slots = torch.from_numpy(slots), torch.from_numpy(back)
        vectors, rotations = edges.vectors[kept], orbits.rotations[edges.neighbours[kept]]
        values = radial(edges.lengths[kept]) / np.sqrt(len(edges.centres) / n_sites)
        collected: dict[tuple[int, int], list[np.ndarray]] = {}
        self.reverse, self.rows = {}, {}
        for one in self.filters:
            odd = one.degrees[0] % 2
            angular = np.einsum("efoi,eb->eofbi", one.kernels(vectors), values)
            angular = angular.reshape(*angular.shape[:2], -1, angular.shape[-1])  # (e, o, q, i)
            turned = [
                np.einsum("eoqi,eij->eoqj", angular, wigner_d(Irrep(one.l_in, p), rotations)) for p in (1, -1)
            ]
            summed = [_sum_by(edge_pair, table, len(pair)) for table in (turned[::-1] if odd else turned)]
            table = np.array(summed)  # (p, pair, o, q, i)
            dense = np.zeros((2, *slots.shape, *table.shape[2:]))
            dense[:, first, slot] = table
            rows = dense.transpose(0, 1, 3, 4, 2, 5).reshape(2, len(slots), table.shape[2] * table.shape[3], -1)
            parts = collected.setdefault((one.l_in, odd), [])
            begin = sum(part.shape[2] for part in parts)
            parts.append(rows)
            self.rows.setdefault((one.l_in, odd), {})[one] = slice(begin, begin + rows.shape[2])
            dense = np.zeros((2, *back.shape, table.shape[2], table.shape[4], table.shape[3]))
            dense[:, second, back_slot] = table.transpose(0, 1, 2, 4, 3)
            self.reverse[one] = torch.from_numpy(dense.reshape(2, -1, table.shape[3]))
        self.forward = {key: torch.from_numpy(np.concatenate(parts, axis=2)) for key, parts in collected.items()}


def _slots(first: np.ndarray, second: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return for every orbit the partners of its pairs (n, k), padded with 0, and the slot of every pair."""
    counts = np.bincount(first, minlength=n)
    if counts.max() > n / 2:
        return np.broadcast_to(np.arange(n), (n, n)).copy(), second
    order = np.argsort(first, kind="stable")
    slot = np.empty(len(first), dtype=int)
    slot[order] = np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)
    slots = np.zeros((n, counts.max()), dtype=int)
    slots[first, slot] = second
    return slots, slot


def _sum_by(labels: np.ndarray, values: np.ndarray, n: int) -> np.ndarray:
    """Add up values (n_values, ...) of equal label: (n, ...)."""
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], np.arange(n))
    return np.add.reduceat(values[order], starts, axis=0)


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
        self.orbits, self.kinds = orbits, torch.from_numpy(kinds[orbits.representatives])
        self.shapes = weight_shapes(architecture, int(kinds.max()) + 1, radial.combination.shape[1])
        self.n_weights = n_weights(self.shapes)
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
        return self.readout.forward(x, expanded)[:, 0], tape

    def kernels(self, flat: Tensor) -> list[Tensor]:
        """Return what the reverse pass needs of the weights alone, one tensor per stage."""
        weights = self.split(flat)
        return [stage.kernel(weights) for stage in self.stages]

    def backward(self, covectors: Tensor, tape: list, kernels: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Pull covectors (R, m, 9) back to the weights (R, n_weights) and to the input fields (R, m, dim)."""
        x, expanded, own = tape[-1]
        grads = {}
        grad, grads["readout"] = self.readout.backward(covectors[:, :, None], x, expanded)
        for stage, memory, kernel in zip(self.stages[::-1], tape[-2::-1], kernels[::-1], strict=True):
            grad, more = stage.backward(grad, memory, kernel)
            grads |= more
        fields = (grad * own[None, :, :, None]).sum(dim=2)
        return torch.cat([grads[name] for name in self.shapes], dim=1), fields
