"""What acts on single sites: mixing of channels, and the tensor square. Forward, and backward for many residuals.

Letters in index comments: R residual, m orbit, c channel in, d channel out, i component in, o component out, s kind.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
import torch
from torch import Tensor

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

    def backward(self, grad: Tensor, x: Tensor, expanded: Tensor) -> tuple[Tensor, Tensor]:
        """Pull covectors (m, R, d, i) back to x (m, R, c, i) and to the weight (R, n)."""
        grad_x = (grad.permute(0, 3, 1, 2) @ expanded).permute(0, 2, 3, 1)
        spread = (x.transpose(1, 2)[..., None] * self.indicator).flatten(0, 1).flatten(1)  # (m i, c s irrep)
        grad_w = grad.permute(1, 2, 0, 3).flatten(2) @ (spread * self.scale)
        return grad_x, grad_w.flatten(1)


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
        """Pull covectors (m, R, d, o) back to z and to the weights of this stage."""
        z, rolled, square, paths, expanded = tape
        grad = grad / sqrt(2)
        grad_square, grad_linear = self.linear.backward(grad, square, expanded)  # (m, R, c, o)
        grads = {}
        for irrep, where in self.stage.target.slices.items():
            rows = grad_square[..., where].permute(2, 1, 0, 3).flatten(2)  # (c, R, m o)
            values = paths[irrep].permute(1, 0, 3, 2).flatten(1, 2)  # (c, m o, path)
            grads[f"{self.stage.name}.{irrep}"] = (rows @ values).transpose(0, 1).flatten(1)
        grads[f"{self.stage.name}.linear"] = grad_linear
        channels, n_out, dim, _ = kernel.shape
        by_first = kernel.flatten(1, 2) @ rolled.permute(1, 2, 0)  # (c, o i, m)
        by_second = kernel.transpose(2, 3).flatten(1, 2) @ z.permute(1, 2, 0)  # (c, o j, m)
        both = torch.stack([by_first.view(channels, n_out, dim, -1), by_second.view(channels, n_out, dim, -1)], dim=2)
        pulled = grad_square.transpose(1, 2) @ both.flatten(2, 3).permute(3, 0, 1, 2)  # (m, c, R, 2 i)
        first, second = pulled.unflatten(3, (2, dim)).unbind(dim=3)
        grad_z = (first + second.roll(-1, dims=1)).transpose(1, 2).contiguous()
        grad_z[..., self.columns] += grad
        return grad_z, grads
