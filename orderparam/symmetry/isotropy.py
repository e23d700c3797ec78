"""Isotropy subgroups and directions of order parameters.

Components eta are invariant under the element {W|w + t} when R(W) eta = R(-t) eta, so that all elements modulo a
supercell's translations are compared at once without ever building their matrices.
"""

from __future__ import annotations

import numpy as np

from orderparam.supercell import Subgroup, Supercell

from .parentirreps import ParentIrrep

_RELATIVE = 1e-4
"""Components that differ by less than this part of the whole are equal."""


def stabiliser(supercell: Supercell, irrep: ParentIrrep, components: np.ndarray) -> Subgroup:
    """Return the isotropy subgroup of components (copies, dimension): all elements under which every copy is invariant.

    The supercell must be one in which the order parameter is periodic.
    """
    turned = np.einsum("cij,mj->cmi", irrep.matrices, components).reshape(len(irrep.matrices), -1)
    shifted = irrep.translate(components, -supercell.translations).reshape(supercell.n_cells, -1)
    gaps = np.linalg.norm(turned[:, None] - shifted[None], axis=2)
    return Subgroup(supercell, gaps < _RELATIVE * np.linalg.norm(components) + 1e-9)


def tensor_stabiliser(supercell: Supercell, tensor: np.ndarray) -> Subgroup:
    """Return the elements that leave a Cartesian tensor (3, 3), such as strain, alone; translations all do."""
    rotations = supercell.parent.rotations_cart
    turned = rotations @ tensor @ np.swapaxes(rotations, 1, 2)
    same = np.abs(turned - tensor).max(axis=(1, 2)) < _RELATIVE * np.abs(tensor).max() + 1e-9
    return Subgroup(supercell, np.repeat(same[:, None], supercell.n_cells, axis=1))


def whole_group(supercell: Supercell) -> Subgroup:
    """Return the parent's group itself."""
    return Subgroup(supercell, np.ones((supercell.parent.group.order, supercell.n_cells), bool))


def fixed_projector(irrep: ParentIrrep, group: Subgroup) -> np.ndarray:
    """Return the projector (dimension, dimension) onto the components that are invariant under a group: its average.

    The supercell's own translations, which all such groups hold, leave only components at commensurate arms.
    """
    supercell = group.supercell
    turns = irrep.k @ supercell.matrix.T
    commensurate = np.all(np.abs(turns - np.rint(turns)) < 1e-6, axis=1)[irrep.irrep.component_arms]
    translations = irrep.translation_matrices(supercell.translations)
    total = np.zeros((irrep.dimension, irrep.dimension))
    for operation, shifts in enumerate(group.elements):
        if shifts.any():
            total += translations[shifts].sum(axis=0) @ irrep.matrices[operation]
    return total * np.outer(commensurate, commensurate) / group.order


def fixed_space(irrep: ParentIrrep, group: Subgroup) -> np.ndarray:
    """Return an orthonormal basis (r, dimension) of the components that a group does not change, in echelon order."""
    return orthonormal_rows(fixed_projector(irrep, group))


def orthonormal_rows(projector: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis (r, n) of the range of a symmetric projector (n, n), sparse where possible."""
    if np.trace(projector) < 0.5:
        return np.zeros((0, len(projector)))
    echelon = reduced_echelon(projector)
    basis: list[np.ndarray] = []
    for row in echelon:
        vector = row - sum((known * (known @ row) for known in basis), np.zeros_like(row))
        basis.append(vector / np.linalg.norm(vector))
    return np.array(basis)


def reduced_echelon(rows: np.ndarray, tolerance: float = 1e-5) -> np.ndarray:
    """Return the reduced row echelon form of a matrix without its zero rows."""
    work = np.array(rows, float)
    rank = 0
    for column in range(work.shape[1]):
        if rank == len(work):
            break
        pivot = rank + int(np.argmax(np.abs(work[rank:, column])))
        if abs(work[pivot, column]) < tolerance:
            continue
        work[[rank, pivot]] = work[[pivot, rank]]
        work[rank] /= work[rank, column]
        others = np.arange(len(work)) != rank
        work[others] -= np.outer(work[others, column], work[rank])
        rank += 1
    return work[:rank]


def direction_symbol(irrep: ParentIrrep, group: Subgroup) -> str:
    """Name the direction of an order parameter whose isotropy subgroup is given.

    Among all equivalent directions (domains) the one is written whose reduced echelon form has the fewest entries and
    then the largest entries first: (a,a,0) rather than (0,a,-a). `,` stands within an arm, `;` between arms.
    """
    projector = fixed_projector(irrep, group)
    best: tuple[tuple[float, ...], np.ndarray] | None = None
    for image in _images(irrep, group.supercell, projector):
        echelon = reduced_echelon(image)
        entries = np.round(echelon, 4).ravel().tolist()
        key = (float(np.count_nonzero(entries)), *(x for v in entries for x in (-abs(v), float(v < 0))))
        if best is None or key < best[0]:
            best = (key, echelon)
    return "" if best is None else write_direction(best[1], irrep.irrep.component_arms)


def _images(irrep: ParentIrrep, supercell: Supercell, projector: np.ndarray) -> list[np.ndarray]:
    """Return the distinct images g P g^-1 of a projector under all elements."""
    found: dict[bytes, np.ndarray] = {}
    translations = irrep.translation_matrices(supercell.translations)
    shifted = translations @ projector @ np.swapaxes(translations, 1, 2)
    distinct = {(np.round(p + 0.00012345, 4) + 0.0).tobytes(): p for p in shifted}
    for matrix in irrep.matrices:
        for image in (matrix @ p @ matrix.T for p in distinct.values()):
            found.setdefault((np.round(image + 0.00012345, 4) + 0.0).tobytes(), image)
    return list(found.values())


def write_direction(echelon: np.ndarray, arms: np.ndarray) -> str:
    """Write a subspace, given in reduced echelon form (r, n), with one letter per free parameter.

    Examples
    --------
    >>> import numpy as np
    >>> write_direction(np.array([[1.0, 1.0, 0.0]]), np.zeros(3, int))
    '(a,a,0)'
    >>> write_direction(np.array([[1.0, 0, -1, 0], [0, 1, 0, 0.5]]), np.array([0, 0, 1, 1]))
    '(a,b;-a,0.5b)'
    """
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = list(letters) if len(echelon) <= len(letters) else [f"a{i + 1}" for i in range(len(echelon))]
    entries = []
    for column in echelon.T:
        text = ""
        for value, letter in zip(column, names, strict=False):
            if abs(value) < 5e-4:
                continue
            sign = "-" if value < 0 else "+" if text else ""
            size = "" if abs(abs(value) - 1) < 5e-4 else f"{abs(value):.3f}".rstrip("0").rstrip(".")
            text += sign + size + letter
        entries.append(text or "0")
    parts = []
    for i, entry in enumerate(entries):
        if i:
            parts.append(";" if arms[i] != arms[i - 1] else ",")
        parts.append(entry)
    return "(" + "".join(parts) + ")"
