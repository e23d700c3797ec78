"""The convolution between orbit representatives, as fixed tables times weights.

For an input that is invariant under a group H every feature obeys x_j = D(g_j) x_rep(j), so that the sum over
neighbours is a linear map between representatives, tabulated once per structure:

    A[r, s] = sum over edges from r to sites j of orbit s of Q(v) B(|v|) D(g_j) / sqrt(mean number of neighbours)

Letters in index comments: g group of residuals, R residual of a group, m orbit, k slot (an orbit that is a neighbour),
p parity of the result (even, odd), c channel in, d channel out, i component in, o component out, q path and radial
function.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import torch
from torch import Tensor

from orderparam.o3 import Irrep, wigner_d

from .graph import Edges, RadialBasis
from .layout import Filter, Stage, filters
from .local import Linear, LinearTangent, Weights
from .orbits import Orbits


@dataclass(frozen=True)
class Reach:
    """A step of the reverse pass for groups of residuals: from the orbits where they are to those that these hear.

    Attributes
    ----------
    sites, sources : (g, m), (g, m') int64
        Orbits before and after, per group; where a group has fewer the rest stays without covectors.
    own : (before, after), int64
        Places of the same orbits among `sites` and among `sources`, groups one after the other.
    rounds : list of (centres, sources, pairs)
        Places of neighbouring orbits among `sites` and among `sources`, and the number of the pair.
    """

    sites: Tensor
    sources: Tensor
    own: tuple[Tensor, Tensor]
    rounds: list[tuple[Tensor, Tensor, slice | Tensor]]


class ConvolutionTables:
    """The linear maps between orbit representatives that the parent's geometry fixes.

    Attributes
    ----------
    slots : (m, k) int64
        Orbits that are neighbours of an orbit (padded; all of them if that is not much more).
    forward : dict (l_in, odd) -> (p, m, rows, k i)
        Rows are (filter, o, q).
    rows : dict (l_in, odd) -> filter -> slice of the rows
    ends : tuple of (n_pairs,) int64
        Centre and source of every pair of neighbouring orbits.
    everywhere : Reach
        All orbits at once, in rounds that hit every source at most once.
    by_pair : dict filter -> (p, pair o i, q)
        Only parities that the target has.
    """

    def __init__(self, stage: Stage, edges: Edges, radial: RadialBasis, orbits: Orbits, n_sites: int) -> None:
        self.filters = filters(stage.source, stage.target)
        orbit_number = np.full(n_sites, -1)
        orbit_number[orbits.representatives] = np.arange(orbits.n_orbits)
        kept = orbit_number[edges.centres] >= 0
        here, there = orbit_number[edges.centres[kept]], orbits.orbit_of[edges.neighbours[kept]]
        pair, edge_pair = np.unique(here * orbits.n_orbits + there, return_inverse=True)
        centre, source = np.divmod(pair, orbits.n_orbits)
        slots, slot = _slots(centre, source, orbits.n_orbits)
        self.slots, order = torch.from_numpy(slots), self._make_rounds(centre, source, orbits.n_orbits)
        vectors, sites = edges.vectors[kept], edges.neighbours[kept]
        values = radial(edges.lengths[kept]) / np.sqrt(len(edges.centres) / n_sites)
        turns = {
            (degree, p): wigner_d(Irrep(degree, p), orbits.rotations)[sites]
            for degree in range(stage.source.lmax + 1)
            for p in (1, -1)
        }
        collected: dict[tuple[int, int], list[np.ndarray]] = {}
        self.by_pair, self.rows = {}, {}
        for one in self.filters:
            odd = one.degrees[0] % 2
            angular = one.kernels(vectors).transpose(0, 2, 1, 3)[:, :, :, None] * values[:, None, None, :, None]
            angular = angular.reshape(*angular.shape[:2], -1, angular.shape[-1])  # (e, o, q, i)
            turned = [_sum_by(edge_pair, angular @ turns[one.l_in, p][:, None], len(pair)) for p in (1, -1)]
            table = np.array(turned[::-1] if odd else turned)  # (p, pair, o, q, i)
            dense = np.zeros((2, *slots.shape, *table.shape[2:]))
            dense[:, centre, slot] = table
            rows = dense.transpose(0, 1, 3, 4, 2, 5).reshape(2, len(slots), table.shape[2] * table.shape[3], -1)
            parts = collected.setdefault((one.l_in, odd), [])
            begin = sum(part.shape[2] for part in parts)
            parts.append(rows)
            self.rows.setdefault((one.l_in, odd), {})[one] = slice(begin, begin + rows.shape[2])
            listed = table[: stage.target.parities(one.l_out), order].transpose(0, 1, 2, 4, 3)
            self.by_pair[one] = torch.from_numpy(listed.reshape(len(listed), -1, table.shape[3]))
        self.forward = {key: torch.from_numpy(np.concatenate(parts, axis=2)) for key, parts in collected.items()}

    def _make_rounds(self, centre: np.ndarray, source: np.ndarray, n_orbits: int) -> np.ndarray:
        """Order the pairs in rounds and return the order."""
        by_source = np.argsort(source, kind="stable")
        counts = np.bincount(source)
        rank = np.arange(len(source)) - np.repeat(np.cumsum(counts) - counts, counts)
        order = by_source[np.argsort(rank, kind="stable")]
        bounds = np.cumsum(np.bincount(rank))
        self.ends, rounds = (centre[order], source[order]), []
        for begin, end in zip(np.append(0, bounds[:-1]).tolist(), bounds.tolist(), strict=True):
            some = order[begin:end]
            rounds.append((torch.from_numpy(centre[some]), torch.from_numpy(source[some]), slice(begin, end)))
        every = torch.arange(n_orbits)
        self.everywhere = Reach(every[None], every[None], (every, every), rounds)
        return order

    def from_some(self, groups: Sequence[np.ndarray]) -> tuple[Reach, list[np.ndarray]]:
        """Return the step of the reverse pass from some orbits per group, sorted, and the orbits reached."""
        centres, sources = self.ends
        pairs = [np.flatnonzero(np.isin(centres, sites)) for sites in groups]
        reached = [np.union1d(sites, sources[mine]) for sites, mine in zip(groups, pairs, strict=True)]
        before, after = (max(len(sites) for sites in level) for level in (groups, reached))
        own: tuple[list, list] = ([], [])
        ends: tuple[list, list] = ([], [])
        for g, (sites, mine, found) in enumerate(zip(groups, pairs, reached, strict=True)):
            own[0].append(g * before + np.arange(len(sites)))
            own[1].append(g * after + np.searchsorted(found, sites))
            ends[0].append(g * before + np.searchsorted(sites, centres[mine]))
            ends[1].append(g * after + np.searchsorted(found, sources[mine]))
        same = (_joined(own[0]), _joined(own[1]))
        rounds: list[tuple[Tensor, Tensor, slice | Tensor]] = [(_joined(ends[0]), _joined(ends[1]), _joined(pairs))]
        return Reach(_padded(groups), _padded(reached), same, rounds), reached


def _joined(parts: Sequence[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.concatenate(parts))


def _padded(groups: Sequence[np.ndarray]) -> Tensor:
    """Return lists of different lengths as one array, filled up with zeros."""
    out = torch.zeros(len(groups), max(len(one) for one in groups), dtype=torch.int64)
    for row, one in zip(out, groups, strict=True):
        row[: len(one)] = torch.from_numpy(one)
    return out


def _slots(first: np.ndarray, second: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return for every orbit the partners of its pairs (n, k), padded with 0, and the slot of every pair.

    The pairs come ordered by `first`.
    """
    counts = np.bincount(first, minlength=n)
    if counts.max() > n / 2:
        return np.broadcast_to(np.arange(n), (n, n)).copy(), second
    slot = np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)
    slots = np.zeros((n, counts.max()), dtype=int)
    slots[first, slot] = second
    return slots, slot


