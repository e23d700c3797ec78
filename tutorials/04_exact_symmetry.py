# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Exact symmetry: directions, subgroups, domains
#
# No network here. Everything on this page follows from the parent's space group by finite linear algebra, and each answer
# is checked by a second route: a group found as a set of operations is found again by spglib in a structure built to have
# it.
#
# The question of the page: *in how many ways can the octahedra of a perovskite tilt?* Glazer listed 23 combinations of
# three tilts in 1972; Howard and Stokes showed by group theory that simple ones give just 15 space groups with the untilted
# parent (Acta Cryst. B54, 782 (1998)). We get their list, the structures, and the tree that connects them.

# %%
from collections import Counter
from pathlib import Path

import numpy as np

from orderparam import analyse, read_crystal, report_symmetry, symmetrise
from orderparam.distort import distort
from orderparam.invariants import find_couplings, invariant_counts, invariant_polynomials
from orderparam.report import figures
from orderparam.subgroups import find_domains, subgroup_graph
from orderparam.symmetry.parentirreps import named_irrep
from orderparam.symmetry.strata import Images, find_directions

here = Path.cwd()
perovskites = next(p for p in (here, *here.parents) if (p / "structures").is_dir()) / "structures" / "perovskite"
parent = symmetrise(read_crystal(perovskites / "CaTiO3_221.cif"))
print(parent, "with", parent.origin_atom, "at the origin")

# %% [markdown]
# ## One irrep, many directions
#
# A tilt that alternates along all three axes (Glazer's minus sign) transforms as the irrep `R4+`, with three components:
# rotations about $x$, $y$ and $z$. A vector in this space is an **order parameter**, and which symmetry survives depends on
# its **direction** only: along $(a,0,0)$ the octahedra turn about one axis, along $(a,a,a)$ about the body diagonal.
# Letters are free parameters; equal letters are equal numbers.

# %%
R, M = named_irrep(parent, "R4+"), named_irrep(parent, "M3+")
for irrep in (R, M):
    print(f"{irrep.label}: {irrep.dimension} components")
    for direction in find_directions(parent, [irrep]):
        number, symbol = direction.subgroup.space_group
        print(
            f"   {direction.symbol:10} {symbol:8} ({number})  {direction.index} domains, cell x {direction.size}"
            f"{'   maximal' if direction.is_maximal else ''}"
        )

# %% [markdown]
# *For the ML reader:* these are all the subspaces of the representation that are invariant under some subgroup (its **strata**).
# An equivariant network whose input lies in such a subspace cannot leave the symmetry in the right-hand column.
#
# ## Two irreps together
#
# Perovskites mix `R4+` (out of phase) with `M3+` (in phase, Glazer's plus sign). Coupled, they have more directions. Howard
# and Stokes leave out those in which both kinds turn about one and the same axis, since an octahedron cannot do both and
# stay rigid. Counting then gives their table.


# %%
def shares_an_axis(direction):
    """Whether M3+ and R4+ turn the octahedra about a common axis.

    The components of R4+ belong to x, y, z; those of M3+ to the arms of its star, whose k is zero along the axis of the
    tilt.
    """
    m, r = direction.components()
    axis_of_arm = [int(np.argmin(np.abs(parent.k_conventional(k)))) for k in M.k]
    about_m = {axis_of_arm[i] for i in np.flatnonzero(np.abs(m) > 1e-9)}
    about_r = {r_axes[i] for i in np.flatnonzero(np.abs(r) > 1e-9)}
    return bool(about_m & about_r)


# which component of R4+ turns about which axis: the moved oxygen atoms have no displacement along it
r_axes = []
for i in range(3):
    tilt = distort(parent, {"R4+": np.eye(3)[i]})
    r_axes.append(int(np.argmin(np.abs(tilt.displacements).max(axis=0))))
print("components of R4+ turn about axes", "".join("xyz"[a] for a in r_axes))

single = [d for irrep in (M, R) for d in find_directions(parent, [irrep])]
coupled = [d for d in find_directions(parent, [M, R]) if not shares_an_axis(d)]
systems = single + coupled
for direction in systems:
    labels = " + ".join(i.label for i in direction.images.irreps)
    number, symbol = direction.subgroup.space_group
    print(f"{labels:10} {direction.symbol:16} {symbol:9} ({number})")
print(len(systems), "tilt systems, and the untilted parent")

# %% [markdown]
# ## From a direction to a structure
#
# `distort` moves the atoms. Its amplitudes are per primitive cell of the parent (`Ap`), so that they mean the same in every
# cell. spglib then looks at the finished structure; it knows nothing of irreps.

