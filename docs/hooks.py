"""What the build of the documentation adds: the gallery's pictures, and one entry for each public name."""

from __future__ import annotations

import runpy
from collections import defaultdict
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PICTURES = HERE / "images" / "gallery"
MARK = "<!-- one entry for each public name -->"


def on_pre_build(config: Any) -> None:
    """Draw the gallery, where it is not drawn yet."""
    del config
    if not PICTURES.is_dir():
        runpy.run_path(str(HERE / "gallery.py"))["draw"](PICTURES)


def on_page_markdown(markdown: str, page: Any, **kwargs: Any) -> str:
    """Fill in the API reference from what ``fleet`` makes public, by room."""
    del page, kwargs
    return markdown.replace(MARK, entries()) if MARK in markdown else markdown


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
