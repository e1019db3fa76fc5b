"""A comparison as one self-contained HTML page that fetches nothing.

The decision first, then pictures that one can hover and zoom (plotly.js, written into the page), the table,
the method and its proxies, and how to reproduce it. Without scripts a still picture takes their place.
"""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Sequence
from typing import Any

from fleet.comparison import Comparison
from fleet.formats import format_time
from fleet.report.charts import Chart, charts
from fleet.report.wording import decision, method, notes_of
from fleet.results import ReplayResult, percent

__all__ = ["comparison_page"]

STYLE = """
:root{--ink:#1b1b1b;--soft:#555;--line:#ddd}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:72rem;padding:1.2rem 1rem 3rem;color:var(--ink);background:#fff}
h1{font-size:1.6rem;line-height:1.25;margin:.4rem 0}h2{font-size:1.15rem;margin:2.2rem 0 .2rem}
p.lead{margin:.3rem 0;max-width:52rem}p.soft,figcaption{color:var(--soft);font-size:.92rem;margin:.1rem 0 .4rem}
.cards{display:flex;flex-wrap:wrap;gap:.8rem;margin:1.2rem 0}
.card{flex:1 1 13rem;border:1px solid var(--line);border-radius:.5rem;padding:.7rem .9rem}
.card b{display:block;font-size:1.35rem}.card span{color:var(--soft);font-size:.9rem;display:block}
.pair{display:grid;grid-template-columns:3fr 2fr;gap:1.5rem}
figure{margin:0;min-width:0}.chart{width:100%;height:340px}svg{width:100%;height:auto}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.35rem .6rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left}
pre{background:#f6f6f6;padding:.7rem;overflow-x:auto;font-size:.85rem;white-space:pre-wrap;word-break:break-word}
@media(max-width:48rem){.pair{grid-template-columns:1fr}.chart{height:300px}h1{font-size:1.3rem}}
@media print{body{max-width:none;padding:0;font-size:11pt}.pair{display:block}figure,.card,tr{break-inside:avoid}
.modebar{display:none!important}details>*{display:block}}
"""
SCRIPT = """
const figures = JSON.parse(document.getElementById("figures").textContent);
const options = {responsive: true, displaylogo: false, scrollZoom: false, modeBarButtonsToRemove: ["select2d", "lasso2d"]};
figures.forEach((figure, k) => Plotly.newPlot("chart-" + k, figure.data, figure.layout, options));
addEventListener("beforeprint", () => figures.forEach((_, k) => Plotly.Plots.resize("chart-" + k)));
"""
WIDE = ("Cost", "Capacity")
"""These charts share a row with the one that follows."""


def comparison_page(comparison: Comparison, *, command: str | None = None) -> str:
    """Return the page as text.

    Parameters
    ----------
    command
        The command line that made it, for the reader who wants to reproduce it.
    """
    from plotly.offline import get_plotlyjs

    results = comparison.results
    first = results[0]
    answer, *more = decision(results)
    header, *rows = comparison.rows()
    drawn = charts(results)
    figures = json.dumps([figure for _, _, figure in drawn]).replace("</", "<\\/")
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<link rel="icon" href="data:,"><title>{html.escape(answer)}</title><style>{STYLE}</style></head><body>
<h1>{html.escape(answer)}</h1>
{"".join(f'<p class="lead">{html.escape(line)}</p>' for line in more)}
<p class="soft">{first.target_capacity:g} {html.escape(first.request.target_capacity_unit_type)},
{format_time(first.start_s)} to {format_time(first.end_s)} (UTC), {len(first.pools)} launch pools.</p>
<div class="cards">{"".join(map(card, results))}</div>
<noscript>{still_picture(results)}</noscript>
{chart_rows(drawn)}
<h2>Numbers</h2>
<div class="wide"><table><thead>{row_html(header, "th")}</thead>
<tbody>{"".join(row_html(row, "td") for row in rows)}</tbody></table></div>
<h2>How it was computed</h2>{list_html(method(first))}
<h2>Proxies, gaps and assumptions</h2>{list_html(notes_of(results) or ["none"])}
<h2>How to reproduce it</h2>{reproduce(first, command)}
<script type="application/json" id="figures">{figures}</script>
<script>{get_plotlyjs()}</script><script>{SCRIPT}</script>
</body></html>
"""


def card(run: ReplayResult) -> str:
    """Return one strategy in five numbers."""
    lines = [
        f"saving {percent(run.saving)}",
        f"{run.interruptions:,} interruptions",
        f"at target {percent(run.availability)} of the time",
        f"largest pool {percent(run.max_pool_share)} of {run.pools_used}",
    ]
    if run.regret is not None:
        lines.append(f"regret ${run.regret:,.2f} against hindsight")
    spans = "".join(f"<span>{html.escape(line)}</span>" for line in lines)
    return f'<div class="card">{html.escape(run.strategy)}<b>${run.cost:,.2f}</b>{spans}</div>'


def chart_rows(drawn: Sequence[Chart]) -> str:
    """Return the figures, wide ones beside the narrow one that follows."""
    boxes = [
        f"<figure><h2>{html.escape(title)}</h2><figcaption>{html.escape(caption)}</figcaption>"
        f'<div class="chart" id="chart-{k}" role="img" aria-label="{html.escape(title)}: {html.escape(caption)}">'
        "</div></figure>"
        for k, (title, caption, _) in enumerate(drawn)
    ]
    parts, k = [], 0
    while k < len(boxes):
        paired = drawn[k][0] in WIDE and k + 1 < len(boxes)
        parts.append(f'<div class="pair">{boxes[k]}{boxes[k + 1]}</div>' if paired else boxes[k])
        k += 2 if paired else 1
    return "\n".join(parts)


def still_picture(results: Sequence[ReplayResult]) -> str:
    """Return the comparison figure as an SVG element without its XML prologue."""
    import matplotlib as mpl

    from fleet.plots import comparison_figure

    stream = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "spotfleet", "svg.fonttype": "none"}):
        comparison_figure(results).savefig(stream, format="svg", metadata={"Date": None})
    return re.sub(r"^.*?(?=<svg)", "", stream.getvalue(), count=1, flags=re.DOTALL)


def reproduce(first: ReplayResult, command: str | None) -> str:
    """Return versions, seed and digests, and the command if there was one."""
    facts: dict[str, Any] = {
        name: first.provenance.get(name) for name in ("spotfleet", "seed", "market_sha256", "request_sha256")
    }
    text = "\n".join(f"{name}: {value}" for name, value in facts.items() if value is not None)
    shown = f"<pre>{html.escape(command)}</pre>" if command else ""
    return f"{shown}<pre>{html.escape(text)}</pre>"


def list_html(lines: Sequence[str]) -> str:
    """Return a list."""
    return f"<ul>{''.join(f'<li>{html.escape(line)}</li>' for line in lines)}</ul>"


def row_html(cells: tuple[str, ...], tag: str) -> str:
    """Return one table row."""
    return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"
