"""Settings, from a TOML file and the environment. This module alone reads the environment, and refuses what
is for trying things out, a set clock or a lasting token, with a CRM that is not on this machine.

Variables carry the prefix CRM_COMPLIANCE_; the file has the same names in lower case, without it. A variable
wins over the file, an empty one counts as not there. An unknown name is refused: a misspelt limit that
silently keeps its default is how a guard fails. Messages name the setting, never its value: half of the
values are secrets."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from crm_compliance.configuration.setting_types import (
    HERE_ALONE,
    Authority,
    ChannelSecrets,
    Client,
    Clients,
    Cron,
    GraphRoot,
    Instant,
    Networks,
    PathSetting,
    PublicUrl,
    Secret,
    Sites,
    StampUrl,
    Tenant,
    Text,
    WebApiRoot,
    Workers,
)
from crm_compliance.host.files import private_folder, refuse_open_to_others, refuse_root_elsewhere, text_within, why_unread
from rules.errors import UsageError
from rules.files.suggestions import meant, nearest
from rules.model.crm_addresses import on_this_machine

PREFIX = "CRM_COMPLIANCE_"
CONFIG = f"{PREFIX}CONFIG"
_CRON = "_cron"  # how the settings of jobs end
TEST_PREFIX = f"{PREFIX}TEST_"  # read by tests only


class Settings(BaseModel):
    """All settings, checked. Secrets show as stars in every printed form."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    crm_url: WebApiRoot | None = None
    crm_token: Secret | None = None
    crm_tenant_id: Tenant | None = None
    crm_client_id: Text | None = None
    crm_client_secret: Secret | None = None
    crm_client_certificate: PathSetting | None = None
    crm_client_certificate_password: Secret | None = None
    crm_extra_clients: Clients = ()
    crm_authority: Authority | None = None
    crm_ca_file: PathSetting | None = None
    crm_concurrency: Annotated[int, Field(ge=1, le=52)] = 16
    crm_reads: Annotated[int, Field(ge=1, le=52)] = 16
    crm_lake: PathSetting | None = None
    crm_lake_hours: Annotated[int, Field(ge=1, le=168)] = 24
    workers: Workers = HERE_ALONE
    worker_count: Annotated[int, Field(ge=1, le=512)] = 2
    crm_patience_s: Annotated[int, Field(ge=0, le=86_400)] = 1_800
    crm_reserved_share: Annotated[float, Field(ge=0, le=0.9)] = 0.25
    database_url: Secret | None = None
    data_dir: PathSetting = Field(default_factory=lambda: _usual_folder())
    storage_dir: PathSetting | None = None
    azure_storage: Secret | None = None
    azure_container: Text | None = None
    sharepoint_sites: Sites = ()
    graph_url: GraphRoot = "https://graph.microsoft.com/v1.0/"
    policy: PathSetting | None = None
    mapping: PathSetting | None = None
    organisation: PathSetting | None = None
    clock: Instant | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    crons: dict[str, Cron] = {}  # by job; each is a setting by itself, `retention_cron` and so on
    retry_hours: Annotated[int, Field(ge=0, le=12)] = 4
    bulk_delete: Literal["auto", "off", "always"] = "auto"
    incremental_reads: bool = True
    full_read_days: Annotated[int, Field(ge=1, le=7)] = 7
    anchor_file: PathSetting | None = None
    erasures_file: PathSetting | None = None
    timestamp_url: StampUrl | None = None
    timestamp_ca: PathSetting | None = None
    signin_minutes: Annotated[int, Field(ge=0, le=720)] = 60
    session_idle_minutes: Annotated[int, Field(ge=1, le=480)] = 30
    session_hours: Annotated[int, Field(ge=1, le=24)] = 10
    public_url: PublicUrl = "http://127.0.0.1:8080"
    alerts: PathSetting | None = None
    alert_secrets: ChannelSecrets = {}
    metrics_token: Secret | None = None
    trusted_proxies: Networks = ()
    _file: Path | None = PrivateAttr(None)
    _has_secrets_in_file: bool = PrivateAttr(False)

    @model_validator(mode="before")
    @classmethod
    def _gather_crons(cls, values: dict[str, object]) -> dict[str, object]:
        crons = {name.removesuffix(_CRON): value for name, value in values.items() if name.endswith(_CRON)}
        return {name: value for name, value in values.items() if not name.endswith(_CRON)} | {"crons": crons}

    @model_validator(mode="before")
    @classmethod
    def _take_no_truth_for_a_number(cls, values: dict[str, object]) -> dict[str, object]:
        """Refuse `true` where a number is meant: it would count as 1."""
        for name, value in values.items():
            if isinstance(value, bool) and name in cls.model_fields and cls.model_fields[name].annotation in (int, float):
                raise ValueError(f"{name}: should be a number, not a truth")
        return values

    @model_validator(mode="after")
    def _stay_on_this_machine(self) -> "Settings":
        """Refuse a set clock or a lasting token with a real CRM: both are for trying things out."""
        for name in ("clock", "crm_token"):
            if getattr(self, name) is not None and not self.is_loopback:
                lacking = " and none is set" if self.crm_url is None else ""
                raise ValueError(f"{name}: accepted only together with a crm_url on this machine (127.0.0.0/8, ::1, localhost){lacking}")
        return self

    @model_validator(mode="after")
    def _be_one_client_each(self) -> "Settings":
        """Refuse an application user named twice: the limits count for each, and it would overrun its own."""
        for number, client in enumerate(self.crm_extra_clients, 1):
            if (client.client_secret is None) == (client.client_certificate is None):
                raise ValueError(f"crm_extra_clients: client {number} needs either a client_secret or a client_certificate")
        if self.crm_extra_clients:
            if self.crm_client_id is None:
                raise ValueError("crm_extra_clients: accepted only together with a crm_client_id")
            ids = [self.crm_client_id.lower(), *(client.client_id.lower() for client in self.crm_extra_clients)]
            if len(set(ids)) < len(ids):
                raise ValueError("crm_extra_clients: names a client twice")
        return self

    @model_validator(mode="after")
    def _name_one_container(self) -> "Settings":
        """Require a container: without one, every blob of the account could be deleted."""
        if self.azure_storage is not None and self.azure_container is None:
            raise ValueError("azure_storage: accepted only together with azure_container, the only container in which blobs may be deleted")
        if self.azure_container is not None and self.azure_storage is None:
            raise ValueError("azure_container: accepted only together with azure_storage, the account in which it lies")
        return self

    @property
    def deciding_files(self) -> tuple[Path, ...]:
        """The files that say what goes, who is told and whom is trusted."""
        named = (self._file, self.policy, self.mapping, self.organisation, self.alerts, self.crm_ca_file, self.timestamp_ca)
        return tuple(file for file in named if file is not None)

    @property
    def secret_files(self) -> tuple[Path, ...]:
        """The files in which secrets are."""
        further = (client.client_certificate for client in self.crm_extra_clients)
        named = (self._file if self._has_secrets_in_file else None, self.crm_client_certificate, *further)
        return tuple(file for file in named if file is not None)

    @property
    def is_loopback(self) -> bool:
        """Whether the CRM is on this machine: the emulator, or a test."""
        return self.crm_url is not None and on_this_machine(self.crm_url)

    @property
    def links_stay_here(self) -> bool:
        """Whether the links that people get lead to this machine, where nobody else can open them."""
        return on_this_machine(self.public_url)

    @property
    def store_url(self) -> str:
        """The SQLAlchemy URL of the state store, never in a message: it may hold a password."""
        if self.database_url:
            return self.database_url.get_secret_value()
        return f"sqlite:///{quote(str(self.data_dir.absolute() / 'state.db'))}"  # a name may have a question mark in it

    @property
    def needed_crm_url(self) -> str:
        """The CRM's address, for the commands that cannot do without."""
        if self.crm_url is None:
            raise UsageError(
                f"no CRM is named: {PREFIX}CRM_URL is not set",
                hint="set it to the Web API root, for example https://org.crm4.dynamics.com/api/data/v9.2/",
                where="crm_url",
            )
        return self.crm_url

    @property
    def checkpoint_log_path(self) -> Path:
        """Where checkpoints of the ledger are kept beside the database."""
        return self.anchor_file or self.data_dir.absolute() / "anchor.jsonl"

    @property
    def erasures_path(self) -> Path:
        """Where the register of erasures is kept beside the database."""
        return self.erasures_file or self.data_dir.absolute() / "erasures.jsonl"

    def make_data_dir(self) -> Path:
        """Return the data folder, made with mode 0700 if it is missing. Raises OpenToOthers: it exists, and
        others than its owner may enter it; DiskProblem: it is another user's, and this is root."""
        made = private_folder(self.data_dir)
        refuse_open_to_others(made)
        refuse_root_elsewhere(made)
        return made


