"""The windows that the tests of experiments run: two days each, one day apart."""

from __future__ import annotations

import fleet

DAY_S = 24 * 3600
WINDOWS = fleet.experiments.Windows(2 * DAY_S, DAY_S)
