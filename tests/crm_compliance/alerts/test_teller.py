"""Each thing once, again while it is overdue, to whom a route names; nobody's data in any of it; and a
channel that fails is itself an alarm."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.channels.channel import Notice
from connectors.channels.mail import Security, message_of
from connectors.channels.webhook import card, document
from connectors.emulator.serving.certificates import server_certificate
from crm_compliance.alerts.channels import FAILING, Channels, channels_of, failing, telling_not_well
from crm_compliance.alerts.teller import Telling, tell
from crm_compliance.alerts.wording import MOST, as_mail, notice_of
from crm_compliance.configuration.settings import PREFIX, Settings, load_settings
from crm_compliance.console.language.item_words import why_of
from crm_compliance.service.health import Health
from crm_compliance.store.rows.alerts import FORGET, ToldAlerts
from crm_compliance.store.store import SqlStore
from jobs.inbox.item import InboxItem, ItemKind, Stage
from rules.dates.calendar import BRUSSELS
from rules.hints import hint_to
from rules.model.languages import UiLanguage
from rules.model.roles import Role
from tests.connectors.channels.postbox import listening
from tests.connectors.channels.receiver import Receiver, receiving
from tests.drivers.clock import NOW, Clock

ADDRESS = "https://compliance.example.org"
PLAN = InboxItem(kind=ItemKind.PLAN_TO_APPROVE, roles=(Role.CRM_ADMIN, Role.DPO), subject="plan-1", count=3, due_on=date(2026, 11, 28))
LATE = InboxItem(kind=ItemKind.REQUEST_STEP, roles=(Role.DPO,), subject="request-1", code="OVERDUE", stage=Stage.OVERDUE)
FILE = """\
channels:
  all: {{type: webhook, url: "{url}/all"}}
  admins: {{type: webhook, url: "{url}/admins"}}
routes:
  - {{channels: [all], repeat_hours: 24}}
  - {{channels: [admins], roles: [crm_admin], events: [plan_to_approve, not_well]}}
"""


MAIL = """\
channels:
  mail:
    type: email
    host: 127.0.0.1
    port: {port}
    security: none
    from: compliance@example.org
    to:
      dpo: {{language: nl, addresses: [dpo@example.org, nobody@example.org]}}
      crm_admin: {{language: fr, addresses: [crm@example.org]}}