# Those that are a secret, and those that have some in them.
SECRETS = frozenset(
    {"alert_secrets", "crm_extra_clients", *(name for name, field in Settings.model_fields.items() if field.annotation == Secret | None)}
)


def setting_names() -> list[str]:
    """Return the name of every setting, as the file has it; each job of the registry has one for its hour."""
    from jobs.registry import JOBS  # loads all the work: only for a setting of a job, or for a message

    return sorted({*Settings.model_fields, *(job.setting for job in JOBS.values())} - {"crons"})


def is_setting(name: str) -> bool:
    """Return whether there is a setting of this name, as the file has it."""
    return name in setting_names() if name.endswith(_CRON) else name in Settings.model_fields and name != "crons"


def load_settings(config: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read file and environment. `config` (the option --config) wins over CRM_COMPLIANCE_CONFIG. Raises
    UsageError: naming each setting that is unknown or not usable, with the file and line where it came from
    one."""
    environ = os.environ if environ is None else environ
    # Mounted secrets and lists of variables end with a line break, or with one of Windows, that nobody means.
    given = {name: value.strip() for name, value in environ.items() if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX)}
    named = given.pop(CONFIG, None)
    file = config or (Path(named).expanduser() if named else None)
    # The words of each setting's place, for messages: a variable, or a line of the file.
    values, places = _from_file(file) if file else ({}, {})
    in_file = tuple(values)
    for name, value in given.items():
        key = name.removeprefix(PREFIX).lower()
        if name != name.upper() or not is_setting(key):
            like = nearest(name.removeprefix(PREFIX), map(str.upper, setting_names()))
            told = f"; did you mean {PREFIX}{like}?" if like is not None else ""
            raise UsageError(f"unknown setting {name}{told}", hint="docs/settings.md lists them", where=name)
        if not value:
            continue
        try:
            value.encode()
        except UnicodeEncodeError:
            raise UsageError(f"{name} is not text: it has bytes that are not UTF-8", hint="write it in UTF-8", where=name) from None
        values[key], places[key] = value, name
    found = usable(values, places)
    found._file = file
    found._has_secrets_in_file = not SECRETS.isdisjoint(in_file)
    return found


def usable(values: Mapping[str, object], places: Mapping[str, str] | None = None) -> Settings:
    """Return the settings with these values. `places` are the words of messages for where each comes from.
    Raises UsageError: naming each that is not usable, never its value."""
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise _usage_error(error, places or {}) from None  # the cause would hold the values


# What the library says of a value in other words than ours, by its code for it.
_OWN_WORDS: Final = {
    "path_type": "this has to be a path, in quotes",
    "bool_parsing": "should be true or false",
    "bool_type": "should be true or false",
}


def _usual_folder() -> Path:
    from platformdirs import user_data_path

    return user_data_path("crm-compliance", appauthor=False)


def _from_file(file: Path) -> tuple[dict[str, object], dict[str, str]]:
    import tomllib

    try:
        text = text_within(file, "utf-8-sig")  # some editors write a byte order mark
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"the settings file {file} cannot be read: {why_unread(error)}", hint="look at --config", where=str(file)
        ) from None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))  # the message itself may quote the file
        place = f"{file}:{line[1]}" if line else str(file)
        is_twice = str(error).startswith("Cannot overwrite")
        told = f"{place}: {'this name stands in the file twice' if is_twice else 'this is not TOML'}"
        raise UsageError(told, hint="name = 'value', one a line", where=place) from None
    places = {key: f"{key} ({file}{_line(text, key)})" for key in values}
    for key in values:
        if not is_setting(key):
            raise UsageError(
                f"unknown setting {places[key]}{meant(key, setting_names())}",
                hint=f"names are those of the variables, in lower case and without {PREFIX}",
                where=f"{file}{_line(text, key)}",
            )
    return values, places


def _line(text: str, key: str) -> str:
    """Return `:7` if line 7 sets the key, else an empty string."""
    sets = re.compile(rf"""\s*\[{{0,2}}["']?{re.escape(key)}["']?\s*[=.\]]""")
    return next((f":{number}" for number, line in enumerate(text.splitlines(), 1) if sets.match(line)), "")


def _usage_error(error: ValidationError, places: Mapping[str, str]) -> UsageError:
    messages, where = [], ""
    for problem in error.errors(include_input=False, include_url=False, include_context=False):
        message = _OWN_WORDS.get(problem["type"]) or problem["msg"].removeprefix("Value error, ")
        key, what = (str(problem["loc"][0]), message) if problem["loc"] else message.split(": ", 1)
        if key == "crons":
            key = f"{problem['loc'][1]}{_CRON}"
        place = places.get(key, f"{PREFIX}{key.upper()}") + _inside(problem["loc"][1:])
        where = where or places.get(key, f"{PREFIX}{key.upper()}")
        messages.append(f"{place}: {what[:1].lower()}{what[1:]}")
    return UsageError("; ".join(messages), hint="docs/settings.md lists them", where=where)


def _inside(path: Sequence[int | str]) -> str:
    """Return which entry of a list is meant, and which of its fields. A name that is not one of ours is left
    out: it may be a secret in the wrong place."""
    parts = [
        f"entry {part + 1}" if isinstance(part, int) else part for part in path if isinstance(part, int) or part in Client.model_fields
    ]
    return f" ({', '.join(parts)})" if parts else ""


def environment_of(settings: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with these settings and no others of ours. It is for commands that
    must not reach a real CRM."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return others | {PREFIX + name: value for name, value in settings.items()}
