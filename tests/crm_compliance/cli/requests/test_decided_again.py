"""What becomes of a decision where the answer is compiled again, or a step leads back behind it. Everybody is
fictitious."""

from typing import Any

import pytest

from tests.crm_compliance.cli.requests.decided import (
    asking_for,
    decide,
    lotte,
    released,
    shown,
)
from tests.crm_compliance.worlds import Worlds
from tests.drivers.asking import Asking
from tests.drivers.night import Night
from tests.drivers.typist import DORA, ERIK, Typist

RESTRICTION, ERASURE = (pytest.mark.parametrize("right", [right]) for right in ("restriction", "erasure"))


def two_files(typist: Typist, org: Night, right: str) -> tuple[str, str]:
    """The request of somebody in two files of their own, and the second of the items that can be granted."""
    child = lotte(org, birthdate="2008-01-02")
    for _ in range(2):
        org.party(child, "child", dossier=org.dossier("sexting", closed=False))
    asking = asking_for(typist, right, child)
    return asking.id, asking.items()[1]["item"]


@pytest.fixture
def of_two_files(right: str, worlds: Worlds, request: pytest.FixtureRequest, typist: Typist) -> tuple[Asking, str]:
    name, item = worlds.begin(request, two_files, right)
    return Asking(typist, name), item


def again(typist: Typist, asking: Asking, step: str = "compile", *words: str) -> tuple[Any, str]:
    """What a step says when it is taken again, on both streams."""
    said = typist.type("requests", step, asking.id, *words, *DORA, "--json")
    assert said.code == 0, said
    return said.document, said.err


@RESTRICTION
def test_what_was_granted_is_told_as_undone_when_it_is_compiled_again(of_two_files: tuple[Asking, str], typist: Typist) -> None:
    """The hold of a restriction stays; what was granted has to be granted again, which one word does."""
    asking, item = of_two_files
    decide(typist, asking, "--grant", item)
    holds = typist.ask("holds", "list")
    assert len(holds) == 1
    document, errors = again(typist, asking)
    assert document["undone"] == {"granted": [item], "gone": 0, "refusal": "", "reviewed": 0}
    assert f"what was granted is undone; to grant it again: crm-compliance requests decide {asking.id} --grant {item}" in errors
    assert typist.refused("requests", "approve", asking.id, *DORA, code=5)["code"] == "undecided"
    assert [each["status"] for each in asking.items()] == ["WITHHELD", "APPROVED"]
    assert decide(typist, asking, "--grant")["granted"] == [item]
    assert typist.ask("holds", "list") == holds
    assert released(typist, asking)


@ERASURE
def test_what_is_gone_of_a_grant_and_what_can_be_granted_again_is_told_at_once(
    of_two_files: tuple[Asking, str], typist: Typist, org: Night
) -> None:
    asking, item = of_two_files
    decide(typist, asking, "--grant")
    kind, dossier = next(each.source for each in asking.compilation.items if each.item == item)
    org.http.delete(f"{org.emulator.url}cf_{kind}s({dossier})").raise_for_status()
    document, errors = again(typist, asking)
    assert (document["undone"]["granted"], document["undone"]["gone"]) == (["item-1"], 1)
    (warning,) = errors.splitlines()
    assert warning.startswith(
        "warning: what was granted is undone; 1 item of it the request does not have now; to grant the others again: "
    )
    assert warning.endswith(f"requests decide {asking.id} --grant item-1")


@ERASURE
def test_a_refusal_is_told_as_undone_when_it_is_compiled_again(of_two_files: tuple[Asking, str], typist: Typist) -> None:
    asking, item = of_two_files
    decide(typist, asking, "--refuse", "RF-02")
    document, errors = again(typist, asking)
    assert document["undone"] == {"granted": [], "gone": 0, "refusal": "RF-02", "reviewed": 0}
    assert f"to refuse again: crm-compliance requests decide {asking.id} --refuse RF-02" in errors
    assert (document["refusal"], shown(typist, asking)["state"]) == (None, "reviewing")
    assert decide(typist, asking, "--grant", item)["granted"] == [item]


@ERASURE
def test_what_the_review_said_of_a_proposal_stands_when_it_is_compiled_again(of_two_files: tuple[Asking, str], typist: Typist) -> None:
    asking, item = of_two_files
    asking.decide({"item": item, "status": "WITHHELD", "code": "RF-03"})
    document, errors = again(typist, asking)
    assert ("undone" in document, document["pending"]) == (False, 1)
    assert "undone" not in errors
    assert item not in decide(typist, asking, "--grant")["granted"]


@ERASURE
@pytest.mark.parametrize("step", ["identify", "match", "confirm"])
def test_a_step_that_leads_back_behind_the_decision_tells_that_it_is_undone(
    of_two_files: tuple[Asking, str], typist: Typist, step: str
) -> None:
    asking, item = of_two_files
    words = {"identify": ("--method", "eid"), "confirm": ("--none",)}.get(step, ())
    decide(typist, asking, "--grant", item)
    before = typist.ask("requests", "show", asking.id)
    denied = typist.type("requests", step, asking.id, *words, *ERIK, "--json")
    assert (denied.code, denied.out, "undone" in denied.err) == (5, "", False)
    assert typist.ask("requests", "show", asking.id) == before
    document, errors = again(typist, asking, step, *words)
    assert document["undone"] == {"granted": [], "gone": 1, "refusal": "", "reviewed": 0}
    assert "what was granted is undone" in errors


def test_portability_that_was_refused_can_be_granted_once_it_is_compiled_again(typist: Typist, org: Night) -> None:
    """The review of the data begins again."""
    donor = lotte(org)
    org.donation(donor)
    asking = asking_for(typist, "portability", donor)
    decide(typist, asking, "--refuse", "RF-04")
    assert typist.refused("requests", "decide", asking.id, "--grant", *DORA, code=5)["code"] == "nothing_to_grant"
    document, _ = again(typist, asking)
    assert (document["undone"]["refusal"], document["refusal"]) == ("RF-04", None)
    assert decide(typist, asking, "--grant")["refusal"] is None
    released(typist, asking)
    assert shown(typist, asking)["outcome"] == "DELIVERED"