def _sum_by(labels: np.ndarray, values: np.ndarray, n: int) -> np.ndarray:
    """Add up values (n_values, ...) of equal label: (n, ...)."""
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], np.arange(n))
    return np.add.reduceat(values[order], starts, axis=0)


class Convolution:
    """z = (sum over neighbours + Linear) / sqrt 2 on orbit representatives."""

    def __init__(self, stage: Stage, tables: ConvolutionTables, kinds: np.ndarray, channels: int) -> None:
        self.stage, self.tables, self.channels = stage, tables, channels
        self.linear = Linear(stage.source, kinds, channels)
        self.blocks = {irrep.l: stage.target.block(irrep.l) for irrep in stage.target.irreps}

    def forward(self, x: Tensor, weights: Weights) -> tuple[Tensor, tuple]:
        """Apply to x (m, c, i); the tape keeps what the reverse pass needs."""
        expanded = self.linear.expand(weights[f"{self.stage.name}.linear"])
        gathered = self.gather(x)
        parts, pieces = [], []
        for l_out in self.blocks:
            piece = torch.cat([gathered[one] for one in gathered if one.l_out == l_out], dim=3)  # (p, m, o, q, c)
            weight = weights[f"{self.stage.name}.{l_out}"].flatten(2)  # (p, d, q c)
            piece = piece[: len(weight)].flatten(3).flatten(1, 2)  # (p, m o, q c)
            part = piece @ weight.transpose(1, 2) / sqrt(weight.shape[2])
            parts.append(part.view(len(part), len(x), -1, self.channels).permute(1, 3, 0, 2).flatten(2))
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
        """Return the convolution as one matrix per pair of orbits: (pair, d o, c i)."""
        source, target, channels, n = self.stage.source, self.stage.target, self.channels, len(self.tables.ends[0])
        out = torch.zeros(n, channels, target.dim, channels, source.dim, dtype=torch.float64)
        offset = dict.fromkeys(self.blocks, 0)
        for one in self.tables.filters:
            weight = weights[f"{self.stage.name}.{one.l_out}"]  # (p, d, q, c)
            table, begin = self.tables.by_pair[one], offset[one.l_out]
            end = offset[one.l_out] = begin + table.shape[2]
            chosen = weight[:, :, begin:end] / sqrt(weight.shape[2] * channels)
            product = table @ chosen.transpose(1, 2).flatten(2)  # (p, pair o i, d c)
            n_out, n_in = 2 * one.l_out + 1, 2 * one.l_in + 1
            product = product.view(len(weight), n, n_out, n_in, channels, channels).permute(0, 1, 4, 2, 5, 3)
            for p in range(len(weight)):
                row = self.blocks[one.l_out].start + p * n_out
                column = 2 * one.l_in**2 + (p ^ (one.degrees[0] % 2)) * n_in
                out[:, :, row : row + n_out, :, column : column + n_in] = product[p]
        return out.flatten(3).flatten(1, 2)

    def tangent(self, tape: tuple) -> ConvolutionTangent:
        """Return the derivative at the point of a tape."""
        x, pieces, expanded = tape
        linear = self.linear.tangent(x, expanded)
        values = [piece.unflatten(1, (len(x), -1)).transpose(0, 1) / sqrt(piece.shape[2]) for piece in pieces]
        return ConvolutionTangent(self.stage, linear, dict(zip(self.blocks, values, strict=True)), self.blocks)


