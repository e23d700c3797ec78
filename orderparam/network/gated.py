"""A gated network as in the paper, by e3nn (extra ``e3nn``): the baseline that stays linear in its order parameter.

Smidt, Geiger & Miller, Phys. Rev. Research 3, L012002 (2021), used such a network with Adam. Its gates are scalars; no
scalar field on the sites of a tilted perovskite contains the irreps of the target, so that by Schur's lemma the gates
never feel the input, and modes of third order in it (R5+) are never reached, whatever lmax.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from orderparam.errors import InvalidInputError
from orderparam.o3 import Irrep, irreps_to_symmetric

from .graph import EVERYWHERE, Periodic, RadialBasis, choose_cutoff, find_edges, shells_of
from .layout import DISPLACEMENT, READOUT, STRAIN, Layout
from .problem import FitProblem


@contextmanager
def _float64(seed: int) -> Iterator[None]:
    """Build models in float64 from a seed, and leave torch's own state alone."""
    before = torch.get_default_dtype()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        torch.set_default_dtype(torch.float64)
        try:
            yield
        finally:
            torch.set_default_dtype(before)


def _text(layout: Layout, multiplicity: int = 1) -> str:
    return "+".join(f"{multiplicity}x{irrep}" for irrep in layout.irreps)


@dataclass(frozen=True)
class _Graph:
    """Edges with their spherical harmonics and radial functions."""

    centres: Tensor
    neighbours: Tensor
    angular: Tensor
    radial: Tensor


