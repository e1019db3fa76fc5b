"""One typed decoding of JSON and TOML: behind it all is of the stated type, or the error says where."""

import json
import tomllib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.errors import InputError, PriceDataError, RequestError
from fleet.io import read_prices
from fleet.io.decoding.kinds import kind_of, other_kind
from fleet.io.decoding.structs import Amount, Moment, Number, Whole, Word, decode, documents_of, shown, unread


class Policy(Word):
    words = ("default", "noTermination")


class Part(msgspec.Struct, forbid_unknown_fields=True):
    price: Number
    counts: list[Whole] = []


class Document(msgspec.Struct):
    Target: Whole | None = None
    Flag: bool | None = None
    Share: Amount | None = None
    Until: Moment | None = None
    Name: str | None = None
    Policy_: Policy | None = msgspec.field(name="Policy", default=None)
    Zones: str | list[str] | None = None
    Parts: dict[str, dict[str, Part]] | None = None


def read(document):
    return decode(document, Document, "f.json", RequestError)


@pytest.mark.parametrize(
    ("given_", "attribute", "value"),
    [
        ({"Target": 5}, "Target", 5),
        ({"Target": "5"}, "Target", 5),
        ({"Target": 5.0}, "Target", 5),
        ({"Target": None}, "Target", None),
        ({"Target": ""}, "Target", None),
        ({"Flag": "false"}, "Flag", False),
        ({"Flag": "True"}, "Flag", True),
        ({"Flag": ""}, "Flag", None),
        ({"Share": "0.5"}, "Share", 0.5),
        ({"Until": "1970-01-02T00:00:00.5Z"}, "Until", 86400),
        ({"Policy": "NoTermination"}, "Policy_", "noTermination"),
        ({"Policy": "no-termination"}, "Policy_", "noTermination"),
        ({"Policy": "NO_TERMINATION"}, "Policy_", "noTermination"),
        ({"Zones": ["a", "b"]}, "Zones", ["a", "b"]),
        ({"Parts": {"a": {"b": {"price": "1"}}}}, "Parts", {"a": {"b": Part(1.0)}}),
    ],
)
def test_what_is_sound_is_read_exactly(given_, attribute, value):
    assert getattr(read(given_), attribute) == value
    assert getattr(read(json.dumps(given_)), attribute) == value
    assert getattr(read(b"\xef\xbb\xbf" + json.dumps(given_).encode()), attribute) == value


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({"Target": 2.5}, "f.json: Target 2.5: must be a whole number"),
        ({"Target": True}, "f.json: Target true: must be a whole number"),
        ({"Target": "x\n"}, 'f.json: Target "x\\n": must be a whole number'),
        ({"Target": 10**30}, f"f.json: Target {10**30}: must be a number from -1e+15 to 1e+15"),
        ({"Target": "9" * 5000}, f'f.json: Target "{"9" * 40}... (5000 characters)": must be a number from'),
        ({"Flag": "yes"}, 'f.json: Flag "yes": must be true or false'),
        ({"Flag": []}, "f.json: Flag []: must be true or false"),
        ({"Share": 1e308}, "f.json: Share 1e+308: must be a number from -1e+15 to 1e+15"),
        ({"Share": "nan"}, 'f.json: Share "nan": must be a number of at least 0'),
        ({"Share": "inf"}, 'f.json: Share "inf": must be a number from -1e+15 to 1e+15'),
        ({"Share": float("nan")}, "f.json: Share nan: must be a finite number"),
        ({"Share": -1}, "f.json: Share -1: must be a number of at least 0"),
        ({"Until": 5}, "f.json: Until 5: must be a time such as"),
        ({"Until": "2021-01-01T00:00:00"}, 'f.json: Until "2021-01-01T00:00:00": must name its zone'),
        ({"Until": "9999-12-31T23:59:59-23:59"}, "must lie in the years 1970 to 9999"),
        ({"Until": "0001-01-01T00:00:00+23:59"}, "must lie in the years 1970 to 9999"),
        ({"Name": {}}, "f.json: Name {}: must be text"),
        ({"Name": "a\0b"}, 'f.json: Name "a\\x00b": must be text without NUL'),
        ({"Name": "\ud800"}, 'f.json: Name "\\ud800": must be text without NUL'),
        ({"Name": ["\x1b[2J"]}, "f.json: Name a list of 1: must be text"),
        ({"a\0": 1}, 'f.json: ["a\\x00"] as a name: must be text without NUL'),
        ({"Policy": "other"}, 'f.json: Policy "other": must be one of default, noTermination'),
        ({"Policy": 3}, "f.json: Policy 3: must be one of default, noTermination"),
        ({"Zones": ["a", 1]}, "f.json: Zones[1] 1: must be text"),
        ({"Zones": 7}, "f.json: Zones 7: must be text or a list"),
        ({"Parts": {"k": "x"}}, 'f.json: Parts.k "x": must be an object'),
        (
            {"Parts": {"k": {"a": {"price": 1}, "v.w": {"price": "q"}}}},
            'f.json: Parts.k["v.w"].price "q": must',
        ),
        ({"Parts": {"k": {"a": {}}}}, "f.json: Parts.k.a without price: must state it"),
        ({"Parts": {"k": {"a": {"price": 1, "x": 2}}}}, "f.json: Parts.k.a.x: must be one of price, counts"),
        (
            {"Parts": {"k": {"a": {"price": 1, "counts": [1, {}]}}}},
            "f.json: Parts.k.a.counts[1] {}: must be a",
        ),
        ([], "f.json: []: must be an object"),
        ({"x": object()}, "f.json: x of type object: must be a JSON value"),
        (b"", "f.json, line 1 column 1: must be JSON, and is not: it is empty"),
        (b"[1", "f.json, line 1 column 3: must be JSON, and is not"),
        (b"{} {}", "f.json: 2 JSON documents: must be one"),
        (b'{"Share": NaN}', "f.json: NaN: must be a finite number"),
        (b'{"Share": 1e999}', "f.json: Share inf: must be a finite number"),
        (b'{"Share": ' + b"1" * 5000 + b"}", "... (5000 characters): must be a number of at most 40 digits"),
        (b"\xff{}", "f.json, byte 0: must be UTF-8 text"),
        (b'{"Name": "\\ud800"}', 'f.json: Name "\\ud800": must be text without NUL'),
        (b"[" * 100_000, "f.json: must not nest deeper than 64 levels"),
        (b'{"a":' * 100_000, "f.json: must not nest deeper than 64 levels"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "must not nest deeper than 64 levels"),
    ],
)
def test_what_is_not_is_one_line_of_place_value_and_rule(given_, message):
    with pytest.raises(RequestError) as refused:
        read(given_)
    text = str(refused.value)
    assert message in text
    assert len(text) < 400
    assert text.isprintable()


