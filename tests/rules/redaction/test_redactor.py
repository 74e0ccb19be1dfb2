"""What of others goes from a text, and what of the person stays (EXP-06, EXP-07, R-118, R-119). All people
are fictitious."""

import pytest

from rules.model.home import Home
from rules.redaction.leak_terms import LeakTerms
from rules.redaction.patterns import detect
from rules.redaction.people import Protected, Shown
from rules.redaction.redactor import NAME_GUESS, Redactor
from tests.rules.redaction_cast import LOTTE, MOTHER, OTHERS, REPORTER, a_redactor


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Moeder Els Peeters belde.", "Moeder [ouder] belde."),
        ("Peeters Els; PEETERS ELS en els peeters", "[ouder]; [ouder] en [ouder]"),
        ("Peeters (Els) en Broeck (Marc van den)", "[ouder] ([ouder]) en [getuige 1] ([getuige 1])"),
        ("Els haalde Lotte op.", "[ouder] haalde Lotte op."),
        ("Els's fiets en Lotte's fiets", "[ouder]'s fiets en Lotte's fiets"),
        ("E. Peeters tekende", "[ouder] tekende"),
        ("Els P. tekende", "[ouder] tekende"),
        ("Marc Van den Broeck zag haar", "[getuige 1] zag haar"),
        ("MARC VANDENBROECK", "[getuige 1]"),
        ("Broeck, Marc van den", "[getuige 1]"),
        ("de auto van M. Van den Broeck", "de auto van [getuige 1]"),
        ("M. Vandenbroecks auto", "[getuige 1] auto"),
        ("van den Broek (sic) zei", "[getuige 1] (sic) zei"),
        ("Noel Dhondt en d’hondt", "[getuige 1] en [getuige 1]"),
        ("Al-Khattabi of Khattabi, Karim", "[persoon X] of [persoon X]"),
        ("Vanden-\n  broeck liep weg", "[getuige 1] liep weg"),
        ("Ka\u200btrien De\u00a0Smet", "[melder]"),
        ("Ｋａｔｒｉｅｎ zei", "[melder] zei"),
        ("Kat\u00adrien zei", "[melder] zei"),
        ("Katreen de Smedt zei", "[melder] zei"),
        ("bel Ann Claes", "bel [CAW Voorbeeldstad]"),
        ("Sofie Wouters noteerde", "[medewerker] noteerde"),
        ("zie ElsPeeters99", "zie [ouder]99"),
        ("K-a-t-r-i-e-n, E.L.S., E l s", "[melder], [ouder]., [ouder]"),
        ("Lotte\nKATRIEN: ik bel", "Lotte\n[melder]: ik bel"),
        ("No\\'ebl zei: l\\'ecole et jusqu\\'ecole", "[getuige 1] zei: l\\'ecole et jusqu\\'ecole"),
        ("No\\u235?l zei \\u2357?", "[getuige 1] zei \u2357?"),
        ("{\\b \\'4eo\\'ebl}", "{\\b [getuige 1]}"),
        ("vriendin Lotte\nKATRIEN: ik bel", "vriendin Lotte\n[melder]: ik bel"),
    ],
)
def test_a_name_of_another_goes_however_it_is_written(text: str, redacted: str) -> None:
    """R-118; IDN-13 to IDN-16."""
    assert a_redactor().redact(text).text == redacted


