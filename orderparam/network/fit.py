"""Fit a network and its inputs to a distortion; keep, save and use what was learned."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from ..errors import InvalidInputError, RecordError
from ..o3 import Irrep, irreps_to_symmetric
from .architecture import ArchitectureChoice, assess, choose_architecture
from .graph import RadialBasis, choose_cutoff, find_edges, shells_of
from .layout import DISPLACEMENT, Layout, draw_weights
from .model import PlainNetwork
from .orbits import Orbits
from .problem import Architecture, FitConfig, FitProblem
from .reduced import single_thread
from .residuals import Residuals, build_network
from .solver import Solution, solve

logger = logging.getLogger(__name__)

SCHEMA = "orderparam-network-1"


@dataclass(frozen=True)
class TrainedNetwork:
    """A network with its weights on the sites of one cell; a `DistortionModel`.

    Attributes
    ----------
    architecture : Architecture
        Its size.
    lattice : (3, 3) float64 or None
        Rows, angstrom.
    positions : (n_sites, 3) float64
        Fractional (Cartesian without a lattice).
    species : tuple of str
        Of every site.
    kinds : tuple of str
        The species that it knows, in the order of the embedding.
    radial : RadialBasis
        Cutoff and radial functions.
    weights : (n_weights,) float64
        Flat.
    embedding : (n_kinds, channels) float64
        Species vectors.
    """

    architecture: Architecture
    lattice: np.ndarray | None
    positions: np.ndarray
    species: tuple[str, ...]
    kinds: tuple[str, ...]
    radial: RadialBasis
    weights: np.ndarray
    embedding: np.ndarray

    def module(self) -> PlainNetwork:
        """Return the network as a torch module on all sites, for autograd."""
        edges = find_edges(self.lattice, self.positions, self.radial.cutoff)
        kinds = np.array([self.kinds.index(name) for name in self.species])
        return PlainNetwork(self.architecture, edges, self.radial, kinds, self.weights, self.embedding)

    def predict(self, inputs: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return the distortion for any input fields, invariant or not.

        Parameters
        ----------
        inputs : dict
            Fields (n_sites, 2l+1) by a name that is an irrep or ends in one: "1e", "Mn:1e". Fields of one irrep add.

        Returns
        -------
        displacements : (n_sites, 3) float64
            Cartesian, angstrom, mean zero.
        strain : (3, 3) float64
            Symmetric.

        Raises
        ------
        InvalidInputError
            If a field has the wrong shape or an irrep that the network does not carry.
        """
        layout = Layout.all_up_to(self.architecture.lmax)
        fields = np.zeros((len(self.species), layout.dim))
        for name, values in inputs.items():
            irrep = Irrep.parse(name.rsplit(":", 1)[-1])
            if irrep not in layout.slices or np.shape(values) != (len(self.species), irrep.dim):
                raise InvalidInputError(
                    f"input {name}: expected ({len(self.species)}, {irrep.dim}) with l <= {self.architecture.lmax}, "
                    f"received {np.shape(values)}"
                )
            fields[:, layout.slices[irrep]] += values
        with single_thread():
            return self.module().predict_fields(fields)

    def on(self, lattice: np.ndarray | None, positions: np.ndarray, species: Sequence[str]) -> TrainedNetwork:
        """Return the same network on other sites, such as another supercell of the same parent."""
        unknown = sorted(set(species) - set(self.kinds))
        if unknown:
            raise InvalidInputError(f"network: trained for {', '.join(self.kinds)}, not for {', '.join(unknown)}")
        return TrainedNetwork(
            self.architecture,
            lattice,
            positions,
            tuple(species),
            self.kinds,
            self.radial,
            self.weights,
            self.embedding,
        )

    def save(self, path: str | Path) -> None:
        """Write everything to one safetensors file."""
        arrays = {
            "weights": self.weights,
            "embedding": self.embedding,
            "positions": self.positions,
            "radial": self.radial.combination,
        }
        if self.lattice is not None:
            arrays["lattice"] = self.lattice
        facts = {
            "schema": SCHEMA,
            "architecture": asdict(self.architecture),
            "species": self.species,
            "kinds": self.kinds,
            "cutoff": self.radial.cutoff,
        }
        contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        save_file(contiguous, path, metadata={"orderparam": json.dumps(facts)})

    @classmethod
    def load(cls, path: str | Path) -> TrainedNetwork:
        """Read what `save` wrote.

        Raises
        ------
        RecordError
            If the file is something else.
        """
        try:
            with safe_open(path, framework="numpy") as file:
                facts = json.loads((file.metadata() or {})["orderparam"])
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 not a dict
        except (SafetensorError, KeyError, json.JSONDecodeError) as error:
            raise RecordError(f"{path}: not the weights of an orderparam network ({error})") from error
        if facts.get("schema") != SCHEMA:
            raise RecordError(f"{path}: expected schema {SCHEMA}, received {facts.get('schema')!r}")
        return cls(
            Architecture(**facts["architecture"]),
            arrays.get("lattice"),
            arrays["positions"],
            tuple(facts["species"]),
            tuple(facts["kinds"]),
            RadialBasis(facts["cutoff"], arrays["radial"]),
            arrays["weights"],
            arrays["embedding"],
        )


