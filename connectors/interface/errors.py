"""What can be wrong with a CRM or with a storage, raised, reported, or noted while work goes on."""

from dataclasses import dataclass

from rules.errors import ComplianceError
from rules.hints import Hint


class ConnectorError(ComplianceError):
    """The CRM cannot be reached, refuses, or answered in part. `service_code` is the CRM's own code,
    `request_id` its request's id."""

    exit_code = 4
    code = "crm"
    usual_hint = "look at the Web API root, and at what stands between here and the CRM, such as a proxy; then repeat"

    def __init__(
        self,
        message: str,
        *,
        hint: str | Hint = "",
        where: str = "",
        status: int | None = None,
        service_code: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(message, hint=hint or self.usual_hint, where=where)
        self.status, self.service_code, self.request_id = status, service_code, request_id


class Unreachable(ConnectorError):
    """No answer: name, connection, TLS or time-out."""

    code = "crm_unreachable"


class Unauthorised(ConnectorError):
    """No token, or the CRM does not accept it."""

    code = "crm_unauthorised"


class Forbidden(ConnectorError):
    """The application user lacks a privilege."""

    code = "crm_forbidden"


class Throttled(ConnectorError):
    """Service protection refused for longer than a run may wait."""

    code = "crm_throttled"


class ReadIncomplete(ConnectorError):
    """Rows are missing, doubled or unreadable: the read is void, and never means "nothing there"."""

    code = "crm_read_incomplete"
    usual_hint = "nothing of this read is used; repeat, and if it stays so, show this to who administers the CRM"


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of comparing the mapping with the CRM: an error stops every command (exit 3), a warning is
    shown. `code` says of which sort it is, `suggestion` what was probably meant."""

    is_error: bool
    message: str
    where: str
    code: str = ""
    suggestion: str = ""


class ObjectError(ComplianceError):
    """Storage outside the CRM cannot be reached or refuses. No address, which may hold a name, is told."""

    exit_code = 4
    code = "storage"


def warn_once(warnings: list[str], message: str) -> None:
    """Add a message to the warnings of a connector, unless it is among them."""
    if message not in warnings:
        warnings.append(message)
