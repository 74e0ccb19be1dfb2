"""Two people are two people: what counts as the name of an account, and when two names are one (ACC-09)."""

import pytest

from rules.errors import UsageError
from rules.model.accounts import account, goes_by, same_person

FULL_WIDTH, CYRILLIC, ZERO_WIDTH = "ａｎｎａ", "аnna", "an\u200bna"


@pytest.mark.parametrize(
    ("text", "name"), [("anna", "anna"), (" Anna ", "Anna"), (FULL_WIDTH, "anna"), ("anna.p+1@example.org", "anna.p+1@example.org")]
)
def test_a_name_is_kept_in_one_form(text: str, name: str) -> None:
    assert account(text) == name


@pytest.mark.parametrize("text", [CYRILLIC, ZERO_WIDTH, "ánna", "anna\u0301", "αnna", "аnnа"])
def test_a_name_with_letters_that_are_not_ascii_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UsageError, match="ASCII") as refused:
        account(text, "asked_by")
    assert text not in f"{refused.value} {refused.value.hint}"
    assert refused.value.field == "asked_by"


@pytest.mark.parametrize("text", ["", "  ", "Anna Peeters", "a/b", "a" * 101, "a\nb"])
def test_what_is_no_name_of_an_account_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not an account name") as refused:
        account(text)
    assert refused.value.field == "as"


@pytest.mark.parametrize("other", ["anna", "Anna", "ANNA", " anna", "anna\n", FULL_WIDTH, "ＡＮＮＡ"])
def test_one_account_is_one_person_however_it_is_written(other: str) -> None:
    assert same_person("anna", other)
    assert same_person(other, "anna")


def test_two_accounts_are_two_people() -> None:
    assert not same_person("anna", "anna.")
    assert not same_person("5c1d2f60-0000-4000-8000-00000000d0ba", "5c1d2f60-0000-4000-8000-00000000e61c")


@pytest.mark.parametrize("names", [("anna@example.org",), ("HOME\\anna",), ("Anna P. (fictief)", "Anna@Example.org"), ("5c1d2f60", "anna")])
def test_an_account_goes_by_its_name_with_or_without_what_stands_around_it(names: tuple[str, ...]) -> None:
    assert goes_by("anna", names)
    assert goes_by(FULL_WIDTH, names)
    assert all(goes_by(name, names) for name in names)
    assert not goes_by("ann", names)
    assert not goes_by("anna@example.com", names)