def test_documents_one_after_the_other_are_all_read():
    assert documents_of(b'{"a": 1}\n[2]\n', "f") == [{"a": 1}, [2]]


def test_toml_goes_the_same_way():
    stated = tomllib.loads('Target = 3\nUntil = 2021-01-01T00:00:00Z\nName = ""')
    assert read(stated).Until == 1609459200
    with pytest.raises(RequestError, match="must name its zone"):
        read(tomllib.loads("Until = 2021-01-01T00:00:00"))


def test_a_part_names_its_place_and_the_maker_of_the_error_is_called():
    with pytest.raises(InputError, match=r"f\.json: Fleets\[0\]\.Target 'x'|Fleets\[0\]\.Target \"x\""):
        decode({"Target": "x"}, Document, "f.json", at="Fleets[0]")


def test_what_no_field_takes_is_named_once():
    document = {
        "Odd": 1,
        "Null": None,
        "Parts": {"a": {"b": {"price": 1, "x": 1}, "c": {"price": 2, "x": 1}}},
    }
    assert unread(document, Document) == ("Odd", "Parts.*.*.x")
    assert unread([{"Odd": 1}, {"Odd": 2, "Target": 1}], list[Document]) == ("[].Odd",)


def holding(inner):
    return st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)


LEAVES = st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters())
JSON = LEAVES | holding(LEAVES) | holding(LEAVES | holding(LEAVES))
NAMES = ("Target", "Flag", "Share", "Until", "Name", "Policy", "Zones", "Parts")


@given(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=4))
def test_any_value_at_any_field_is_read_or_refused_in_one_printable_line(document):
    try:
        found = read(document)
    except RequestError as error:
        assert str(error).isprintable()
    else:
        assert found.Target is None or (type(found.Target) is int and abs(found.Target) <= 1e15)
        assert found.Flag in (None, True, False)


