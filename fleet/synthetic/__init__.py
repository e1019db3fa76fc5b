"""Made-up markets, seeded, with the behaviour that was measured on real ones."""

from fleet.synthetic.embedded import demo_request, synthetic_market

__all__ = ["demo_request", "synthetic_market"]
