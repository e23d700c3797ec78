"""Figures: every function returns a `plotly.graph_objects.Figure`; none shows or writes it.

plotly is loaded when the first figure is made.
"""

from .charts import amplitudes, carriers, convergence, gradient, necessity, reflections, strains
from .export import check_export, write_figure
from .graph import subgroup_tree
from .structure import learned, structure
from .zone import brillouin_zone

__all__ = [
    "amplitudes",
    "brillouin_zone",
    "carriers",
    "check_export",
    "convergence",
    "gradient",
    "learned",
    "necessity",
    "reflections",
    "strains",
    "structure",
    "subgroup_tree",
    "write_figure",
]
