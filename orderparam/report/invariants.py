"""A Landau expansion and its fit as tables."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan

from rich.console import Group, RenderableType
from rich.text import Text

from orderparam.invariants import LandauExpansion, LandauFit, Polynomial, component_names
from orderparam.parent import Parent
from orderparam.symmetry.parentirreps import ParentIrrep
from orderparam.wording import counted

from .layout import plain_table

LONG = 600
"""So many characters of one polynomial are shown."""


def invariants_report(parent: Parent, expansion: LandauExpansion, *, latex: bool = False) -> RenderableType:
    """Return the irreps with their conditions, the invariants, the couplings."""
    conditions = {c.label: c for c in expansion.conditions}
    names = list(expansion.variables)
    rows, start = [], 0
    for irrep in expansion.irreps:
        own = names[start : start + irrep.dimension]
        start += irrep.dimension
        c = conditions[irrep.label]
        rows.append(
            (
                irrep.label,
                parent.k_text(irrep.k[0]),
                own[0] if len(own) == 1 else f"{own[0]} ... {own[-1]}",
                "holds" if c.landau_condition else f"broken by {c.cubic}",
                "holds" if c.lifshitz_condition else f"broken by {c.lifshitz}",
            )
        )
    columns = ("irrep", "k", "components", "Landau condition", "Lifshitz condition")
    parts: list[RenderableType] = [plain_table(f"Order parameters of {parent.group}", columns, rows)]
    counts = ", ".join(f"{n} of degree {d}" for d, n in expansion.counts.items() if n) or "none"
    listed = [(n, p.degree, _shown(p, latex)) for n, p in enumerate(expansion.polynomials, start=1)]
    parts += [
        plain_table(
            f"Invariants up to degree {expansion.degree} ({counts})", ("", "degree", "I"), listed, (0, 1), (2,)
        ),
        Text("  the energy is E0 + c1 I1 + c2 I2 ...; numbers agree with Molien's series"),
    ]
    if expansion.couplings:
        parts += [Text(), _couplings(parent, expansion, latex)]
    if expansion.left_out:
        told = ", ".join(f"{irrep.label} (degree {degree})" for irrep, degree in expansion.left_out)
        parts.append(Text(f"  couplings left out, of too many terms: {told}; --force lists them"))
    return Group(*parts)


def _couplings(parent: Parent, expansion: LandauExpansion, latex: bool) -> RenderableType:
    rows = []
    for coupling in expansion.couplings:
        kinds = ["displ."] * coupling.by_displacements + ["strain"] * coupling.by_strain
        for n, polynomial in enumerate(coupling.polynomials):
            first = (
                coupling.secondary.label,
                parent.k_text(coupling.secondary.k[0]),
                ", ".join(kinds),
            )
            rows.append((*(first if not n else ("", "", "")), coupling.degree, _shown(polynomial, latex)))
    columns = ("irrep", "k", "as", "degree", "term (s: its components)")
    return plain_table("Secondary order parameters that follow, at the lowest degree", columns, rows, (3,), (4,))


def landau_fit_report(fit: LandauFit, names: Mapping[str, ParentIrrep]) -> RenderableType:
    """Return the coefficients of a fit; `names` says which order parameters the components are of."""
    rows = [
        (
            n,
            p.degree,
            "not determined" if isnan(c) else f"{c:.6g}",
            "" if isnan(e) else f"{e:.2g}",
            _shown(p, latex=False),
        )
        for n, (p, c, e) in enumerate(zip(fit.polynomials, fit.coefficients, fit.errors, strict=True), start=1)
    ]
    title = (
        f"Landau energy from {counted(fit.n_points, 'structure')}, per primitive cell of the parent (rms {fit.rms:.3g})"
    )
    table = plain_table(title, ("", "degree", "coefficient", "error", "I"), rows, (0, 1, 2, 3), (4,))
    letters = iter(component_names([i.dimension for i in names.values()]))
    own = {name: [next(letters) for _ in range(i.dimension)] for name, i in names.items()}
    told = ", ".join(f"{name}: {' '.join(found)}" for name, found in own.items())
    notes = [f"  {told} (Ap, angstrom; strain without unit)", f"  E0 = {fit.constant:.8g}"]
    if fit.undetermined:
        notes.append("  not determined: these structures cannot tell it from those above it; left out")
    if not fit.n_spare:
        notes.append("  as many coefficients as structures: nothing tests this fit")
    return Group(table, *(Text(note) for note in notes))


def _shown(polynomial: Polynomial, latex: bool) -> str:
    text = polynomial.latex() if latex else polynomial.text()
    return (
        text
        if len(text) <= LONG
        else f"{text[:LONG]} ... ({counted(len(polynomial.coefficients), 'term')}; --json FILE has all)"
    )
