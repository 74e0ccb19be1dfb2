"""The alerts file: channels, and which event goes to which role by which of them. YAML, refused whole with
file, line and field; no secret stands in it."""

import re
from collections.abc import Iterator
from typing import Annotated, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from connectors.channels.mail import Security
from connectors.channels.ping import FAIL, START
from jobs.inbox.item import ItemKind, Stage
from jobs.registry import JOBS
from rules.errors import AlertsError
from rules.files.suggestions import meant
from rules.files.yaml_lines import Path, read_yaml, refusal
from rules.files.yaml_models import read_strictly
from rules.model.crm_addresses import can_be_a_host, on_this_machine
from rules.model.languages import UiLanguage
from rules.model.roles import HUMAN_ROLES, Role

HINT: Final = "Correct the file; docs/alerts.md tells what each key means."
REPEAT_HOURS: Final = 24
# No dot at an end or beside another, and nothing that a header takes for an encoded word.
_ATOM: Final = r"(?!=\?)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_TYPES: Final = ("email", "teams", "webhook", "ping")


def _mail_address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError("this has to be a mail address, for example dpo@example.org")
    return text


def checked_url(text: str) -> str:
    """Return an address to which something may be sent. Raises ValueError: it is none."""
    try:
        parts = urlsplit(text)
        is_one = parts.scheme in ("http", "https") and can_be_a_host(parts.hostname or "") and parts.username is None and parts.port != 0
    except ValueError:
        is_one = False
    if not is_one or not text.isprintable() or " " in text:
        raise ValueError("this has to be an address, for example https://hooks.example.org/alerts")
    if parts.scheme == "http" and not on_this_machine(text):
        raise ValueError("this has to be an https address: plain http is for this machine only")
    return text


def _host(text: str) -> str:
    if not can_be_a_host(text):
        raise ValueError("this has to be the name of a mail server, for example smtp.example.org")
    return text


def _human(role: Role) -> Role:
    if role not in HUMAN_ROLES:
        raise ValueError(f"this has to be one of {', '.join(HUMAN_ROLES)}")
    return role


def _job(name: str) -> str:
    if name not in JOBS:
        raise ValueError(f"this has to be one of {', '.join(JOBS)}")
    return name


class Part(BaseModel):
    """Something of the file; keys that are not known are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False)


MailAddress: TypeAlias = Annotated[str, AfterValidator(_mail_address)]
Url: TypeAlias = Annotated[str, AfterValidator(checked_url)]
HumanRole: TypeAlias = Annotated[Role, AfterValidator(_human)]
JobName: TypeAlias = Annotated[str, AfterValidator(_job)]
Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]


class Recipients(Part):
    """Who of one role reads the mail, and in which language."""

    addresses: Annotated[tuple[MailAddress, ...], Field(min_length=1)]
    language: UiLanguage = "en"


class SignInPart(Part):
    """The application of Entra ID in whose name the mailbox `user` sends; its secret is in ALERT_SECRETS
    (`client_secret`), or it has a certificate, whose password stands there (`password`)."""

    tenant_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]*$")] = ""
    client_id: Annotated[str, Field(min_length=1)]
    certificate: str = ""
    authority: Url | None = None
    scope: Annotated[str, Field(pattern=r"^https://[!-~]+$")] = "https://outlook.office365.com/.default"


class EmailPart(Part):
    """A mail server, and whom it reaches by role; its password is in ALERT_SECRETS, unless it has `sign_in`
    by token."""

    type: Literal["email"]
    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]+$"), AfterValidator(_host)]
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Security = Security.STARTTLS
    sender: MailAddress = Field(alias="from")
    user: str = ""
    sign_in: SignInPart | None = None
    ca_file: str = ""
    to: Annotated[dict[HumanRole, Recipients], Field(min_length=1)]


class WebhookPart(Part):
    """An address that takes JSON, or a workflow of Teams; an address that is secret, and a key to sign with,
    are in ALERT_SECRETS."""

    type: Literal["webhook", "teams"]
    url: Url | None = None
    language: UiLanguage = "en"
    ca_file: str = ""


class PingPart(Part):
    """A dead-man's switch for these jobs, none named: for all; its address is in ALERT_SECRETS, or here."""

    type: Literal["ping"]
    url: Url | None = None
    jobs: Annotated[tuple[JobName, ...], Field(min_length=1)] = tuple(JOBS)
    start: Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._~/-]*)?$")] = START
    success: Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._~/-]*)?$")] = ""
    fail: Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._~/-]*)?$")] = FAIL
    ca_file: str = ""


ChannelPart: TypeAlias = Annotated[EmailPart | WebhookPart | PingPart, Field(discriminator="type")]


class Route(Part):
    """Which events go where. `roles`: only what is the work of one of these. `least`: only what is at least
    so urgent. What is overdue is told again every `repeat_hours` (0: never)."""

    channels: Annotated[tuple[str, ...], Field(min_length=1)]
    events: Annotated[tuple[ItemKind, ...], Field(min_length=1)] = tuple(ItemKind)
    roles: Annotated[tuple[HumanRole, ...], Field(min_length=1)] = HUMAN_ROLES
    least: Stage = Stage.WAITS
    repeat_hours: Annotated[int, Field(ge=0, le=24 * 31)] = REPEAT_HOURS


class Alerts(Part):
    """The whole file. Without `routes` every channel is told everything that is the work of those it
    reaches."""

    channels: Annotated[dict[Name, ChannelPart], Field(min_length=1)]
    routes: tuple[Route, ...] = ()

    @property
    def in_force(self) -> tuple[Route, ...]:
        """The routes, those that go without saying included."""
        names = tuple(name for name, part in self.channels.items() if not isinstance(part, PingPart))
        return self.routes or ((Route(channels=names),) if names else ())


def load_alerts(text: str, *, source: str) -> Alerts:
    """Read the text of the file; `source` is what messages call it. Raises AlertsError: it is not usable;
    `where` is the place of the first error, the message lists them all."""
    document = read_yaml(text)
    read = read_strictly(document, Alerts, "an alerts file", kinds=_TYPES)
    if isinstance(read, Alerts):
        problems = sorted(document.problems + [document.problem(path, told) for path, told in _slips(read)])
        if not problems:
            return read
    else:
        problems = read
    raise refusal(AlertsError, "the alerts file is refused", problems, source=source, hint=HINT)


def _slips(found: Alerts) -> Iterator[tuple[Path, str]]:
    """Yield what is well formed and has no sense."""
    told = {name for name, part in found.channels.items() if not isinstance(part, PingPart)}
    for number, route in enumerate(found.routes):
        for at, name in enumerate(route.channels):
            if name not in told:
                what = "a ping is told of jobs, not of events" if name in found.channels else f"there is no such channel{meant(name, told)}"
                yield ("routes", number, "channels", at), what
    for name, part in found.channels.items():
        if isinstance(part, EmailPart) and part.security is Security.NONE and not on_this_machine(f"http://{part.host}/"):
            yield ("channels", name, "security"), "this has to be tls or starttls: an open line is for this machine only"
        if isinstance(part, EmailPart) and part.sign_in is not None:
            if not part.user:
                yield ("channels", name, "sign_in"), "name the mailbox that signs in as user"
            if not part.sign_in.tenant_id and part.sign_in.authority is None:
                yield ("channels", name, "sign_in"), "tenant_id is missing"
