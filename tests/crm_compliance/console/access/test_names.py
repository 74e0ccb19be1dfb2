"""What colleagues are called on pages: sealed in the store, never taken for somebody else's. Everybody is
fictitious."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crm_compliance.console.access.names import Names
from crm_compliance.console.frame.services import Services
from crm_compliance.store.store import SqlStore
from rules.model.roles import Role
from tests.crm_compliance.console.browser import Browser

NOW = datetime(2026, 11, 25, 11, tzinfo=UTC)
LONG = "Anna-Maria van den Voorbeeld tot Verzinsel (fictief)"


@pytest.fixture
def names(store: SqlStore, tmp_path: Path) -> Names:
    return Names(store.colleagues, tmp_path / "data")


def test_a_name_is_that_of_the_last_sign_in_and_others_stay_accounts(names: Names) -> None:
    names.note("oid-1", "Anna (fictief)", NOW)
    names.note("oid-2", "Ben (fictief)", NOW)
    names.note("oid-1", LONG, NOW)
    assert [names.of(who) for who in ("oid-1", "oid-2", "oid-3")] == [LONG, "Ben (fictief)", "oid-3"]


def test_the_database_tells_neither_a_name_nor_how_long_it_is(names: Names, store: SqlStore) -> None:
    names.note("oid-1", "Nele", NOW)
    names.note("oid-2", LONG * 4, NOW)
    kept = [store.colleagues.name(who) or b"" for who in ("oid-1", "oid-2")]
    assert len({len(each) for each in kept}) == 1
    assert not any(part in each for each in kept for part in (b"Nele", b"fictief"))
    assert names.of("oid-2") == (LONG * 4)[:100]


def test_a_name_moved_to_another_account_or_without_its_key_is_nobodys(names: Names, store: SqlStore, tmp_path: Path) -> None:
    names.note("oid-1", "Anna (fictief)", NOW)
    store.colleagues.put("oid-2", store.colleagues.name("oid-1") or b"", NOW)
    store.colleagues.put("oid-3", b"short", NOW)
    assert [names.of("oid-2"), names.of("oid-3")] == ["oid-2", "oid-3"]
    (tmp_path / "data" / "keys" / "signin.key").unlink()
    assert Names(store.colleagues, tmp_path / "data").of("oid-1") == "oid-1"


def test_what_does_not_print_is_left_out_of_a_name(names: Names) -> None:
    names.note("oid-1", "An\u202ena\n(fictief)", NOW)
    names.note("oid-2", "\u200f", NOW)
    assert [names.of("oid-1"), names.of("oid-2")] == ["Anna(fictief)", "oid-2"]


def test_people_of_a_demonstration_have_names_too(services: Services, signed_in: Callable[..., Browser]) -> None:
    signed_in(Role.DPO)
    assert [services.names.of(who) for who in ("demo-ben", "demo-erik")] == ["Ben", "demo-erik"]
