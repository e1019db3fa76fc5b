"""Random integer covers, and the textbook recurrence that solves them."""

from __future__ import annotations

from hypothesis import strategies as st

FAR = 10**15


def textbook(price, weight, upper, target):
    """Least cost of at least ``target`` units, by the recurrence over units, one instance at a time."""
    best = [0] + [FAR] * target
    for p, w, u in zip(price, weight, upper, strict=True):
        for _ in range(min(u, -(-target // w))):
            best = [min(best[c], best[max(c - w, 0)] + p) if c else 0 for c in range(target + 1)]
    return best[target]


@st.composite
def covers(draw):
    n = draw(st.integers(1, 8))
    widest = draw(st.sampled_from([2, 5, 13, 40]))
    weight = draw(st.lists(st.integers(1, widest), min_size=n, max_size=n))
    upper = draw(st.lists(st.integers(0, 7), min_size=n, max_size=n))
    kind = draw(st.sampled_from(["any", "per unit", "strongly correlated", "near ties"]))
    noise = draw(st.lists(st.integers(0, 60), min_size=n, max_size=n))
    price = {
        "any": noise,
        "per unit": [w * (9 + e % 3) for w, e in zip(weight, noise, strict=True)],
        "strongly correlated": [37 + 100 * w for w in weight],
        "near ties": [10 * w + e % 4 for w, e in zip(weight, noise, strict=True)],
    }[kind]
    reach = sum(w * u for w, u in zip(weight, upper, strict=True))
    return price, weight, upper, draw(st.integers(1, max(1, reach))), reach
