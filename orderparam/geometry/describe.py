"""A pair in the words of crystal chemistry: octahedra, their tilts and shapes, bonds, valences, polarisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from orderparam.crystals.layers import is_layer
from orderparam.distortion import Distortion
from orderparam.errors import InvalidInputError

from .bonds import Bridge, HoleIon, Orbits, bridges, hole_ions
from .carried import CarriedOctahedra, carry
from .charges import Polarisation, ValenceSum, estimate_polarisation, is_polar, valence_sums
from .distortions import (
    angle_variance,
    baur_index,
    bond_lengths,
    pair_lengths,
    principal_axis,
    quadratic_elongation,
    shannon_delta,
    van_vleck,
    volume,
)
from .irreprotations import IrrepRotation, irrep_rotations
from .network import OctahedralNetwork, find_octahedra
from .tilts import GLAZER_TOLERANCE, AxisTilt, Glazer, axis_tilts, glazer_system

if TYPE_CHECKING:
    from orderparam.discovery.relate import Relation
    from orderparam.symmetry.orderparameter import Decomposition


@dataclass(frozen=True, eq=False)
class Octahedron:
    """One octahedron of the child's primitive cell; vectors are along the parent's axes.

    Attributes
    ----------
    centre, parent_site, species : str
        The child's label of the centre, the parent's, and its species.
    orbit : int
        Octahedra with equal numbers are equivalent in the child.
    ligands : tuple of 6 str
        The child's labels, in the order +a, -a, +b, -b, +c, -c of the parent's axes.
    bond_lengths : (6,)
        In the same order, angstrom.
    rotation : (3,)
        Axis times angle of its rotation out of the parent's orientation, degrees.
    off_centre : (3,)
        From the centroid of the ligands to the centre, angstrom.
    polar : (3,)
        Mean of `off_centre` over the orbit.
    volume : float
        Cubic angstrom.
    baur, shannon, angle_variance, quadratic_elongation, q2, q3 : float
        See `orderparam.geometry.distortions`: no unit, no unit, degrees squared, no unit, angstrom, angstrom.
    """

    centre: str
    parent_site: str
    species: str
    orbit: int
    ligands: tuple[str, ...]
    bond_lengths: np.ndarray
    rotation: np.ndarray
    off_centre: np.ndarray
    polar: np.ndarray
    volume: float
    baur: float
    shannon: float
    angle_variance: float
    quadratic_elongation: float
    q2: float
    q3: float

    @property
    def angle(self) -> float:
        """Angle of the rotation, degrees."""
        return float(np.linalg.norm(self.rotation))


@dataclass(frozen=True, eq=False)
class Geometry:
    """Octahedra, tilts, bonds and charges of a child.

    Attributes
    ----------
    axes : (3, 3)
        Unit vectors (rows, Cartesian) of the parent's conventional axes, orthogonal; vectors refer to them.
    axis_names : tuple of 3 str
        What to call them: a, b, c unless the conventional axes are oblique.
    octahedra : tuple of Octahedron
        All of the child's primitive cell; empty where the parent has no corner-sharing octahedra.
    reason : str
        Why there are none.
    dimension : int
        In how many directions the octahedra are connected: 3 perovskite, 2 layers.
    tilts : tuple of 3 AxisTilt
        About the parent's axes; empty where the octahedra do not stand along them.
    glazer : Glazer or None
        For networks connected in three dimensions along the parent's axes.
    glazer_reason : str
        Why there is no symbol.
    van_vleck_axis : str
        Name of the parent's axis that is z in Q2 and Q3.
    bridges : tuple of Bridge
    hole_ions : tuple of HoleIon
    irrep_rotations : tuple of IrrepRotation
        How much every irrep turns the octahedra; empty without a decomposition.
    valence_sums : tuple of ValenceSum
    polarisation : Polarisation or None
        Where the child is polar.
    polarisation_reason : str
        Why there is none.
    """

    axes: np.ndarray
    axis_names: tuple[str, str, str]
    octahedra: tuple[Octahedron, ...]
    reason: str
    dimension: int
    tilts: tuple[AxisTilt, ...]
    glazer: Glazer | None
    glazer_reason: str
    van_vleck_axis: str
    bridges: tuple[Bridge, ...]
    hole_ions: tuple[HoleIon, ...]
    irrep_rotations: tuple[IrrepRotation, ...]
    valence_sums: tuple[ValenceSum, ...]
    polarisation: Polarisation | None
    polarisation_reason: str

    @property
    def representatives(self) -> tuple[tuple[Octahedron, int], ...]:
        """One octahedron of every orbit of the child, with the size of the orbit."""
        firsts = {octahedron.orbit: octahedron for octahedron in reversed(self.octahedra)}
        return tuple(
            (firsts[orbit], sum(o.orbit == orbit for o in self.octahedra))
            for orbit in dict.fromkeys(o.orbit for o in self.octahedra)
        )


def describe_geometry(
    relation: Relation, decomposition: Decomposition | None = None, *, tolerance: float = GLAZER_TOLERANCE
) -> Geometry:
    """Describe a pair in the words of crystal chemistry.

    Parameters
    ----------
    relation : Relation
    decomposition : Decomposition, optional
        Of its distortion: then the rotations of the octahedra are compared with the irreps.
    tolerance : float
        Tilts below this (degrees) are zero in Glazer's symbol, and tilts that differ by less are equal.
    """
    distortion, labels = relation.distortion, relation.child_labels
    orbits = [np.array(orbit) for orbit in distortion.group.action().orbits()]
    network = find_octahedra(relation.parent)
    carried = carry(network, distortion)
    tilts, glazer, glazer_reason = _tilt_system(network, carried, tolerance)
    lengths = pair_lengths(carried.vectors, carried.rotations, _pair_directions(carried))
    principal = principal_axis(lengths) if len(lengths) else 2
    polarisation, polarisation_reason = _polarisation(distortion, network.axes)
    return Geometry(
        axes=network.axes,
        axis_names=network.axis_names,
        octahedra=_octahedra(carried, van_vleck(lengths, principal), orbits, labels),
        reason=network.reason,
        dimension=network.dimension,
        tilts=tilts,
        glazer=glazer,
        glazer_reason=glazer_reason,
        van_vleck_axis=network.axis_names[principal],
        bridges=bridges(carried, orbits, labels),
        hole_ions=hole_ions(network, distortion, orbits, labels) if len(network.centres) else (),
        irrep_rotations=irrep_rotations(carried, decomposition) if decomposition is not None else (),
        valence_sums=valence_sums(distortion.crystal(), orbits, labels),
        polarisation=polarisation,
        polarisation_reason=polarisation_reason,
    )


def _tilt_system(
    network: OctahedralNetwork, carried: CarriedOctahedra, tolerance: float
) -> tuple[tuple[AxisTilt, ...], Glazer | None, str]:
    """Return tilts about the axes, Glazer's symbol, and why one of them is missing."""
    if network.reason:
        return (), None, network.reason
    if not network.is_aligned:
        return (), None, "the octahedra of the parent do not stand along its axes, or are tilted already"
    tilts = axis_tilts(carried)
    if network.dimension < 3:
        what = ("single octahedra", "chains", "layers")[network.dimension]
        return tilts, None, f"Glazer's symbol is for networks connected in three dimensions; these are {what}"
    return tilts, glazer_system(tilts, tolerance), ""


