"""The channels of the alerts file, opened with their secrets: whom each reaches, and what they answer to."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from connectors.channels.mail import Mail
from connectors.channels.ping import Ping
from connectors.channels.post import Post
from connectors.channels.signature import is_key
from connectors.channels.webhook import Form, Webhook
from crm_compliance.alerts.alerts_file import HINT, Alerts, EmailPart, PingPart, SignInPart, WebhookPart, checked_url, load_alerts
from crm_compliance.alerts.wording import as_mail
from crm_compliance.configuration.setting_types import ChannelSecret
from crm_compliance.host.files import text_of
from crm_compliance.wiring.software import software_version
from rules.errors import AlertsError, ComplianceError
from rules.files.suggestions import meant
from rules.model.languages import UiLanguage
from rules.model.roles import HUMAN_ROLES, Role

if TYPE_CHECKING:
    from connectors.channels.channel import Channel
    from connectors.dynamics.http.auth import TokenSource
    from crm_compliance.alerts.alerts_file import Route
    from crm_compliance.configuration.settings import Settings
    from crm_compliance.store.rows.alerts import ToldAlerts
    from crm_compliance.store.store import SqlStore
    from jobs.ports.context import Clock

FAILING: Final = "ALERT_CHANNEL_FAILED"
UNUSABLE: Final = "ALERTS_UNUSABLE"


@dataclass(frozen=True, slots=True)
class Target:
    """Whom one message of a channel reaches: people of these roles, at these addresses where it has several,
    in one language. `key` tells it from every other."""

    key: str
    channel: Channel
    roles: tuple[Role, ...]
    language: UiLanguage
    to: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True, slots=True)
class Switch:
    """A dead-man's switch, and the jobs of which it hears."""

    ping: Ping
    jobs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Channels:
    """Everything that the file says, ready to be used; nothing is sent yet."""

    targets: tuple[Target, ...] = ()
    switches: tuple[Switch, ...] = ()
    types: dict[str, str] = field(default_factory=dict)

    @property
    def by_name(self) -> dict[str, Channel | Ping]:
        """The channels, pings too, by their names in the file."""
        return {each.channel.name: each.channel for each in self.targets} | {each.ping.name: each.ping for each in self.switches}


def channels_of(settings: Settings, clock: Clock, *, sleep: Callable[[float], None] = time.sleep) -> Channels:
    """Return the channels of the settings; none where they name no alerts file. Raises AlertsError: the file
    is refused, or a secret lacks or has no channel; UsageError: it cannot be read."""
    if settings.alerts is None:
        if settings.alert_secrets:
            raise AlertsError("there are secrets of alert channels and no alerts file", hint="name it in ALERTS", where="ALERTS")
        return Channels()
    source = str(settings.alerts)
    alerts = load_alerts(text_of(settings.alerts, "alerts"), source=source)
    for name in settings.alert_secrets:
        if name not in alerts.channels:
            raise AlertsError(
                f"a secret is for a channel that the file does not have{meant(name, alerts.channels)}", hint=HINT, where="ALERT_SECRETS"
            )
    opener = _Opener(settings, alerts, clock, sleep)
    targets, switches = [], []
    for name, part in alerts.channels.items():
        if isinstance(part, PingPart):
            ping = Ping(name, opener.post(name, part.url, part.ca_file), start=part.start, success=part.success, fail=part.fail)
            switches.append(Switch(ping, part.jobs))
        else:
            targets += opener.targets(name, part)
    return Channels(tuple(targets), tuple(switches), {name: part.type for name, part in alerts.channels.items()})


def mail_certificates(settings: Settings) -> list[tuple[str, str, str]]:
    """Return the certificates by which mail is signed in, each as (channel, path, password). Raises
    AlertsError, UsageError: the alerts file cannot be used."""
    if settings.alerts is None:
        return []
    found = []
    for name, part in load_alerts(text_of(settings.alerts, "alerts"), source=str(settings.alerts)).channels.items():
        if isinstance(part, EmailPart) and part.sign_in is not None and part.sign_in.certificate:
            password = settings.alert_secrets[name].password if name in settings.alert_secrets else None
            found.append((name, part.sign_in.certificate, password.get_secret_value() if password is not None else ""))
    return found