@given(st.text(st.characters(codec=None)))
def test_a_value_is_shown_short_and_printable(text):
    assert shown(text).isprintable()
    assert len(shown(text)) < 500


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (
            {"SpotPriceHistory": []},
            "a price history (SpotPriceHistory): must be a fleet request; give it as --prices",
        ),
        ({"InstanceTypes": []}, "give it as --instance-types"),
        ({"InstanceTypeOfferings": []}, "offerings"),
        ({"spot_advisor": {}}, "--advisor"),
        ({"products": {}, "terms": {}}, "--on-demand"),
        ({"SpotPlacementScores": []}, "--scores"),
        ({"AvailabilityZones": [{"ZoneId": "use1-az1"}]}, "--zones"),
        ({"Reservations": []}, "--running"),
        ({"eventName": "RunInstances", "requestParameters": {}}, "CloudTrail"),
        ({"Records": [{"eventName": "x"}]}, "CloudTrail"),
        ({"planned_values": {}, "terraform_version": "1"}, "a Terraform plan"),
        ({"terraform_version": "1", "resources": []}, "a Terraform state"),
        ({"Resources": {"F": {"Type": "AWS::EC2::EC2Fleet"}}}, "a CloudFormation template"),
        ({"apiVersion": "karpenter.sh/v1", "kind": "NodePool"}, "a Karpenter NodePool"),
        ({"Changes": []}, "--schedule"),
        ([{"SpotPrice": "1"}], "--prices"),
        ({"a": 1, "b\n": 2}, "whose keys are a, b\\n: must be a fleet request"),
        (7, "which is no JSON object"),
    ],
)
def test_a_document_of_another_kind_is_told_what_it_is(document, says):
    error = other_kind(document, "x.json", "a fleet request", RequestError)
    assert isinstance(error, RequestError)
    assert says in str(error)


def test_a_group_is_no_list_of_zones():
    kind = kind_of({"AvailabilityZones": ["us-east-1a"], "MixedInstancesPolicy": {}})
    assert kind is not None
    assert "Auto Scaling" in kind.name


def test_a_name_stated_twice_is_refused_with_its_path():
    for text, path in (
        ('{"a": 1, "a": 2}', "a"),
        ('{"a": [{"b": 1}, {"b": {"c d": 1, "e": 2, "c d": null}}]}', 'a[1].b["c d"]'),
        ('{"a": 1}\n{"b": 1, "b": 1}', "b"),
        ('\ufeff{"a": 1, "\\u0061": 2}', "a"),
    ):
        for data in (text, text.encode()):
            with pytest.raises(InputError) as refused:
                documents_of(data, "x.json")
            assert str(refused.value) == f"x.json: {path} (stated twice): must be stated once"
    assert documents_of('[{"a": 1}, {"a": 2}]', "x.json") == [[{"a": 1}, {"a": 2}]]


RECORD = (
    '{"AvailabilityZone": "us-x-1a", "InstanceType": "m5.large", "ProductDescription": "Linux/UNIX", '
    '"SpotPrice": "0.1", "Timestamp": "2021-05-01T00:00:00Z"%s}'
)


@pytest.mark.parametrize("form", ['{"SpotPriceHistory": [%s]}', "[%s]", "%s"])
@pytest.mark.parametrize("name", ["SpotPrice", "Spot\\u0050rice"])
def test_a_price_stated_twice_is_refused(tmp_path, form, name):
    path = tmp_path / "prices.json"
    path.write_text(form % RECORD % "")
    assert len(read_prices(path).market) == 1
    path.write_text(form % (RECORD % f', "{name}": "0.2"'))
    with pytest.raises(PriceDataError, match=r"SpotPrice \(stated twice\): must be stated once"):
        read_prices(path)


def test_a_price_of_the_aws_layout_stated_twice_is_refused(tmp_path):
    path = tmp_path / "prices.json"
    record = RECORD % ', "SpotPrice": "0.2"'
    lines = (
        record.replace("{", "{\n            ").replace(", ", ",\n            ").replace("}", "\n        }")
    )
    path.write_text(f'{{\n    "SpotPriceHistory": [\n        {lines}\n    ]\n}}\n')
    with pytest.raises(PriceDataError, match="stated once"):
        read_prices(path)
