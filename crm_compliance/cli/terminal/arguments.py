"""What was given on the command line, in the product's types. Every command has this module, so heavy ones
are imported inside."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime, time, timedelta
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar, get_args

from crm_compliance.cli.terminal.output import output
from rules.errors import UsageError
from rules.model import row_ids
from rules.model.languages import LANGUAGES, Language

if TYPE_CHECKING:
    from crm_compliance.configuration.settings import Settings
    from crm_compliance.keys.public_keys import PublicKeys
    from crm_compliance.store.store import SqlStore
    from crm_compliance.wiring.desk import Desk
    from jobs.ports.context import Clock
    from rules.dates.calendar import Calendar

T = TypeVar("T")
SET_BACK: Final = timedelta(days=1)  # so far may what was listed before be younger by its own clock


def settings() -> Settings:
    """Return the settings of this invocation. What libraries say from here on is for no screen, unless
    `output.log` lets it through, redacted: it may hold an answer, or an address with a query."""
    import logging

    from crm_compliance.configuration.settings import load_settings

    logging.lastResort = logging.NullHandler()
    return load_settings(Path(output.config) if output.config else None)


@contextmanager
def opened(*, for_a_run: bool = False, asks_crm: bool = True) -> Iterator[Desk]:
    """Yield the desk, with a progress bar on a terminal and warnings on stderr; a run is more patient with
    the CRM than a person. Without `asks_crm` the CRM is not checked before, nor waited for for long."""
    from crm_compliance.wiring.crm import Patience
    from crm_compliance.wiring.desk import desk

    patience = Patience.OF_A_RUN if for_a_run else Patience.OF_A_PERSON if asks_crm else Patience.OF_A_CALL
    with (
        output.progress() as progress,
        desk(settings(), progress=progress, warn=output.warn, patience=patience, asks_crm=asks_crm) as opened_desk,
    ):
        yield opened_desk


@contextmanager
def opened_store(of: Settings) -> Iterator[tuple[SqlStore, Clock]]:
    """Yield the store and the product's clock, for what is asked and done without the CRM."""
    from crm_compliance.wiring.clock import clock_of
    from crm_compliance.wiring.store import store_of

    clock = clock_of(of)
    with store_of(of, clock) as store:
        yield store, clock


@contextmanager
def listed_store(of: Settings) -> Iterator[tuple[SqlStore, Clock]]:
    """Yield the same for a list, which would tell of what it lacks as if there were none. Raises
    StoreAltered: the database is an older one than the files beside it know."""
    from crm_compliance.wiring.store import refuse_older

    with opened_store(of) as (store, clock):
        refuse_older(of, store)
        yield store, clock


def day(text: str, option: str) -> date:
    """Return a day. Raises UsageError: it is not a date."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} is not a date: {text[:40]}", hint="write it as 2026-11-25") from None


def instant(text: str, option: str, settings: Settings) -> datetime:
    """Return an RFC 3339 instant; a bare day means 12:00 by the clock of the schedule. Raises UsageError: it
    is none, or before or after what the CRM and the calendar hold."""
    from crm_compliance.configuration.setting_types import FIRST_YEAR, LAST_YEAR
    from crm_compliance.wiring.schedule import calendar_of

    moment: datetime | None = None
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        moment = datetime.combine(day(text, option), time(12), calendar_of(settings).zone)
    else:
        with suppress(ValueError):
            moment = datetime.fromisoformat(text.upper())
        if moment is None or moment.tzinfo is None:
            raise UsageError(f"{option} is not a date or time: {text[:40]}", hint="write 2026-11-25 or 2026-11-25T09:30:00Z")
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        is_late = "late" if moment.year > LAST_YEAR else "early"
        raise UsageError(f"{option} is too {is_late}: {text[:40]}", hint=f"a year from {FIRST_YEAR} to {LAST_YEAR}")
    return moment


def newest(
    found: Iterable[T], at: Callable[[T], datetime], limit: int | None, since: str | None, calendar: Callable[[], Calendar]
) -> list[T]:
    """Return the first `limit` of what is listed newest first (None: all), from a day on; `at` gives
    the instant of each, `calendar` its day. No more of `found` is read than that, and a day before it: a
    clock may have been set back. Raises UsageError: `since` is not a date."""
    if since is not None:
        first, days = day(since, "--since"), calendar()
        near = takewhile(lambda each: days.day(at(each)) + SET_BACK >= first, found)
        found = (each for each in near if days.day(at(each)) >= first)
    return list(islice(found, limit if limit is None else min(limit, sys.maxsize)))


def language(text: str) -> Language | None:
    """Return a language of the organisation's people, None if none was given. Raises UsageError: it is
    none."""
    for known in get_args(Language):
        if text == known:
            return known  # type: ignore[no-any-return]
    if text:
        raise UsageError(f"--language is one of {', '.join(LANGUAGES)}, not {text[:20]}", where="--language")
    return None


def row_id(text: str) -> str:
    """Return the id of a row as the CRM writes it: lower case, no braces. Raises UsageError: it is not an id;
    the text is not repeated, for somebody may have typed a name."""
    if (wanted := row_ids.row_id(text)) is None:
        raise UsageError("this is not a row id (GUID)", hint="32 hexadecimal digits in five groups, as a plan file has them")
    return wanted


def target(path: Path, *own: str) -> Path:
    """Return a file that will be written: its folder must exist now, not after an hour of reading. `own` are
    the endings of the only format that it has: a name with that of another one is refused."""
    folder = path.parent
    if str(path) == "-":
        raise UsageError("what is written is a file, not standard output", hint="name a file")
    if not folder.is_dir():
        raise UsageError("the folder does not exist", hint=f"mkdir -p {shlex.quote(str(folder))}", where=str(path))
    if path.is_dir():
        raise UsageError("this is a folder, not a file", hint="name a file in it", where=str(path))
    if not os.access(folder, os.W_OK):
        raise UsageError("the folder may not be written", hint="look at its owner, mode and disk, or name another", where=str(folder))
    if own:
        from crm_compliance.reports.parts.endings import refuse_other_format

        refuse_other_format(path, own)
    return path


def new_file(path: Path) -> Path:
    """Return a file that will be written for people to work on: one that is there may be their work."""
    if target(path).exists():
        raise UsageError("this file is there already, and is not replaced", hint="name another one, or move it away", where=str(path))
    return path


def content(path: Path) -> bytes:
    """Return what is in a file. Raises UsageError: it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"the file cannot be read: {error.strerror or type(error).__name__}", where=str(path)) from None


def public_keys(pem: Path | None) -> PublicKeys | None:
    """Return the keys of a file, else those of this installation, None where there are none. Nothing is
    made."""
    from crm_compliance.keys.key_ring import public_keys_below
    from crm_compliance.keys.public_keys import read_pem

    return public_keys_below(settings().data_dir) if pem is None else read_pem(content(pem), str(pem))