class GatedNetwork(nn.Module):
    """Convolutions with gates between them; a `DistortionModel` on the sites of one cell.

    Parameters
    ----------
    lattice, positions, species
        As in `FitProblem`.
    lmax, layers, multiplicity : int
        Degrees, number of convolutions and copies of every hidden irrep.
    cutoff_factor : float
        As in `Architecture`.
    seed : int
        Of the weights.
    radial, known : RadialBasis and tuple of str, optional
        Radial functions, and the species that the network knows in their order; by default those of these sites.
    periodic : tuple of 3 bool
        As in `FitProblem`.
    """

    def __init__(
        self,
        lattice: np.ndarray | None,
        positions: np.ndarray,
        species: Sequence[str],
        *,
        lmax: int = 2,
        layers: int = 2,
        multiplicity: int = 6,
        cutoff_factor: float = 1.3,
        seed: int,
        radial: RadialBasis | None = None,
        known: tuple[str, ...] | None = None,
        periodic: Periodic = EVERYWHERE,
    ) -> None:
        super().__init__()
        self.size: dict[str, Any] = {"lmax": lmax, "layers": layers, "multiplicity": multiplicity, "seed": seed}
        self.finite = lattice is None
        try:
            from e3nn import o3
        except ImportError as missing:
            raise InvalidInputError("the gated network needs e3nn: pip install 'orderparam[e3nn]'") from missing
        self.known = kinds = known or tuple(sorted(set(species)))
        cutoff = radial.cutoff if radial else choose_cutoff(lattice, positions, cutoff_factor, periodic)
        edges = find_edges(lattice, positions, cutoff)
        self.radial_basis = radial = radial or RadialBasis.on_shells(cutoff, shells_of(edges.lengths))
        self.source = Layout.all_up_to(lmax)
        self.kinds = torch.tensor([kinds.index(name) for name in species])
        with _float64(seed):
            sh = o3.Irreps.spherical_harmonics(2)
            self.graph = _Graph(
                torch.from_numpy(edges.centres),
                torch.from_numpy(edges.neighbours),
                o3.spherical_harmonics(sh, torch.from_numpy(edges.vectors), True, "component"),
                torch.from_numpy(radial(edges.lengths)),
            )
            n_radial = self.graph.radial.shape[1]
            given = o3.Irreps(f"{len(kinds)}x0e") + o3.Irreps(_text(self.source))
            hidden = o3.Irreps(_text(self.source, multiplicity))
            self.layers = nn.ModuleList()
            for _ in range(layers - 1):
                layer = _GatedLayer(given, sh, hidden, n_radial)
                self.layers.append(layer)
                given = layer.irreps_out
            self.last = _Convolution(given, sh, o3.Irreps(_text(READOUT)), n_radial)
        self.one_hot = torch.nn.functional.one_hot(self.kinds, len(kinds)).double()

    def features(self, fields: Tensor) -> Tensor:
        """Return the readout of every site (n_sites, 9)."""
        x = torch.cat([self.one_hot, fields], dim=1)
        for layer in (*self.layers, self.last):
            x = layer(x, self.graph)
        return x

    def forward(self, fields: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate f(h) - f(0) for fields (n_sites, dim); as `PlainNetwork.forward`."""
        out = self.features(fields) - self.features(torch.zeros_like(fields))
        displacements = out[:, DISPLACEMENT]
        return displacements - displacements.mean(dim=0), out[:, STRAIN].mean(dim=0)

    def predict(self, inputs: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return displacements (n_sites, 3), angstrom, and strain (3, 3); as `TrainedNetwork.predict`."""
        with torch.no_grad():
            displacements, strain = self(torch.from_numpy(self.fields(inputs)))
        return displacements.numpy(), np.zeros((3, 3)) if self.finite else irreps_to_symmetric(strain.numpy())

    def on(self, lattice: np.ndarray | None, positions: np.ndarray, species: Sequence[str]) -> GatedNetwork:
        """Return the same network on other sites; as `TrainedNetwork.on`."""
        unknown = sorted(set(species) - set(self.known))
        if unknown:
            raise InvalidInputError(f"network: trained for {', '.join(self.known)}, not for {', '.join(unknown)}")
        moved = GatedNetwork(lattice, positions, species, **self.size, radial=self.radial_basis, known=self.known)
        moved.load_state_dict(self.state_dict())
        return moved

    def fields(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        """Return named input fields in one array (n_sites, dim)."""
        fields = np.zeros((len(self.kinds), self.source.dim))
        for name, values in inputs.items():
            irrep = Irrep.parse(name.partition(" ")[0].rsplit(":", 1)[-1])
            if irrep not in self.source.slices or np.shape(values) != (len(self.kinds), irrep.dim):
                raise InvalidInputError(
                    f"input {name}: expected ({len(self.kinds)}, {irrep.dim}), received {np.shape(values)}"
                )
            fields[:, self.source.slices[irrep]] += values
        return fields


class _Convolution(nn.Module):
    """Sum over neighbours of a tensor product with spherical harmonics, weights by the distance."""

    def __init__(self, irreps_in: object, irreps_sh: object, irreps_out: object, n_radial: int) -> None:
        super().__init__()
        from e3nn import o3
        from e3nn.nn import FullyConnectedNet

        self.linear = o3.Linear(irreps_in, irreps_out)
        self.product = o3.FullyConnectedTensorProduct(irreps_in, irreps_sh, irreps_out, shared_weights=False)
        self.weights = FullyConnectedNet([n_radial, 32, self.product.weight_numel], torch.nn.functional.silu)

    def forward(self, x: Tensor, graph: _Graph) -> Tensor:
        """Return the new features of every site."""
        moved = self.product(x[graph.neighbours], graph.angular, self.weights(graph.radial))
        summed = torch.zeros(len(x), moved.shape[1], dtype=x.dtype).index_add(0, graph.centres, moved)
        return (summed * (len(x) / len(graph.centres)) ** 0.5 + self.linear(x)) / 2**0.5


class _GatedLayer(nn.Module):
    """A convolution whose result is multiplied by scalars that it gives along with it."""

    def __init__(self, irreps_in: object, irreps_sh: object, hidden: object, n_radial: int) -> None:
        super().__init__()
        from e3nn import o3
        from e3nn.nn import Gate

        scalars = o3.Irreps([part for part in hidden if part.ir.l == 0])  # type: ignore[attr-defined]
        rest = o3.Irreps([part for part in hidden if part.ir.l > 0])  # type: ignore[attr-defined]
        gates = o3.Irreps(f"{sum(part.mul for part in rest)}x0e")
        act = [torch.nn.functional.silu if part.ir.p == 1 else torch.tanh for part in scalars]
        self.gate = Gate(scalars, act, gates, [torch.sigmoid], rest)
        self.convolution = _Convolution(irreps_in, irreps_sh, self.gate.irreps_in, n_radial)
        self.irreps_out = self.gate.irreps_out

    def forward(self, x: Tensor, graph: _Graph) -> Tensor:
        """Return the new features of every site."""
        return self.gate(self.convolution(x, graph))


def train_gated(
    problem: FitProblem,
    *,
    seed: int,
    steps: int = 1000,
    rate: float = 1e-2,
    lmax: int = 2,
    on_step: Callable[[int, float], None] | None = None,
) -> tuple[GatedNetwork, dict[str, np.ndarray], float]:
    """Train inputs and weights of a gated network with Adam on the mean squared error, as the paper did.

    Returns
    -------
    network : GatedNetwork
    inputs : dict
        Learned field of every input block, by name.
    largest : float
        Largest distance of an atom from its place where the loss was lowest, angstrom.
    """
    network = GatedNetwork(
        problem.lattice, problem.positions, problem.species, lmax=lmax, seed=seed, periodic=problem.periodic
    )
    rng = np.random.default_rng(seed)
    free = [torch.tensor(0.3 * rng.normal(size=b.n_free), requires_grad=True) for b in problem.inputs]
    bases = [torch.from_numpy(b.basis) for b in problem.inputs]
    target = torch.from_numpy(problem.displacements.copy())
    optimiser = torch.optim.Adam([*network.parameters(), *free], lr=rate)
    lowest, best, kept = np.inf, np.inf, [f.detach().clone() for f in free]
    for step in range(steps):
        fields = torch.zeros(problem.n_sites, network.source.dim, dtype=torch.float64)
        for block, values, basis in zip(problem.inputs, free, bases, strict=True):
            part = torch.einsum("k,kni->ni", values, basis)
            fields = torch.cat(
                [
                    fields[:, : network.source.slices[block.irrep].start],
                    fields[:, network.source.slices[block.irrep]] + part,
                    fields[:, network.source.slices[block.irrep].stop :],
                ],
                dim=1,
            )
        displacements, _ = network(fields)
        error = displacements - target
        loss = (error**2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        largest = float(error.detach().norm(dim=1).max())
        if loss.item() < lowest:
            lowest, best, kept = loss.item(), largest, [f.detach().clone() for f in free]
        if on_step is not None:
            on_step(step, largest)
    inputs = {
        b.name: torch.einsum("k,kni->ni", f, basis).numpy()
        for b, f, basis in zip(problem.inputs, kept, bases, strict=True)
    }
    return network, inputs, best
