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
# # Your own structure: from a lonely CIF to a publication figure
#
# You have one file. No parent, no literature, no idea: just a crystal with a low symmetry, from a diffractometer or a
# relaxation. This page goes the whole way with it, in the order in which you would: what is it a distortion *of*; of what
# does the distortion consist; what lies between; which reflections would show it; what to put into the paper.
#
# Put the path of your own file in the next cell and read on; only the names in the text are those of the example. It is
# Ca$_3$Ti$_2$O$_7$, two layers of perovskite and a layer of CaO in turn. Its space group $Cmc2_1$ is polar, so it may have
# an electric polarisation. Where does that come from?
#
# - *If you never trained a network:* you need none here until the second half, and there it takes a fraction of a second.
# - *If you never saw a space group:* think of it as the list of operations (rotations, reflections, shifts) that map the
#   crystal onto itself. The shorter the list, the lower the symmetry.

# %%
import tempfile
from pathlib import Path

import numpy as np

from orderparam import (
    analyse,
    crystal_to_cif,
    discover,
    find_couplings,
    fit_record,
    named_irrep,
    predicted_crystal,
    propose_parents,
    read_crystal,
    report_symmetry,
    subgroup_graph,
    symmetrise,
)
from orderparam.diffraction import find_reflections, reflection_rows
from orderparam.errors import InvalidInputError
from orderparam.report import figures
from orderparam.report.folder import inputs_record, whole_drawing
from orderparam.report.page import fit_page
from orderparam.report.scene import build_scene

here = Path.cwd()
root = next(p for p in (here, *here.parents) if (p / "structures").is_dir())
child = read_crystal(root / "structures" / "ruddlesden_popper" / "Ca3Ti2O7_36.cif")  # your file
own = report_symmetry(child, 1e-3)
print(f"{child}, {own.symbol} ({own.number})")

# %% [markdown]
# ## What is it a distortion of?
#
# `propose_parents` looks for structures of higher symmetry nearby: it tries shifts and rotations that *almost* map the
# crystal onto itself, and averages over them. Each proposal says what it costs. The `index` is the number of operations
# won (8 operations of the parent for each one that the child has); `rms` is how far the atoms must move for it. The program
# puts first what buys much symmetry for little displacement, and calls weak what does not.

# %%
proposals = propose_parents(child)
print("parent          index   rms (A)   largest (A)")
for proposal in proposals:
    print(
        f"{proposal.group!s:15} {proposal.index:5}   {proposal.rms:7.3f}   {proposal.max_displacement:11.3f}"
        f"{'   weak' if proposal.is_weak else ''}"
    )

# %% [markdown]
# The first, $I4/mmm$, holds the others within it: a tetragonal stack of perfectly straight octahedra. That is what a chemist
# would have said, too. Here we take it; if you know better (a measured high-temperature phase is the best parent of all),
# use your own file.
#
# A proposal is a `Parent` and can be used at once. In a terminal, `orderparam parent YOUR.cif --write parents --modes` does
# this step and the next, and leaves the parents as CIF files.

# %%
parent = symmetrise(proposals[0].crystal)
analysis = analyse(parent, child)
analysis

# %% [markdown]
# ## Of what does the distortion consist?
#
# Of three patterns that symmetry keeps apart (irreps). Their labels are names in a catalogue, so look at what they do:
# `X3-` and `X2+` alternate from cell to cell (they live at X, the edge of the Brillouin zone), and `GM5-` is the same in all
# cells (GM is its centre) and odd under inversion: it is the *polar* one.

# %%
figures.amplitudes(analysis)

# %% [markdown]
# The dark ones are primary: alone, `X3-` would leave $Cmcm$ and `X2+` $Cmce$, neither of which is polar; together they leave
# just the child's group. So the polar pattern is not needed to explain the symmetry. Can it be a *consequence*? Ask whether
# the energy has a term that is linear in `GM5-` and contains the two others:

# %%
X3, X2 = named_irrep(parent, "X3-"), named_irrep(parent, "X2+")
couplings = {coupling.secondary.label: coupling for coupling in find_couplings(parent, [X3, X2], 3)}
trilinear = [str(polynomial) for polynomial in couplings["GM5-"].polynomials]
print("p is X3-, q is X2+, s is GM5-:", "; ".join(trilinear))

