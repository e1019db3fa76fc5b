"""What the build of the documentation adds: pictures, formulas, an entry for each public name."""

from __future__ import annotations

import hashlib
import re
import runpy
from collections import defaultdict
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PICTURES = HERE / "images" / "gallery"
DRAWN_BY = PICTURES / ".drawn-by"
MARK = "<!-- one entry for each public name -->"
DISPLAYED = re.compile(r"^```math\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"\$`([^`\n]+)`\$")  # as GitHub writes formulas in a line


def on_pre_build(config: Any) -> None:
    """Draw the gallery, where it is not drawn yet as `gallery.py` says now."""
    del config
    script = HERE / "gallery.py"
    told = hashlib.sha256(script.read_bytes()).hexdigest()
    if not DRAWN_BY.is_file() or DRAWN_BY.read_text() != told:
        runpy.run_path(str(script))["draw"](PICTURES)
        DRAWN_BY.write_text(told)


def on_page_markdown(markdown: str, page: Any, **kwargs: Any) -> str:
    """Fill in formulas, and the API reference from what ``fleet`` makes public, by room."""
    del page, kwargs
    markdown = DISPLAYED.sub(lambda found: formula(found[1], "block"), markdown)
    markdown = INLINE.sub(lambda found: formula(found[1], "inline"), markdown)
    return markdown.replace(MARK, entries()) if MARK in markdown else markdown


def formula(latex: str, display: str) -> str:
    """Return LaTeX as MathML, which browsers draw themselves: no script, no font from elsewhere."""
    from latex2mathml.converter import convert

    drawn: str = convert(latex.strip(), display=display)
    if display == "block":
        return f'<div class="formula">{drawn}</div>\n'
    return f"<span>{drawn}</span>"  # Markdown takes a bare <math> for a paragraph of its own


def entries() -> str:
    """Return a heading a room and a directive a name."""
    import fleet

    rooms: dict[str, list[str]] = defaultdict(list)
    for name in fleet.__all__:
        home = getattr(getattr(fleet, name), "__module__", None)
        if name not in ("__version__", "plots") and home is not None:
            rooms[home.split(".")[1]].append(f"::: {home}.{name}")
    parts = [f"## {room}\n\n" + "\n\n".join(names) for room, names in sorted(rooms.items())]
    return "\n\n".join([*parts, "## plots\n\n::: fleet.plots\n    options:\n      show_root_heading: false"])
