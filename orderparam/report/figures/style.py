"""How all figures look: the colours of Okabe & Ito, which colour-blind readers tell apart, on white for print."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import plotly.graph_objects as go

BLUE, ORANGE, GREEN, PURPLE = "#0072b2", "#e69f00", "#009e73", "#cc79a7"
VERMILION, SKY, YELLOW, BLACK, GREY = "#d55e00", "#56b4e9", "#f0e442", "#1a1a1a", "#9a9a9a"
SERIES = (BLUE, VERMILION, GREEN, PURPLE, SKY, ORANGE, BLACK)
"""In this order for several things of one kind."""

FONT = "Helvetica, Arial, sans-serif"


def plain(text: object) -> str:
    """Return text from a file so that plotly, which reads some HTML in labels, shows it as it is."""
    return escape(str(text), quote=False)


def styled(figure: go.Figure, *, height: int = 340, **layout: Any) -> go.Figure:
    """Give a figure the common look."""
    figure.update_layout(
        template="none",
        font={"family": FONT, "size": 13, "color": BLACK},
        paper_bgcolor="white",
        plot_bgcolor="white",
        height=height,
        margin={"l": 64, "r": 16, "t": 32, "b": 48},
        modebar={"bgcolor": "rgba(255,255,255,0)"},
        colorway=list(SERIES),
        hoverlabel={"font": {"family": FONT, "size": 13}},
        legend={"bgcolor": "rgba(255,255,255,0.8)"},
    )
    axis = {
        "showline": True,
        "linecolor": BLACK,
        "mirror": True,
        "zeroline": False,
        "ticks": "outside",
        "gridcolor": "#e4e4e4",
    }
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    figure.update_layout(**layout)
    return figure


def note(figure: go.Figure, text: str) -> go.Figure:
    """Write a sentence in the middle of an empty figure."""
    figure.add_annotation(text=plain(text), x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure
