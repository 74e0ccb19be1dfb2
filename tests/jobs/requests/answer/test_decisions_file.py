"""What a reviewer writes is read as the texts of the answer were: by country, national numbers and name of
the organisation (EXP-06, IDN-10). Names and numbers are invented."""

import json
from datetime import UTC, date, datetime

import msgspec
import pytest

from jobs.model.answer import NOT_A_NAME, Addressee, Compilation, Item, ItemStatus
from jobs.requests.answer.decisions_file import read_decisions
from rules.errors import UsageError
from rules.model.home import IN_BELGIUM, Home

IN_THE_NETHERLANDS = Home("NL", "nl.bsn", "Huis Fien Quaghebeur")
ANSWER = Compilation(
    request="r", reference="r", right="access", answer="package", scope="own", language="nl",
    generated_at=datetime(2026, 11, 25, tzinfo=UTC), received_on=date(2026, 11, 25), addressee=Addressee("Lotte (fictief)"),
    items=(Item("i", "context-1", "note", ("note", "n"), "", "", (), needs_review=True),), home=IN_THE_NETHERLANDS,
)  # fmt: skip


def taken(text: str, home: Home, code: str = "") -> ItemStatus:
    line = {"item": "i", "status": "APPROVED_REDACTED", "text": text, "code": code}
    return read_decisions(json.dumps(line), msgspec.structs.replace(ANSWER, home=home), takes_back=False)["i"].status


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Bel het op 06-12345678.", "phone"),
        ("Het staat op 612345678.", "phone"),
        ("Met nummer 111222333 erbij.", "national_number"),
        ("De auto was de 12-XX-YZ.", "plate"),
    ],
)
def test_a_number_of_the_country_of_the_organisation_is_one_in_what_a_reviewer_writes(text: str, what: str) -> None:
    with pytest.raises(UsageError) as refused:
        taken(text, IN_THE_NETHERLANDS)
    assert (refused.value.code, what in str(refused.value.hint)) == ("near_name", True)
    assert taken(text, IN_THE_NETHERLANDS, NOT_A_NAME) is ItemStatus.APPROVED_REDACTED
    assert taken(text, IN_BELGIUM) is ItemStatus.APPROVED_REDACTED  # where it is a number of nothing


def test_the_name_of_the_organisation_is_the_name_of_nobody() -> None:
    text = "Dat zei iemand van Huis Fien Quaghebeur."
    assert taken(text, IN_THE_NETHERLANDS) is ItemStatus.APPROVED_REDACTED
    with pytest.raises(UsageError):
        taken(text, IN_BELGIUM)
