"""Single Spot requests by hand: states and status codes with their times (hours)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fleet
from fleet.errors import RequestError
from fleet.interruptions import NEVER
from tests.helpers.by_hand import HOUR, market_of, request_of

NOTICE = 120 / HOUR
SPIKE = {0: [(0, 0.1), (2 * HOUR, 0.9), (3 * HOUR, 0.1)]}


@dataclass(frozen=True)
class Fates:
    hours: tuple[float, ...]
    name: str = "hazard"

    def with_seed(self, seed):
        return self

    def ends(self, pool, instances, launch_s):
        lives = dict(enumerate(self.hours))
        return np.array([launch_s + int(lives[k] * HOUR) if k in lives else NEVER for k in instances])


def moment(hours):
    return datetime.fromtimestamp(hours * HOUR, tz=UTC)


def market(prices=None, hours=6, capacity=None):
    prices = prices or SPIKE
    return market_of(prices, [0.5] * len(prices), hours * HOUR, capacity)


def asked(where=None, stop=None, run=None, **fields):
    run = run or {}
    cancellation = None if stop is None else fleet.domain.Cancellation(int(stop[0] * HOUR), stop[1])
    return fleet.replayer.replay_spot_request(
        fleet.domain.SpotRequest("m0.large", **fields), where or market(), cancellation=cancellation, **run
    )


def told(result):
    return [((c.time_s - result.start_s) / HOUR, c.state, c.code) for c in result.history]


FULFILLED = [
    (0, "open", "pending-evaluation"),
    (0, "open", "pending-fulfillment"),
    (0, "active", "fulfilled"),
]


def test_a_one_time_request_is_closed_by_its_interruption():
    result = asked()
    assert told(result) == [
        *FULFILLED,
        (2, "active", "marked-for-termination"),
        (2 + NOTICE, "closed", "instance-terminated-by-price"),
    ]
    assert result.cost == pytest.approx(2 * 0.1 + NOTICE * 0.9, abs=1e-9)
    assert result.interruptions == 1


def test_a_persistent_request_opens_again_waits_and_is_fulfilled():
    result = asked(persistent=True)
    assert told(result) == [
        *FULFILLED,
        (2, "active", "marked-for-termination"),
        (2 + NOTICE, "open", "instance-terminated-by-price"),
        (2 + NOTICE, "open", "pending-evaluation"),
        (2 + NOTICE, "open", "price-too-low"),
        (3, "open", "pending-fulfillment"),
        (3, "active", "fulfilled"),
    ]
    assert result.instances.launch_s.tolist() == [0, 3 * HOUR]
    assert result.instances.instance.tolist() == [0, 1]


def test_for_want_of_capacity_the_status_turns_with_the_notice():
    where = market({0: [(0, 0.1)]}, capacity={0: [(0, 1), (2 * HOUR, 0), (4 * HOUR, 1)]})
    assert told(asked(where, persistent=True)) == [
        *FULFILLED,
        (2, "active", "instance-terminated-no-capacity"),
        (2 + NOTICE, "open", "instance-terminated-no-capacity"),
        (2 + NOTICE, "open", "pending-evaluation"),
        (2 + NOTICE, "open", "capacity-not-available"),
        (4, "open", "pending-fulfillment"),
        (4, "active", "fulfilled"),
    ]


def test_the_status_of_what_waits_follows_price_and_capacity():
    assert told(asked(market(capacity={0: [(0, 0), (4 * HOUR, 1)]}))) == [
        (0, "open", "pending-evaluation"),
        (0, "open", "capacity-not-available"),
        (2, "open", "price-too-low"),
        (3, "open", "capacity-not-available"),
        (4, "open", "pending-fulfillment"),
        (4, "active", "fulfilled"),
    ]


def test_stop_disables_and_starts_the_same_instance():
    result = asked(persistent=True, interruption_behavior="stop")
    assert told(result) == [
        *FULFILLED,
        (2, "active", "marked-for-stop"),
        (2 + NOTICE, "disabled", "instance-stopped-by-price"),
        (3, "active", "fulfilled"),
    ]
    assert result.instances.instance.tolist() == [0, 0]
    assert result.instances.stopped_until_s.tolist() == [3 * HOUR, -1]


def test_hibernation_is_disabled_at_once():
    result = asked(persistent=True, interruption_behavior="hibernate")
    assert told(result)[3:] == [
        (2, "active", "marked-for-stop"),
        (2, "disabled", "instance-stopped-by-price"),
        (3, "active", "fulfilled"),
    ]


def test_a_hazard_takes_it_for_want_of_capacity():
    result = asked(run={"interruptions": Fates((1,))})
    assert told(result)[3:] == [
        (1, "active", "instance-terminated-no-capacity"),
        (1 + NOTICE, "closed", "instance-terminated-no-capacity"),
    ]
    assert [e["cause"] for e in result.events() if e["event_sub_type"] == "terminated"] == ["hazard"]


def test_not_before_valid_from_not_from_valid_until_on():
    dear = market({0: [(0, 0.9), (4 * HOUR, 0.1)]})
    late = asked(dear, valid_from=moment(1), valid_until=moment(3))
    assert told(late) == [
        (0, "open", "pending-evaluation"),
        (0, "open", "not-scheduled-yet"),
        (1, "open", "pending-evaluation"),
        (1, "open", "price-too-low"),
        (3, "cancelled", "schedule-expired"),
    ]
    assert len(late.instances) == 0
    fulfilled = asked(valid_from=moment(1), valid_until=moment(1.5), persistent=True)
    assert told(fulfilled)[2:] == [
        (1, "open", "pending-evaluation"),
        (1, "open", "pending-fulfillment"),
        (1, "active", "fulfilled"),
        (2, "active", "marked-for-termination"),
        (2 + NOTICE, "closed", "instance-terminated-by-price"),
    ]


def test_a_request_is_open_for_seven_days():
    dear = market({0: [(0, 0.9)]}, hours=24 * 9)
    assert told(asked(dear))[-1] == (24 * 7, "cancelled", "schedule-expired")


def test_cancel_before_fulfilment():
    dear = market({0: [(0, 0.9)]})
    assert told(asked(dear, stop=(1, False)))[-1] == (1, "cancelled", "canceled-before-fulfillment")


def test_cancel_leaves_the_instance_running_and_interruptible():
    result = asked(stop=(1, False), persistent=True)
    assert told(result)[3:] == [
        (1, "cancelled", "request-canceled-and-instance-running"),
        (2 + NOTICE, "cancelled", "instance-terminated-by-price"),
    ]


def test_cancel_and_terminate():
    result = asked(stop=(1, True), persistent=True)
    assert told(result)[3:] == [
        (1, "cancelled", "request-canceled-and-instance-running"),
        (1, "cancelled", "instance-terminated-by-user"),
    ]
    assert result.instances.end_s.tolist() == [HOUR]
    assert result.cost == pytest.approx(0.1)


def test_cancel_while_stopped():
    result = asked(stop=(2.5, False), persistent=True, interruption_behavior="stop")
    assert told(result)[-1] == (2.5, "cancelled", "instance-terminated-by-service")
    assert result.instances.stopped_until_s.tolist() == [2.5 * HOUR]


def test_a_block_runs_through_the_spike_and_ends_on_time():
    result = asked(block_minutes=240, legacy_blocks=True)
    assert told(result)[3:] == [
        (4 - NOTICE, "active", "marked-for-termination"),
        (4, "closed", "instance-terminated-by-schedule"),
    ]
    assert result.interruptions == 0
    assert result.cost == pytest.approx(4 * 0.1)
    assert any("proxy" in warning for warning in result.warnings)
    priced = asked(block_minutes=60, block_price=0.25, legacy_blocks=True)
    assert priced.cost == pytest.approx(0.25)
    assert priced.warnings == ()


def test_each_instance_is_a_request_of_its_own():
    where = market({0: [(0, 0.1)]}, capacity={0: [(0, 2), (HOUR, 3), (2 * HOUR, 1)]})
    result = asked(where, instance_count=3)
    assert [(h, s) for h, s, _ in told(result) if s == "active"][:3] == [
        (0, "active"),
        (0, "active"),
        (1, "active"),
    ]
    by_request = {k: [c.code for c in result.history if c.request == k][-1] for k in range(3)}
    assert by_request == {
        0: "instance-terminated-no-capacity",  # the oldest go first
        1: "instance-terminated-no-capacity",
        2: "fulfilled",
    }


def test_a_request_pays_up_to_its_max_price_even_above_on_demand():
    result = asked(max_price=2.0)
    assert told(result) == FULFILLED
    rows = list(result.statuses())
    assert rows[-1] == {
        "time": fleet.io.format_time(result.start_s),
        "spot_instance_request_id": "sir-00000000",
        "state": "active",
        "status": "fulfilled",
        "instance_id": "i-00000000000000000",
    }


SPAN = 24 * HOUR
TIMES = st.integers(1, SPAN - 1)
CENTS = st.integers(1, 70).map(lambda c: c / 100)
CAUSES = st.lists(
    st.one_of(
        st.just(fleet.interruptions.Hazard(fleet.interruptions.Exponential(0.2))),
        st.just(fleet.interruptions.Shocks("zone", per_month=100.0, share=0.5)),
        st.builds(
            fleet.interruptions.Outage,
            st.just("pool"),
            st.just("biggest"),
            TIMES,
            st.sampled_from([0, 600, 7200]),
        ),
        st.builds(fleet.interruptions.LaunchFailures, st.just(0.5), st.sampled_from([60, 1800])),
    ),
    max_size=3,
    unique_by=type,
)


@settings(max_examples=60)
@given(
    st.dictionaries(TIMES, CENTS, max_size=6),
    CENTS,
    st.none() | st.dictionaries(TIMES, st.integers(0, 4), max_size=5),
    CAUSES,
    st.integers(1, 4),
    st.sampled_from(["terminate", "stop", "hibernate"]),
    st.none() | st.builds(fleet.domain.Cancellation, TIMES, st.booleans()),
)
def test_persistent_requests_in_one_pool_are_a_maintain_fleet(
    changes, first, held, more, count, behavior, stop
):
    """Two engines, one life: the same runs, the same interruptions, the same bill.

    Where capacity is short, requests try one after the other what a fleet tries at once: failures differ.
    """
    capacity = None if held is None else {0: [(0, 3), *held.items()]}
    where = market_of({0: [(0, first), *changes.items()]}, [0.5], SPAN, capacity)
    causes = ["price", *more]
    if held is not None:
        causes = [
            "capacity",
            *(cause for cause in causes if not isinstance(cause, fleet.interruptions.LaunchFailures)),
        ]
    request = fleet.domain.SpotRequest(
        "m0.large", instance_count=count, persistent=True, interruption_behavior=behavior
    )
    single = fleet.replayer.replay_spot_request(
        request, where, interruptions=causes, cancellation=stop, seed=5
    )
    group = fleet.replay(
        request_of(1, count, interruption_behavior=behavior),
        where,
        interruptions=causes,
        schedule=fleet.domain.Schedule(cancellation=stop),
        seed=5,
    )
    lives = [
        sorted(zip(t.launch_s.tolist(), t.end_s.tolist(), t.interrupted.tolist(), strict=True))
        for t in (single.instances, group.instances)
    ]
    assert lives[0] == lives[1]
    assert single.cost == pytest.approx(group.cost, abs=1e-9)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"block_minutes": 90, "legacy_blocks": True}, "BlockDurationMinutes 90"),
        ({"block_minutes": 60}, "no longer sold"),
        ({"interruption_behavior": "stop"}, "needs a persistent one"),
        ({"interruption_behavior": "explode"}, "is one of terminate"),
        ({"instance_count": 3001}, "split the request"),
        ({"instance_count": 0}, "is from 1 to 3000; correct it"),
        ({"block_price": math.inf, "block_minutes": 60, "legacy_blocks": True}, "block price inf"),
        ({"max_price": 0.0}, "is above 0"),
        ({"valid_from": datetime(2020, 1, 1)}, "names its zone"),  # noqa: DTZ001
        ({"valid_from": moment(2), "valid_until": moment(1)}, "lies after ValidFrom"),
        ({"valid_from": moment(24 * 8)}, r"by default, seven days after the start\): lies after ValidFrom"),
    ],
)
def test_requests_that_cannot_be(fields, words):
    with pytest.raises(RequestError, match=words):
        asked(**fields)
