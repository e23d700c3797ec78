"""Constraints as people write them: ``subgroup=74``, ``direction:R4+=(a,a,0)``, ``Mn:1e:z=0`` and the like."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from functools import reduce

import numpy as np

from orderparam.crystals.settings import find_group
from orderparam.discovery.analyse import Analysis
from orderparam.errors import InvalidInputError
from orderparam.o3 import wigner_d
from orderparam.parent import Parent
from orderparam.symmetry.carriers import parse_site_irrep
from orderparam.symmetry.constraints import (
    AlongDirection,
    Constraint,
    InvariantUnder,
    OfIrreps,
    Term,
    WithoutComponents,
)
from orderparam.symmetry.isotropy import stabiliser
from orderparam.symmetry.orderparameter import OrderParameter, decompose
from orderparam.symmetry.parentirreps import ParentIrrep, commensurate_irreps, split_labels
from orderparam.symmetry.primary import Candidate, PrimarySet, primary_sets
from orderparam.symmetry.subspace import Subspace
from orderparam.wording import counted

from .graph import Node, SubgroupGraph, subgroup_graph

FORMS = "subgroup=74, subgroup=Imma, subgroup=127#2, irreps=R4+,M3+, 'direction:R4+=(a,a,0)', k=R, 'Mn:1e:z=0'"

COMPONENTS = {1: ("x", "y", "z"), 2: ("xz", "xy", "y2", "yz", "z2-x2")}
"""Names of the components of a field of degree l, in e3nn's order."""


def parse_constraints(analysis: Analysis, specs: Sequence[str]) -> Constraint:
    """Return the constraint that all of some specs make together.

    Parameters
    ----------
    analysis : Analysis
        The pair it is for: subgroups must lie between its child and parent, irreps must be commensurate with its child.
    specs : sequence of str
        ``subgroup=NUMBER|SYMBOL[#n]``: invariant under a group between child and parent;
        ``irreps=LABELS``: of these irreps; ``k=LETTERS`` or ``k=1/2,1/2,0``: at these wave vectors;
        ``direction:LABEL=(a,a,0)``: the part in one irrep along a direction, in any domain;
        ``SITE:IRREP:z=0``: without a component at every site, in any domain. Components are along x (the conventional
        axis a), z (perpendicular to a and b) and y; ``x=y`` and ``x=-y`` are possible, too.

    Raises
    ------
    InvalidInputError
        When a spec cannot be read or names what is not there; what there is is listed.

    Examples
    --------
    >>> from orderparam import analyse, read_crystal, symmetrise
    >>> parent = symmetrise(read_crystal("structures/perovskite/LaMnO3_221.cif"))
    >>> pair = analyse(parent, read_crystal("structures/perovskite/LaMnO3_62.cif"))
    >>> parse_constraints(pair, ["subgroup=74", "irreps=R4+"]).spec
    'subgroup=74 & irreps=R4+'
    """
    return reduce(Constraint.__and__, (Constraint((_term(analysis, spec),)) for spec in specs), Constraint())


def _term(analysis: Analysis, spec: str) -> Term:
    text = "".join(spec.split())
    name, equals, value = text.partition("=")
    if name == "subgroup" and value:
        return _invariant_under(analysis, text, value)
    if name == "irreps" and value:
        return _of_irreps(analysis, text, value)
    if name == "k" and value:
        return _at_wave_vector(analysis, text, value)
    if name.startswith("direction:") and value:
        return _along_direction(analysis, text, name.removeprefix("direction:"), value)
    if equals and name.count(":") == 2:
        return _without_components(analysis.relation.parent, text, name, value)
    raise InvalidInputError(f"--constrain {spec}: expected one of the forms {FORMS}")


# --- subgroups ----------------------------------------------------------------------------------------------------


