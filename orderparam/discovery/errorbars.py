"""Error bars of order parameters: from the standard uncertainties of the child's file, or from its noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from orderparam.distortion import Distortion
from orderparam.symmetry.isotropy import reduced_echelon
from orderparam.symmetry.orderparameter import Decomposition, strain_tensor
from orderparam.symmetry.sitemodes import all_site_modes, site_modes

if TYPE_CHECKING:
    from .denoise import NoiseReport
    from .relate import Relation

_STEP = 1e-4


@dataclass(frozen=True)
class ErrorBars:
    """Standard uncertainties of the amplitudes.

    Attributes
    ----------
    amplitudes : dict
        Of As (angstrom), by label of the irrep.
    modes : dict
        The same for the single modes, by name.
    strain : dict
        Of the amplitudes of the strain, by label; empty when the cell has none.
    source : str
        ``"file"`` or ``"noise"``.
    """

    amplitudes: dict[str, float]
    modes: dict[str, float]
    strain: dict[str, float]
    source: str


def error_bars(relation: Relation, decomposition: Decomposition, noise: NoiseReport | None) -> ErrorBars | None:
    """Return the uncertainties of all amplitudes, None when neither the file nor the noise tells.

    The coordinates of a file are taken as independent, but for those that a special position ties together (x,2x,z);
    noise is the same for every coordinate, and so is the error of every mode (As). Noise that the data cannot tell
    gives no error bars.
    """
    distortion = relation.distortion
    if noise is not None and not noise.determined:
        return None
    if noise is not None:
        modes = {m.name: noise.mode_sigma for m in all_site_modes(decomposition)}
        return ErrorBars({o.label: noise.mode_sigma for o in decomposition.displacive}, modes, {}, "noise")
    if relation.child.uncertainties is None:
        return None
    vectors = _error_vectors(relation)

    def error(pattern: np.ndarray) -> float:
        centred = pattern - pattern.mean(axis=0)
        return float(np.sqrt(sum((centred[atom] @ vector) ** 2 for atom, vector in vectors)))

    amplitudes, modes = {}, {}
    for o in decomposition.displacive:
        own = {m.name: error(m.pattern) for m in site_modes(o, distortion)}
        field = o.field()
        # the norm of what is zero has no derivative: any of its modes may be the one that is not
        amplitudes[o.label] = max(own.values()) if o.is_zero else error(field / np.linalg.norm(field))
        modes |= own
    return ErrorBars(amplitudes, modes, _strain_errors(relation, decomposition), "file")


def coordinate_sigma(relation: Relation) -> float | None:
    """Return the root mean square uncertainty of the child's free coordinates (angstrom), None without any."""
    if relation.child.uncertainties is None:
        return None
    file_cell = relation.child.lattice
    sigmas = relation.child.uncertainties.sigmas * np.linalg.norm(file_cell, axis=1)
    return float(np.sqrt(np.mean(np.square(sigmas[sigmas > 0])))) if sigmas.any() else None


def _error_vectors(relation: Relation) -> list[tuple[int, np.ndarray]]:
    """Return one atom and one vector per free parameter of the file.

    A unit pattern p that is invariant under H errs by ``p[atom] . vector``: the vector is the displacement that one
    standard uncertainty of the parameter makes, times the atoms that follow it by symmetry.
    """
    found = relation.child.uncertainties
    if found is None:
        return []
    distortion, parent = relation.distortion, relation.parent
    # displacements are differences of coordinates in the unstrained metric of the parent
    file_cell = relation.cell.basis @ relation.correspondence.supercell @ parent.lattice
    atoms = _listed_atoms(relation, found.positions)
    action = distortion.group.action()
    orbit_of = action.permutations.min(axis=0)
    listed = np.bincount(orbit_of[atoms], minlength=action.n_sites)
    vectors = []
    for atom, sigma in zip(atoms, found.sigmas, strict=True):
        stabiliser = action.rotations[action.permutations[:, atom] == atom]
        turned = file_cell @ np.swapaxes(stabiliser, 1, 2) @ np.linalg.inv(file_cell)
        weight = _weight(distortion, atom) / listed[orbit_of[atom]]
        for row in reduced_echelon(turned.mean(axis=0)):
            pivot = int(np.argmax(np.abs(row) > 1e-6))
            if sigma[pivot]:
                vectors.append((int(atom), weight * sigma[pivot] * row @ file_cell))
    return vectors


