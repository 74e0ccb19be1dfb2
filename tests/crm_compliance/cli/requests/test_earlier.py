"""Earlier requests of the same person are told with the rest (EXP-03). Everybody is fictitious."""

from tests.crm_compliance.cli.requests.family import ELS, LOTTE, els, lotte
from tests.drivers.asking import Asking
from tests.drivers.night import Night
from tests.drivers.typist import Typist


def test_what_a_person_asked_before_is_told_and_what_others_asked_is_not(typist: Typist, org: Night) -> None:
    child = lotte(org)
    els(org)
    org.party(child, "child", dossier=org.dossier("grooming", closed=False, fiches=0))
    before = "2026-11-20T10:00:00+01:00"
    Asking(typist).open(LOTTE | {"birthdate": "2012-03-04"}, kind="child", right="portability", received_at=before)
    Asking(typist).open(ELS, kind="witness", right="erasure", received_at=before)
    asking = Asking(typist).open(LOTTE | {"birthdate": "2012-03-04"}, kind="child").identify().confirm(child)
    asking.compile()
    made = asking.compilation
    told = [{field.name: field.value for field in item.fields} for item in made.items if item.kind == "request"]
    assert told == [{"right": "portability", "received_on": "2026-11-20", "channel": "email"}]
    assert [item.item for item in made.items] == [f"item-{number}" for number in range(1, len(made.items) + 1)]
    assert made.contexts[-1].kind == "request"
    assert made.is_complete
    Asking(typist).open(LOTTE | {"birthdate": "2012-03-04"}, kind="child", right="objection")
    assert asking.approve_all().release().outcome == "DELIVERED"  # what was asked since is no reason to look at it all again


def test_a_name_alone_is_not_enough_to_tell_of_another_request(typist: Typist, org: Night) -> None:
    child = lotte(org)
    org.party(child, "child", dossier=org.dossier("grooming", closed=False, fiches=0))
    Asking(typist).open({"firstname": "Lotte", "lastname": "Zandstra (fictief)"}, kind="child", received_at="2026-11-20T10:00:00+01:00")
    asking = Asking(typist).open(LOTTE | {"birthdate": "2012-03-04"}, kind="child").identify().confirm(child)
    asking.compile()
    assert [item for item in asking.compilation.items if item.kind == "request"] == []