def _invariant_under(analysis: Analysis, spec: str, value: str) -> InvariantUnder:
    wanted, _, choice = value.partition("#")
    graph = subgroup_graph(analysis)
    number = find_group(wanted)
    nodes = [n for n in graph.nodes if n.space_group[0] == number]
    if not nodes:
        between = ", ".join(dict.fromkeys(f"{n.space_group[1]} ({n.space_group[0]})" for n in graph.nodes))
        partly = "" if graph.is_complete else " among those of the child's order parameters"
        raise InvalidInputError(f"--constrain {spec}: no such group lies between child and parent{partly}: {between}")
    if choice and not (choice.isdecimal() and 1 <= int(choice) <= len(nodes)):
        raise InvalidInputError(f"--constrain {spec}: expected #1 to #{len(nodes)}")
    if len(nodes) > 1 and not choice:
        listed = "; ".join(f"#{i} {_describe(n)}" for i, n in enumerate(nodes, 1))
        raise InvalidInputError(f"--constrain {spec}: {len(nodes)} subgroups have this type, choose one: {listed}")
    node = nodes[int(choice or 1) - 1]
    return InvariantUnder(spec, node.subgroup, _primaries(analysis, node))


def _describe(node: Node) -> str:
    held = ", ".join(f"{label} {size:.3f}" for label, size in node.amplitudes.items()) or "no displacement"
    return f"index {node.index} with {held}"


def _primaries(analysis: Analysis, node: Node) -> PrimarySet | None:
    """Return the primary set of a node's structure, on the child's own cell."""
    sets = primary_sets(decompose(node.distortion))
    if not sets:
        return None
    members = []
    for member in sets[0].members:
        whole = _order_parameter(analysis, member)
        group = stabiliser(whole.supercell, whole.irrep, member.components)
        members.append(Candidate(whole, member.components, member.directions, group, member.share, member.is_strain))
    return PrimarySet(tuple(members), sets[0].share, sets[0].score)


def _order_parameter(analysis: Analysis, member: Candidate) -> OrderParameter:
    pool = analysis.decomposition.strain if member.is_strain else analysis.decomposition.displacive
    return next(o for o in pool if o.label == member.label)


def intermediate_groups(graph: SubgroupGraph) -> list[str]:
    """Return the specs of all groups between child and parent, ends left out."""
    numbers = [n.space_group[0] for n in graph.nodes]  # an end may have the type of a group in between
    specs, seen = [], dict.fromkeys(numbers, 0)
    for number in numbers:
        seen[number] += 1
        specs.append(f"subgroup={number}" + (f"#{seen[number]}" if numbers.count(number) > 1 else ""))
    return specs[1:-1]


# --- irreps, wave vectors, directions -----------------------------------------------------------------------------


def _of_irreps(analysis: Analysis, spec: str, value: str) -> OfIrreps:
    labels = split_labels(value)
    return OfIrreps(spec, tuple(irrep.label for label in labels for irrep in _irreps(analysis, spec, label)))


def _at_wave_vector(analysis: Analysis, spec: str, value: str) -> OfIrreps:
    irreps = commensurate_irreps(analysis.relation.distortion.supercell)
    parts = value.strip("()").split(",")
    try:
        numbers = np.array([float(Fraction(part)) for part in parts])
    except (ValueError, ZeroDivisionError):
        numbers = None
    if numbers is None:
        labels = [i.label for i in irreps if i.irrep.k_label in parts]
        unknown = set(parts) - {i.irrep.k_label for i in irreps}
    else:
        labels = [i.label for i in irreps if numbers.shape == (3,) and _has_arm(analysis.relation.parent, i, numbers)]
        unknown = set() if labels else {value}
    if unknown:
        names = ", ".join(dict.fromkeys(i.irrep.k_label for i in irreps))
        raise InvalidInputError(
            f"--constrain {spec}: the child's cell is commensurate with k at {names} only; expected "
            "k=R or a wave vector such as k=1/3,0,0"
        )
    return OfIrreps(spec, tuple(labels))


def _has_arm(parent: Parent, irrep: ParentIrrep, k: np.ndarray) -> bool:
    gaps = np.concatenate([irrep.k, -irrep.k]) - k @ np.linalg.inv(parent.conventional.T)
    return bool((np.abs(gaps - np.rint(gaps)) < 1e-4).all(axis=1).any())


