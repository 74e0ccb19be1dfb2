"""What was not shown of a text, as it is kept with an answer: apart from the redactor, whose patterns take a
while to load and which few commands need."""

import msgspec


class Redaction(msgspec.Struct, frozen=True):
    """One thing that is not shown: the class of what it was (`name`, `name_guess`, `phone`, `email`,
    `address`, `national_number`, …), the label that stands in its place, and the rule."""

    what: str
    label: str
    rule: str = "EXP-06"
