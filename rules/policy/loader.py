"""YAML text -> Policy; every error names file, line and field (RET-06). The caller reads the file. A schedule
is refused whole: nothing is guessed, and all its errors are reported at once."""

from collections.abc import Collection
from functools import lru_cache
from hashlib import sha256

from rules.errors import PolicyError
from rules.files.model import AN_EMAIL, EMAIL
from rules.files.yaml_lines import Problem, read_yaml, refusal
from rules.files.yaml_models import read_strictly
from rules.hints import hint_to
from rules.policy.checks import check_policy
from rules.policy.policy import Policy, PolicyFile

SHIPPED = "childfocus"  # the schedule that the product comes with: rules/policy/schedules/childfocus.yaml

# Words that pydantic puts into the place of an error to say which kind of row or value it tried: no file has
# them there.
_KINDS = {"months_after", "years_after", "until_age", "end_of_calendar_year_after", "until_event", "no_term", "one", "several", "all"}

# What a value is, by the type of an error.
_TEXTS = {EMAIL: AN_EMAIL, "string_pattern_mismatch": "a key has small letters, digits and underscores, and begins with a letter"}


def load_policy(text: str, *, source: str, crm_categories: Collection[str] | None = None) -> Policy:
    """Read a retention schedule from the text of its file; `source` is what messages call the file,
    `crm_categories` are those that the mapping tells. Without them a row counts as reached by a category of
    its own name.

    `Policy.digest` is the SHA-256 of the text in UTF-8, so a plan can say which schedule decided, byte for
    byte. Raises PolicyError: the schedule is not usable. `where` is the place of the first error, the message
    lists them all: first what is wrong in a line, top down, then what is missing. Source: RET-06, RET-12,
    ACC-02; R-021, R-022."""
    found = _read(text, None if crm_categories is None else frozenset(crm_categories))
    if isinstance(found, Policy):
        return found
    raise refusal(PolicyError, "the retention schedule is refused", found, source=source, hint=hint_to("correct_policy"))


@lru_cache(maxsize=64)  # a schedule is read again for every job, and is the same nearly always
def _read(text: str, crm_categories: frozenset[str] | None) -> Policy | list[Problem]:
    """Return the schedule, or all that is wrong with it in the order in which it is reported."""
    document = read_yaml(text)
    read = read_strictly(document, PolicyFile, "a retention schedule", texts=_TEXTS, kinds=_KINDS)
    if isinstance(read, list):
        return read
    problems = sorted(document.problems + [document.problem(path, found) for path, found in check_policy(read, crm_categories)])
    return problems or Policy.of(read, sha256(text.encode()).hexdigest())