@pytest.mark.parametrize(
    ("text", "redacted", "what"),
    [
        ("gsm 0475/12.34.56.", "gsm [telefoonnummer].", "phone"),
        ("(+32 (0)475 12 34 56)", "([telefoonnummer])", "phone"),
        ("bel 0032475123456", "bel [telefoonnummer]", "phone"),
        ("bel 475123456", "bel [telefoonnummer]", "phone"),
        ("bel 0 4 7 5 1 2 3 4 5 6", "bel [telefoonnummer]", "phone"),
        ("vreemd nummer 0486 11 22 33", "vreemd nummer [telefoonnummer]", "phone"),
        ("Els.Peeters@Voorbeeld.BE schreef", "[e-mailadres] schreef", "email"),
        ("els (at) voorbeeld (punt) be", "[e-mailadres]", "email"),
        ("lotte.peeters+chat@voorbeeld.be", "[e-mailadres]", "email"),
        ("L. Peeters. lotte.peeters+chat@voorbeeld.be", "L. Peeters. [e-mailadres]", "email"),
        ("els.p(a)voorbeeld.be", "[e-mailadres]", "email"),
        ("els [at] voorbeeld.be", "[e-mailadres]", "email"),
        ("els.p at voorbeeld dot be", "[e-mailadres]", "email"),
        ("els apenstaartje post punt voorbeeld punt be", "[e-mailadres]", "email"),
        ("wim punt peeters apenstaart post punt voorbeeld punt be", "[e-mailadres]", "email"),
        ("wim.peeters AROBASE voorbeeld.be", "[e-mailadres]", "email"),
        ("wim arobas voorbeeld point be", "[e-mailadres]", "email"),
        ("kaart 4111 1111 1111 1111", "kaart [rekeningnummer]", "account"),
        ("rr 85073099734", "rr [nationaal nummer]", "national_number"),
        ("rr 85 07 30 997 34", "rr [nationaal nummer]", "national_number"),
        ("rr 85.07.30-997.35", "rr [nationaal nummer]", "national_number"),
        ("bis 12.48.15-997.43", "bis [nationaal nummer]", "national_number"),
        ("op BE68 5390 0754 7034 gestort", "op [rekeningnummer] gestort", "account"),
        ("vanaf 192.0.2.17", "vanaf [IP-adres]", "ip_address"),
        ("vanaf 2001:db8::17", "vanaf [IP-adres]", "ip_address"),
        ("profiel https://sociaal.example/els?x=1.", "profiel [link].", "link"),
        ("profiel sociaal.be/els", "profiel [link]", "link"),
        ("insta @els_p80", "insta [gebruikersnaam]", "handle"),
        ("op Snapchat (els_p80)", "op Snapchat ([gebruikersnaam])", "handle"),
        ("instagram account: els.80", "instagram account: [gebruikersnaam]", "handle"),
        ("gsm +32 495 12 34 56", "gsm [telefoonnummer]", "phone"),
        ("gsm 06-12345678", "gsm [telefoonnummer]", "phone"),
        ("Tél. : 06 12 34 56 78", "Tél. : [telefoonnummer]", "phone"),
        ("telefoonnummer is 0161 496 0000", "telefoonnummer is [telefoonnummer]", "phone"),
        ("rek. 0475.12.34.56 / tel.0475123456", "rek. [telefoonnummer] / tel.[telefoonnummer]", "phone"),
        ("wagen 1-ABC-123", "wagen [nummerplaat]", "plate"),
        ("gezien op 51.05431, 3.71742.", "gezien op [plaats op de kaart].", "position"),
        ("GPS 51,05431 / 3,71742 (auto)", "GPS [plaats op de kaart] (auto)", "position"),
        ("geo:51.054310,3.717424", "geo:[plaats op de kaart]", "position"),
        ("à 51°03'15\"N 3°43'02\"E", "à [plaats op de kaart]", "position"),
        ("zag hem op N51.05431 E3.71742.", "zag hem op [plaats op de kaart].", "position"),
        ("zag hem op N 51° 03.257' E 003° 43.045' (auto)", "zag hem op [plaats op de kaart] (auto)", "position"),
        ("zag hem op 51°03'15\" NB, 3°43'02\" OL", "zag hem op [plaats op de kaart]", "position"),
        ("zag hem op 51.05431 NB, 3.71742 OL.", "zag hem op [plaats op de kaart].", "position"),
        ("zag hem op 51,05431°NB 3,71742°OL (auto)", "zag hem op [plaats op de kaart] (auto)", "position"),
        ("zag hem op NB 51.05431 OL 3.71742 (auto)", "zag hem op [plaats op de kaart] (auto)", "position"),
        ("Breedtegraad: 51.05431, lengtegraad: 3.71742.", "[plaats op de kaart].", "position"),
        ("lat 51,05431\nlon 3,71742 (auto)", "[plaats op de kaart] (auto)", "position"),
        ("paspoort nr. EK123456", "paspoort nr. [nummer van een document of toestel]", "document"),
        ("carte d'identité : 592-1234567-89", "carte d'identité : [nummer van een document of toestel]", "document"),
        ("IMEI 356938035643809", "IMEI [nummer van een document of toestel]", "document"),
        ("MAC 00:1A:2B:3C:4D:5E", "MAC [nummer van een document of toestel]", "document"),
        ("op discord wolfje#1234", "op discord [gebruikersnaam]", "handle"),
        ("woont in 01067 Dresden", "woont in [adres]", "address"),
        ("Hauptstraße 12, 06110 Halle", "[adres]", "address"),
        ("à 06000 Nice", "à [adres]", "address"),
        ("in de Molenweg 7 te Gent", "in de [adres] te Gent", "address"),
        ("in de Lange Nieuwstraat 45 bus 3, 2000 Antwerpen.", "in de [adres].", "address"),
        ("rue du Vieux Moulin 12, 5000 Namur", "[adres]", "address"),
        ("12, rue de la Loi", "[adres]", "address"),
        ("Hauptstraße 5", "[adres]", "address"),
        ("221B Baker Street", "[adres]", "address"),
        ("r. du Vieux-Moulin 12", "[adres]", "address"),
        ("Leuvense stwg 512", "[adres]", "address"),
        ("Dorp 3, 9255 Buggenhout", "[adres]", "address"),
        ("bij Zandbergen 14 bus 2 te B-9500 Geraardsbergen", "bij [adres]", "address"),
        ("ze is in 9000 Gent", "ze is in [adres]", "address"),
        ("geboren op 12 maart 1975", "geboren op [geboortedatum]", "birth_date"),
        ("geboren te Gent op 12 maart 1975", "geboren te Gent op [geboortedatum]", "birth_date"),
        ("née à La Louvière le 12 mars 1975", "née à La Louvière le [geboortedatum]", "birth_date"),
        ("born in Ghent on Wednesday, 12 March 1975", "born in Ghent on Wednesday, [geboortedatum]", "birth_date"),
        ("op 07/05/1980", "op [geboortedatum]", "birth_date"),
        ("née le premier mars 1990", "née le [geboortedatum]", "birth_date"),
    ],
)
def test_a_number_or_address_of_another_goes_with_its_class(text: str, redacted: str, what: str) -> None:
    """EXP-06; IDN-07, IDN-08, IDN-10."""
    result = a_redactor().redact(text)
    assert result.text == redacted
    assert {redaction.what for redaction in result.redactions} == {what}
    assert all(redaction.rule == "EXP-06" for redaction in result.redactions)


