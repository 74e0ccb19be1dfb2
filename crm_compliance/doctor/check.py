"""One self-check, and how what goes wrong in it is told."""

from collections.abc import Callable
from dataclasses import dataclass

from crm_compliance.hints import in_words, with_place
from crm_compliance.host.files import disk_problem
from rules.errors import ComplianceError

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Check:
    """One self-check; `hint` says what to do where it is not `ok`."""

    name: str
    ok: bool
    message: str
    hint: str = ""
    exit_code: int = 0
    where: str = ""


def attempt(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, True, check())
    except ComplianceError as error:
        return failed(name, error)
    except OSError as error:
        if (problem := disk_problem(error)) is None:
            raise
        return failed(name, problem)


def failed(name: str, error: ComplianceError) -> Check:
    return Check(name, False, with_place(str(error), error.where), in_words(error.hint), error.exit_code, error.where)
