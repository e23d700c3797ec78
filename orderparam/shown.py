"""How nouns show themselves in a notebook: the one way up, by name and only when a notebook asks."""

from __future__ import annotations

from importlib import import_module


def html_of(noun: object) -> str:
    """Return a noun as HTML; nouns have this function as their ``_repr_html_``.

    What is shown is written by `orderparam.report.notebook`, which is loaded here and not before: the nouns know
    nothing of reports.
    """
    return import_module("orderparam.report.notebook").to_html(noun)
