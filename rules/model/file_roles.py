"""The roles that people have in a file: who may be told what, and how carefully (sections 6.2, 6.3)."""

from enum import StrEnum
from typing import Final


class FileRole(StrEnum):
    """A role of a person in a dossier or fiche, in the order in which several are told: the first one says
    most about what may be told. The value is the key that a mapping gives."""

    CHILD = "child"
    PARENT = "parent"
    GUARDIAN = "guardian"
    REPORTER = "reporter"
    WITNESS = "witness"
    PROFESSIONAL = "professional"
    OTHER = "other"
    SUSPECT = "suspect"


FILE_ROLES: Final = tuple(role.value for role in FileRole)
SPEAKERS: Final = frozenset({FileRole.REPORTER, FileRole.WITNESS})  # who tells of others
PARENTS: Final = frozenset({FileRole.PARENT, FileRole.GUARDIAN})  # who may have authority over the child

# By which role somebody with several goes where other people are not to be known: the one that asks for most
# care, and a reporter is never told from the rest (EXP-06, R-119). A mother, a father and the staff are told
# apart in a text only; no file has them as roles.
CARE: Final[tuple[str, ...]] = (
    FileRole.REPORTER,
    FileRole.SUSPECT,
    FileRole.CHILD,
    "mother",
    "father",
    FileRole.PARENT,
    FileRole.GUARDIAN,
    FileRole.WITNESS,
    FileRole.PROFESSIONAL,
    "staff",
    FileRole.OTHER,
)