# %% [markdown]
# It has: in a term *p q s* the two others act on the polar pattern as an electric field does. Both turn the octahedra (`X2+`
# about the stacking axis, `X3-` about an axis within the layers); as soon as both are there, `GM5-` must follow.
# Ferroelectrics of this kind are called hybrid improper (Benedek & Fennie, Phys. Rev. Lett. 106, 107204 (2011), on the
# same structure with Mn), and you have just found one from a lonely CIF.
#
# Now look at it. Octahedra as they are in the child; arrows, three times too long, show how the atoms came there. (Turn it
# with the mouse; a click in the legend hides a layer.)

# %%
drawing = whole_drawing(analysis)
scene = build_scene(drawing)
figures.structure(scene)

# %% [markdown]
# ## Does a network agree?
#
# An equivariant network turns with its input: if an operation leaves the input as it is, it leaves the output as it is.
# So a network fed with the parent alone cannot produce the child, whatever its weights; it has to be given something that
# breaks the symmetry, and what suffices is the order parameter (Curie's principle; the first two tutorials). `discover`
# gives it the two primaries as axial vectors on some atoms, fits, and then takes each away again.

# %%
found = discover(analysis, seed=0)
predicted = report_symmetry(predicted_crystal(analysis, found.fit), 1e-4)
found

# %%
figures.necessity(found)

# %% [markdown]
# With both, the network reaches the child to rounding, polar shifts and all, though it was given nothing polar. Without one
# of them it misses by just as much as symmetry says it must. What it was given looks like this on the atoms (a pseudovector,
# the axis of a rotation, is drawn as an arrow that runs round it):

# %%
inputs = inputs_record(found)
figures.learned(scene, inputs["inputs"])

# %% [markdown]
# ## What lies between?
#
# A real crystal rarely breaks two symmetries at one temperature. The groups between parent and child say by which ways it
# can go, and the structure of each is the child averaged over that group.

# %%
graph = subgroup_graph(analysis)
figures.subgroup_tree((analysis, graph))

# %%
folder = Path(tempfile.mkdtemp(prefix="own_structure_"))
confirmed = {}
for node in graph.nodes:
    number, symbol = node.space_group
    if not node.is_realised:
        print(f"{symbol:8} ({number:3})  no displacement of this child leaves it, only its strain")
        continue
    structure = node.distortion.crystal()
    confirmed[number] = report_symmetry(structure, 1e-4).number
    (folder / f"{node.number}_{number}.cif").write_text(crystal_to_cif(structure, symprec=1e-4))
    print(f"{symbol:8} ({number:3})  {node.distance:.3f} A from the child, spglib finds {confirmed[number]}")
print("written:", ", ".join(sorted(path.name for path in folder.glob("*.cif"))))

# %% [markdown]
# Each of these files is ready for a relaxation or a refinement. Nearest to the child is $Cmcm$, with `X3-` alone.
#
# ## Which reflections would show it?
#
# A pattern that alternates from cell to cell makes new reflections, between those of the parent: superlattice lines. Their
# places follow from the wave vector, so that both rotations, at X, make lines at the same places; but not with the same
# strength. For every line the share of each pattern follows by taking that pattern away.

# %%
reflections = find_reflections(analysis)
extra = sorted((r for r in reflections if r.is_superlattice), key=lambda r: -r.intensity)
print("2 theta   intensity   parent h k l       goes without X3-   without X2+")
for line in extra[:6]:
    indices = " ".join(str(abs(i)) for i in line.parent_indices)
    print(
        f"{line.two_theta:7.2f}   {line.intensity:9.2f}   {indices:16}   {line.shares['X3-']:15.0%}   {line.shares['X2+']:11.0%}"
    )
figures.reflections(reflection_rows(reflections))

# %% [markdown]
# The strongest new line belongs to `X3-`, and there are others that are nearly all of `X2+`: following these two with
# temperature tells which comes first. `GM5-` makes no line of its own: it is the same in all cells, so it can only change
# the strength of lines that are there without it. That is why a polar pattern is so easily missed by diffraction.
#
# ## The figure
#
# Every figure above is an ordinary plotly figure, so what you know about those holds: here the structure and the amplitudes
# side by side, as panels (a) and (b).

