"""One environment of the CRM: where it is, how long we wait, how much we ask for at once."""

import re
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from connectors.dynamics.pace.governor import ONE_AT_A_TIME, Pace
from rules.errors import UsageError
from rules.model.crm_addresses import can_be_a_host, on_this_machine

MAX_PAGE_SIZE = 5000  # Microsoft Learn, "Page results using OData"
_API_PATH = re.compile(r"/api/data/v\d+\.\d+/$")


def check_ca_file(path: str | None) -> None:
    """Refuse a file of trusted certificates that cannot be used; at a request it would look like a CRM that
    cannot be reached."""
    if path is None:
        return
    try:
        ssl.create_default_context(cafile=path)
    except OSError:  # ssl.SSLError too
        raise UsageError("The CA file cannot be read, or holds no PEM certificates.", hint="look at crm_ca_file", where=path) from None


SHORTEST_ANSWER_S = 300.0  # 256 MiB over a slow line


@dataclass(frozen=True, slots=True)
class Environment:
    """One CRM. `url` is the root of its Web API and is normalised: lower-case host, one slash at the end.

    `read_timeout_s`, the longest silence, is longer than the two minutes after which the service itself gives
    up, so that its answer is heard. `answer_s` is the longest time for a whole answer, `max_answer_bytes` its
    size, on the line and decompressed: the largest file of a note is 128 MiB, and comes in base64. What had
    no answer, or a 5xx, is tried again `retries` times in any case, and for `patience_s` by a CRM that has
    answered before, or that `is_known` to: an address that never answered is wrong more often than down.
    Waiting because of a 429 is bounded by `max_wait_s` instead, since there the server says how long. `pace`
    says how hard each application user may work. With `any_odata` the root need not be a Dataverse one
    (`doctor --read`, Microsoft Graph); with `sends_no_tag` `If-None-Match: null`, which
    only Dataverse takes for no condition, is left out."""

    url: str
    page_size: int = MAX_PAGE_SIZE
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 150.0
    answer_s: float = SHORTEST_ANSWER_S
    max_answer_bytes: int = 256 << 20
    retries: int = 5
    patience_s: float = 0.0
    is_known: bool = False
    max_wait_s: float = 1800.0
    batch_operations: int = 100
    pace: Pace = ONE_AT_A_TIME
    pool_size: int = 8
    ca_file: str | None = None
    user_agent: str = "crm-compliance"
    any_odata: bool = False
    sends_no_tag: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", _normalised(self.url, any_odata=self.any_odata))
        check_ca_file(self.ca_file)
        if not 1 <= self.page_size <= MAX_PAGE_SIZE:
            raise UsageError(f"A page has 1 to {MAX_PAGE_SIZE} rows, not {self.page_size}.")
        if not 1 <= self.batch_operations <= 1000:
            raise UsageError(f"A batch has 1 to 1000 operations, not {self.batch_operations}.")

    @property
    def is_loopback(self) -> bool:
        return on_this_machine(self.url)

    @property
    def root_path(self) -> str:
        """The path below which every address of the Web API is found, e.g. `/api/data/v9.2/`."""
        return urlsplit(self.url).path

    @property
    def origin(self) -> str:
        """Scheme and host, without a slash at the end."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


def _normalised(url: str, *, any_odata: bool) -> str:
    hint = "Give the Web API root, e.g. https://org.crm4.dynamics.com/api/data/v9.2/."
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise UsageError("The address of the CRM is not a URL.", hint=hint) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not can_be_a_host(parts.hostname):
        raise UsageError("The address of the CRM is not an http(s) URL.", hint=hint)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError("The address of the CRM holds more than a host and a path.", hint=hint)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = parts.path.rstrip("/") + "/"
    normal = urlunsplit((parts.scheme, f"{host}:{port}" if port else host, path, "", ""))
    if parts.scheme == "http" and not on_this_machine(normal):
        raise UsageError("The CRM must be reached over https.", hint="Plain http is for the emulator on this machine only.")
    if not any_odata and not _API_PATH.search(path):
        raise UsageError(f"The address of the CRM ends in {path}, not in /api/data/vX.Y/.", hint=hint)
    return normal
