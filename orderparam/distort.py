"""From modes to structures: a parent distorted by chosen order parameters, in the smallest cell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from orderparam.wording import counted

from .crystals.crystal import Crystal
from .distortion import Distortion
from .errors import InvalidInputError
from .parent import Parent
from .supercell import Subgroup, Supercell
from .symmetry.fieldcarriers import who_could
from .symmetry.isotropy import stabiliser, tensor_stabiliser, whole_group
from .symmetry.modes import ModeBasis, SiteRepresentation, expand, mode_basis
from .symmetry.orderparameter import decompose_strain
from .symmetry.parentirreps import named_irrep
from .symmetry.sitegroups import displacement_blocks
from .symmetry.strata import Direction, kernel_lattice

Components = Sequence[float] | Sequence[Sequence[float]] | np.ndarray


def distort(parent: Parent, order_parameters: Mapping[str, Components], strain: np.ndarray | None = None) -> Distortion:
    """Return the distortion of a parent by given order parameters, in the primitive cell of what is left.

    Parameters
    ----------
    parent : Parent
    order_parameters : mapping
        Components by label, Ap in angstrom: copies x dimension, or one row for all copies, which are then mixed with
        the weights of `copy_weights` (at Gamma less their uniform translation). A label on a line or plane carries its
        k: ``"SM2@1/3,0,0"`` (conventional).
    strain : (3, 3), optional
        U - 1 in the parent's frame.

    Raises
    ------
    InvalidInputError
        When an irrep is unknown, no displacement can carry it, or the number of components does not fit.

    Examples
    --------
    >>> from orderparam import read_crystal, symmetrise
    >>> parent = symmetrise(read_crystal("structures/perovskite/SrTiO3_221.cif"))
    >>> tilted = distort(parent, {"R4+": (0.0, 0.5, 0.5)})
    >>> tilted.group.space_group, tilted.supercell.n_atoms, round(tilted.total_amplitude, 4)
    ((74, 'Imma'), 10, 1.0)
    """
    representation = SiteRepresentation.on_sites(parent, parent.rotations_cart)
    blocks = displacement_blocks(parent)
    parts: list[tuple[ModeBasis, np.ndarray]] = []
    for label, values in order_parameters.items():
        irrep = named_irrep(parent, label)
        basis = mode_basis(representation, irrep, blocks)
        parts.append((basis, _components(parent, basis, label, values)))
    tensor = np.zeros((3, 3)) if strain is None else np.asarray(strain, float)
    if tensor.shape != (3, 3) or not np.allclose(tensor, tensor.T, atol=1e-9) or not np.isfinite(tensor).all():
        raise InvalidInputError("strain: expected a symmetric (3, 3) tensor of finite numbers")
    if np.linalg.eigvalsh(np.eye(3) + tensor).min() <= 0:
        raise InvalidInputError("strain: no length may shrink to nothing or less; expected numbers such as 0.01")
    group = _group(parent, parts, tensor)
    cell = Supercell.build(parent, group.lattice_basis)
    field = np.zeros((cell.n_atoms, 3))
    for basis, components in parts:
        field += expand(basis, cell, components)
    mask = np.zeros((parent.group.order, cell.n_cells), bool)
    pairs = group.pairs
    mask[pairs[:, 0], cell.quotient.index(group.supercell.translations[pairs[:, 1]])] = True
    return Distortion(cell, field - field.mean(axis=0), tensor, Subgroup(cell, mask))


def distort_many(
    parent: Parent,
    order_parameters: Mapping[str, Components],
    strain: np.ndarray | None,
    factors: Sequence[Sequence[float]],
) -> Iterator[tuple[Crystal, dict[str, float]]]:
    """Yield structures with every order parameter scaled, all in the cell of the full distortion.

    Parameters
    ----------
    factors : sequence
        Per structure one factor per order parameter, in order, and one for the strain.

    Yields
    ------
    crystal : Crystal
    row : dict
        Primitive cells (``cells``), Ap of every order parameter (angstrom) and its components (``R4+ [1]``, with copies
        ``R4+ [2:1]``), those of the strain where there is one (``strain GM3+ [1]``).
    """
    whole = distort(parent, order_parameters, strain)
    cell = whole.supercell
    strains = _strain_columns(whole) if strain is not None else {}
    fields, rows = [], []
    for label, values in order_parameters.items():
        part = distort(parent, {label: values})
        fields.append(part.displacements[part.supercell.atoms_at(cell.sites, cell.cells)])
        size = part.total_amplitude / float(np.sqrt(part.supercell.n_cells))
        rows.append((f"Ap {label}", size, _component_columns(parent, label, values)))
    for row in factors:
        displacements = sum((f * field for f, field in zip(row, fields, strict=False)), np.zeros((cell.n_atoms, 3)))
        columns: dict[str, float] = {"cells": cell.n_cells}
        for factor, (name, size, components) in zip(row, rows, strict=False):
            columns[name] = abs(factor) * size
            columns |= {key: factor * value for key, value in components.items()}
        columns |= {key: row[-1] * value for key, value in strains.items()}
        yield cell.with_displacements(displacements, row[-1] * whole.strain), columns


def _component_columns(parent: Parent, label: str, values: Components) -> dict[str, float]:
    """Return the components of an order parameter under the names of columns."""
    rows = np.asarray(values, float).reshape(-1, named_irrep(parent, label).dimension)
    return {
        f"{label} [{f'{copy}:' if len(rows) > 1 else ''}{i}]": float(value)
        for copy, row in enumerate(rows, start=1)
        for i, value in enumerate(row, start=1)
    }


def _strain_columns(distortion: Distortion) -> dict[str, float]:
    """Return the components of the strain under the names of columns."""
    return {
        f"strain {o.label} [{f'{copy}:' if len(o.components) > 1 else ''}{i}]": float(value)
        for o in decompose_strain(distortion)
        for copy, row in enumerate(o.components, start=1)
        for i, value in enumerate(row, start=1)
    }


@dataclass(frozen=True)
class Pattern:
    """How order parameters become displacements.

    Attributes
    ----------
    amplitude : float
        Ap of every irrep, angstrom.
    letters : tuple of float, optional
        Values of the free letters a, b ..., up to a common factor; without them 1, 0.618, 0.382 ...
    orbits : tuple of str
        Labels of the sites that move; all by default, several copies of an irrep mixed as 1, -1.3, 1.6, -1.9 ...
    """

    amplitude: float = 0.5
    letters: tuple[float, ...] | None = None
    orbits: tuple[str, ...] = ()


def direction_field(direction: Direction, pattern: Pattern, supercell: Supercell) -> np.ndarray:
    """Return displacements (n, 3) along an order-parameter direction, angstrom, mean removed.

    Every irrep has the pattern's Ap; the supercell must be periodic for the direction.

    Raises
    ------
    InvalidInputError
        When the pattern has too few letters.
    """
    parent = supercell.parent
    representation = SiteRepresentation.on_sites(parent, parent.rotations_cart)
    field = np.zeros((supercell.n_atoms, 3))
    if pattern.letters is not None and len(pattern.letters) < direction.n_free:
        raise InvalidInputError(
            f"--letters: {direction.symbol} has {counted(direction.n_free, 'free letter')}, "
            f"received {counted(len(pattern.letters), 'value')}"
        )
    values = None if pattern.letters is None else pattern.letters[: direction.n_free]
    for irrep, components in zip(direction.images.irreps, direction.components(values), strict=True):
        basis = mode_basis(representation, irrep)
        moves = np.array([not pattern.orbits or parent.crystal.labels[s] in pattern.orbits for s in basis.sites])
        mix = np.zeros(basis.copies)
        mix[moves] = copy_weights(int(moves.sum()))
        part = expand(basis, supercell, np.outer(mix, components))
        part -= part.mean(axis=0)
        size = np.linalg.norm(part) / np.sqrt(supercell.n_cells)
        field += part * (pattern.amplitude / size if size > 1e-9 else 0.0)
    return field


def copy_weights(n: int) -> np.ndarray:
    """Return the normalised weights of several copies of an irrep where one row of components is given for all.

    They are 1, -1.3, 1.6, -1.9 ... divided by their norm: unequal, so that no symmetry comes in by chance.
    """
    weights = np.array([(-1.0) ** m * (1 + 0.3 * m) for m in range(n)])
    return weights / np.linalg.norm(weights)


def parse_setting(text: str) -> tuple[str, list[list[float]]]:
    """Read ``R4+=(0.5,0.5,0)``; copies are separated by ``|``.

    Examples
    --------
    >>> parse_setting("M3+=(0;0;0.4)")
    ('M3+', [[0.0, 0.0, 0.4]])
    """
    label, equals, numbers = text.partition("=")
    rows = numbers.strip().strip("()").split("|")
    try:
        values = [[float(Fraction(v.strip())) for v in re.split("[,;]", row)] for row in rows]
    except (ValueError, ZeroDivisionError):
        values = []
    if not (label.strip() and equals and values):
        raise InvalidInputError(
            f"--set {text}: expected LABEL=(numbers), such as R4+=(0.5,0.5,0), copies as X2+=(0.2;0|0.1;0)"
        )
    return label.strip(), values


def _components(parent: Parent, basis: ModeBasis, label: str, values: Components) -> np.ndarray:
    irrep = basis.irrep
    if not basis.copies:
        species = ", ".join(dict.fromkeys(parent.crystal.species))
        raise InvalidInputError(
            f"{label}: no displacement of {species} can carry this irrep; {who_could(parent, irrep)}, and `orderparam "
            "irreps` lists what each can"
        )
    numbers = np.asarray(values, float)
    if not np.isfinite(numbers).all():
        raise InvalidInputError(f"{label}: the components must be finite numbers")
    if numbers.size == irrep.dimension:
        return np.outer(_weights(parent, basis, label), numbers.ravel())
    if numbers.size == basis.copies * irrep.dimension:
        return numbers.reshape(basis.copies, irrep.dimension)
    raise InvalidInputError(
        f"{label}: expected {counted(irrep.dimension, 'component')}"
        + (f", or {basis.copies} x {irrep.dimension} for its copies with | between them" if basis.copies > 1 else "")
        + f", received {numbers.size}"
    )


def _weights(parent: Parent, basis: ModeBasis, label: str) -> np.ndarray:
    """Return the weights of the copies; at Gamma without their uniform translation, which is no distortion."""
    weights = copy_weights(basis.copies)
    if basis.irrep.k.any():
        return weights
    uniform = np.repeat(np.eye(3)[:, None, None], parent.crystal.n_sites, axis=2)
    moved = np.concatenate([basis.components(u) for u in uniform], axis=1)  # (copies, 3 dimension)
    left, sizes, _ = np.linalg.svd(moved)
    rigid = left[:, : int((sizes > 1e-9).sum())]
    weights = weights - rigid @ (rigid.T @ weights)
    if np.linalg.norm(weights) < 1e-9:
        raise InvalidInputError(f"{label}: only a uniform translation has this irrep here")
    return weights / np.linalg.norm(weights)


def _group(parent: Parent, parts: list[tuple[ModeBasis, np.ndarray]], strain: np.ndarray) -> Subgroup:
    """Return the joint stabiliser of all order parameters and the strain."""
    moved = [(basis, c) for basis, c in parts if np.linalg.norm(c) > 1e-12]
    matrix = kernel_lattice([b.irrep for b, _ in moved]) if moved else np.eye(3, dtype=int)
    supercell = Supercell.build(parent, matrix)
    group = whole_group(supercell) & tensor_stabiliser(supercell, strain)
    for basis, components in moved:
        group = group & stabiliser(supercell, basis.irrep, components)
    return group
