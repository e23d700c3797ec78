"""A network with its weights: predict, move to other sites, save and load."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from orderparam.errors import InvalidInputError, RecordError
from orderparam.o3 import Irrep

from .graph import RadialBasis, find_edges
from .layout import Layout, weight_shapes
from .model import PlainNetwork
from .problem import Architecture
from .reduced import single_thread

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
        return PlainNetwork(
            self.architecture, edges, self.radial, kinds, weights=self.weights, embedding=self.embedding
        )

    def predict(self, inputs: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return the distortion for any input fields, invariant or not.

        Parameters
        ----------
        inputs : dict
            Fields (n_sites, 2l+1) by a name that is an irrep or ends in one: "1e", "Mn:1e"; what follows a blank is a
            remark. Fields of one irrep add.

        Returns
        -------
        displacements : (n_sites, 3) float64
            Cartesian, angstrom, mean zero.
        strain : (3, 3) float64
            Symmetric; zero for a finite set of points.

        Raises
        ------
        InvalidInputError
            If a field has the wrong shape or an irrep that the network does not carry.
        """
        with single_thread():
            displacements, strain = self.module().predict_fields(self.fields(inputs))
        return displacements, strain if self.lattice is not None else np.zeros((3, 3))

    def fields(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        """Return named input fields, see `predict`, as one field (n_sites, dim) in all irreps up to lmax."""
        layout = Layout.all_up_to(self.architecture.lmax)
        fields = np.zeros((len(self.species), layout.dim))
        for name, values in inputs.items():
            irrep = Irrep.parse(name.partition(" ")[0].rsplit(":", 1)[-1])
            if irrep not in layout.slices or np.shape(values) != (len(self.species), irrep.dim):
                raise InvalidInputError(
                    f"input {name}: expected ({len(self.species)}, {irrep.dim}) with l <= {self.architecture.lmax}, "
                    f"received {np.shape(values)}"
                )
            fields[:, layout.slices[irrep]] += values
        return fields

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
            If the file is something else, truncated, or holds numbers that are not finite.
        """
        try:
            with safe_open(path, framework="numpy") as file:
                facts = json.loads((file.metadata() or {})["orderparam"])
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 not a dict
        except (SafetensorError, KeyError, json.JSONDecodeError, OSError) as error:
            raise RecordError(f"{path}: not the weights of an orderparam network ({error})") from error
        if facts.get("schema") != SCHEMA:
            raise RecordError(f"{path}: expected schema {SCHEMA}, received {facts.get('schema')!r}")
        try:
            network = cls(
                Architecture(**facts["architecture"]),
                arrays.get("lattice"),
                arrays["positions"],
                tuple(facts["species"]),
                tuple(facts["kinds"]),
                RadialBasis(facts["cutoff"], arrays["radial"]),
                arrays["weights"],
                arrays["embedding"],
            )
            network._check(arrays)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise RecordError(f"{path}: not the weights of an orderparam network ({error})") from error
        return network

    def _check(self, arrays: dict[str, np.ndarray]) -> None:
        """Raise ValueError where the parts do not belong together."""
        broken = [name for name, array in arrays.items() if not np.isfinite(array).all()]
        if broken:
            raise ValueError(f"{', '.join(broken)}: numbers that are not finite")
        shapes = weight_shapes(self.architecture, len(self.kinds), self.radial.combination.shape[1])
        expected = {
            "weights": (sum(int(np.prod(shape)) for shape in shapes.values()),),
            "embedding": (len(self.kinds), self.architecture.channels),
            "positions": (len(self.species), 3),
        }
        for name, shape in expected.items():
            if arrays[name].shape != shape:
                raise ValueError(f"{name}: expected {shape}, received {arrays[name].shape}")