@pytest.mark.parametrize(
    "text",
    [
        "Lotte Peeters, Peeters Lotte, L. Peeters, Lotte en Peeters",
        "thuis op 02/475.44.99 of +32 2 475 44 99",
        "Kerkstraat 12 en kerkstraat, 12",
        "lotte.p@voorbeeld.be",
        "nummer 08 02 29 998 89",
        "geboren op 3 april 2010",
        "geboren te Gent op 3 april 2010",
        "geboren te Gent. Op 3 mei 2020 kwam ze.",
        "Verzonden: 3/3/2025\nLotte woont er",
        "Verzonden: 3/3/2025\r\nBeste",
        "op 14-09-2026 om 14:30, dossier D-2026-00123, in 2010 Brussel, 116 000, 112 en 1 250 euro",
        "De moeder en de melder belden de politie. De vriendin van Lotte weet meer, een broer van Peeters ook.",
        "zie PV BR.12.L3.001234/2024, versie 1.2.3, op Facebook gezet",
        "zij heeft geen paspoort, of haar identiteitskaart van 2024 is weg; paspoort 2024 afgelopen; 0,1234 en 12,50 euro, 37,5",
        "September 3, 2019 Lotte; reeks 1234 5678 9012 3456; kijk at home",
        "",
    ],
)
def test_what_is_the_persons_own_or_nobodys_stays(text: str) -> None:
    """Also what the mother has too: the surname, the number of the house, the address."""
    result = a_redactor().redact(text)
    assert (result.text, result.redactions) == (text, ())


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Kerkstraat 12, 9000 Gent", "Kerkstraat 12, 9000 Gent"),
        ("Toen Kerkstraat 12", "Toen Kerkstraat 12"),
        ("Lange Kerkstraat 12", "[adres]"),
        ("in de Kerkstraat", "in de Kerkstraat"),
        ("Kerkstraat 1", "[adres]"),
        ("Kerkstraat 123", "[adres]"),
        ("Kerkstraat 12 bus 3", "[adres]"),
        ("Molenweg 7", "[adres]"),
        ("Kerkstr. 12 en Kerkstraat nr 12, te 9000 Gent", "Kerkstr. 12 en Kerkstraat nr 12, te 9000 Gent"),
        ("Kerkstraat 12/3", "[adres]"),
        ("Kerkstraat 12-14", "[adres]"),
        ("Kerkstraat 12B", "[adres]"),
    ],
)
def test_a_neighbours_address_is_not_the_persons_own(text: str, redacted: str) -> None:
    neighbour = Protected("n", "witness", addresses=("Kerkstraat 1", "Kerkstraat 12 bus 3", "Kerkstraat 99"))
    redactor = a_redactor(neighbour)
    assert redactor.redact(text).text == redacted
    assert LeakTerms(redactor.leak_terms()).found_in(redacted) == ()


