"""What somebody wrote in brackets behind a name is not a name. Everybody is fictitious."""

from rules.redaction.people import Protected, Shown
from rules.redaction.redactor import Redactor

SHOWN = Shown(names=(("Lotte", "Zandstra (fictief)"),))


def test_a_remark_behind_a_name_is_not_taken_for_a_name_elsewhere() -> None:
    redactor = Redactor([Protected("els", "parent", names=(("Els", "Peeters (fictief)"),))], SHOWN, "nl")
    assert redactor.redact("Els Peeters (fictief) belt. Alles is fictief.").text == "[ouder] (fictief) belt. Alles is fictief."


def test_a_second_name_in_brackets_still_goes() -> None:
    others = [Protected("an", "parent", names=(("An", "De Smet (Janssens)"),)), Protected("jo", "witness", names=(("jo", "maes (claes)"),))]
    redacted = Redactor(others, SHOWN, "nl").redact("Mevrouw Janssens en jo claes belden.").text
    assert "Janssens" not in redacted
    assert "claes" not in redacted