# %%
confirmed = []
for direction in systems:
    parts = direction.components()
    setting = {irrep.label: 0.5 * part for irrep, part in zip(direction.images.irreps, parts, strict=True)}
    structure = distort(parent, setting).crystal()
    confirmed.append(report_symmetry(structure, 1e-4).number == direction.subgroup.space_group[0])
print(f"spglib agrees on {sum(confirmed)} of {len(confirmed)}")

# %% [markdown]
# ## The tree between parent and child
#
# CaTiO$_3$ is one of these systems. Between its group $Pnma$ and $Pm\bar3m$ lie further groups, and each would have a
# structure of its own: the distortion, averaged over the group. A group is *realised* if the averaged structure has just
# that symmetry. The distance says how far it is from the real one. (Arranged by index this is a Bärnighausen tree.)

# %%
analysis = analyse(parent, read_crystal(perovskites / "CaTiO3_62.cif"))
graph = subgroup_graph(analysis)
for node in graph.nodes:
    left = ", ".join(f"{label} {size:.3f}" for label, size in node.amplitudes.items()) or "nothing"
    print(
        f"{node.number}  {node.space_group[1]:8} index {node.index:3}  distance {node.distance:.3f} A  "
        f"{'realised' if node.is_realised else '        '}  keeps {left}"
    )
print([f"{e.parent} -> {e.child} ({e.kind}{e.index})" for e in graph.edges])
figures.subgroup_tree((analysis, graph))

# %% [markdown]
# ## The same crystal, 24 times
#
# $Pnma$ has index 24 in $Pm\bar3m$ here: the crystal can form in 24 equivalent states, its **domains**. They differ by an
# operation that the child has lost: by a translation (antiphase domains) or by a rotation (orientation domains).

# %%
domains = find_domains(analysis)
print(Counter(domain.kind for domain in domains))
for domain in domains[:4]:
    parameters = {label: np.round(domain.order_parameters[label][0], 3).tolist() for label in ("R4+", "M3+")}
    print(f"{domain.operation:18} {domain.kind:12} {parameters}")

# %% [markdown]
# ## Energy: what may stand in a Landau expansion
#
# The energy of the crystal does not change under an operation of the parent; so, as a polynomial in the order parameters, it
# consists of **invariants** only. How many there are of each degree, Molien's formula says without finding one; finding
# them is a second route to the same number.

# %%
counted = invariant_counts(Images.of(parent, [R, M]), 4)
polynomials = invariant_polynomials(parent, [R, M], 4)
print("counted by Molien at degree 4:", sum(n for degrees, n in counted.items() if sum(degrees) == 4))
for polynomial in polynomials:
    print(f"   degree {polynomial.degree}: {polynomial}")

# %% [markdown]
# A term that is *linear* in a third order parameter makes it appear as soon as the others do. This is why CaTiO$_3$ has `X5+`
# (the antiparallel shifts of Ca) without any drive of its own: it is **secondary**.

# %%
couplings = {c.secondary.label: c for c in find_couplings(parent, [R, M], 3)}
trilinear = [str(p) for p in couplings["X5+"].polynomials]
print("X5+ (s) follows from R4+ (p) and M3+ (q):", trilinear[0])
print("and at this order also", ", ".join(label for label in couplings if label != "X5+"))

# %% [markdown]
# The results, as assertions: Howard and Stokes' fifteen, all confirmed by spglib; the tree; and the number of domains, each of
# which is the same structure when one lets spglib and the distances judge.

# %%
assert len(systems) == 14
assert {d.subgroup.space_group[0] for d in systems} == {
    *(127, 139, 204),  # in phase only: a0a0c+, a0b+b+, a+a+a+
    *(140, 74, 167, 12, 15, 2),  # out of phase only (Howard & Stokes list C2/m, C2/c and P-1 too)
    *(63, 62, 11, 137),  # both
} | {71}
assert all(confirmed)
assert (len(graph.nodes), len(graph.edges), sum(n.is_realised for n in graph.nodes)) == (9, 12, 7)
for degree in range(1, 5):
    molien = sum(n for degrees, n in counted.items() if sum(degrees) == degree)
    assert molien == sum(p.degree == degree for p in polynomials)
assert len(trilinear) == 1
assert len(domains) == 24 == analysis.relation.distortion.group.index
lengths = [np.sort(np.linalg.norm(d.displacements, axis=1)) for d in domains]
assert all(np.allclose(found, lengths[0], atol=1e-9) for found in lengths)