def test_who_is_told_of_behind_an_own_name_is_somebody_else() -> None:
    redactor = a_redactor(shown=Shown(names=(("Lotte (Lot)", "Peeters (dochter van Katrien De Smet)"),)))
    assert redactor.redact("Lot, Lotte Peeters, Katrien en De Smet").text == "Lot, Lotte Peeters, [melder] en [melder]"


def test_an_own_box_may_be_written_otherwise() -> None:
    redactor = a_redactor(shown=Shown(names=LOTTE.names, addresses=("Kerkstraat 12 bus 0003", "9000 Gent")))
    text = "Kerkstraat 12/3, Kerkstr. 12 b3 te 9000 Gent of Kerkstraat 12; in 9000 Gent"
    assert redactor.redact(text).text == text
    assert redactor.redact("Kerkstraat 12/4, Molenstraat 5, 9000 Gent").text == "[adres], [adres]"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Marché-aux-Herbes 44", "[adres]"),
        ("rue du marche aux herbes, 44", "[adres]"),
        ("Plateaulaan 8 en de plateaulaan", "[adres] en de [adres]"),
        ("op de markt", "op de markt"),
        ("de steenweg", "de steenweg"),
    ],
)
def test_a_street_of_another_goes_by_what_tells_it(text: str, redacted: str) -> None:
    streets = ("Rue du Marché aux Herbes 44", "Jozef Plateaulaan 8", "Grote Steenweg 2", "Grote Markt 1")
    assert a_redactor(Protected("n", "witness", addresses=streets)).redact(text).text == redacted


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Sidonja Verbeke belde", "[getuige 1] belde"),
        ("Sidonja Van der Elst belde", "[getuige 1] belde"),
        ("Sidonja Lotte belde", "[getuige 1] Lotte belde"),
        ("Sidonja Woensdag belde", "[getuige 1] Woensdag belde"),
        ("SIDONJA BELDE", "[getuige 1] BELDE"),
    ],
)
def test_another_surname_behind_a_known_first_name_goes_too(text: str, redacted: str) -> None:
    """As that of a husband, or one that the row does not have."""
    assert a_redactor(Protected("n", "witness", names=(("Sidonja", "Smets"),))).redact(text).text == redacted


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Fran?ois M?ller zei", "[getuige 1] zei"),
        ("M\ufffdller en M\ufffd\ufffdller", "[getuige 1] en [getuige 1]"),
        ("familie \ufffdnl\ufffd", "familie [derde 1]"),
        ("Weet Fran ois het? Hoe?Dan? Is?Er m?er?", "Weet Fran ois het? Hoe?Dan? Is?Er m?er?"),
        ("P?eters en Lott?", "P?eters en Lott?"),
    ],
)
def test_a_name_goes_also_where_its_accents_were_lost(text: str, redacted: str) -> None:
    """R-118: as an import into the CRM leaves them; what may be the own name stays."""
    others = (Protected("f", "witness", names=(("François", "Müller"),)), Protected("u", "other", names=(("Ayşe", "Ünlü"),)))
    assert a_redactor(*others, Protected("p", "parent", names=(("Piet", "Pieters"),))).redact(text).text == redacted


@pytest.mark.parametrize("text", ["BartQuaghebeur", "quaghebeurbart", "Quaghebeurowa"])
def test_a_long_surname_is_known_inside_a_word(text: str) -> None:
    """R-118: as in a user name, or with the ending of another language."""
    redactor = a_redactor(Protected("s", "suspect", names=(("Bartholomeus", "Quaghebeur"), ("", "De Timmerman"))))
    assert redactor.redact(f"zie {text}.").text == "zie [persoon X]."
    assert redactor.redact("de timmermannen").text == "de timmermannen"


