"""A report as one self-contained HTML page that fetches nothing.

The decision first, then pictures that one can hover and zoom (plotly.js, written into the page), the tables,
the method and its proxies, and how to reproduce it. Without scripts a still picture takes their place. A
content security policy in the page forbids it to load or send anything.
"""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Sequence

from fleet.report.contents import Card, Chart, Report, Table

__all__ = ["page_of"]

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)
STYLE = """
:root{--ink:#1b1b1b;--soft:#555;--line:#ddd;color-scheme:light}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:72rem;padding:1.2rem 1rem 3rem;color:var(--ink);background:#fff;overflow-wrap:anywhere}
h1{font-size:1.6rem;line-height:1.25;margin:.4rem 0}h2{font-size:1.15rem;margin:2.2rem 0 .2rem}
p.lead{margin:.3rem 0;max-width:52rem}p.soft,figcaption{color:var(--soft);font-size:.92rem;margin:.1rem 0 .4rem}
.cards{display:flex;flex-wrap:wrap;gap:.8rem;margin:1.2rem 0}
.card{flex:1 1 13rem;border:1px solid var(--line);border-radius:.5rem;padding:.7rem .9rem}
.card b{display:block;font-size:1.35rem}.card span{color:var(--soft);font-size:.9rem;display:block}
.pair{display:grid;grid-template-columns:3fr 2fr;gap:1.5rem}
figure{margin:0;min-width:0}.chart{width:100%}noscript svg{width:100%;height:auto}
.wide{overflow:auto;max-height:36rem}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.95rem}
th,td{padding:.35rem .5rem;border-bottom:1px solid var(--line);text-align:right;overflow-wrap:normal}
td{white-space:nowrap}th{vertical-align:bottom;position:sticky;top:0;background:#fff}
th:first-child,td:first-child{text-align:left}th.words,td.words{text-align:left}td.words:last-child{white-space:normal;min-width:16rem}
table.many{font-size:.8rem}.many th,.many td{padding:.35rem .3rem}
td:first-child{position:sticky;left:0;background:#fff}
summary{cursor:pointer}summary h2{display:inline}
pre{background:#f6f6f6;padding:.7rem;overflow-x:auto;font-size:.85rem;white-space:pre-wrap;word-break:break-word}
@media(max-width:48rem){.pair{grid-template-columns:1fr}h1{font-size:1.3rem}}
@media print{@page{margin:14mm}body{max-width:none;padding:0;font-size:11pt}.pair{display:block}
figure,.card,tr,pre{break-inside:avoid}h2{break-after:avoid}.modebar{display:none!important}
.wide{overflow:visible;max-height:none}table{font-size:7.6pt}th,td{padding:.25rem .3rem}th{position:static}}
"""
MANY = 8
"""Columns of a table that is set in smaller type."""
SCRIPT = """
const figures = JSON.parse(document.getElementById("figures").textContent);
const options = {responsive: true, displaylogo: false, scrollZoom: false, showSendToCloud: false, plotlyServerURL: "",
  modeBarButtonsToRemove: ["select2d", "lasso2d", "sendChartToCloud"]};
const touch = matchMedia("(pointer: coarse)").matches;
figures.forEach((figure, k) => {
  if (touch) figure.layout.dragmode = false;
  Plotly.newPlot("chart-" + k, figure.data, figure.layout, options);
});
const each = change => figures.forEach((_, k) => { const at = "chart-" + k;
  Plotly.relayout(at, change(document.getElementById(at))); });
addEventListener("beforeprint", () => each(box => ({autosize: false, width: 680, height: box.offsetHeight})));
addEventListener("afterprint", () => each(() => ({autosize: true, width: null, height: null})));
"""


