"""What a closed request keeps stays until its day, and is what the ledger says (R-073)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event, text

from jobs.checks.drift.requests import about_requests
from jobs.checks.ledger_drift import refuse_altered
from jobs.ledger.entries import StoreAltered
from jobs.model.request import PRESERVED
from jobs.register.maintenance import maintain_register
from jobs.register.transitions import close
from jobs.requests.search.preserve import preserve
from tests.drivers.attacking import attack, audited
from tests.drivers.deciding import dora
from tests.drivers.night import Night
from tests.drivers.requesting import ASKER, registered


@pytest.mark.parametrize("is_known", [True, False])
def test_what_a_closed_request_keeps_cannot_be_taken_away_unseen(attacked: Night, is_known: bool) -> None:
    """R-073, SUS-07: the entry of the closing is the same for somebody who is in the CRM and somebody who is
    not; the missing part too."""
    if is_known:
        attacked.contact(**ASKER)
    request = registered(attacked)
    preserve(attacked.context, request)
    close(dora(attacked), request.id, "WITHDRAWN")
    (entry,) = [entry for entry in attacked.store.ledger.entries() if entry.data.get("step") == "close"]
    assert set(entry.data) == {"request", "step", "outcome", "refusal", "keeps", "kept", "role", "by"}
    assert entry.data["keeps"] is True
    refuse_altered(attacked.context)
    attack(attacked, "DELETE FROM request_parts WHERE name = 'frozen'")
    with pytest.raises(StoreAltered) as caught:
        refuse_altered(attacked.context)
    assert caught.value.where == f"request {request.id}"


@pytest.mark.parametrize("is_known", [True, False])
def test_an_older_copy_of_what_a_closed_request_keeps_is_told(attacked: Night, is_known: bool) -> None:
    """R-073, HLD-08, SUS-07: it is sealed with the same key for the same request, and may name fewer people
    than were found since."""
    if is_known:
        attacked.contact(**ASKER)
    request = registered(attacked)
    preserve(attacked.context, request)

    def sealed() -> bytes:
        with attacked.store.database.reading() as connection:
            return bytes(connection.execute(text("SELECT content FROM request_parts WHERE name = 'frozen'")).scalar_one())

    older = sealed()
    attacked.contact(**ASKER)
    preserve(attacked.context, request)
    newer = sealed()
    close(dora(attacked), request.id, "WITHDRAWN")
    refuse_altered(attacked.context)
    attack(attacked, "UPDATE request_parts SET content = :older WHERE name = 'frozen'", older=older)
    assert attacked.store.requests.part(request.id, PRESERVED) is not None  # it opens
    with pytest.raises(StoreAltered, match="another part") as caught:
        refuse_altered(attacked.context)
    assert caught.value.where == f"request {request.id}"
    assert [problem.where for problem in audited(attacked)] == [f"request {request.id}"]
    attack(attacked, "UPDATE request_parts SET content = :newer WHERE name = 'frozen'", newer=newer)
    refuse_altered(attacked.context)


def test_what_is_looked_up_while_somebody_closes_a_request_is_what_it_keeps(attacked: Night) -> None:
    """Whoever comes second stores it beside the closed row, and the ledger says so."""
    request = registered(attacked)
    preserve(attacked.context, request)
    attacked.contact(**ASKER)
    close(dora(attacked), request.id, "WITHDRAWN")
    assert preserve(attacked.context, request).contacts  # by the row as it was before
    assert list(attacked.store.ledger.entries())[-1].data.keys() == {"request", "step", "kept"}
    refuse_altered(attacked.context)


def test_what_a_closed_request_kept_may_leave_the_database_when_it_has_had_its_day(attacked: Night) -> None:
    request = registered(attacked)
    preserve(attacked.context, request)
    close(dora(attacked), request.id, "WITHDRAWN")
    attacked.clock.now += timedelta(days=40)
    maintain_register(attacked.store, attacked.policy, attacked.clock(), attacked.key.references)
    assert not attacked.store.requests.has_part(request.id, PRESERVED)
    refuse_altered(attacked.context)


def test_what_closed_requests_keep_is_compared_together(attacked: Night) -> None:
    """Each night looks: it takes as many statements for one closed request as for many."""

    def statements(requests: int) -> int:
        for _ in range(requests):
            request = registered(attacked)
            preserve(attacked.context, request)
            close(dora(attacked), request.id, "WITHDRAWN")
        asked: list[str] = []
        listening = (attacked.store.database.engine, "before_cursor_execute", lambda _c, _u, statement, *_: asked.append(statement))
        event.listen(*listening)
        assert not list(about_requests(attacked.store, attacked.context.policy.calendar))
        event.remove(*listening)
        return len(asked)

    assert statements(1) == statements(4)
