"""Which rows of the retention schedule apply to a unit: derived from the CRM's categories and the dossier's
outcome, typed by nobody. Source: RET-12, RET-13, RET-14, section 2.3."""

import msgspec

from rules.model.decisions import Disposition, Flag
from rules.policy.categories import OUTCOMES
from rules.policy.policy import Policy


class Facts(msgspec.Struct, frozen=True, gc=False):
    """What classification looks at: the CRM's categories, each once, whether one is missing, the outcome, and
    if it is a lone fiche."""

    crm_keys: tuple[str, ...]
    is_missing: bool
    outcome: str | None
    is_lone: bool


class Derived(msgspec.Struct, frozen=True):
    """What one CRM category became: `key` is None where no enabled row of the schedule answers for it."""

    crm_key: str
    key: str | None
    flag: Flag | None


class Classification(msgspec.Struct, frozen=True):
    """The effective categories of a unit. `keys` are retention keys, `unconfigured` the CRM keys that nothing
    answers for; each sorted, each once. `categories` is what a plan shows: both together."""

    derived: tuple[Derived, ...]
    keys: tuple[str, ...]
    unconfigured: tuple[str, ...]
    categories: tuple[str, ...]
    is_missing: bool
    is_six_month: bool
    flags: tuple[Flag, ...]

    @property
    def is_complete(self) -> bool:
        return not self.is_missing and not self.unconfigured


class Classifier:
    """The derivation table of one schedule."""

    def __init__(self, policy: Policy) -> None:
        self._derive = policy.derive
        # A row that neither has a term nor disposes, or that mentions another kind of unit, answers for no
        # dossier: doubt keeps.
        self._enabled = {
            key: category.open_blocks
            for key, category in policy.categories.items()
            if category.enabled
            and category.unit == "dossier"
            and (category.type == "no_term" or category.disposition is not Disposition.KEEP)
        }

    def classify(self, facts: Facts) -> Classification:
        """Return which categories of the schedule decide over a unit. What none of them covers is
        unconfigured, never dropped. Source: RET-12, RET-14; `ORPHAN_FICHE` RET-02."""
        derived = tuple(self.derive(key, facts.outcome) for key in sorted(set(facts.crm_keys)))
        keys = {line.key for line in derived if line.key is not None}
        unconfigured = {line.crm_key for line in derived if line.key is None}
        is_six_month = bool(keys) and not unconfigured and not facts.is_missing and not any(self._enabled[key] for key in keys)
        flags = {line.flag for line in derived if line.flag is not None}
        if facts.is_lone and not is_six_month:
            flags.add(Flag.ORPHAN_FICHE)
        return Classification(
            derived=derived,
            keys=tuple(sorted(keys)),
            unconfigured=tuple(sorted(unconfigured)),
            categories=tuple(sorted(keys | unconfigured)),
            is_missing=facts.is_missing,
            is_six_month=is_six_month,
            flags=tuple(sorted(flags)),
        )

    def derive(self, crm_key: str, outcome: str | None) -> Derived:
        """Derive the retention key of one CRM category; the first line of the table that fits the outcome
        decides. An outcome that the product does not know counts as empty. A CRM category without a line of
        its own answers for itself where the schedule has an enabled row of that name. Source: RET-12, RET-09
        (unknown outcomes), section 2.3."""
        lines = self._derive.get(crm_key)
        if lines is None:
            return Derived(crm_key, crm_key if crm_key in self._enabled else None, None)
        known = outcome if outcome in OUTCOMES else None
        for line in lines:
            if line.matches(known):
                flag = Flag(line.flag) if line.flag is not None else None
                return Derived(crm_key, line.key if line.key in self._enabled else None, flag)
        return Derived(crm_key, None, None)