@dataclass(frozen=True, slots=True)
class _Opener:
    settings: Settings
    alerts: Alerts
    clock: Clock
    sleep: Callable[[float], None]

    def targets(self, name: str, part: EmailPart | WebhookPart) -> list[Target]:
        routes = tuple(route for route in self.alerts.in_force if name in route.channels)
        if isinstance(part, WebhookPart):
            form = Form.TEAMS if part.type == "teams" else Form.JSON
            hook = Webhook(name, self.post(name, part.url, part.ca_file), form, self.key(name), self.clock)
            return [Target(name, hook, HUMAN_ROLES, part.language, routes=routes)]
        password = self.secret(name).password
        if part.user and password is None and part.sign_in is None:
            raise self.lacks(name, "password")
        mail = Mail(
            name,
            host=part.host,
            port=part.port,
            security=part.security,
            sender=part.sender,
            writes=as_mail,
            user=part.user,
            password=password.get_secret_value() if password is not None else "",
            tokens=self.tokens(name, part.sign_in) if part.sign_in is not None else None,
            ca_file=part.ca_file or None,
        )
        return [Target(f"{name}/{role.value}", mail, (role,), each.language, each.addresses, routes) for role, each in part.to.items()]

    def tokens(self, name: str, part: SignInPart) -> TokenSource:
        """Return what the application signs in with: nothing is asked for yet."""
        from connectors.dynamics.http.entra import EntraTokens

        secrets = self.secret(name)
        if secrets.client_secret is None and not part.certificate:
            raise self.lacks(name, "client_secret")
        return EntraTokens(
            client_id=part.client_id,
            tenant_id=part.tenant_id,
            authority=part.authority or "",
            organisation_url="",
            scope=part.scope,
            secret=secrets.client_secret.get_secret_value() if secrets.client_secret is not None else "",
            certificate=part.certificate,
            password=secrets.password.get_secret_value() if secrets.password is not None else "",
            ca_file=str(self.settings.crm_ca_file) if self.settings.crm_ca_file is not None else None,
            sleep=self.sleep,
        )

    def post(self, name: str, url: str | None, ca_file: str) -> Post:
        secret = self.secret(name).url
        address = secret.get_secret_value() if secret is not None else url
        if not address:
            raise self.lacks(name, "url")
        try:
            return Post(
                name, checked_url(address), ca_file=ca_file or None, user_agent=f"crm-compliance/{software_version()}", sleep=self.sleep
            )
        except ValueError as error:  # of a secret: the file's own were looked at where they stand
            raise AlertsError(f"the url of the channel {name} cannot be used: {error}", hint=HINT, where="ALERT_SECRETS") from None

    def key(self, name: str) -> str:
        found = self.secret(name).key
        key = found.get_secret_value() if found is not None else ""
        if key and not is_key(key):
            raise AlertsError(
                f"the key of the channel {name} is too short, or its Base64 is none",
                hint="at least 16 characters, or whsec_ and at least 16 bytes in Base64",
                where="ALERT_SECRETS",
            )
        return key

    def secret(self, name: str) -> ChannelSecret:
        return self.settings.alert_secrets.get(name) or ChannelSecret()

    @staticmethod
    def lacks(name: str, what: str) -> AlertsError:
        return AlertsError(
            f"the channel {name} has no {what}",
            hint=f'ALERT_SECRETS={{"{name}": {{"{what}": "…"}}}}',
            where=f"ALERT_SECRETS ({name}.{what})",
        )


def failing(channels: Channels, told: ToldAlerts) -> tuple[str, ...]:
    """Return the channels of the file that did not take what they were last given."""
    states = told.channels()
    return tuple(name for name in channels.types if name in states and states[name].failing_since is not None)


def telling_not_well(settings: Settings, store: SqlStore, clock: Clock) -> Callable[[], tuple[str, ...]]:
    """Return what asks for the codes of what is not well with telling: the alerts file cannot be used, or a
    channel of it does not take what it is given."""

    def codes() -> tuple[str, ...]:
        try:
            channels = channels_of(settings, clock)
        except ComplianceError:
            return (UNUSABLE,)
        return (FAILING,) if failing(channels, store.told) else ()

    return codes
