"""Ages in completed years, for everything that asks how old somebody is: who may act, who decides for
oneself, the bands of statistics.

The end of a period that runs until an age is another question, with another answer: there the birthday is the
last day kept, and a birthday on 29 February is 28 February in a year without it (DAT-05, RET-08). The two
boundaries differ on purpose. Source: DAT-06; old Civil Code art. 388, 488."""

from datetime import date


def reached_on(age: int, born_on: date) -> date:
    """Return the first day on which somebody has an age: the birthday from its first hour, 1 March for 29
    February in a year without it. Beyond the calendar the result is its last day."""
    year = born_on.year + age
    if year > date.max.year:
        return date.max
    try:
        return born_on.replace(year=year)
    except ValueError:  # 29 February
        return date(year, 3, 1)


def has_reached(age: int, born_on: date, day: date) -> bool:
    """Return whether somebody has an age on a day."""
    return reached_on(age, born_on) <= day


def completed_years(born_on: date, day: date) -> int:
    """Count the years that somebody has completed on a day, not before the day of birth."""
    age = day.year - born_on.year
    return age if has_reached(age, born_on, day) else age - 1