def test_a_first_name_beside_a_shared_surname_goes() -> None:
    assert a_redactor().redact("Els en Lotte Peeters").text == "[ouder] en Lotte Peeters"


def test_a_name_is_not_read_across_the_persons_own() -> None:
    mother = Protected("m", "parent", names=(("An", "Peeters"),))
    redactor = a_redactor(mother)
    assert redactor.redact("Lotte Peeters antwoordde. Lotte Peeters, An en An Peeters").text == (
        "Lotte Peeters antwoordde. Lotte Peeters, [ouder] en [ouder]"
    )
    assert LeakTerms(redactor.leak_terms()).found_in("Lotte Peeters antwoordde") == ()


def test_a_title_before_a_shared_surname_means_the_grown_up() -> None:
    assert a_redactor().redact("mevrouw Peeters en Peeters").text == "mevrouw [ouder] en Peeters"


def test_a_title_before_the_surname_of_a_grown_up_who_asks_stays() -> None:
    els = Shown(names=(("Els", "Peeters"),))
    daughter = Protected("lotte", "child", names=(("Lotte", "Peeters"),))
    assert a_redactor(daughter, shown=els).redact("mevrouw Peeters zoekt Lotte").text == "mevrouw Peeters zoekt [kind 1]"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("mevrouw Janssens en Mevr. Janssens", "mevrouw [derde 1] en Mevr. [derde 1]"),
        ("dokter De Backer, dr. van der Linden", "dokter [derde 1], dr. [derde 2]"),
        ("M. Dupont et Mme d'Oultremont", "M. [derde 1] et Mme [derde 2]"),
        ("inspecteur X. en juf Nadia", "inspecteur [derde 1] en juf [derde 2]"),
        ("Frau Doktor Müller kam", "Frau Doktor [derde 1] kam"),
        ("her friend Jessica said", "her friend [derde 1] said"),
        ("een vriend genaamd Bilal Benali", "een vriend genaamd [derde 1]"),
        ("ze is bij Wout Verbeke thuis, met Amélie", "ze is bij [derde 1] thuis, met [derde 2]"),
        ("de moeder van Jan Verbeke", "de moeder van [derde 1]"),
        ("sa copine Amélie a dit", "sa copine [derde 1] a dit"),
    ],
)
def test_an_unknown_name_behind_a_title_or_with_a_common_first_name_is_guessed(text: str, redacted: str) -> None:
    """Better too much than too little; the class tells the reviewer that it is a guess."""
    result = a_redactor().redact(text)
    assert result.text == redacted
    assert {redaction.what for redaction in result.redactions} == {NAME_GUESS}


@pytest.mark.parametrize("text", ["bij mevrouw. Zij zei", "Mevrouw Ik wil dit", "de inspecteur De politie kwam", "dokter? Geen."])
def test_a_sentence_behind_a_title_is_no_name(text: str) -> None:
    assert a_redactor().redact(text).text == text


def test_the_same_person_has_the_same_label_in_every_text() -> None:
    """R-118: three fiches, one label."""
    redactor = a_redactor()
    texts = ["Noël D'Hondt belde.", "Marc zag Noel.", "NOEL DHONDT en M. Van den Broeck"]
    assert [redactor.redact(text).text for text in texts] == [
        "[getuige 1] belde.",
        "[getuige 2] zag [getuige 1].",
        "[getuige 1] en [getuige 2]",
    ]
    assert redactor.label("neighbour") == "[getuige 1]"


def test_two_rows_of_one_person_have_one_label() -> None:
    again = Protected("mother again", "parent", names=(("ELS", "PEETERS"),))
    redactor = a_redactor(MOTHER, again)
    assert redactor.label("mother") == redactor.label("mother again") == "[ouder]"
    assert redactor.redact("Els").text == "[ouder]"