def _irreps(analysis: Analysis, spec: str, label: str) -> list[ParentIrrep]:
    found = [i for i in commensurate_irreps(analysis.relation.distortion.supercell) if i.is_called(label)]
    if found:
        return found
    there = ", ".join(o.label for o in (*analysis.decomposition.displacive, *analysis.decomposition.strain))
    raise InvalidInputError(f"--constrain {spec}: no irrep {label} is commensurate with the child; it has {there}")


def _along_direction(analysis: Analysis, spec: str, label: str, value: str) -> AlongDirection:
    found = _irreps(analysis, spec, label)
    if len(found) > 1:
        several = ", ".join(irrep.label for irrep in found)
        raise InvalidInputError(f"--constrain {spec}: the child's cell has several {label}; choose one: {several}")
    (irrep,) = found
    vectors = parse_direction(value, spec)
    if vectors.shape[1] != irrep.dimension or not np.abs(vectors).max(initial=0.0):
        raise InvalidInputError(
            f"--constrain {spec}: expected {counted(irrep.dimension, 'component')} for {label}, such as "
            f"({','.join(['a'] + ['0'] * (irrep.dimension - 1))}), not all of them zero"
        )
    return AlongDirection(spec, irrep, Subspace.span(vectors))


def parse_direction(text: str, spec: str = "") -> np.ndarray:
    """Read a direction symbol: one row per letter, one column per component.

    Examples
    --------
    >>> parse_direction("(a,-0.5b;a+b)").tolist()
    [[1.0, 0.0, 1.0], [0.0, -0.5, 1.0]]
    """
    entries = re.split("[,;]", text.strip("()"))
    terms = [re.findall(r"([+-]?)(\d*\.?\d*)\*?([a-z]\d*)", entry) for entry in entries]
    for entry, found in zip(entries, terms, strict=True):
        rebuilt = "".join(sign + size + letter for sign, size, letter in found)
        if rebuilt != entry.replace("*", "") and entry not in {"0", "0.0"}:
            raise InvalidInputError(
                f"--constrain {spec or text}: cannot read {entry!r}; expected letters such as (a,-a,0)"
            )
    letters = sorted({letter for found in terms for _, _, letter in found})
    rows = np.zeros((len(letters), len(entries)))
    for column, found in enumerate(terms):
        for sign, size, letter in found:
            rows[letters.index(letter), column] += float(sign + (size or "1"))
    return rows


# --- components ---------------------------------------------------------------------------------------------------


def _without_components(parent: Parent, spec: str, name: str, value: str) -> WithoutComponents:
    place, _, component = name.rpartition(":")
    site_irrep = parse_site_irrep(parent, place, option="--constrain")
    names = COMPONENTS.get(site_irrep.irrep.l)
    sign, other = (-1.0 if value.startswith("-") else 1.0), value.lstrip("+-")
    if names is None or component not in names or other not in {"0", *names} or other == component:
        known = ", ".join(names) if names else "none for this degree; l = 1 and 2 have some"
        raise InvalidInputError(
            f"--constrain {spec}: expected a condition such as {place}:{names[-1] if names else 'z'}=0; components: "
            f"{known}"
        )
    row = np.zeros((1, len(names)))
    row[0, names.index(component)] = 1.0
    if other != "0":
        row[0, names.index(other)] = -sign
    turn = wigner_d(site_irrep.irrep, crystal_axes(parent)[None])[0]  # components in the crystal's axes from Cartesian
    return WithoutComponents(spec, site_irrep, row @ turn)


def crystal_axes(parent: Parent) -> np.ndarray:
    """Return the rotation from Cartesian vectors to components along a, c* x a, and c*."""
    a, b, c = parent.conventional @ parent.lattice
    x = a / np.linalg.norm(a)
    z = np.cross(a, b) / np.linalg.norm(np.cross(a, b))
    if z @ c < 0:
        z = -z
    return np.array([x, np.cross(z, x), z])