def _polarisation(distortion: Distortion, axes: np.ndarray) -> tuple[Polarisation | None, str]:
    action = distortion.group.action()
    if not is_polar(action.rotations):
        return None, "the child is not polar"
    if is_layer(distortion.supercell.parent.crystal):
        return None, "a layer has no volume to divide its dipole by"
    try:
        return estimate_polarisation(distortion, axes), ""
    except InvalidInputError as problem:
        return None, str(problem)


def _pair_directions(carried: CarriedOctahedra) -> np.ndarray:
    """Return unit vectors (N, 3, 3) along the three pairs of opposite ligands in the parent."""
    across = carried.reference[:, ::2] - carried.reference[:, 1::2]
    return across / np.linalg.norm(across, axis=-1, keepdims=True)


def _octahedra(
    carried: CarriedOctahedra, jahn_teller: tuple[np.ndarray, np.ndarray], orbits: Orbits, labels: tuple[str, ...]
) -> tuple[Octahedron, ...]:
    """Gather what is known of every octahedron."""
    supercell, vectors = carried.supercell, carried.vectors
    orbit_of = {int(atom): number for number, orbit in enumerate(orbits) for atom in orbit}
    _, numbers = np.unique([orbit_of[int(centre)] for centre in carried.centres], return_inverse=True)
    bonds, off_centre = bond_lengths(vectors), -vectors.mean(axis=1) @ carried.network.axes.T
    measures = [measure(vectors) for measure in (volume, baur_index, shannon_delta, angle_variance)]
    measures += [quadratic_elongation(vectors), *jahn_teller]
    return tuple(
        Octahedron(
            labels[centre],
            supercell.labels[centre],
            supercell.species[centre],
            int(numbers[n]),
            tuple(labels[ligand] for ligand in carried.ligands[n]),
            bonds[n],
            carried.rotation_vectors[n],
            off_centre[n],
            off_centre[numbers == numbers[n]].mean(axis=0),
            *(float(measure[n]) for measure in measures),
        )
        for n, centre in enumerate(carried.centres)
    )
