"""Formulas as MathML, which browsers draw without a script or a network, and docstrings that are not quite RST."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docutils import nodes
from docutils.utils.math import latex2mathml
from sphinx.util.logging import getLogger

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator

logger = getLogger(__name__)
LITERALS = re.compile(r"(``.*?``|`[^`]*`_?|:\w+:`[^`]*`)")
ROLES = re.compile(r"(?<!\\)(\||\*(?!\*)|(?<=\w)_(?=\W|$))")


def visit_inline(self: HTML5Translator, node: nodes.math) -> None:
    """Write a formula in a line."""
    self.body.append(_mathml(node.astext(), node, as_block=False))
    raise nodes.SkipNode


def visit_block(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula of its own."""
    text = node.astext()
    if r"\\" in text and r"\begin" not in text:
        text = rf"\begin{{aligned}}{text}\end{{aligned}}"
    self.body.append(f'<div class="math">{_mathml(text, node, as_block=True)}</div>\n')
    raise nodes.SkipNode


def _mathml(text: str, node: nodes.Node, *, as_block: bool) -> str:
    text = text.strip()
    if text.startswith(("_", "^")):
        text = "{}" + text  # an index of the text before it, as in LaMnO$_3$
    try:
        return str(latex2mathml.tex2mathml(text, as_block=as_block))
    except (latex2mathml.MathError, IndexError) as problem:
        logger.warning("formula %s: %s", text, problem, location=node)
        return f"<code>{text}</code>"


def escape_docstring(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Escape what plain-text mathematics and RST understand differently: |x|, a*, b_ outside of literals."""
    del app, what, name, obj, options
    literal = False
    for number, line in enumerate(lines):
        before = lines[number - 1].rstrip() if number else ""
        literal = (literal and (not line or line.startswith("    "))) or before.endswith("::")
        if not literal and not line.lstrip().startswith((">>>", ".. ")):
            parts = LITERALS.split(line)
            parts[::2] = [ROLES.sub(r"\\\1", part) for part in parts[::2]]
            lines[number] = "".join(parts)
