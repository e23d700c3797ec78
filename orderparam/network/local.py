"""What acts on single sites: mixing of channels, and the tensor square. Forward, and backward for many residuals.

Letters in index comments: g group of residuals, R residual of a group,
m orbit, c channel in, d channel out, i component in, o component out, s kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import torch
from torch import Tensor

from orderparam.o3 import Irrep

from .layout import Layout, Stage, square_table

Weights = dict[str, Tensor]


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

    def tangent(self, x: Tensor, expanded: Tensor) -> LinearTangent:
        """Return the derivative at x (m, c, i)."""
        spread = x.transpose(1, 2)[..., None] * self.indicator
        return LinearTangent(expanded, spread.flatten(2) * self.scale)


@dataclass(frozen=True)
class LinearTangent:
    """The derivative of a linear map by its weight and its argument: `expanded` (m, i, d, c), `spread` (m, i, n)."""

    expanded: Tensor
    spread: Tensor

    def backward(self, grad: Tensor, sites: Tensor) -> tuple[Tensor, Tensor]:
        """Pull covectors (g, m, R, d, i) at sites (g, m) back to x (g, m, R, c, i) and to the weight (g, R, n)."""
        grad_x = (grad.permute(0, 1, 4, 2, 3) @ self.expanded[sites]).permute(0, 1, 3, 4, 2)
        spread = self.spread[sites].flatten(1, 2)[:, None]  # (g, 1, m i, n)
        grad_w = grad.permute(0, 2, 3, 1, 4).flatten(3) @ spread
        return grad_x, grad_w.flatten(2)


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

    def tangent(self, tape: tuple, weights: Weights) -> SquareTangent:
        """Return the derivative at the point of a tape."""
        z, rolled, square, paths, expanded = tape
        kernel = self.kernel(weights)
        channels, n_out, dim, _ = kernel.shape
        by_first = kernel.flatten(1, 2) @ rolled.permute(1, 2, 0)  # (c, o i, m)
        by_second = kernel.transpose(2, 3).flatten(1, 2) @ z.permute(1, 2, 0)  # (c, o j, m)
        both = torch.stack([by_first.view(channels, n_out, dim, -1), by_second.view(channels, n_out, dim, -1)], dim=2)
        values = {irrep: part.transpose(2, 3) for irrep, part in paths.items()}  # (m, c, o, path)
        matrix = both.flatten(2, 3).permute(3, 0, 1, 2).contiguous()  # (m, c, o, 2 i)
        return SquareTangent(self.stage, self.linear.tangent(square, expanded), values, matrix, self.columns)


@dataclass(frozen=True)
class SquareTangent:
    """The derivative of a tensor square by its weights (`values`, (m, c, o, path)) and its argument (`matrix`)."""

    stage: Stage
    linear: LinearTangent
    values: dict[Irrep, Tensor]
    matrix: Tensor
    columns: Tensor

    def backward(self, grad: Tensor, sites: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Pull covectors (g, m, R, d, o) at sites (g, m) back to z and to the weights of this stage."""
        grad = grad / sqrt(2)
        grad_square, grad_linear = self.linear.backward(grad, sites)  # (g, m, R, c, o)
        grads = {f"{self.stage.name}.linear": grad_linear}
        for irrep, where in self.stage.target.slices.items():
            rows = grad_square[..., where].permute(0, 3, 2, 1, 4).flatten(3)  # (g, c, R, m o)
            values = self.values[irrep][sites].transpose(1, 2).flatten(2, 3)  # (g, c, m o, path)
            grads[f"{self.stage.name}.{irrep}"] = (rows @ values).transpose(1, 2).flatten(2)
        pulled = grad_square.transpose(2, 3) @ self.matrix[sites]  # (g, m, c, R, 2 i)
        first, second = pulled.unflatten(4, (2, -1)).unbind(dim=4)
        grad_z = (first + second.roll(-1, dims=2)).transpose(2, 3).contiguous()
        grad_z[..., self.columns] += grad
        return grad_z, grads
