"""What must become of many units, and why: the retention schedule over facts. Source: section 2.4, RET-17."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import polars as pl

from rules.law.bits import flags_in, reasons_in
from rules.law.days import known, may_have
from rules.law.deciding_category import deciding
from rules.law.ends import ends_of
from rules.law.facts import DAYS_OF_FICHES, DAYS_OF_UNITS, Facts
from rules.law.flags import with_flags, with_warnings
from rules.law.followed_dossiers import DOSSIER, FOLLOWS_DOSSIER, with_followed
from rules.law.hold_columns import with_holds
from rules.law.kept_or_disposed import with_disposition, with_reasons, with_rule_of_hold
from rules.law.moments import counted, with_moments
from rules.law.own_days import with_own_days
from rules.law.row_numbers import beside, in_order
from rules.law.terms import Basis, Terms, with_terms
from rules.law.youngest_child import births_of, with_births
from rules.model.decisions import Decision, Disposition, End
from rules.retention.clocks import RECORDING
from rules.retention.compiled_schedule import Schedule


@dataclass(frozen=True)
class Decisions:
    """What must become of units: a row each, in the order of their facts.

    `units` has every step as a column, the last of them `disposition`, `reasons`, `retention_end`, `flags`,
    `rule`, and the `anchor` and `anchor_on` of the end that decides; `terms` is the number in `terms`. `ends`
    has a row for each category of each unit, `births` one for each child whose age counts."""

    units: pl.DataFrame
    ends: pl.DataFrame
    terms: Sequence[Terms]
    births: pl.DataFrame

    @cached_property
    def _ends(self) -> dict[int, list[End]]:
        found: dict[int, list[End]] = {}
        for row, category, rule, anchor, anchor_on, period, on, disposition in in_order(self.ends, "row", "place")[
            ["row", "category", "rule", "anchor", "anchor_on", "period", "on", "disposition"]
        ].iter_rows():
            found.setdefault(row, []).append(End(category, rule, anchor, anchor_on, period, on, Disposition(disposition)))
        return found

    def decisions(self, height: int | None = None) -> Iterator[Decision]:
        """Yield the decision of each unit, or of the first `height`, with the ends of all its categories."""
        columns = ["row", "disposition", "reasons", "retention_end", "flags", "rule", "terms", "leader"]
        for row, disposition, reasons, end, flags, rule, number, leader in self.units.head(self.units.height if height is None else height)[
            columns
        ].iter_rows():
            terms = self.terms[number]
            if leader is not None:
                ends = [End(RECORDING, FOLLOWS_DOSSIER, DOSSIER, None, "", end, Disposition.DELETE)]
            else:
                ends = [*self._ends.get(row, ()), *terms.fixed_ends]
                if terms.categories == (RECORDING,) and terms.basis is Basis.OWN_DAY and end is None:
                    ends = []
            yield Decision(Disposition(disposition), reasons_in(reasons), end, flags_in(flags), terms.categories, rule, tuple(ends))


def law(facts: Facts, schedule: Schedule, held: pl.DataFrame, day: date) -> Decisions:
    """Decide over units by their facts (`rules.law.facts`) and the holds on them
    (`rules.law.hold_columns.HELD`), as of a day.

    Pure: the same arguments give the same decisions on any machine and any day. A hold prevails over an ended
    period and never moves its end. Doubt keeps and says why. Source: RET-11, DAT-02, section 4.2; GDPR art.
    5(1)(e), art. 17(3)(e)."""
    fiches = counted(_known(facts.fiches, DAYS_OF_FICHES, schedule, day))
    units = with_moments(_known(facts.units, DAYS_OF_UNITS, schedule, day), fiches)
    units, terms = with_terms(units, fiches, schedule)
    units = with_own_days(units, terms)
    births = births_of(units, facts.children, schedule, day)
    units = with_births(units, births)
    ends = ends_of(units, fiches, terms, schedule)
    units = beside(units, deciding(ends))
    units = with_holds(units, held)
    units = with_reasons(units)
    units = with_flags(units, {each.review_months for each in terms})
    units = with_disposition(units)
    units = with_followed(units, facts.leaders)
    units = with_warnings(units, held, terms, schedule.warning.days)
    units = with_rule_of_hold(units, held)
    return Decisions(units, ends, terms, births)


def _known(facts: pl.DataFrame, days_of: Sequence[str], schedule: Schedule, day: date) -> pl.DataFrame:
    """Return facts with their days as the rules take them, and with `today`."""
    days = [name for name in days_of if may_have(facts.get_column(name), schedule.sentinel_days)]
    return facts.with_columns_seq(known(schedule.sentinel_days, *days) if days else [], pl.lit(day).alias("today"))