def _weight(distortion: Distortion, atom: int) -> int:
    """Return how many atoms symmetry makes follow one."""
    return len(set(distortion.group.action().permutations[:, atom].tolist()))


def _listed_atoms(relation: Relation, positions: np.ndarray) -> np.ndarray:
    """Return the atom of the distortion that stands at each position (fractional, the file's cell)."""
    cell = relation.cell.crystal
    places = positions @ relation.child.lattice @ np.linalg.inv(cell.lattice)
    gaps = places[:, None] - cell.positions[None]
    gaps = (gaps - np.rint(gaps)) @ cell.lattice
    return np.linalg.norm(gaps, axis=2).argmin(axis=1)


def _strain_errors(relation: Relation, decomposition: Decomposition) -> dict[str, float]:
    """Propagate the uncertainties of the cell; lengths that are equal, and equally uncertain, err together."""
    found = relation.child.uncertainties
    if found is None or not found.cell.any():
        return {}
    parent = relation.parent
    reference = relation.cell.basis @ relation.correspondence.supercell @ parent.lattice
    parameters = _cell_parameters(relation.child.lattice)
    tensors = []
    for step in _independent_steps(parameters, found.cell):
        stretched = [_stretch(reference, _lattice(parameters + sign * _STEP * step)) for sign in (1, -1)]
        tensors.append((stretched[0] - stretched[1]) / (2 * _STEP))
    errors = {}
    for o in decomposition.strain:
        part = strain_tensor(o)
        size = np.linalg.norm(part)
        direction = part / size if size > 1e-9 else np.zeros((3, 3))
        errors[o.label] = float(np.sqrt(sum((direction * tensor).sum() ** 2 for tensor in tensors)))
    return errors


def _independent_steps(parameters: np.ndarray, sigmas: np.ndarray) -> list[np.ndarray]:
    """Return one step of the six cell parameters per independent one."""
    groups: dict[tuple[bool, float, float], list[int]] = {}
    for i, sigma in enumerate(sigmas):
        if sigma:
            groups.setdefault((i < 3, round(float(parameters[i]), 6), float(sigma)), []).append(i)
    steps = []
    for (_, _, sigma), members in groups.items():
        step = np.zeros(6)
        step[members] = sigma
        steps.append(step)
    return steps


def _cell_parameters(lattice: np.ndarray) -> np.ndarray:
    """Return a, b, c (angstrom), alpha, beta, gamma (degrees)."""
    lengths = np.linalg.norm(lattice, axis=1)
    cosines = (lattice @ lattice.T) / np.outer(lengths, lengths)
    return np.array([*lengths, *np.degrees(np.arccos([cosines[1, 2], cosines[0, 2], cosines[0, 1]]))])


def _lattice(parameters: np.ndarray) -> np.ndarray:
    """Return basis vectors (rows) with given lengths and angles, a along x and b in the xy plane."""
    lengths, cosines = parameters[:3], np.cos(np.radians(parameters[3:]))
    metric = np.outer(lengths, lengths) * (
        np.eye(3) + np.array([[0, cosines[2], cosines[1]], [cosines[2], 0, cosines[0]], [cosines[1], cosines[0], 0]])
    )
    return np.linalg.cholesky(metric)


def _stretch(reference: np.ndarray, lattice: np.ndarray) -> np.ndarray:
    """Return U of lattice^T = R U reference^T."""
    inverse = np.linalg.inv(reference)
    values, vectors = np.linalg.eigh(inverse @ (lattice @ lattice.T) @ inverse.T)
    return (vectors * np.sqrt(values)) @ vectors.T
