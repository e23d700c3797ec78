"""HTML that is safe by construction: whatever is not `Html` already is escaped."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import numpy as np


class Html(str):
    """Text that is HTML."""

    __slots__ = ()


_EMPTY = {"br", "hr", "input", "meta"}


def text(value: object) -> Html:
    """Return a value as HTML, escaped unless it is HTML."""
    return value if isinstance(value, Html) else Html(escape(str(value), quote=True))


def together(parts: Iterable[object]) -> Html:
    """Return parts one after the other; None is left out."""
    return Html("".join(text(part) for part in parts if part is not None))


def tag(name: str, /, *children: object, **attributes: object) -> Html:
    """Return an element; attribute names lose a trailing underscore, inner ones become hyphens.

    Examples
    --------
    >>> tag("p", "a < b", tag("b", "bold"), class_="note")
    '<p class="note">a &lt; b<b>bold</b></p>'
    """
    written = []
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        label = key.rstrip("_").replace("_", "-")
        written.append(f" {label}" if value is True else f' {label}="{escape(str(value), quote=True)}"')
    opening = f"<{name}{''.join(written)}>"
    return Html(opening if name in _EMPTY else f"{opening}{together(children)}</{name}>")


def table(
    columns: Sequence[object],
    rows: Iterable[Sequence[object]],
    *,
    caption: str = "",
    numbers: Sequence[int] = (),
    states: int = 0,
) -> Html:
    """Return a table; the columns `numbers` are set flush right, the first `states` rows choose a structure."""

    def cells(kind: str, row: Sequence[object], **attributes: object) -> list[Html]:
        return [tag(kind, c, class_="number" if i in numbers else None, **attributes) for i, c in enumerate(row)]

    head = tag("tr", *cells("th", columns, scope="col"))
    body = [tag("tr", *cells("td", row), data_state=n if n < states else None) for n, row in enumerate(rows)]
    title = tag("caption", caption) if caption else None
    return tag("div", tag("table", title, tag("thead", head), tag("tbody", *body)), class_="scroll", tabindex="0")


def facts(rows: Iterable[tuple[object, object]]) -> Html:
    """Return names and values as a list."""
    return tag("dl", *(together([tag("dt", name), tag("dd", value)]) for name, value in rows))


def packed(values: np.ndarray) -> dict[str, str]:
    """Return an array for the page's scripts: type (float32 or int32) and bytes."""
    kind, code = (np.int32, "i4") if values.dtype.kind in "iu" else (np.float32, "f4")
    return {"dtype": code, "bdata": base64.b64encode(np.ascontiguousarray(values, kind).tobytes()).decode()}


def data_block(identity: str, value: Any) -> Html:
    """Return JSON in a script element that no browser runs; nothing in it can end the element."""
    return Html(f'<script type="application/json" id="{escape(identity)}">{script_json(value)}</script>')


def script_json(value: Any) -> str:
    """Return JSON without the characters that mean something to HTML."""
    written = (
        value
        if isinstance(value, str)
        else json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    )
    for character, code in (
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("&", "\\u0026"),
        ("\u2028", "\\u2028"),
        ("\u2029", "\\u2029"),
    ):
        written = written.replace(character, code)
    return written
