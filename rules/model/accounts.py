"""Names of accounts: what counts as one, and when two are the same person (ACC-09, HLD-02, RET-24). Two
people must really be two. A name is therefore in ASCII, so that no letter of another alphabet looks like one
of ours, and is compared in one form, in any case and width."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from rules.errors import UsageError

_NAME: Final = re.compile(r"[A-Za-z0-9_.@+-]{1,100}")


def account(text: str, field: str = "as") -> str:
    """Return the name of an account as it is kept: full-width letters become ours, and no space is around it.
    Raises UsageError: it is empty, has letters that are not ASCII, or is not the name of an account. The text
    is not repeated."""
    name = _plain(text)
    if not name.isascii():
        raise UsageError(
            "this name holds letters that are not ASCII: two names could look the same and be two",
            hint="the name of the account, in plain letters: anna",
            field=field,
        )
    if not _NAME.fullmatch(name):
        raise UsageError("this is missing or is not an account name", hint="the name of the account: anna", field=field)
    return name


def same_person(one: str, other: str) -> bool:
    """Return whether two names belong to one account. An object id of a directory is a name too; the display
    name of an account is not."""
    return one_form(one) == one_form(other)


def goes_by(account: str, names: Iterable[str]) -> bool:
    """Return whether an account is one of these, with or without what stands around its name: what people
    sign in as is `anna@example.org` or `HOME\\anna`, and what they type is often `anna`."""
    return any(same_person(account, each) for name in names for each in (name, name.partition("@")[0], name.rpartition("\\")[2]))


def one_form(name: str) -> str:
    """Return a name in the form in which it is compared: in any case, width and spacing it is one person."""
    return " ".join(_plain(name).casefold().split())


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()
