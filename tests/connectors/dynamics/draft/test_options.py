"""A key is given only to what is called by a word for it, and what is written into a file is read as it was
meant."""

import pytest
from ruamel.yaml import YAML

from connectors.dynamics.draft.columns import option_of
from connectors.dynamics.draft.option_text import choice_lines, option_lines, quoted, told_rows
from connectors.dynamics.draft.proposal import Option
from connectors.dynamics.draft.tables import likeness
from rules.texts.folding import fold

WORDS = {
    "categories": {"runaway": ("weglopen", "fugue"), "sexting": ("sexting",)},
    "role": {"child": ("kind",), "parent": ("ouder", "kind")},
}


@pytest.mark.parametrize(
    ("labels", "key", "like"),
    [
        (("Weglopen",), "runaway", ""),
        (("WEG-LOPEN!", "Autre"), "runaway", ""),
        (("Runaway",), "runaway", ""),
        (("Weglopenn",), "", "runaway"),  # nearly a word for it is none
        (("Schoolmoeheid",), "", ""),
        (("Weglopen", "Sexting"), "", "runaway"),  # two keys: nobody knows which
        ((), "", ""),
    ],
)
def test_a_key_is_given_to_what_is_called_so_and_to_nothing_that_is_only_like_it(labels: tuple[str, ...], key: str, like: str) -> None:
    assert option_of(7, labels, "categories", WORDS) == Option(7, labels, key, like)


def test_a_word_that_means_two_keys_gives_neither() -> None:
    assert option_of(1, ("Kind",), "role", WORDS).key == ""


@pytest.mark.parametrize(("text", "plain"), [("Fugue été", "fugueete"), ("ÉCOLE-2", "ecole2"), ("Straße", "strasse"), ("—", "")])
def test_names_are_compared_by_their_letters_and_digits(text: str, plain: str) -> None:
    assert fold(text) == plain


@pytest.mark.parametrize(
    ("label", "word"),
    [("Forsømmelse", "forsommelse"), ("Składka", "skladka"), ("Mœurs", "moeurs"), ("Straße", "strasse"), ("Побег", "pobeg")],
)
def test_a_label_is_a_word_in_whatever_letters_it_is_written(label: str, word: str) -> None:
    """IDN-13: as names are compared."""
    assert option_of(1, (label,), "categories", {"categories": {"a_key": (word,)}}) == Option(1, (label,), "a_key")


@pytest.mark.parametrize(
    ("names", "fits"),
    [(("zaak",), 3), (("kt", "zaak"), 3), (("hoofddossier",), 2), (("dossiernummer",), 2), (("strafzaak",), 0), (("x",), 0)],
)
def test_a_short_word_within_a_name_says_nothing(names: tuple[str, ...], fits: int) -> None:
    """`rol` stands in many names that have nothing to do with one."""
    assert likeness(names, ("zaak", "dossier")) == fits


@pytest.mark.parametrize(
    "text", ["no", "Yes", "null", "007", "1.5", "a: b", "# x", " x", "x ", "-", "2026-01-01", "a-b c", "'", '"', "", "é \x92\x85\u2028\x00"]
)
def test_whatever_a_label_is_the_line_reads_it_back_as_that_text(text: str) -> None:
    assert YAML(typ="safe").load(f"{quoted(text)}: {quoted(text)}") == {text: text}


def test_a_whole_number_stays_a_number() -> None:
    assert YAML(typ="safe").load(f"{quoted('100000042')}: {quoted('0')}") == {100000042: 0}


@pytest.mark.parametrize(
    ("number", "told"), [(None, "rows not counted"), (0, "0 rows"), (1, "1 row"), (4_999, "4999 rows"), (5_000, "5,000 rows or more")]
)
def test_rows_are_told_as_far_as_they_were_counted(number: int | None, told: str) -> None:
    assert told_rows(number) == told


def test_the_keys_there_are_stand_before_options_of_which_one_is_open() -> None:
    open_one, known = Option(2, (), like="phone"), Option(1, ("Chat",), "chat")
    assert list(choice_lines("channel", [known], ("chat", "phone"), rows=None)) == ["1: chat  # Chat"]
    assert list(choice_lines("channel", [known, open_one], ("chat", "phone"), lambda option: f"{option.value} rows")) == [
        "# keys: chat, phone",
        "1: chat  # Chat",
        "# choose: 2: phone  # without a label (2 rows)",
    ]


def test_rows_that_were_not_read_leave_their_lines_to_a_person() -> None:
    lines = list(option_lines("categories", "cc_code", None, keys=(), rows=None))
    assert lines[:3] == ["  categories:", "    by: cc_code", "    keys:"]
    assert [line.lstrip()[:9] for line in lines[3:]] == ["# choose:"]
