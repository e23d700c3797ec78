"""How features and weights are laid out: which irreps, which couplings, which named arrays of weights.

A feature of a site is an array (channels, dim): the irreps of a `Layout` one after the other, in e3nn's basis.
"""
# ruff: noqa: E741

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from math import sqrt

import numpy as np

from orderparam.o3 import Irrep, spherical_harmonics, wigner_3j, wigner_d

from .problem import Architecture

FILTER_MAX = 2  # spherical harmonics of the convolution: higher ones were never of use


@dataclass(frozen=True)
class Layout:
    """An ordered set of irreps, each once per channel."""

    irreps: tuple[Irrep, ...]

    @classmethod
    def all_up_to(cls, lmax: int) -> Layout:
        """Return all irreps with l <= lmax: 0e, 0o, 1e, 1o, ..."""
        return cls(tuple(Irrep(l, parity) for l in range(lmax + 1) for parity in (1, -1)))

    @cached_property
    def dim(self) -> int:
        """Components of one channel."""
        return sum(irrep.dim for irrep in self.irreps)

    @cached_property
    def slices(self) -> dict[Irrep, slice]:
        """Where each irrep stands among the components."""
        ends = np.cumsum([irrep.dim for irrep in self.irreps]).tolist()
        return {irrep: slice(end - irrep.dim, end) for irrep, end in zip(self.irreps, ends, strict=True)}

    @cached_property
    def lmax(self) -> int:
        """Largest degree."""
        return max(irrep.l for irrep in self.irreps)

    def parities(self, l: int) -> int:
        """Return how many parities of a degree there are: both, or the even one alone."""
        return sum(irrep.l == l for irrep in self.irreps)

    def block(self, l: int) -> slice:
        """Return where a degree stands among the components, all parities together."""
        start = self.slices[Irrep(l, 1)].start
        return slice(start, start + self.parities(l) * (2 * l + 1))

    @cached_property
    def irrep_of(self) -> np.ndarray:
        """Index of the irrep of every component (dim,)."""
        return np.repeat(np.arange(len(self.irreps)), [irrep.dim for irrep in self.irreps])

    def columns_of(self, other: Layout) -> np.ndarray:
        """Return where the components of another layout, contained in this one, stand in this one."""
        return np.concatenate([np.arange(self.dim)[self.slices[irrep]] for irrep in other.irreps])

    def matrices(self, rotations: np.ndarray) -> np.ndarray:
        """Return the block-diagonal matrices D(R), (n, dim, dim), of rotations (n, 3, 3)."""
        out = np.zeros((len(rotations), self.dim, self.dim))
        for irrep, where in self.slices.items():
            out[:, where, where] = wigner_d(irrep, rotations)
        return out


READOUT = Layout((Irrep(0, 1), Irrep(1, -1), Irrep(2, 1)))  # strain trace, displacement, rest of the strain
READOUT_SCALE = 0.25  # angstrom (strains alike): features and inputs are of order one, distortions are smaller
DISPLACEMENT = READOUT.slices[Irrep(1, -1)]
STRAIN = [0, 4, 5, 6, 7, 8]  # components 0e and 2e of READOUT


@dataclass(frozen=True)
class Filter:
    """Convolution paths from degree l_in to degree l_out that share the parity of the filter degree.

    Parities multiply: p_out = p_in (-1)^degree.
    """

    l_out: int
    l_in: int
    degrees: tuple[int, ...]

    def kernels(self, vectors: np.ndarray) -> np.ndarray:
        """Return the angular kernels of edges.

        Parameters
        ----------
        vectors : (n, 3) float64
            Edge vectors.

        Returns
        -------
        (n, n_degrees, 2 l_out + 1, 2 l_in + 1) float64
            Q_oi = sqrt((2 l_out + 1)(2 l_f + 1)) sum_f C_oif Y_f(v): a random feature keeps its variance.
        """
        found = [
            np.einsum("oif,nf->noi", wigner_3j(self.l_out, self.l_in, l), spherical_harmonics(l, vectors))
            * sqrt((2 * self.l_out + 1) * (2 * l + 1))
            for l in self.degrees
        ]
        return np.stack(found, axis=1)


