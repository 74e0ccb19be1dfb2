"""Nobody but the DPO can tell somebody who is excluded from somebody who is unknown: SUS-04, SUS-07, ACC-08,
R-111, R-116.

Both go through all commands, side by side over the same CRM, and everything that is answered, stored and
asked of the CRM is compared. Everybody is fictitious.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.crm_compliance.cli.requests.cases import JAN, PIM, a_case
from tests.crm_compliance.side_by_side import Asker, Trail
from tests.drivers.night import Night
from tests.drivers.requesting import opened
from tests.drivers.typist import DORA, Typist

# Names of the same length, so that no size differs by them.
pytestmark = pytest.mark.usefixtures("real_definitions")  # all requests are compared


@dataclass(frozen=True)
class Walk:
    """The trails of somebody suspected and of somebody unknown, the dossier of the suspicion, and the folder
    in which both worked: `one` and `two`."""

    excluded: Trail
    unknown: Trail
    dossier: str
    folder: Path


@pytest.fixture(scope="module")
def walks() -> dict[str, Walk]:
    """By language: every look at the two needs the same walk through all commands."""
    return {}


@pytest.fixture
def walk(language: str, walks: dict[str, Walk], request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Walk:
    if language not in walks:
        folder = tmp_path_factory.mktemp("walk")
        walks[language] = walked(request.getfixturevalue("typist"), request.getfixturevalue("org"), folder, language=language)
    return walks[language]


def walked(typist: Typist, org: Night, folder: Path, **form: Any) -> Walk:
    """Take both through all commands."""
    person = org.contact(firstname="Jan", lastname="Wouterlood (fictief)", emailaddress1="jan@example.org", birthdate="1980-05-06",
                         telephone1="+32470112233", description="Zie ook D-2026-0666, daar als verdachte genoemd.")  # fmt: skip
    dossier = a_case(org, person)
    excluded = Asker(typist, folder / "one").answered(JAN, person, **form)
    unknown = Asker(typist, folder / "two").answered(PIM, **form)
    return Walk(excluded, unknown, dossier, folder)


# Who is a candidate, and who was confirmed, is what the DPO alone decides about: of these two commands only
# the rest is the same.
OF_THE_DPO = frozenset({"match", "confirm"})


def is_of_units(name: str) -> bool:
    """Whether a command tells what becomes of units: that something keeps a file is not hidden, who asked for
    it is."""
    return name == "plan" or name.startswith("why ")


BOTH_LANGUAGES = pytest.mark.parametrize("language", ["nl", "fr"])


@BOTH_LANGUAGES
def test_nobody_can_tell_who_is_excluded_from_who_is_unknown(walk: Walk) -> None:
    """SUS-04, SUS-07, R-111: every answer of every command, every row of every table with the size of what is
    sealed in it, the ledger."""
    excluded, unknown = walk.excluded, walk.unknown
    for name in excluded.said.keys() - OF_THE_DPO:
        if not is_of_units(name):
            assert excluded.said[name] == unknown.said[name], name
    for table, rows in excluded.stored.items():
        assert rows == unknown.stored[table], table


@BOTH_LANGUAGES
def test_the_crm_is_asked_the_same_for_who_is_excluded_and_who_is_unknown(walk: Walk) -> None:
    """SUS-07: as many requests of the same methods and addresses, command by command, plans and their reasons
    included."""
    excluded, unknown = walk.excluded, walk.unknown
    for name, asked in excluded.asked.items():
        assert asked == unknown.asked[name], (name, asked - unknown.asked[name], unknown.asked[name] - asked)


@BOTH_LANGUAGES
def test_no_plan_and_no_reason_of_a_unit_names_the_request_that_holds_it(walk: Walk) -> None:
    """SUS-07, ACC-08: the hold of a request has its code alone, also once the request is closed."""
    why = f"why cf_dossier {walk.dossier}"
    assert '"HOLD_REQUEST"' in walk.excluded.raw[why]
    assert '"HOLD_REQUEST"' not in walk.unknown.raw[why]
    for trail, folder in ((walk.excluded, "one"), (walk.unknown, "two")):
        said = {name: text for name, text in trail.raw.items() if is_of_units(name)}
        said |= {file.name: file.read_text(encoding="utf-8") for file in (walk.folder / folder).glob("plan*")}
        assert len(said) > 6
        assert [name for name, text in said.items() if trail.request in text] == []


def test_which_request_holds_a_row_is_for_the_dpo_alone_and_only_until_it_is_closed(typist: Typist, org: Night) -> None:
    """HLD-08, ACC-08, SUS-07."""
    person = org.contact(firstname="Jan", lastname="Wouterlood (fictief)", emailaddress1="jan@example.org")
    request = opened(typist, given=JAN)
    assert typist.ask("holds", "list") == []
    assert typist.ask("holds", "list", "--as", "anna", "--role", "auditor") == []
    (held,) = typist.ask("holds", "list", *DORA)
    assert {key: held[key] for key in ("hold", "type", "table", "id", "state", "reason")} == {
        "hold": request,
        "type": "request",
        "table": "contact",
        "id": person,
        "state": "active",
        "reason": "HOLD_REQUEST",
    }
    assert request in typist.type("holds", "list", *DORA).out
    typist.ask("requests", "close", request, "--outcome", "WITHDRAWN", *DORA)
    assert typist.ask("holds", "list", *DORA) == []
