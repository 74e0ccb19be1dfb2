"""The root of every deliberate error, and the tree below it.

ComplianceError
├── UsageError          exit 2: wrong arguments, disk (crm_compliance, jobs)
│   └── NotFound        exit 2: nothing has this id (crm_compliance, jobs)
├── PolicyError         exit 3: the retention schedule is not usable (rules.policy.loader)
├── OrganisationError   exit 3: the organisation file is not usable (rules.organisation.loader)
├── AlertsError         exit 3: the alerts file is not usable (crm_compliance.alerts.alerts_file)
├── MappingError        exit 3: the mapping fits neither itself nor the CRM (connectors.dynamics.mapping)
├── ConnectorError      exit 4: the CRM cannot be reached, refuses, or answers in part (connectors.interface)
├── Refused             exit 5: a guard refuses before the first write (jobs)
└── LedgerBroken        exit 7: the ledger does not verify (jobs.ledger.entries)

What was carried out, and not all of it well, is no error: a command then ends with FAILURES."""

from typing import Final

from rules.hints import Hint

FAILURES: Final = 6  # the exit code of a run, a check or a report that was done and found something wrong


class ComplianceError(Exception):
    """Something a person can act on: `str(error)` says what happened, `hint` what to do (in words, or as a
    code), `where` the place (file:line, table). `field` names what was given and is wrong, such as
    `review_on`: an option of a command, an input of a page. `code` says which error it is, where it is not
    that of its class. Of a file that is refused, `problems` are the lines with what is wrong in each, and of
    which sort it is. A message holds ids, codes and counts, never a payload."""

    exit_code = 1
    code = "error"

    def __init__(self, message: str, *, hint: str | Hint = "", where: str = "", code: str = "", field: str = "") -> None:
        super().__init__(message)
        self.hint: str | Hint = hint
        self.where = where
        self.field = field
        self.code = code or type(self).code
        self.problems: tuple[tuple[int, str, str], ...] = ()


class UsageError(ComplianceError):
    """What was requested cannot be done as requested: an argument, an unknown id, a folder, a full disk."""

    exit_code = 2
    code = "usage"


class NotFound(UsageError):
    """Nothing has the id that was named, or nothing has it any more."""


class PolicyError(ComplianceError):
    """The retention schedule is refused; `where` names file and line."""

    exit_code = 3
    code = "policy"


class OrganisationError(ComplianceError):
    """The organisation file is refused; `where` names file and line."""

    exit_code = 3
    code = "organisation"


class AlertsError(ComplianceError):
    """The alerts file is refused; `where` names file and line."""

    exit_code = 3
    code = "alerts"


class MappingError(ComplianceError):
    """The mapping is refused, or does not fit the CRM's metadata; `where` names file and line."""

    exit_code = 3
    code = "mapping"


class Refused(ComplianceError):
    """A guard refuses before the first write; `code` says which one."""

    exit_code = 5
    code = "refused"