@cache
def filters(source: Layout, target: Layout) -> tuple[Filter, ...]:
    """List the filters of a convolution, ordered by l_out, l_in and the parity of the filter degree."""
    found = []
    for l_out in {irrep.l: None for irrep in target.irreps}:
        for l_in in range(source.lmax + 1):
            allowed = range(abs(l_out - l_in), min(l_out + l_in, FILTER_MAX) + 1)
            for parity in (0, 1):
                degrees = tuple(l for l in allowed if l % 2 == parity)
                if degrees:
                    found.append(Filter(l_out, l_in, degrees))
    return tuple(found)


@cache
def square_table(layout: Layout, out: Irrep) -> np.ndarray:
    """Return all ways to couple two features to an irrep.

    Returns
    -------
    (n_paths, 2l+1, dim, dim) float64, read-only
        sqrt(2l+1) C_ijo for every ordered pair of irreps of the layout whose product contains the irrep.
    """
    tables = []
    for first, where in layout.slices.items():
        for second, there in layout.slices.items():
            triangle = abs(first.l - second.l) <= out.l <= first.l + second.l
            if triangle and first.parity * second.parity == out.parity:
                table = np.zeros((out.dim, layout.dim, layout.dim))
                table[:, where, there] = sqrt(out.dim) * np.moveaxis(wigner_3j(first.l, second.l, out.l), -1, 0)
                tables.append(table)
    stacked = np.array(tables)
    stacked.setflags(write=False)
    return stacked


@dataclass(frozen=True)
class Stage:
    """One step of the network.

    Attributes
    ----------
    name : str
        Prefix of the names of its weights.
    kind : str
        "convolve": z = (sum over neighbours + linear) / sqrt 2; "square": x' = (z + mixed tensor square) / sqrt 2.
    source, target : Layout
        Features before and after.
    """

    name: str
    kind: str
    source: Layout
    target: Layout


def stages(architecture: Architecture) -> tuple[Stage, ...]:
    """Return the steps of a network in order.

    The last layer carries a 2e before its square, whatever lmax is: without it a network of lmax 1 cannot reach the
    third-order modes of tilted perovskites.
    """
    hidden, found = Layout.all_up_to(architecture.lmax), []
    for layer in range(architecture.layers):
        last = layer == architecture.layers - 1
        inner = Layout((*hidden.irreps, Irrep(2, 1))) if last and architecture.lmax < 2 else hidden
        found.append(Stage(f"{layer}.convolve", "convolve", hidden, inner))
        for square in range(architecture.squares):
            done = last and square == architecture.squares - 1
            found.append(Stage(f"{layer}.square{square}", "square", inner, READOUT if done else inner))
    return tuple(found)


@cache
def weight_shapes(architecture: Architecture, n_kinds: int, n_radial: int) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of all weights, in the order in which they stand in one flat vector.

    Axes: convolution (parity of the result, channel out, paths and radial functions, channel in); linear maps
    (channel out, channel in, kind, irrep); squares (channel, path); readout (channel, kind, irrep).
    """
    channels, shapes = architecture.channels, {}
    for stage in stages(architecture):
        if stage.kind == "convolve":
            for l_out in {irrep.l: None for irrep in stage.target.irreps}:
                paths = sum(len(one.degrees) for one in filters(stage.source, stage.target) if one.l_out == l_out)
                shapes[f"{stage.name}.{l_out}"] = (stage.target.parities(l_out), channels, paths * n_radial, channels)
            shapes[f"{stage.name}.linear"] = (channels, channels, n_kinds, len(stage.source.irreps))
        else:
            for irrep in stage.target.irreps:
                shapes[f"{stage.name}.{irrep}"] = (channels, len(square_table(stage.source, irrep)))
            shapes[f"{stage.name}.linear"] = (channels, channels, n_kinds, len(stage.target.irreps))
    shapes["readout"] = (channels, n_kinds, len(READOUT.irreps))
    return shapes


def n_weights(shapes: dict[str, tuple[int, ...]]) -> int:
    """Return the length of the flat vector of weights."""
    return sum(int(np.prod(shape)) for shape in shapes.values())


def draw_weights(
    shapes: dict[str, tuple[int, ...]], n_kinds: int, channels: int, seed: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a start.

    Returns
    -------
    weights : (n_weights,) float64
        Normal numbers N(0, 1): the factors that keep features of order one are in the network.
    embedding : (n_kinds, channels) float64
        One vector of norm sqrt(channels) per species; not trained.
    """
    rng = np.random.default_rng(seed)
    embedding = rng.normal(size=(n_kinds, channels))
    embedding *= sqrt(channels) / np.linalg.norm(embedding, axis=1, keepdims=True)
    return rng.normal(size=n_weights(shapes)), embedding
