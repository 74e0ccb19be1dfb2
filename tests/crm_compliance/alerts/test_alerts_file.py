"""The alerts file: what it may say, and how it is refused."""

from pathlib import Path

import pytest

from crm_compliance.alerts.alerts_file import load_alerts
from crm_compliance.alerts.channels import channels_of
from crm_compliance.configuration.settings import PREFIX, load_settings
from jobs.inbox.item import ItemKind
from rules.errors import AlertsError
from tests.drivers.clock import NOW

RIGHT = """\
channels:
  mail:
    type: email
    host: smtp.example.org
    from: compliance@example.org
    user: compliance@example.org
    to:
      dpo: {language: nl, addresses: [dpo@example.org]}
      crm_admin: {language: fr, addresses: [crm@example.org, second@example.org]}
  teams:
    type: teams
    language: nl
  switch:
    type: ping
    url: https://hc.example.org/ping/uuid
    jobs: [retention]
routes:
  - channels: [mail, teams]
  - channels: [teams]
    events: [not_well]
    least: overdue
    repeat_hours: 4
"""
SECRETS = '{"mail": {"password": "hunter2-canary"}, "teams": {"url": "https://hooks.example.org/w?sig=hunter2-canary"}}'


def channels(folder: Path, text: str = RIGHT, secrets: str = SECRETS) -> object:
    file = folder / "alerts.yaml"
    file.write_text(text, encoding="utf-8")
    settings = load_settings(None, {f"{PREFIX}ALERTS": str(file), f"{PREFIX}ALERT_SECRETS": secrets})
    return channels_of(settings, lambda: NOW)


def test_a_file_gives_whom_each_channel_reaches(tmp_path: Path) -> None:
    found = channels(tmp_path)
    assert [(each.key, each.language, each.to) for each in found.targets] == [  # type: ignore[attr-defined]
        ("mail/dpo", "nl", ("dpo@example.org",)),
        ("mail/crm_admin", "fr", ("crm@example.org", "second@example.org")),
        ("teams", "nl", ()),
    ]
    assert [each.jobs for each in found.switches] == [("retention",)]  # type: ignore[attr-defined]
    assert "canary" not in repr(found)


def test_without_routes_every_channel_is_told_everything() -> None:
    found = load_alerts(RIGHT[: RIGHT.index("routes:")], source="alerts.yaml")
    (route,) = found.in_force
    assert route.channels == ("mail", "teams")
    assert set(route.events) == set(ItemKind)


@pytest.mark.parametrize(
    ("wrong", "right", "line", "told"),
    [
        ("type: emial", "type: email", 3, "channels.mail.type"),
        ("host: smtp.example.org\n    prot: 25", "host: smtp.example.org", 5, "did you mean port?"),
        ("    from: compliance", "    from: compliance@example.org", 5, "this has to be a mail address"),
        ("    from: compliance.@example.org", "    from: compliance@example.org", 5, "this has to be a mail address"),
        ("[dpo@example..org]", "[dpo@example.org]", 8, "this has to be a mail address"),
        ("[d..po@example.org]", "[dpo@example.org]", 8, "this has to be a mail address"),
        ('["=?utf-8?q?dpo?=@example.org"]', "[dpo@example.org]", 8, "this has to be a mail address"),
        ("      dop: {language", "      dpo: {language", 8, "this has to be one of"),
        ("dpo: {language: nl, addresses: []}", "dpo: {language: nl, addresses: [dpo@example.org]}", 8, "this is empty"),
        ("type: teams: x", "type: teams", 11, "this is not YAML"),
        ("events: [not_wel]", "events: [not_well]", 20, "did you mean not_well?"),
        ("channels: [mail, teems]", "channels: [mail, teams]", 18, "did you mean teams?"),
        ("channels: [switch]\n    events", "channels: [teams]\n    events", 19, "a ping is told of jobs"),
        ("jobs: [retentoin]", "jobs: [retention]", 16, "this has to be one of requests, recordings"),
        ("url: http://hc.example.org/", "url: https://hc.example.org/", 15, "plain http is for this machine only"),
        ("url: https://hc..example.org/", "url: https://hc.example.org/", 15, "this has to be an address"),
        ("host: smtp..example.org", "host: smtp.example.org", 4, "the name of a mail server"),
        ("sign_in: {tenant_id: t, clientid: app}", "user: compliance@example.org", 6, "did you mean client_id?"),
        ("sign_in: {tenant_id: t, client_id: app}", "user: compliance@example.org", 6, "name the mailbox that signs in"),
        ("user: a@example.org\n    sign_in: {client_id: app}", "user: compliance@example.org", 7, "tenant_id is missing"),
        ("host: smtp.example.org\n    security: none", "host: smtp.example.org", 5, "an open line is for this machine only"),
    ],
)
def test_what_is_wrong_is_told_with_line_and_what_was_meant(wrong: str, right: str, line: int, told: str) -> None:
    assert right in RIGHT
    with pytest.raises(AlertsError) as caught:
        load_alerts(RIGHT.replace(right, wrong, 1), source="alerts.yaml")
    assert told in str(caught.value)
    assert caught.value.where == f"alerts.yaml:{line}"
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("secrets", "told"),
    [
        ('{"teams": {"url": "https://hooks.example.org/hunter2-canary"}}', "the channel mail has no password"),
        ('{"mail": {"password": "hunter2-canary"}}', "the channel teams has no url"),
        (SECRETS[:-1] + ', "taems": {"key": "hunter2-canary"}}', "did you mean teams?"),
        (SECRETS.replace('"teams": {', '"teams": {"key": "short", '), "the key of the channel teams is too short"),
        (SECRETS.replace("https://hooks", "ftp://hooks"), "the url of the channel teams cannot be used"),
    ],
)
def test_a_secret_that_lacks_or_fits_nothing_is_told_and_not_shown(tmp_path: Path, secrets: str, told: str) -> None:
    with pytest.raises(AlertsError) as caught:
        channels(tmp_path, secrets=secrets)
    assert told in str(caught.value)
    assert "canary" not in f"{caught.value} {caught.value.hint} {caught.value.where}"


def test_a_mailbox_that_signs_in_by_token_needs_the_secret_of_its_application(tmp_path: Path) -> None:
    by_token = RIGHT.replace("    user: comp", "    sign_in: {tenant_id: tenant-1, client_id: app-1}\n    user: comp", 1)
    with pytest.raises(AlertsError) as caught:
        channels(tmp_path, by_token)
    assert caught.value.where == "ALERT_SECRETS (mail.client_secret)"
    found = channels(tmp_path, by_token, SECRETS.replace("password", "client_secret"))
    assert "canary" not in repr(found)