def page_of(paper: Report, *, command: str | None = None) -> str:
    """Return the page as text.

    Parameters
    ----------
    command
        The command line that made it, for the reader who wants to reproduce it.
    """
    from plotly.offline import get_plotlyjs

    answer, *more = paper.decision
    # No "<" may stand in a script's data: "<!--" and "<script" change how the browser reads what follows.
    figures = json.dumps([chart.figure for chart in paper.charts], allow_nan=False).replace("<", "\\u003c")
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="generator" content="spotfleet"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,"><title>{shown(answer)}</title><style>{STYLE}</style></head><body><main>
<h1>{shown(answer)}</h1>
{"".join(f'<p class="lead">{shown(line)}</p>' for line in more)}
<p class="soft">{shown(paper.scope)}</p>
<div class="cards">{"".join(map(card_html, paper.cards))}</div>
<noscript>{still_picture(paper)}</noscript>
{chart_rows(paper.charts)}
{"".join(map(table_part, paper.tables))}
<h2>How it was computed</h2>{list_html(paper.method)}
<h2>Proxies, gaps and assumptions</h2>{list_html(paper.notes or ("none",))}
<h2>How to reproduce it</h2>{reproduce(paper, command)}
</main>
<script type="application/json" id="figures">{figures}</script>
<script>{get_plotlyjs()}</script><script>{SCRIPT}</script>
</body></html>
"""


def card_html(card: Card) -> str:
    """Return one answer at a glance."""
    spans = "".join(f"<span>{shown(line)}</span>" for line in card.lines)
    return f'<div class="card">{shown(card.name)}<b>{shown(card.number)}</b>{spans}</div>'


def chart_rows(charts: Sequence[Chart]) -> str:
    """Return the figures, wide ones beside the narrow one that follows."""
    boxes = [chart_html(k, chart) for k, chart in enumerate(charts)]
    parts, k = [], 0
    while k < len(boxes):
        paired = charts[k].wide and k + 1 < len(boxes)
        parts.append(f'<div class="pair">{boxes[k]}{boxes[k + 1]}</div>' if paired else boxes[k])
        k += 2 if paired else 1
    return "\n".join(parts)


def chart_html(k: int, chart: Chart) -> str:
    """Return the k-th figure: heading, caption, and the box that it is drawn in."""
    title, caption = shown(chart.title), shown(chart.caption)
    return (
        f"<figure><h2>{title}</h2><figcaption>{caption}</figcaption>"
        f'<div class="chart" style="height:{chart.height}px" id="chart-{k}" role="img" '
        f'aria-label="{title}: {caption}"></div></figure>'
    )


def still_picture(paper: Report) -> str:
    """Return the still picture as an SVG element without its XML prologue, or where the numbers stand."""
    if paper.still is None:
        return "<p>The pictures need scripts; the tables below hold their numbers.</p>"
    from fleet.plots.figure import spelled_out

    stream, figure = io.StringIO(), paper.still()
    with spelled_out(figure):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return re.sub(r"^.*?(?=<svg)", "", stream.getvalue(), count=1, flags=re.DOTALL)


def table_part(table: Table) -> str:
    """Return a table under its heading; it scrolls in a box of its own, which the keyboard reaches."""
    header, *rows = table.rows
    title = shown(table.title)
    body = (
        f'<div class="wide" tabindex="0" role="region" aria-label="{title}">'
        f"<table{' class=many' if len(header) > MANY else ''}>"
        f"<thead>{row_html(header, 'th', table)}</thead>"
        f"<tbody>{''.join(row_html(row, 'td', table) for row in rows)}</tbody></table></div>"
    )
    if table.folded:
        return f"<details><summary><h2>{title}</h2></summary>{body}</details>"
    return f"<h2>{title}</h2>{body}"


def row_html(cells: Sequence[str], tag: str, table: Table) -> str:
    """Return one table row; a column of words is set as text."""
    scope = ' scope="col"' if tag == "th" else ""
    parts = []
    for k, cell in enumerate(cells):
        look = ' class="words"' if table.is_text(k) else ""
        text = shown(cell).replace(" [", "<br>[")  # an interval stands below its mean
        parts.append(f"<{tag}{look}{scope}>{text}</{tag}>")
    return f"<tr>{''.join(parts)}</tr>"


def reproduce(paper: Report, command: str | None) -> str:
    """Return the command if there was one, and versions, seed and digests."""
    text = "\n".join(f"{name}: {value}" for name, value in paper.facts.items() if value is not None)
    line = f"<pre>{html.escape(command)}</pre>" if command else ""
    return f"{line}<pre>{html.escape(text)}</pre>"


def shown(text: str) -> str:
    """Return text as HTML, with numbers kept beside their units."""
    return html.escape(text).replace(" %", "&nbsp;%").replace("unit-h", "unit&#8209;h")


def list_html(lines: Sequence[str]) -> str:
    """Return a list."""
    return f"<ul>{''.join(f'<li>{shown(line)}</li>' for line in lines)}</ul>"
