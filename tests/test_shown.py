"""Tables in notebooks: the same facts as the text, and nothing taken for markup."""

import fleet
from fleet.domain.text import table_html


def test_text_is_escaped():
    assert "<script>" not in table_html("<script>", [("a<b",), ("&",)], ["<i>"])


def test_results_show_what_their_summary_says():
    pools = fleet.LaunchPools.of(["m5.large"])
    allocation = fleet.allocate(
        fleet.FleetRequest(3, (fleet.Override("m5.large"),)), fleet.Snapshot.of(pools, [0.05])
    )
    assert allocation.verdict in allocation.summary()
    assert "m5.large" in allocation._repr_html_()
    run = fleet.replay(fleet.demo_request(), fleet.synthetic_market(7, days=1))
    for name, text in run.facts():
        assert f"{name:<14} {text}" in run.summary()
    assert f"{run.cost:,.2f}" in fleet.Comparison((run,))._repr_html_()
