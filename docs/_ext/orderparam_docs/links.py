"""Every link inside the built site must lead somewhere."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from sphinx.util.logging import getLogger

if TYPE_CHECKING:
    from sphinx.application import Sphinx

logger = getLogger(__name__)


class _Page(HTMLParser):
    """Targets and links of one page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note ids and links."""
        values = dict(attrs)
        self.anchors |= {values[name] for name in ("id", "name") if values.get(name)}
        wanted = "href" if tag in ("a", "link") else "src"
        if values.get(wanted) and values.get("rel") != "canonical":
            self.links.append(values[wanted])


def broken_links(folder: Path) -> list[str]:
    """Return every link from a page of a folder to a file or an anchor that is not there."""
    pages = {path.resolve(): _Page(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        for link in dict.fromkeys(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            where = path.relative_to(folder.resolve())
            if not target.exists():
                found.append(f"{where}: {link}: no such file")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                found.append(f"{where}: {link}: no such anchor")
    return found


def check_site(app: Sphinx, exception: Exception | None) -> None:
    """Warn of broken links when the site has been written."""
    if exception is None and app.builder.format == "html":
        for one in broken_links(Path(app.outdir)):
            logger.warning("broken link: %s", one)
