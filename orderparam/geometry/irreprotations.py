"""How far every order parameter turns the octahedra, beside the angles that are measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .carried import CarriedOctahedra

if TYPE_CHECKING:
    from orderparam.symmetry.orderparameter import Decomposition

NO_ROTATION = 1e-6
"""Rotations below this (radians) are zero."""


@dataclass(frozen=True, eq=False)
class IrrepRotation:
    """The rotation of the octahedra that one order parameter makes.

    Attributes
    ----------
    label : str
    amplitude, amplitude_supercell : float
        Ap and As of the order parameter, angstrom.
    angle : float
        Arc tangent of the root mean square of its rotation field omega over all octahedra, degrees.
    about : (3,)
        The same for the components about the parent's axes.
    measured : float
        Part of the measured rotation vectors along the same pattern, root mean square, degrees:
        ``sum_i omega_i . theta_i / |omega|`` over ``sqrt N``.
    """

    label: str
    amplitude: float
    amplitude_supercell: float
    angle: float
    about: np.ndarray
    measured: float


def irrep_rotations(octahedra: CarriedOctahedra, decomposition: Decomposition) -> tuple[IrrepRotation, ...]:
    """Return the irreps that turn octahedra, the strongest first.

    The displacement field of each irrep has a rotation omega over every octahedron, to first order its rotation vector;
    a tilt pattern by itself turns a regular octahedron by exactly the arc tangent of it.
    """
    found = []
    for order_parameter in decomposition.displacive:
        if order_parameter.is_zero or not octahedra.n_octahedra:
            continue
        omega = octahedra.linear_rotations(order_parameter.field())
        size = float(np.linalg.norm(omega))
        rms = size / np.sqrt(octahedra.n_octahedra)
        if rms < NO_ROTATION:
            continue
        measured = (omega * octahedra.rotation_vectors).sum() / size / np.sqrt(octahedra.n_octahedra)
        found.append(
            IrrepRotation(
                order_parameter.label,
                order_parameter.amplitude,
                order_parameter.amplitude_supercell,
                float(np.degrees(np.arctan(rms))),
                np.degrees(np.arctan(np.sqrt((omega**2).mean(axis=0)))),
                float(measured),
            )
        )
    return tuple(sorted(found, key=lambda rotation: -rotation.angle))
