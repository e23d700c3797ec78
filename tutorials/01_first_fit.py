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
# # A first fit: what makes LaMnO$_3$ orthorhombic?
#
# Two crystals. The **parent** is an ideal cubic perovskite: 5 atoms per cell, space group $Pm\bar{3}m$ (No. 221). The
# **child** is LaMnO$_3$ as measured: 20 atoms per cell, $Pnma$ (No. 62). Something broke most of the symmetry. What?
#
# - *If you never saw a space group:* it is the list of rotations, reflections and shifts that leave a crystal unchanged.
#   $Pnma$ is a part of the list $Pm\bar{3}m$. Physicists call the quantity whose appearance strikes the other entries
#   from the list an **order parameter**.
# - *If you never trained a network:* here it is a function with adjustable numbers (weights), fitted by least squares to
#   a single target. There is no data set. Its one special property is **equivariance**: turn the input, and the output
#   turns with it.
#
# The two halves meet in one sentence. If an operation leaves the input unchanged, an equivariant function's output must
# be unchanged by it too; so the output never has less symmetry than the input (Curie's principle). A network that is
# fed the cubic parent alone **cannot** answer with the orthorhombic child. What must be added to its input is the order
# parameter (Smidt, Geiger & Miller, Phys. Rev. Research 3, L012002 (2021)).

# %%
from pathlib import Path

import numpy as np

from orderparam import analyse, discover, predicted_crystal, read_crystal, report_symmetry, symmetrise
from orderparam.records import drawing_record
from orderparam.report import figures
from orderparam.report.folder import inputs_record
from orderparam.report.scene import build_scene

here = Path.cwd()
perovskites = next(p for p in (here, *here.parents) if (p / "structures").is_dir()) / "structures" / "perovskite"

parent = symmetrise(read_crystal(perovskites / "LaMnO3_221.cif"))
child = read_crystal(perovskites / "LaMnO3_62.cif")
print(parent, "with", parent.origin_atom, "at the origin")
print(child)

# %% [markdown]
# ## The exact half: from two files to order parameters
#
# `analyse` finds which atom of the child is which of the parent (in any setting, origin or order of atoms) and splits
# the displacements into parts that do not mix under the parent's symmetry: **irreps** (irreducible representations). It
# is linear algebra, with nothing to train.
#
# A label such as `R4+` says where in the Brillouin zone the pattern lives (R: neighbouring cells alternate along all
# three axes), which irrep it is (4), and whether inversion about the origin keeps it (+). *For the ML reader:* it is a
# name for one way in which a pattern can transform, as "vector" is.

# %%
analysis = analyse(parent, child)
distortion = analysis.relation.distortion
print("the child's cell, in vectors of the parent:", analysis.relation.correspondence.supercell.tolist())
print(f"largest displacement {distortion.lengths.max():.3f} angstrom, domains {distortion.group.index}\n")
print("irrep  direction         amplitude  symmetry that it alone would leave")
for part in analysis.decomposition.displacive:
    print(f"{part.label:6} {part.direction:16} {part.amplitude_supercell:8.4f} A  {part.subgroup}")

# %% [markdown]
# This is the child; the arrows, three times too long, show how its atoms came there from the cubic parent (whose cell is
# grey). Turn it with the mouse: the octahedra tilt.

# %%
scene = build_scene(drawing_record(analysis))
figures.structure(scene)

# %% [markdown]
# Five parts, but not five causes. No part leaves exactly $Pnma$ by itself; two together can. `primary_sets` lists the smallest
# sets that do, and prefers the one with the largest share of the displacement: `R4+` and `M3+`, the two patterns in
# which the MnO$_6$ octahedra tilt. The others follow from them. (Primary **by symmetry**: what drives the transition is
# a question about energies, which two structures cannot answer.)

# %%
for candidate in analysis.primary_sets[:4]:
    print(f"{' + '.join(candidate.labels):10} holds {candidate.share:.1%} of the squared displacement")
primary_labels = set(analysis.primaries.labels)

# %% [markdown]
# ## The learned half: what does the network ask for?
#
# Now the network gets the parent, and on its atoms an extra field that starts at exactly zero. The loss pulls at that
# field; where the pull vanishes by symmetry, no such input can help. The table of these gradients is the message of the
# network: most rows are zero to rounding, the others name patterns that are in the target. (Which rows are zero follows
# from symmetry; the size of the others depends on the random weights.)

# %%
found = discover(analysis, seed=0)
strongest = max(entry.norm for entry in found.gradient)
rows = [entry for entry in found.gradient if entry.norm > 1e-6 * strongest]
pulled = {entry.space_group_irrep for entry in rows}
print(
    f"{len(rows)} of {len(found.gradient)} possible inputs feel a gradient; their irreps: {', '.join(sorted(pulled))}"
)

# %% [markdown]
# `discover` gave the network the primary irreps on the simplest carrier: `Mn:1e`, a field of *pseudovectors* on Mn (`1`:
# three components; `e`: it is invariant under inversion, as is an axis of rotation). That is just what a tilt of an
# octahedron is. With this input the fit reaches the child.

# %%
predicted = predicted_crystal(analysis, found.fit)
symmetry = report_symmetry(predicted, 1e-4)
print(f"carrier {found.carrier}, seed {found.fit.config.seed}, {found.fit.iterations} steps")
print(f"largest error {found.fit.deviation.max:.1e} angstrom; the prediction is {symmetry.symbol} ({symmetry.number})")
for learned in found.learned:
    number, symbol = learned.isotropy_subgroup
    print(f"learned on {learned.input}: {learned.label} {learned.direction}, alone {symbol} ({number})")

# %% [markdown]
# On the atoms it looks like this (a pseudovector is drawn as an arrow that runs round its axis, since that is what it means):

# %%
figures.learned(scene, inputs_record(found)["inputs"])

# %% [markdown]
# The *amplitude* and the sign of a learned input mean nothing by themselves (the weights can absorb them); its irreps
# and directions do.
#
# ## Is each of the two needed?
#
# Take one away, fit again, and compare with the **floor**: what every equivariant function without it must miss.

# %%
for test in found.necessity:
    print(f"without {test.without}: misses {test.residual_max:.3f} angstrom, the floor is {test.exact_floor_max:.3f}")
figures.necessity(found)

# %% [markdown]
# The failures are as large as symmetry says and no larger: the network does all that is allowed. Read this as a check of
# the whole chain, not as new evidence: by Curie's principle it had to come out. The result, as assertions:

# %%
assert primary_labels == {"R4+", "M3+"}
assert {learned.label for learned in found.learned} == {"R4+", "M3+"}
assert pulled == {part.label for part in analysis.decomposition.displacive}
assert symmetry.number == 62
assert found.fit.deviation.max < 1e-6
assert {test.without for test in found.necessity} == {"R4+", "M3+"}
assert all(test.residual_max > 0.1 for test in found.necessity)
assert np.allclose([t.residual_max for t in found.necessity], [t.exact_floor_max for t in found.necessity], atol=1e-4)
