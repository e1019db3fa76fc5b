"""Names of strangers are shown literally everywhere: no markup, no formula, nothing that a terminal obeys."""

import json

import pytest

from fleet.domain.text import printable, shortened
from fleet.errors import InputError
from tests.helpers.shop import ON_DEMAND, PRICES, one_line

STRANGE = ["[red]m5[/red]", "$\\frac{$", "<script>alert(1)</script>", "m5\x1b[31m", ":smile:", "[/]"]


@pytest.fixture
def strange(shop, request):
    """A shop whose only type has a strange name."""
    name = request.param
    shop.request({"TargetCapacity": 4, "LaunchSpecifications": [{"InstanceType": name}]})
    (shop.folder / "prices.csv").write_text(PRICES.replace("m5.large", name))
    (shop.folder / "od.csv").write_text(ON_DEMAND.replace("m5.large", name))
    return shop, name


@pytest.mark.parametrize("strange", STRANGE, indirect=True)
def test_names_stand_in_tables_pages_comments_and_pictures_as_they_are(strange):
    shop, name = strange
    market = ("fleet.json", "--prices", "prices.csv", "--on-demand", "od.csv")
    answer = shop.run("allocate", *market, "--explain")
    if answer.status == 2:  # a reader may refuse what no type is called
        one_line(answer, printable(name))
        return
    assert answer.status == 0, answer.err
    assert printable(name) in answer.out
    papers = (
        "--report",
        "a.html",
        "--markdown",
        "a.md",
        "--export",
        "karpenter=a.yaml",
        "--export",
        "terraform-fleet=a.tf",
    )
    assert shop.run("allocate", *market, *papers).status == 0
    page = (shop.folder / "a.html").read_text()
    assert "<script>alert" not in page.replace('"<script>alert', "")
    assert "\x1b" not in (shop.folder / "a.md").read_text()
    drawn = shop.run("replay", *market, "--plot", "a.svg", "--report", "b.html")
    assert drawn.status == 0, drawn.err
    assert "\x1b" not in drawn.out + drawn.err
    assert (shop.folder / "a.svg").read_text().rstrip().endswith("</svg>")


@pytest.mark.parametrize("name", STRANGE)
def test_errors_name_what_is_wrong_literally(shop, name):
    answer = shop.run("allocate", "fleet.json", "--prices", "prices.csv", "--strategy", name)
    one_line(answer, repr(name))
    assert "\x1b" not in answer.err


def test_a_wrong_value_of_any_length_is_one_line_that_can_be_read(shop):
    shop.request(json.dumps({"TargetCapacity": 4, "LaunchSpecifications": [], "Type": "y" * 100_000}))
    answer = shop.run("allocate", "fleet.json", "--prices", "prices.csv")
    assert answer.status == 2
    assert len(answer.err) < 2000


def test_what_is_spelled_out():
    assert printable("plain é\n\t") == "plain é\n\t"
    assert printable("a\x1b[31m\u202eb\x00\ud800") == "a\\x1b[31m\\u202eb\\x00\\ud800"
    assert shortened("abc", 3) == "abc"
    assert shortened("a" * 500 + "b" * 500, 10) == "aaaaa ... (990 characters) ... bbbbb"


def test_a_replay_of_more_instances_than_can_be_followed_is_refused_at_once(shop):
    market = ("--prices", "prices.csv", "--on-demand", "od.csv")
    template = {"LaunchTemplateName": "t", "Version": "1"}
    configs = [{"LaunchTemplateSpecification": template, "Overrides": [{"InstanceType": "m5.large"}]}]
    for target, part in ((4_000_000_000, 0), (4_000_000_000, 4_000_000_000), (200_001, 0)):
        shop.request(
            {"TargetCapacity": target, "OnDemandTargetCapacity": part, "LaunchTemplateConfigs": configs}
        )
        one_line(shop.run("replay", "fleet.json", *market), "must not launch more than 200,000")
    one_line(shop.run("compare", "fleet.json", *market), "must not launch more than 200,000")


def test_launches_in_all_are_bounded_too():
    from fleet.domain import event_log as log

    writer = log.LogWriter()
    writer.expect(log.MOST_AT_ONCE)
    writer.instances = log.MOST_LAUNCHES - 1
    writer.expect(1)
    with pytest.raises(InputError, match="2,000,001 instances in all"):
        writer.expect(2)