"""


@dataclass
class Office:
    """Two webhooks, a store, and a clock that moves when a test says so."""

    receiver: Receiver
    settings: Settings
    store: SqlStore
    channels: Channels
    clock: Clock

    def look(self, *items: InboxItem, after: timedelta = timedelta()) -> Telling:
        self.clock.now += after
        self.receiver.sent.clear()
        return tell(self.channels, items, self.store.told, why=why_of, address=ADDRESS, now=self.clock.now)

    def told(self, path: str = "/all") -> list[tuple[str, str]]:
        """What the last look has told at an address, by event and subject."""
        sent = [json.loads(each.body) for each in self.receiver.sent if each.path == path]
        return [(line["event"], line["subject"]) for each in sent for line in each["alerts"]]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    clock = Clock(NOW)
    with receiving() as receiver, closing(SqlStore.open(f"sqlite:///{tmp_path / 'state.db'}", clock=clock)) as store:
        file = tmp_path / "alerts.yaml"
        file.write_text(FILE.format(url=receiver.url), encoding="utf-8")
        settings = load_settings(None, {f"{PREFIX}ALERTS": str(file)})
        yield Office(receiver, settings, store, channels_of(settings, clock, sleep=lambda _: None), clock)


def test_what_a_crash_has_told_again_has_the_same_id_and_what_is_told_anew_another(office: Office) -> None:
    def ids() -> set[str]:
        return {str(json.loads(each.body)["id"]) for each in office.receiver.sent if each.path == "/all"}

    with pytest.MonkeyPatch.context() as killed:
        killed.setattr(ToldAlerts, "tell", lambda *_: None)
        office.look(LATE)
        first = ids()
    office.look(LATE, after=timedelta(minutes=1))
    assert ids() == first
    office.look(LATE, after=timedelta(hours=24))
    assert len(ids() - first) == 1


def test_each_thing_is_told_once_to_whom_a_route_names(office: Office) -> None:
    assert office.look(PLAN, LATE) == Telling(messages=2, things=3)
    assert office.told() == [("request_step", "request-1"), ("plan_to_approve", "plan-1")]
    assert office.told("/admins") == [("plan_to_approve", "plan-1")]
    assert office.look(PLAN, LATE, after=timedelta(minutes=5)) == Telling()
    soon = InboxItem(kind=PLAN.kind, roles=PLAN.roles, subject="plan-1", code="EXPIRES_SOON", stage=Stage.SOON)
    office.look(soon, LATE, after=timedelta(hours=1))
    assert office.told() == [("plan_to_approve", "plan-1")], "it has become urgent: that is new"


def test_what_is_overdue_is_told_again_and_says_so(office: Office) -> None:
    office.look(PLAN, LATE)
    office.look(PLAN, LATE, after=timedelta(hours=23, minutes=59))
    assert office.told() == []
    office.look(PLAN, LATE, after=timedelta(minutes=1))
    assert office.told() == [("request_step", "request-1")]
    (sent,) = office.receiver.sent
    (line,) = json.loads(sent.body)["alerts"]
    assert line["repeated"] is True
    assert "told before" in line["text"]
    office.look(PLAN, LATE, after=timedelta(hours=1))
    assert office.told() == []


def test_what_was_settled_and_comes_back_is_new_and_what_only_flickers_is_not(office: Office) -> None:
    office.look(PLAN)
    office.look()
    office.look(PLAN, after=timedelta(minutes=5))
    assert office.told() == [], "the store was busy for a moment"
    office.look()
    office.look(after=FORGET)
    office.look(PLAN, after=timedelta(minutes=5))
    assert office.told() == [("plan_to_approve", "plan-1")]


def test_what_comes_back_while_nobody_looked_is_new_too(office: Office) -> None:
    """The machine is off at night."""
    office.look(LATE)
    office.look()
    office.look(LATE, after=timedelta(hours=20))
    assert office.told() == [("request_step", "request-1")]
    assert json.loads(office.receiver.sent[0].body)["alerts"][0]["repeated"] is False


def test_a_clock_that_was_ahead_for_a_while_silences_nothing(office: Office) -> None:
    """What was told, or had gone, in days that have not come yet says nothing of now."""
    office.look(PLAN, LATE)
    office.look(LATE, after=timedelta(days=30))
    office.look(PLAN, LATE, after=timedelta(days=-30, minutes=1))
    assert office.told() == [("request_step", "request-1"), ("plan_to_approve", "plan-1")]
    office.look(PLAN, LATE, after=timedelta(minutes=1))
    assert office.told() == []


@pytest.mark.parametrize("ahead", [timedelta(), timedelta(days=30)])
def test_what_has_come_back_and_its_channel_did_not_take_is_told_later(office: Office, ahead: timedelta) -> None:
    """Also where it had gone while the clock was ahead."""
    office.look(PLAN)
    office.look(after=ahead)
    office.receiver.answers = [400]  # the first to be told is `all`
    assert office.look(PLAN, after=timedelta(hours=20) - ahead).failed == ("all",)
    office.look(PLAN, after=timedelta(minutes=5))
    assert (office.told(), office.told("/admins")) == ([("plan_to_approve", "plan-1")], [])


def test_a_channel_that_fails_is_itself_an_alarm_and_what_it_was_to_tell_is_told_later(office: Office) -> None:
    office.receiver.answers = [400]  # the first to be told is `all`
    assert office.look(PLAN) == Telling(messages=1, things=1, failed=("all",))
    assert failing(office.channels, office.store.told) == ("all",)
    health = Health(
        Settings(),
        office.store.runs,
        office.clock,
        NOW,
        BRUSSELS,
        beside=telling_not_well(office.settings, office.store, office.clock),
    )
    assert health.why_not() == (FAILING,)
    alarm = InboxItem(kind=ItemKind.NOT_WELL, roles=(Role.CRM_ADMIN,), code=FAILING, stage=Stage.OVERDUE)
    office.look(PLAN, alarm, after=timedelta(minutes=5))
    assert office.told("/admins") == [("not_well", "")], "the others tell of it"
    assert ("plan_to_approve", "plan-1") in office.told(), "and nothing is lost"
    assert failing(office.channels, office.store.told) == ()
    state = office.store.told.channels()["all"]
    assert (state.sent, state.failed, state.failing_since, state.code) == (1, 1, None, "")


def test_whoever_has_a_mail_that_another_never_gets_has_it_once_and_the_channel_is_an_alarm(office: Office, tmp_path: Path) -> None:
    with listening(server_certificate("localhost"), tmp_path, Security.NONE, signs_in=False) as box:
        file = tmp_path / "alerts.yaml"
        file.write_text(MAIL.format(port=box.port), encoding="utf-8")
        channels = channels_of(load_settings(None, {f"{PREFIX}ALERTS": str(file)}), office.clock)
        office.channels = channels
        first = office.look(PLAN)
        assert [envelope.rcpt_tos for envelope, _ in box.taken] == [["dpo@example.org"], ["crm@example.org"]]
        assert first.failed == ("mail",)
        assert failing(channels, office.store.told) == ("mail",), "that the other role has its mail hides nothing"
        office.look(PLAN, after=timedelta(minutes=1))
        assert len(box.taken) == 2
        assert failing(channels, office.store.told) == ("mail",)


def test_many_things_are_one_message_with_an_end(office: Office) -> None:
    items = [InboxItem(kind=ItemKind.HOLD_TO_REVIEW, roles=(Role.DPO,), subject=f"hold-{n}", stage=Stage.OVERDUE) for n in range(MOST + 5)]
    assert office.look(*items).messages == 1
    found = json.loads(office.receiver.sent[0].body)
    assert (len(found["alerts"]), found["more"]) == (MOST, 5)
    assert office.look(*items, after=timedelta(minutes=5)) == Telling()


CANARY = "Hanne Voorbeeld-Geheim (fictief)"


@given(
    kind=st.sampled_from(ItemKind),
    stage=st.sampled_from(Stage),
    count=st.none() | st.integers(0, 10**6),
    due=st.none() | st.dates(date(2026, 1, 1), date(2027, 1, 1)),
    language=st.sampled_from(["nl", "fr", "en"]),
    again=st.booleans(),
)
def test_no_message_holds_what_an_item_knows_of_people(
    kind: ItemKind, stage: Stage, count: int | None, due: date | None, language: UiLanguage, again: bool
) -> None:
    """An alarm's own sentence, accounts and facts stay here, whatever the event, language and channel."""
    item = InboxItem(
        kind=kind,
        roles=(Role.DPO,),
        subject="id-1",
        stage=stage,
        count=count,
        due_on=due,
        message=CANARY,
        not_for=(CANARY,),
        facts={"why": CANARY},
        hint=hint_to("resume"),
    )
    notice = notice_of([item, item], again=[item.key] if again else [], language=language, why=why_of, address=ADDRESS, at=NOW)
    mail = message_of(notice, as_mail(notice), "compliance@example.org", ["dpo@example.org"])
    parts: list[Any] = list(mail.iter_parts())
    texts = [json.dumps(card(notice), ensure_ascii=False), json.dumps(document(notice), ensure_ascii=False), str(mail["Subject"])]
    for text in texts + [part.get_content() for part in parts]:
        assert "Voorbeeld" not in text
        assert "{" not in text or text.startswith("{")
    if kind is ItemKind.ANSWER_TO_REVIEW:
        assert notice.lines[0].count is None  # how much there is of somebody is for the DPO alone (SUS-07)