@dataclass(frozen=True)
class Deviation:
    """How far a result is from its target.

    Attributes
    ----------
    max : float
        Largest distance of an atom from its place, angstrom.
    rms : float
        Root of the mean squared distance, angstrom.
    mean_abs : float
        Mean absolute Cartesian component, angstrom.
    strain : float
        Frobenius norm of the strain's error.
    """

    max: float
    rms: float
    mean_abs: float
    strain: float

    @classmethod
    def between(cls, problem: FitProblem, displacements: np.ndarray, strain: np.ndarray) -> Deviation:
        """Compare a distortion with the target of a problem."""
        error = displacements - problem.displacements
        distances = np.linalg.norm(error, axis=1)
        strain_error = 0.0 if problem.lattice is None else float(np.linalg.norm(strain - problem.strain))
        return cls(
            float(distances.max()), float(np.sqrt((distances**2).mean())), float(np.abs(error).mean()), strain_error
        )


@dataclass(frozen=True)
class FitResult:
    """What was learned.

    Attributes
    ----------
    inputs : dict
        Learned field (n_sites, 2l+1) of every input block, by its name. Their common scale and sign belong to the
        weights as much as to them: only invariants (irreps, isotropy group, direction up to domain) have a meaning.
    displacements : (n_sites, 3) float64
        The network's answer on all sites, Cartesian, angstrom.
    strain : (3, 3) float64
        The network's answer.
    deviation : Deviation
        From the target.
    converged : bool
        Whether every atom is within `FitConfig.accepted` of its place (and the strain, times `strain_length`).
    iterations : int
        Levenberg-Marquardt steps, all starts together.
    restarts : int
        Further starts that were needed.
    choice : ArchitectureChoice
        The architectures tried, and the one used.
    network : TrainedNetwork
        Weights, ready to predict.
    config : FitConfig
        With the seed.
    """

    inputs: dict[str, np.ndarray]
    displacements: np.ndarray
    strain: np.ndarray
    deviation: Deviation
    converged: bool
    iterations: int
    restarts: int
    choice: ArchitectureChoice
    network: TrainedNetwork
    config: FitConfig

    def predict(self, inputs: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return displacements and strain for any input fields on these sites (see `TrainedNetwork.predict`)."""
        return self.network.predict(inputs)


def fit(
    problem: FitProblem,
    config: FitConfig,
    *,
    architecture: Architecture | None = None,
    on_step: Callable[[int, float], None] | None = None,
) -> FitResult:
    """Learn inputs and weights that carry the parent into the child.

    Parameters
    ----------
    problem : FitProblem
        Target and inputs.
    config : FitConfig
        Seed, tolerance, limits.
    architecture : Architecture, optional
        The network's size. Default: what `choose_architecture` finds.
    on_step : callable, optional
        Called with the number of the step within a start and the norm of the residuals, angstrom.

    Returns
    -------
    FitResult
        The best of all starts; look at `converged`. Displacements and strain come from the plain network on all
        sites, not from the reduced one that was trained.
    """
    if architecture is None:
        choice = choose_architecture(problem, config)
    else:
        rung = assess(problem, architecture, config)
        choice = ArchitectureChoice((rung,), rung.unreachable <= config.tolerance)
    orbits = Orbits.of(problem.group)
    residuals = Residuals(problem, build_network(problem, choice.architecture, orbits), config)
    best, embedding, iterations, restart = _best_of_starts(problem, residuals, config, choice, on_step)
    network = _trained(problem, choice.architecture, best.unknowns[: residuals.network.n_weights], embedding)
    inputs, start = {}, residuals.network.n_weights
    for block in problem.inputs:
        inputs[block.name] = np.einsum("k,kni->ni", best.unknowns[start : start + block.n_free], block.basis)
        start += block.n_free
    displacements, strain = network.predict(inputs)
    deviation = Deviation.between(problem, displacements, strain)
    converged = max(deviation.max, deviation.strain * config.strain_length) <= config.accepted
    logger.info("fit: off by at most %.1e angstrom after %d steps", deviation.max, iterations)
    return FitResult(
        inputs, displacements, strain, deviation, converged, iterations, restart, choice, network, config
    )


def _best_of_starts(
    problem: FitProblem,
    residuals: Residuals,
    config: FitConfig,
    choice: ArchitectureChoice,
    on_step: Callable[[int, float], None] | None,
) -> tuple[Solution, np.ndarray, int, int]:
    """Start until a fit converges; a target out of reach is not worth a second start."""
    best: tuple[Solution, np.ndarray] | None = None
    iterations, restart = 0, 0
    with single_thread():
        for restart in range(config.max_restarts + 1 if choice.reachable else 1):
            weights, embedding = draw_weights(
                residuals.network.shapes, len(problem.kinds), choice.architecture.channels, (config.seed, restart)
            )
            residuals.use_embedding(embedding)
            start = np.concatenate([weights, np.zeros(residuals.n_unknowns - len(weights))])
            found = solve(
                residuals.evaluate,
                start,
                tolerance=config.tolerance,
                max_iterations=config.max_iterations,
                on_step=on_step,
            )
            iterations += found.iterations
            if best is None or np.linalg.norm(found.residuals) < np.linalg.norm(best[0].residuals):
                best = found, embedding
            if found.converged:
                break
    if best is None:  # max_restarts is negative
        raise InvalidInputError(f"fit: max_restarts must not be negative, received {config.max_restarts}")
    return *best, iterations, restart


def _trained(
    problem: FitProblem, architecture: Architecture, weights: np.ndarray, embedding: np.ndarray
) -> TrainedNetwork:
    """Return the network of a problem with given weights."""
    cutoff = choose_cutoff(problem.lattice, problem.positions, architecture.cutoff_factor)
    shells = shells_of(find_edges(problem.lattice, problem.positions, cutoff).lengths)
    radial = RadialBasis.on_shells(cutoff, shells)
    return TrainedNetwork(
        architecture, problem.lattice, problem.positions, problem.species, problem.kinds, radial, weights, embedding
    )


def input_gradient(
    problem: FitProblem, irreps: Sequence[Irrep], *, seed: int, lmax: int | None = None
) -> dict[Irrep, np.ndarray]:
    """Return the gradient of the loss |f(h) - u|^2 / 2 by an input of each irrep on every site, at h = 0.

    There f(0) = 0, so the gradient is -(df/dh)^T u: an equivariant linear image of the displacements u. By symmetry
    only the irreps of the parent's group that u contains can appear in it; those zeros are exact, the other entries
    depend on the random weights.

    Parameters
    ----------
    problem : FitProblem
        Its displacements are the target; its inputs are not used.
    irreps : sequence of Irrep
        Irreps of O(3).
    seed : int
        Of the weights.
    lmax : int, optional
        Of the network. Default: the largest l asked for, at least 1.

    Returns
    -------
    dict
        Irrep -> gradient (n_sites, 2l+1), angstrom.
    """
    lmax = max([1, *(irrep.l for irrep in irreps)]) if lmax is None else lmax
    architecture = Architecture(lmax=lmax)
    orbits = Orbits.trivial(problem.n_sites)
    network = build_network(problem, architecture, orbits)
    weights, embedding = draw_weights(network.shapes, len(problem.kinds), architecture.channels, (seed,))
    covector = torch.zeros(problem.n_sites, 1, 9, dtype=torch.float64)
    covector[:, 0, DISPLACEMENT] = -torch.from_numpy(problem.displacements.copy())
    with single_thread():
        flat = torch.from_numpy(weights)
        still = torch.zeros(problem.n_sites, network.source.dim, dtype=torch.float64)
        _, tape = network.forward(flat, torch.from_numpy(embedding), still)
        _, fields = network.backward(covector, tape, network.kernels(flat))
    return {irrep: fields[:, 0, network.source.slices[irrep]].numpy().copy() for irrep in irreps}
