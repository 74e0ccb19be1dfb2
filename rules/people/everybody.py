"""All contacts, ready to be looked through for one person after another: quickly, for those who are worth a
closer look. It is made for one reading and forgotten with it; no index is kept (IDN-19, SUS-02)."""

from collections.abc import Sequence

from rules.model.personal_records import FullContact
from rules.people.column_search import TextColumn
from rules.people.name_index import Names, near_names
from rules.people.wanted import Wanted


class Everybody:
    """The contacts of one reading, column by column."""

    def __init__(self, people: Sequence[FullContact]) -> None:
        self._people = people
        self._phones = [TextColumn(person.phone for person in people), TextColumn(person.mobile for person in people)]
        self._emails = [TextColumn(person.email for person in people), TextColumn(person.email_2 for person in people)]
        self._national_numbers = TextColumn(person.national_number for person in people)
        self._firsts = Names(person.first_name for person in people)
        self._lasts = Names(person.last_name for person in people)

    def near(self, wanted: Wanted) -> list[FullContact]:
        """Return those who are worth weighing: never too few."""
        places = self._national_numbers.with_digits({one.digits.removeprefix("0") for one in wanted.numbers})
        places.update(*(column.with_digits(wanted.tails) for column in self._phones))
        places.update(*(column.with_text(wanted.local_parts) for column in self._emails))
        if wanted.has_name:
            places |= self._near_by_name(wanted)
        return [self._people[place] for place in places]

    def _near_by_name(self, wanted: Wanted) -> set[int]:
        firsts, lasts = self._firsts, self._lasts
        in_first, in_last = near_names(firsts, wanted.first, wanted.last), near_names(lasts, wanted.first, wanted.last)
        # Where a first name is missing, a last name may be all there is, or both names stand in one field.
        no_first, no_last = firsts.at(firsts.nameless), lasts.at(lasts.nameless)
        near_first, near_last = firsts.at(in_first.first), lasts.at(in_last.last)
        places = near_last & (near_first | no_first) if wanted.first else near_last
        places = places | (firsts.at(in_first.last) & lasts.at(in_last.first))
        days = wanted.guessed_days if wanted.born_on is None else wanted.guessed_days | {wanted.born_on}
        if days:  # a married name: the first name and the day of birth, which a number may tell
            places |= {place for place in near_first if self._people[place].birth_on in days or self._people[place].national_number}
        whole = lasts.at(in_last.worth_comparing)
        places |= whole & no_first
        places |= firsts.at(in_first.worth_comparing) & no_last
        if not wanted.first or not wanted.last:
            places |= whole
        return places