def noticed(item: InboxItem, language: UiLanguage) -> Notice:
    return notice_of([item], again=[], language=language, why=why_of, address=ADDRESS, at=NOW)


def test_the_first_of_a_month_is_written_as_each_language_writes_it() -> None:
    item = InboxItem(kind=ItemKind.PLAN_TO_APPROVE, roles=(Role.DPO,), subject="plan-1", count=3, due_on=date(2027, 3, 1))
    told = {
        each: notice_of([item], again=[], language=each, why=why_of, address=ADDRESS, at=NOW).lines[0].text for each in ("nl", "fr", "en")
    }
    assert [day in told[language] for language, day in (("nl", "1 mrt 2027"), ("fr", "1er mars 2027"), ("en", "1 Mar 2027"))] == [True] * 3


@pytest.mark.parametrize(
    ("item", "language", "says"),
    [
        ((ItemKind.NOT_WELL, "RETENTION_FAILED"), "nl", "met fouten of een alarm"),
        ((ItemKind.NOT_WELL, "CREDENTIAL_ENDS"), "en", "Something by which the service signs in ends within two weeks"),
        ((ItemKind.ALARM, "TECHNICAL"), "fr", "(HLD-13)"),
    ],
)
def test_a_mail_and_a_card_say_what_a_code_means(item: tuple[ItemKind, str], language: UiLanguage, says: str) -> None:
    """Whoever reads it may see nothing else before the morning."""
    kind, code = item
    notice = notice_of(
        [InboxItem(kind=kind, roles=(Role.DPO,), code=code)], again=[], language=language, why=why_of, address=ADDRESS, at=NOW
    )
    text, page = as_mail(notice)
    assert all(says in told for told in (text, page, json.dumps(card(notice), ensure_ascii=False)))


def test_an_alarm_says_of_which_job_it_is() -> None:
    """Two of one night may have the same code."""
    alarms = [InboxItem(kind=ItemKind.ALARM, roles=(Role.DPO,), subject=job, code="VIEW_SHRANK") for job in ("recordings", "retention")]
    assert [noticed(each, "nl").lines[0].why.split(":")[0] for each in alarms] == ["Opnamen", "Bewaring"]
