"""E-mail addresses in one normal form (10.3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.people.emails import addresses, emails_in, normal_email


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" Lotte.Peeters+nieuws@Example.ORG ", "lotte.peeters+nieuws@example.org"),  # no removal of dots or +tags (IDN-12)
        ("lotte@exämple.org", "lotte@xn--exmple-cua.org"),
        ("lotte@XN--EXMPLE-CUA.org", "lotte@xn--exmple-cua.org"),
        ("noe\u0308l@example.org", "noël@example.org"),  # NFC
        ("mailto:lotte@example.org", "lotte@example.org"),
    ],
)
def test_an_address_has_one_form(text: str, address: str) -> None:
    assert normal_email(text) == address


@pytest.mark.parametrize("text", ["", None, "lotte", "@example.org", "lotte@", "lotte peeters@example.org", "lotte@example..org"])
def test_what_is_no_address_is_none(text: str | None) -> None:
    assert normal_email(text) is None


def test_a_field_may_hold_several_addresses_with_names() -> None:
    assert emails_in('"Peeters, Lotte" <LOTTE@example.org>; bram@example.org,') == ["lotte@example.org", "bram@example.org"]
    assert addresses(["Lotte@example.org", None, "intern"]) == {"lotte@example.org"}


@given(st.text())
def test_a_normal_form_is_its_own_normal_form(text: str) -> None:
    for address in emails_in(text):
        assert normal_email(address) == address
