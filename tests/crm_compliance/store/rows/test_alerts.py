"""What was told, by reference, in both databases."""

from datetime import UTC, datetime, timedelta

from crm_compliance.store.rows.alerts import FORGET, ChannelState, ToldOnce
from crm_compliance.store.store import SqlStore

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
ONE, TWO = "1" * 32, "2" * 32


def test_what_was_told_is_kept_by_target_until_it_has_been_gone_for_a_while(store: SqlStore) -> None:
    told = store.told
    told.tell("mail/dpo", [ONE, TWO], AT)
    told.tell("mail/dpo", [ONE], AT + timedelta(days=1))
    assert told.of("mail/dpo", AT) == {ONE: ToldOnce(AT + timedelta(days=1), 2), TWO: ToldOnce(AT, 1)}
    assert told.of("teams", AT) == {}
    told.keep("mail/dpo", [ONE], AT)
    told.keep("mail/dpo", [ONE, TWO], AT + FORGET)  # it is back in time
    told.keep("mail/dpo", [ONE], AT + FORGET)
    told.keep("mail/dpo", [ONE], AT + 2 * FORGET)
    assert set(told.of("mail/dpo", AT)) == {ONE}
    told.keep("mail/dpo", [], AT)
    assert set(told.of("mail/dpo", AT + FORGET - timedelta(seconds=1))) == {ONE}
    assert told.of("mail/dpo", AT + FORGET) == {}, "nobody has looked meanwhile"


def test_a_channel_fails_since_the_first_of_its_failures_in_a_row(store: SqlStore) -> None:
    told, later = store.told, AT + timedelta(hours=1)
    told.failed("mail", AT, "mail_login")
    told.failed("mail", later, "channel_unreachable")
    assert told.channels() == {"mail": ChannelState(0, 2, None, AT, "channel_unreachable")}
    told.took("mail", later)
    assert told.channels() == {"mail": ChannelState(1, 2, later, None, "")}


def test_what_jobs_cost_the_crm_adds_up(store: SqlStore) -> None:
    from connectors.interface.rows import ReadStats

    for _ in range(2):
        store.crm_use.add("retention", ReadStats(requests=10, retries=2, throttled=1, waited_s=0.5))
    assert store.crm_use.all() == {"retention": (20, 4, 2, 1.0)}