def test_a_reporter_who_is_also_the_mother_is_not_told_from_her() -> None:
    """R-119: the label of a reporter wins, so that no text says that the mother reported."""
    mother = Protected("party", "parent", names=REPORTER.names)
    assert a_redactor(mother, REPORTER).redact("Katrien De Smet (Katrien) meldt").text == "[melder] ([melder]) meldt"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Mama Katrien De Smet belde.", "[melder] belde."),
        ("Moeder: Katrien De Smet, haar tante Katrien", "[melder], haar [melder]"),
        ("De juf (Katrien) en Katrien (juf), madame De Smet", "De [melder] en [melder], [melder]"),
        ("Zeg me Katrien, de mama van Els. Mama Els en juf Lotte.", "Zeg me [melder] van [ouder]. Mama [ouder] en juf Lotte."),
        ("mama (Katrien en Els)", "mama ([melder] en [ouder])"),
        ("Melding door Katrien. Grootmoeder Katrien; zijn ex-vriendin Katrien", "Melding door [melder]. [melder]; zijn [melder]"),
        ("Oma Lotte Peeters Katrien", "Oma Lotte Peeters [melder]"),
        ("Beller: Katrien De Smet, de mama van Lotte", "Beller: [melder] van Lotte"),
        ("Katrien, sa mère, a appelé; Katrien (haar tante)", "[melder], a appelé; [melder]"),
        ("Katrien, mama van Lotte. Katrien, mama en Lotte kwamen", "[melder] van Lotte. [melder], mama en Lotte kwamen"),
    ],
)
def test_no_word_beside_the_label_of_a_reporter_says_who_reported(text: str, redacted: str) -> None:
    """EXP-06, R-119: `mama [melder]` would say it to whoever reads the answer."""
    assert a_redactor().redact(text).text == redacted


def test_nothing_of_a_reporter_is_left() -> None:
    """R-119: neither name, number nor e-mail."""
    text = "Melding door Katrien De Smet, 09/222.33.44 of 0032 9 222 33 44, katrien@voorbeeld.be."
    assert a_redactor().redact(text).text == "Melding door [melder], [telefoonnummer] of [telefoonnummer], [e-mailadres]."


def test_a_surname_that_two_others_share_tells_neither() -> None:
    one = Protected("a", "witness", names=(("Jan", "Verbeke"),))
    two = Protected("b", "parent", names=(("Mia", "Verbeke"),))
    assert a_redactor(one, two).redact("Verbeke en Jan Verbeke").text == "[naam] en [getuige 1]"


def test_a_name_that_is_also_a_word_is_one_only_with_a_capital() -> None:
    person = Protected("a", "other", names=(("Roos", "De Wit"),))
    redactor = a_redactor(person)
    assert redactor.redact("Roos gaf een roos aan De Wit in het wit").text == "[derde 1] gaf een roos aan [derde 1] in het wit"


def test_where_nobody_uses_capitals_a_missing_one_says_nothing() -> None:
    assert a_redactor().redact("els komt met marc en lotte").text == "[ouder] komt met [getuige 1] en lotte"


def test_a_slip_of_the_pen_is_no_reason_to_take_a_word_for_a_name() -> None:
    person = Protected("a", "other", names=(("Martin", "Willems"),))
    assert a_redactor(person).redact("ce matin Marton, Wilems").text == "ce matin [derde 1], [derde 1]"


def test_a_placeholder_is_nobody() -> None:
    redactor = a_redactor(Protected("a", "reporter", names=(("Anoniem", "Onbekend"),)))
    assert redactor.redact("anoniem, onbekend").text == "anoniem, onbekend"
    assert LeakTerms(redactor.leak_terms()).found_in("anoniem onbekend") == ()


def test_the_organisation_itself_is_nobody_and_whoever_it_is_called_after_is_somebody() -> None:
    people = [Protected("a", "staff", names=(("Huis", "Sofie Claes"),)), Protected("b", "other", names=(("Sofie", "Claes"),))]
    home = Home(called="Huis Sofie Claes")
    redactor = Redactor(people, Shown(), "nl", home)
    assert redactor.redact("Sofie Claes belde met het huis").text == "[derde 1] belde met het huis"
    nobody = Redactor([Protected("a", "staff", names=(("Kaartentafel", "Info"),))], Shown(), "nl", Home(called="De Kaartentafel"))
    assert nobody.redact("mevrouw Kaartentafel").text != "mevrouw Kaartentafel"  # of its name only a part: somebody may be called so
    ours = Redactor([Protected("a", "staff", names=(("De Kaartentafel", "Info"),))], Shown(), "nl", Home(called="De Kaartentafel"))
    assert ours.redact("dienst De  Kaartentafel meldt").text == "dienst De  Kaartentafel meldt"
    assert LeakTerms(ours.leak_terms()).found_in("De Kaartentafel") == ()


