"""Units in quarantine in both databases."""

from datetime import date

import pytest
from sqlalchemy import event

from crm_compliance.store.store import SqlStore
from rules.retention.quarantine import Mark

DAY = date(2026, 3, 2)


def mark(number: int) -> Mark:
    return Mark("cf_fiche", f"00000000-0000-0000-0000-{number:012}", DAY, DAY, "", told=True, crm="")


@pytest.mark.parametrize("number", [1, 300])
def test_however_many_leave_one_statement_drops_them(store: SqlStore, number: int) -> None:
    marks = [mark(each) for each in range(number + 1)]
    store.quarantine.put(marks)
    asked: list[str] = []
    event.listen(store.database.engine, "before_cursor_execute", lambda _c, _u, statement, *_: asked.append(statement))
    store.quarantine.drop([(each.table, each.id) for each in marks[1:]], [("quarantine_left", {})])
    assert store.quarantine.marks() == marks[:1]
    assert len([statement for statement in asked if statement.startswith("DELETE FROM quarantine")]) == 1


def test_where_none_leave_none_are_dropped(store: SqlStore) -> None:
    store.quarantine.put([mark(1)])
    store.quarantine.drop([])
    assert store.quarantine.marks() == [mark(1)]
