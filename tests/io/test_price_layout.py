"""The reader of the CLI's layout says what the general reader says, or leaves the file to it."""

from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.domain.market import order_of_rows
from fleet.io.prices import aws_cli_layout as price_layout
from fleet.io.prices.aws_cli_layout import read_layout
from fleet.io.prices.records import read_generally
from fleet.io.prices.table import is_sound

FILE = Path("history.json")
TYPES = ("a1.metal", "m5.large", "x1e.32xlarge", "u-12tb1.metal")
ZONES = ("us-east-1a", "us-east-1f", "ap-northeast-1c", "us-west-2-lax-1a")
PRODUCTS = ("Linux/UNIX", "Windows", "SUSE Linux", "Red Hat Enterprise Linux", "Linux/UNIX (Amazon VPC)")
prices = st.one_of(
    st.decimals(0, 9999, places=6).map(lambda d: f"{d:f}"),
    st.sampled_from(["0", "0.3", "17", "0.000001", "5.", ".25", "123456789.123456"]),
)
times = st.datetimes().map(lambda t: t.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0"))


@st.composite
def answers(draw):
    ending = draw(st.sampled_from(["+00:00", "Z", ".000Z", ".250Z", "-00:00"]))
    record = st.fixed_dictionaries(
        {
            "AvailabilityZone": st.sampled_from(ZONES),
            "InstanceType": st.sampled_from(TYPES),
            "ProductDescription": st.sampled_from(PRODUCTS),
            "SpotPrice": prices,
            "Timestamp": times.map(lambda t: t + ending),
        }
    )
    records = draw(st.lists(record, min_size=1, max_size=12))
    order = draw(st.permutations(list(records[0])))
    other = draw(st.permutations(order)) if draw(st.booleans()) else order
    return [{name: r[name] for name in (other if k % 3 == 2 else order)} for k, r in enumerate(records)]


def text_of(records, indent=4, *, bare=False, token=None):
    document = records if bare else {"SpotPriceHistory": records}
    if token:
        document["NextToken"] = token
    return json.dumps(document, indent=indent).encode()


def dots_stray(records):
    """Whether prices of one length have dots at different places: the general reader takes such files."""
    places = {(len(price), price.find(".")) for price in (record["SpotPrice"] for record in records)}
    return len(places) > len({length for length, _ in places})


def general(text):
    return read_generally(text, FILE.name, 0)


def told(found):
    return [
        (tuple(map(str.strip, found.keys[k])), t, p if p > 0 else None)
        for k, t, p in zip(found.pool.tolist(), found.time_s.tolist(), found.price.tolist(), strict=True)
    ]


tables = st.sampled_from([{"TABLE": 3, "SCAN": 64}, {}]).map(
    lambda sizes: patch.multiple(price_layout, FEW=99, **sizes)
)


@settings(max_examples=100, deadline=None)
@given(answers(), st.sampled_from([1, 2, 4]), st.booleans(), tables)
def test_it_says_what_the_general_reader_says(records, indent, bare, tables):
    text = text_of(records, indent, bare=bare)
    with tables:
        found = read_layout(text)
        if found is None and dots_stray(records):
            return
        assert found is not None
        if not is_sound(found):  # of 1969: the general reader refuses it
            return
        assert told(found) == told(general(text))
        assert told(read_layout(text + b"\n")) == told(found)


def test_a_name_that_ends_the_record_is_read_to_the_end_of_its_row():
    keys = ("AvailabilityZone", "InstanceType", "SpotPrice", "Timestamp", "ProductDescription")
    rows = [("a1.metal", "Linux/UNIX"), ("u-12tb1.metal", "Linux/UNIX"), ("u-12tb1.metal", "SUSE Linux")]
    records = [
        dict(zip(keys, ("us-east-1a", kind, "0.000000", "2000-01-01T00:00:00.000Z", product), strict=True))
        for kind, product in [rows[0]] * 7 + rows[1:]
    ]
    text = text_of(records, 1, bare=True)
    with patch.multiple(price_layout, FEW=99, TABLE=3, SCAN=64):
        assert told(read_layout(text)) == told(general(text))


def mutated(draw, text):
    """Return JSON that a person, another tool or a bad disk has been at."""
    at = draw(st.integers(0, len(text) - 1))
    some = draw(
        st.sampled_from([b" ", b"\n", b"}", b"{", b'"', b",", b"\\", b"]", b"9", b"x", b"\xff", b"\r\n"])
    )
    return draw(
        st.sampled_from(
            [
                text[:at],
                text[:at] + text[at + 1 :],
                text[:at] + some + text[at:],
                text[:at] + some + text[at + len(some) :],
                text[:at] + text[at : at + 400] + text[at:],  # a record, or half of one, twice
                text + text,
                text.replace(b"/", b"\\/", 1),
                text.replace(b"large", b"l\\u0061rge", 1),
                text.replace(b'": "', b'" : "', 1),
                text.replace(b"},\n", b"}, \n", 1),
                text.replace(b'"SpotPrice": "', b'"Extra": null, "SpotPrice": "', 1),
                text.replace(b'"Linux/UNIX"', b"null", 1),
                text.replace(b'"Timestamp"', b'"SpotPrice"', 1),
                text.replace(b"large", b"l}rge").replace(b"a1", b"a]"),
                json.dumps(json.loads(text)).encode(),
            ]
        )
    )


@settings(max_examples=150, deadline=None)
@given(st.data(), tables)
def test_what_it_reads_of_spoilt_files_the_general_reader_reads_too(data, tables):
    text = data.draw(
        st.builds(text_of, answers()) | st.builds(lambda told: text_of(told, bare=True), answers())
    )
    for _ in range(data.draw(st.integers(1, 2))):
        try:
            text = mutated(data.draw, text)
        except ValueError:  # no JSON any more, to be written in one line
            continue
    with tables:
        found = read_layout(text)
    if found is not None and is_sound(found):
        assert told(found) == told(general(text))


RECORD = {
    "AvailabilityZone": "us-east-1a",
    "InstanceType": "m5.large",
    "ProductDescription": "Linux/UNIX",
    "SpotPrice": "0.264300",
    "Timestamp": "2021-05-30T06:22:21+00:00",
}


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(
    "odd",
    [
        {"SpotPrice": "1e-3"},
        {"SpotPrice": " 0.3"},
        {"SpotPrice": "-0.3"},
        {"SpotPrice": "0.3.1"},
        {"SpotPrice": ""},
        {"SpotPrice": "."},
        {"SpotPrice": "0.1234567890123456"},
        {"SpotPrice": 0.3},
        {"SpotPrice": None},
        {"Timestamp": "2021-05-30T06:22:21+02:00"},
        {"Timestamp": "2021-05-30T06:22:21"},
        {"Timestamp": "2021-02-29T06:22:21+00:00"},
        {"Timestamp": "2021-13-01T06:22:21+00:00"},
        {"Timestamp": "2021-00-01T06:22:21+00:00"},
        {"Timestamp": "2021-01-00T06:22:21+00:00"},
        {"Timestamp": "2021-05-*0T06:22:21+00:00"},
        {"Timestamp": "2021-05-30T*0:22:21+00:00"},
        {"Timestamp": "2021-05-30T24:22:21+00:00"},
        {"Timestamp": "2021-05-30T06:60:21+00:00"},
        {"Timestamp": "2021-05-30 06:22:21+00:00"},
        {"Timestamp": "2021-05-30T06:22:2x+00:00"},
        {"Timestamp": "0000-05-30T06:22:21+00:00"},
        {"InstanceType": 'm5."large'},
        {"InstanceType": "m5.l\u00e4rge"},
        {"InstanceType": "m5\\large"},
        {"Extra": "field"},
        {"Extra": 1},
    ],
)
def test_one_odd_value_anywhere_leaves_the_file_to_the_general_reader(odd, place):
    records = [dict(RECORD), dict(RECORD), dict(RECORD)]
    assert read_layout(text_of(records)) is not None
    records[place].update(odd)
    assert read_layout(text_of(records)) is None
    assert (
        read_layout(json.dumps({"SpotPriceHistory": records}, indent=4, ensure_ascii=False).encode()) is None
    )


def test_other_layouts_are_left_to_the_general_reader():
    text = text_of([RECORD, RECORD])
    for other in (
        b"",
        b"{}",
        b"[\n]",
        json.dumps({"SpotPriceHistory": [RECORD]}).encode(),
        text + b"\n" + text,
        text[:-30],
        text.replace(b"\n", b"\r\n"),
        text.replace(b"SpotPriceHistory", b"SpotPriceFuture"),
        text.replace(b'"InstanceType":', b'"InstanceTyp":', 1),
        text[::-1].replace(b'"InstanceType":'[::-1], b'"InstanceTypo":'[::-1], 1)[::-1],
        text.replace(b"{\n    ", b"", 1),
        text.removesuffix(b"}"),
        text_of([{**RECORD, "InstanceType": "m5." + "l" * k} for k in range(20)]),
    ):
        assert read_layout(other) is None
    assert len(read_layout(text_of([RECORD, RECORD], token="abc")).price) == 2


def test_any_single_byte_changed_between_values_is_seen():
    text = text_of([RECORD, {**RECORD, "SpotPrice": "1.5"}, RECORD])
    for k in range(len(text)):
        for letter in (b"x", b'"', b"\n", b" "):
            changed = text[:k] + letter + text[k + 1 :]
            found = None if changed == text else read_layout(changed)
            if found is not None and is_sound(found):  # a letter of a type, zone or product
                assert told(found) == told(general(changed))


def test_pools_at_one_place_of_the_hash_table_are_told_apart(monkeypatch):
    monkeypatch.setattr(price_layout, "SPREAD", np.uint64(0))
    monkeypatch.setattr(price_layout, "FEW", 99)
    records = [{**RECORD, "InstanceType": kind, "AvailabilityZone": zone} for kind in TYPES for zone in ZONES]
    text = text_of(records + records)
    assert told(read_layout(text)) == told(general(text))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), max_size=30),
    st.sampled_from(["as given", "newest first", "oldest first"]),
    st.sampled_from([1, 10**15]),
)
def test_rows_are_ordered_by_pool_time_and_as_given(rows, how, spread):
    if how != "as given":
        rows = sorted(rows, key=lambda row: row[1], reverse=how == "newest first")
    pool = np.array([row[0] for row in rows], dtype=np.int64)
    times = np.array([row[1] * spread for row in rows], dtype=np.int64) - 3
    np.testing.assert_array_equal(order_of_rows(pool, times), np.lexsort((times, pool)))
    huge = np.where(pool > 0, pool + 2**20, pool)
    np.testing.assert_array_equal(order_of_rows(huge, times), np.lexsort((times, huge)))