# %%
from plotly.subplots import make_subplots

left, right = figures.structure(scene), figures.amplitudes(analysis)
paper = make_subplots(1, 2, specs=[[{"type": "scene"}, {"type": "xy"}]], column_widths=[0.6, 0.4])
paper.add_traces(left.data, rows=1, cols=1)
paper.add_traces(right.data, rows=1, cols=2)
paper.update_layout(template=right.layout.template, font=right.layout.font, width=900, height=480)
paper.update_scenes(left.layout.scene.to_plotly_json() | {"domain": paper.layout.scene.domain.to_plotly_json()})
paper.update_yaxes(title=right.layout.yaxis.title.text, rangemode="tozero")
paper.update_layout(legend={"orientation": "h", "y": -0.05}, margin={"l": 10, "r": 10, "t": 40, "b": 10})
for text, x in (("(a)", 0.0), ("(b)", 0.62)):
    paper.add_annotation(text=text, x=x, y=1.06, xref="paper", yref="paper", showarrow=False, font={"size": 18})
paper

# %% [markdown]
# As a file for the journal it needs kaleido (`pip install "orderparam[images]"`); where that is not installed you are told
# so. Without it, the camera symbol above the figure saves a PNG.

# %%
try:
    for name in ("figure.svg", "figure.png"):
        figures.write_figure(paper, folder / name)
        print("written:", name)
except InvalidInputError as problem:
    print(str(problem).replace(f"{folder}/", ""))

# %% [markdown]
# For the supplementary material: one HTML page with the structure to distort by hand, all charts and tables, versions and
# seed. It loads nothing from elsewhere, so that it can be mailed and will still open in ten years. (In a terminal:
# `orderparam fit PARENT.cif YOUR.cif --html page.html`.)

# %%
record = fit_record(found, command={"parent": "proposed by propose_parents", "child": child.name})
page = folder / "Ca3Ti2O7.html"
page.write_text(fit_page(record, drawing, inputs), encoding="utf-8")
print(f"{page.name}: {page.stat().st_size / 1e6:.1f} MB")

# %% [markdown]
# ## Was the proposed parent the right one?
#
# Ca$_3$Ti$_2$O$_7$ is well known, so for once we can look it up. The authors of this structure computed a parent as well,
# and AMPLIMODES (a web server) has published amplitudes for their pair. The proposed parent has another cell, since it is the
# child, averaged; the patterns should hardly care.

# %%
literature = symmetrise(read_crystal(root / "structures" / "ruddlesden_popper" / "Ca3Ti2O7_139.cif"))
published = {"X3-": 1.2278, "X2+": 0.8834, "GM5-": 0.6192}  # As, angstrom
ours = {part.label: part.amplitude_supercell for part in analysis.decomposition.displacive}
theirs = {part.label: part.amplitude_supercell for part in analyse(literature, child).decomposition.displacive}
for label, value in published.items():
    print(f"{label:5} proposed parent {ours[label]:.4f}, computed parent {theirs[label]:.4f}, published {value:.4f} A")

# %% [markdown]
# The results, as assertions.

# %%
assert own.number == 36
assert proposals[0].group.number == 139
assert not proposals[0].is_weak
assert set(analysis.primaries.labels) == {"X3-", "X2+"}
assert len(trilinear) == 1
assert "GM5-" not in {learned.label for learned in found.learned}
assert found.fit.deviation.max < 1e-6
assert predicted.number == 36
assert np.allclose([t.residual_max for t in found.necessity], [t.exact_floor_max for t in found.necessity], atol=1e-4)
assert all(found_by_spglib == number for number, found_by_spglib in confirmed.items())
assert {139, 63, 64, 36} <= set(confirmed)
assert extra[0].shares["X3-"] > 0.9
assert max(line.shares["X2+"] for line in extra[:6]) > 0.9
assert all("GM5-" not in line.at_wave_vector_of for line in extra)
assert page.stat().st_size < 7e6
assert all(abs(theirs[label] - published[label]) < 2e-4 for label in published)
assert all(abs(ours[label] - published[label]) < 0.01 for label in published)
