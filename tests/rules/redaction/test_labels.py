"""What stands in the place of a person is the same throughout a package, and tells no more than it must
(EXP-06, R-118, R-119)."""

import pytest

from rules.model.languages import LANGUAGES
from rules.redaction.labels import LABEL, Labels, label_for


def labels_of(*roles: tuple[str, str], language: str = "nl") -> list[str]:
    labels = Labels([(key, role, "") for key, role in roles], language)
    return [labels.label(key) for key, _ in roles]


def test_one_parent_has_no_number_and_two_have() -> None:
    assert labels_of(("a", "parent")) == ["[ouder]"]
    assert labels_of(("a", "parent"), ("b", "parent")) == ["[ouder 1]", "[ouder 2]"]


def test_numbers_follow_the_order_in_which_labels_were_asked_for() -> None:
    labels = Labels([("a", "witness", ""), ("b", "witness", "")], "nl")
    assert [labels.label(key) for key in "bab"] == ["[getuige 1]", "[getuige 2]", "[getuige 1]"]


def test_reporters_cannot_be_told_apart_or_counted() -> None:
    """R-119."""
    assert labels_of(("a", "reporter"), ("b", "reporter")) == ["[melder]", "[melder]"]


def test_staff_go_by_their_function() -> None:
    assert labels_of(("a", "staff"), ("b", "staff")) == ["[medewerker]", "[medewerker]"]


def test_suspects_have_letters() -> None:
    keys = [(f"s{number}", "suspect") for number in range(4)]
    assert labels_of(*keys) == ["[persoon X]", "[persoon Y]", "[persoon Z]", "[persoon X2]"]


def test_a_professional_goes_by_the_service_where_it_is_known() -> None:
    labels = Labels([("a", "professional", "CAW Voorbeeldstad"), ("b", "professional", "")], "nl")
    assert [labels.label(key) for key in "ab"] == ["[CAW Voorbeeldstad]", "[hulpverlener]"]


@pytest.mark.parametrize("role", ["other", "donor", "partner", ""])
def test_whoever_has_no_role_in_a_file_is_a_third_party(role: str) -> None:
    assert labels_of(("a", role)) == ["[derde 1]"]


def test_a_key_that_nobody_has_is_a_further_third_party() -> None:
    labels = Labels([("a", "other", "")], "nl")
    assert [labels.label(key) for key in ("a", "b", "b")] == ["[derde 1]", "[derde 2]", "[derde 2]"]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("nl", ["[ouder]", "[voogd]", "[melder]", "[getuige 1]", "[persoon X]", "[hulpverlener]", "[medewerker]", "[derde 1]"]),
        (
            "fr",
            [
                "[parent]",
                "[tuteur]",
                "[auteur du signalement]",
                "[témoin 1]",
                "[personne X]",
                "[intervenant]",
                "[membre du personnel]",
                "[tiers 1]",
            ],
        ),
        (
            "de",
            [
                "[Elternteil]",
                "[Vormund]",
                "[meldende Person]",
                "[Zeuge 1]",
                "[Person X]",
                "[Fachkraft]",
                "[Personalmitglied]",
                "[Drittperson 1]",
            ],
        ),
        (
            "en",
            [
                "[parent]",
                "[guardian]",
                "[reporting person]",
                "[witness 1]",
                "[person X]",
                "[professional]",
                "[staff member]",
                "[third party 1]",
            ],
        ),
    ],
)
def test_labels_are_in_four_languages(language: str, words: list[str]) -> None:
    roles = ("parent", "guardian", "reporter", "witness", "suspect", "professional", "staff", "other")
    assert labels_of(*((role, role) for role in roles), language=language) == words


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_label_is_recognised_as_one(language: str) -> None:
    for what in (
        "name",
        "phone",
        "email",
        "address",
        "national_number",
        "birth_date",
        "account",
        "ip_address",
        "link",
        "handle",
        "position",
        "document",
        "plate",
    ):
        assert LABEL.fullmatch(label_for(what, language))
    roles = [
        (role, role)
        for role in ("child", "mother", "father", "parent", "guardian", "reporter", "witness", "suspect", "professional", "staff", "other")
    ]
    assert all(LABEL.fullmatch(label) for label in labels_of(*roles, language=language))


@pytest.mark.parametrize("text", ["[Els Peeters]", "[melder: Els]", "[ouder van Els]", "ouder"])
def test_what_only_looks_like_a_label_is_none(text: str) -> None:
    assert LABEL.fullmatch(text) is None