@dataclass(frozen=True)
class ConvolutionTangent:
    """The derivative of a convolution by its weights, `values` (m, p, o, q c) for every l_out, and on the same site."""

    stage: Stage
    linear: LinearTangent
    values: dict[int, Tensor]
    blocks: dict[int, slice]

    def backward(self, grad: Tensor, sites: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Pull covectors (g, m, R, d, o) at sites (g, m) back to the weights, and to x on the same orbits."""
        grad = grad / sqrt(2)
        grads = {}
        for l_out, values in self.values.items():
            block = grad[..., self.blocks[l_out]].unflatten(4, (-1, 2 * l_out + 1))  # (g, m, R, d, p, o)
            block = block.permute(0, 4, 2, 3, 1, 5).flatten(4).flatten(2, 3)  # (g, p, R d, m o)
            product = block @ values[sites].transpose(1, 2).flatten(2, 3)  # (g, p, R d, q c)
            product = product.unflatten(2, (grad.shape[2], -1)).transpose(1, 2)
            grads[f"{self.stage.name}.{l_out}"] = product.flatten(2)
        direct, grads[f"{self.stage.name}.linear"] = self.linear.backward(grad[..., : self.stage.source.dim], sites)
        return direct, grads


def to_neighbours(grad: Tensor, direct: Tensor, kernel: Tensor, reach: Reach) -> Tensor:
    """Pull covectors (g, m, R, d, o) back to the neighbours; what reached the orbits themselves is (g, m, R, ...)."""
    (n_groups, n_sources), rows = reach.sources.shape, direct.flatten(0, 1).flatten(2)
    grad = grad.flatten(0, 1).flatten(2) / sqrt(2)
    total = torch.zeros(n_groups * n_sources, *rows.shape[1:], dtype=grad.dtype)
    total[reach.own[1]] = rows[reach.own[0]]
    for centres, sources, where in reach.rounds:
        total.index_add_(0, sources, torch.bmm(grad[centres], kernel[where]))
    return total.view(n_groups, n_sources, *direct.shape[2:])
