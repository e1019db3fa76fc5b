"""A comparison as one self-contained HTML page: the decision, the picture, the table, the rules."""

from __future__ import annotations

import html
import io
import re

from fleet.comparison import Comparison
from fleet.formats import format_time

__all__ = ["comparison_page"]

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1b1b1b}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}svg{width:100%;height:auto}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{padding:.35rem .6rem;border-bottom:1px solid #ddd;text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left}
@media print{body{margin:0;max-width:none}}
"""


def comparison_page(comparison: Comparison) -> str:
    """Return the page as text; it fetches nothing."""
    from fleet.plots import comparison_figure, headline

    results = comparison.results
    first = results[0]
    header, *rows = comparison.rows()
    title = html.escape(headline(results)).replace("\n", "<br>")
    warnings = dict.fromkeys(warning for result in results for warning in result.warnings)
    notes = "".join(f"<li>{html.escape(warning)}</li>" for warning in warnings) or "<li>none</li>"
    seed = first.provenance.get("seed")
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>spotfleet comparison</title><style>{STYLE}</style></head><body>
<h1>{title}</h1>
<p>{first.target_capacity:g} {html.escape(first.request.target_capacity_unit_type)} from
{format_time(first.start_s)} to {format_time(first.end_s)}.</p>
<figure role="img" aria-label="{html.escape(headline(results))}">{inline_svg(comparison_figure(results))}</figure>
<h2>Numbers</h2>
<div class="wide"><table><thead>{row_html(header, "th")}</thead>
<tbody>{"".join(row_html(row, "td") for row in rows)}</tbody></table></div>
<h2>How it was computed</h2>
<p>Billing: {html.escape(first.billing)}, 60 s minimum, free if EC2 interrupts within the first hour. Interruptions:
{html.escape(first.interruption_driver)}. On-demand cost: the target in the cheapest whole on-demand instances over
the same span.</p>
<h2>Proxies, gaps and assumptions</h2><ul>{notes}</ul>
<p>spotfleet {html.escape(str(first.provenance.get("spotfleet")))}, seed {seed}, market sha256
{html.escape(str(first.provenance.get("market_sha256"))[:16])}.</p>
</body></html>
"""


def row_html(cells: tuple[str, ...], tag: str) -> str:
    """Return one table row."""
    return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"


def inline_svg(figure: object) -> str:
    """Return a figure as an SVG element without its XML prologue."""
    import matplotlib as mpl

    stream = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "spotfleet", "svg.fonttype": "none"}):
        figure.savefig(stream, format="svg", metadata={"Date": None})  # type: ignore[attr-defined]
    return re.sub(r"^.*?(?=<svg)", "", stream.getvalue(), count=1, flags=re.DOTALL)