@pytest.mark.parametrize(
    ("country", "text"),
    [
        ("NL", "auto GX-123-B gezien"),
        ("NL", "auto 12-ABC-3 gezien"),
        ("FR", "voiture AB-123-CD vue"),
        ("DE", "Auto B-AB 1234 gesehen"),
        ("LU", "voiture AB 1234 vue"),
        ("NL", "auto 1-ABC-123 gezien"),
        ("NL", "nummer 612345678 gebeld"),
        ("FR", "appel du 612345678 hier"),
    ],
)
def test_plates_and_lost_zeros_are_those_of_the_organisations_country(country: str, text: str) -> None:
    assert len(detect(text, Home(country, "nl.bsn"))) == 1, text


def test_a_service_that_is_named_after_a_person_of_the_file_is_not_shown() -> None:
    carer = Protected("a", "professional", names=(("Ann", "Claes"),), organisation="Praktijk Claes")
    assert a_redactor(carer).label("a") == "[hulpverlener]"


def test_what_is_redacted_is_not_redacted_again() -> None:
    text = "Els Peeters (0475 12 34 56) en mevrouw Janssens, Molenweg 7, 9000 Gent, bij Ann Claes"
    redactor = a_redactor()
    once = redactor.redact(text)
    again = redactor.redact(once.text)
    assert (again.text, again.redactions) == (once.text, ())


def test_two_redactors_of_the_same_people_say_the_same() -> None:
    text = "Marc en Noël, mevrouw Janssens en Karim"
    assert a_redactor().redact(text) == a_redactor().redact(text)


GOLDEN = {
    "nl": (
        "Els Peeters meldt dat Karim El Khattabi haar volgde. Getuige Noël D'Hondt (0486 11 22 33) woont Molenweg 7.",
        "[ouder] meldt dat [persoon X] haar volgde. Getuige [getuige 1] ([telefoonnummer]) woont [adres].",
    ),
    "fr": (
        "Els Peeters signale que Karim El Khattabi l'a suivie. Le témoin Noël D'Hondt (0486 11 22 33) habite rue Haute 7, 1000 Bruxelles.",
        "[parent] signale que [personne X] l'a suivie. Le témoin [témoin 1] ([numéro de téléphone]) habite [adresse].",
    ),
    "de": (
        "Els Peeters meldet, dass Karim El Khattabi ihr folgte. Herr Schulze wohnt Hauptstraße 7 (els.peeters@voorbeeld.be).",
        "[Elternteil] meldet, dass [Person X] ihr folgte. Herr [Drittperson 1] wohnt [Adresse] ([E-Mail-Adresse]).",
    ),
    "en": (
        "Els Peeters reports that Karim El Khattabi followed her. Mr Brown, born 12 March 1975, lives at 12 Baker Street.",
        "[parent] reports that [person X] followed her. Mr [third party 1], born [date of birth], lives at [address].",
    ),
}


@pytest.mark.parametrize("language", GOLDEN)
def test_labels_are_in_the_language_of_the_answer(language: str) -> None:
    """EXP-11: the labels, never the text."""
    text, redacted = GOLDEN[language]
    assert a_redactor(language=language).redact(text).text == redacted


def test_a_language_that_is_none_of_ours_is_answered_in_dutch() -> None:
    """R-122."""
    assert Redactor(OTHERS, LOTTE, "es").label("reporter") == "[melder]"


@pytest.mark.parametrize("own", ["06 12345678", "+31 6 12345678"])
def test_a_number_of_another_country_that_is_the_persons_own_stays_behind_a_word_to_call(own: str) -> None:
    shown = Shown(names=(("Lotte", "Peeters"),), phones=(own,))
    assert a_redactor(shown=shown).redact("gsm 06-12345678, gsm 06-87654321").text == "gsm 06-12345678, gsm [telefoonnummer]"


def test_whoever_is_named_behind_a_relation_of_before_is_a_guess() -> None:
    redacted = a_redactor().redact("haar ex-vriend Dylan, son ex-mari Rodrigue, de ex-vriend van Lotte").text
    assert redacted == "haar ex-vriend [derde 1], son ex-mari [derde 2], de ex-vriend van Lotte"
