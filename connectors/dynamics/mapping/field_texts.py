"""What each field of each kind of row decides, and what it costs where no column fills it, for people who
write a mapping. A field that is not named here is told by its kind's general cost."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple


class FieldText(NamedTuple):
    """What a field decides, and what its absence costs ("" for what a subject request alone reads: it is then
    neither searched nor told)."""

    decides: str
    cost: str = ""


_MASKED: Final = FieldText("since when a row is anonymised in place; the product writes it", "no row can be anonymised in place (ERA-07)")
_CATEGORIES: Final = FieldText("what a case is about, and by it how long it is kept")
_WHOSE: Final = FieldText("whose row it is", "the row is not a relation of anybody: its person may go while it is there")
_REGARDING: Final = FieldText("the row that it belongs to, goes with and is held by", "it goes with nothing, and is told to nobody")
_NAME: Final = FieldText("how the row is called")

FIELD_TEXTS: Final[Mapping[str, Mapping[str, FieldText]]] = MappingProxyType(
    {
        "dossier": {
            "categories": _CATEGORIES,
            "outcome": FieldText(
                "which term a category has, where the schedule tells outcomes apart", "cases whose term depends on it are kept"
            ),
            "opened_on": FieldText("the day from which age, duration and the review count"),
            "closed_on": FieldText(
                "the day from which terms count that begin with the closing",
                "such a term does not begin, and keeps its cases; a closing is no late activity (RET-10)",
            ),
            "reopened_on": FieldText("that a case was opened again: later activity", "a reopened case could end too early"),
            "proceedings_ended_on": FieldText(
                "the last final decision, from which a civil party's term counts", "the closing counts instead"
            ),
            "reviewed_on": FieldText("when a case without a term was last reviewed (RET-15)", "the review counts from the opening"),
            "is_active": FieldText("whether a case is open: it is kept then, whatever its age, unless its term is six months (RET-13)"),
            "public_alert": FieldText(
                "that a public appeal was made: such a case is deleted, never anonymised (ERA-04)",
                "cases with an appeal are anonymised like others",
            ),
            "legal_hold": FieldText("that the case may not be touched", "holds are kept by `holds place` alone"),
            "anonymised_on": _MASKED,
            "number": FieldText("the number by which people ask for a case; redacted in texts"),
            "court_reference": FieldText("the reference of a court or prosecutor; searched by, and redacted"),
            "legal_hold_reason": FieldText("why a case is held; shown to nobody"),
            "summary": FieldText("the story of the case; read by a person before it is sent"),
            "outcome_on": FieldText("the day of the outcome"),
        },
        "fiche": {
            "dossier": FieldText("the case of a communication; without one it is a unit of its own (RET-02)"),
            "categories": FieldText(
                "what a communication is about: the term of one without a case, and of its case",
                "each goes by the categories of its case; one without a case is kept as UNCONFIGURED",
            ),
            "communicated_on": FieldText("the day of the communication: the last activity of its case (RET-07)"),
            "created_on": FieldText("the day of the record, where the communication has none"),
            "transmitted_on": FieldText(
                "the day on which it was passed on, from which the term of such reports counts", "reports that were passed on are kept"
            ),
            "channel": FieldText("how somebody reached the organisation, for the statistics", "the statistics do not say"),
            "reporter_kind": FieldText("who reported, for the statistics", "the statistics do not say"),
            "anonymised_on": _MASKED,
            "number": FieldText("the number by which people ask for a communication"),
            "language": FieldText("the language of the caller"),
            "caller_number": FieldText("the number from which somebody called: whose it is finds them"),
            "caller_email": FieldText("the address from which somebody wrote: whose it is finds them"),
            "ip_address": FieldText("the address from which somebody chatted; told to that person alone"),
            "summary": FieldText("what was said; read by a person before it is sent"),
            "communicated_at": FieldText("the moment of the communication, as an answer tells it"),
            "transmitted_to": FieldText(
                "to whom it was passed on; who has to be told of a correction", "recipients are not named in an answer (art. 15)"
            ),
            "transmitted_country": FieldText(
                "the country of that recipient; outside the EEA a safeguard has to be told", "a transfer to another country is not told"
            ),
            "transfer_basis": FieldText("the safeguard of such a transfer", "an answer about such a transfer waits for a person"),
        },
        "party": {
            "contact": FieldText("the person who has the role"),
            "dossier": FieldText("the case in which the person has it"),
            "fiche": FieldText("the communication in which the person has it"),
            "role": FieldText("child, parent, suspect, …: whose age ends a term, and what may be told to whom (SUS-02)"),
            "name": FieldText("a name that stands on the role itself; searched, and redacted for others"),
            "authority_evidence": FieldText(
                "how authority over the child was shown", "nobody answers for a child without a person's decision"
            ),
            "authority_valid_until": FieldText("the last day of that authority", "it counts as lasting"),
            "suspect_until": FieldText("the last day of a suspicion (SUS-08)", "a suspicion does not end by itself"),
            "notes": FieldText("remarks on the role; read by a person before they are sent"),
        },
        "contact": {
            "birth_on": FieldText("the day of birth: terms that end with an age, and who somebody is"),
            "birth_year": FieldText(
                "the year, where the day is not known", "the age follows from the stated age, or is unknown: the case is kept longer"
            ),
            "birth_month": FieldText("the month, where the day is not known", "the last month of the year counts"),
            "stated_age": FieldText("the age that somebody stated", "a case with a child of unknown age is kept longer"),
            "stated_on": FieldText("when it was stated", "a stated age cannot be used"),
            "national_number": FieldText(
                "a birth date that holds, and an identity that is sure", "people are found by names and dates alone"
            ),
            "parent": FieldText(
                "the organisation or person that somebody belongs to: a relation (RET-20)",
                "such a contact could go too early; name it under `without`",
            ),
            "newsletter": FieldText(
                "that somebody reads the newsletter: a relation (RET-20)", "such a contact could go too early; name it under `without`"
            ),
            "gender": FieldText("the sex, for the statistics", "the statistics do not say"),
            "postcode": FieldText("the province, for the statistics", "the statistics do not say"),
            "country": FieldText("the country, for the statistics", "an address counts as one in `country` of the schedule"),
            "birth_place": FieldText("who somebody is; emptied when only a relation remains", "the column is not emptied then"),
            "image": FieldText("a picture; emptied when only a relation remains", "the column is not emptied then"),
            "description": FieldText("remarks; emptied when only a relation remains", "the column is not emptied then"),
            "anonymised_on": FieldText("since when a contact was reduced to its relation; the product writes it", "it is reduced again"),
            "first_name": FieldText("who somebody is: found by it, redacted for others"),
            "last_name": FieldText("who somebody is: found by it, redacted for others"),
            "email": FieldText("who somebody is, and a channel that is known"),
            "email_2": FieldText("a second address"),
            "phone": FieldText("who somebody is, and a channel that is known"),
            "mobile": FieldText("a second number"),
            "street": FieldText("the address; redacted for others"),
            "city": FieldText("the address; redacted for others"),
            "language": FieldText("the language of a letter"),
            "deceased_on": FieldText("that somebody has died: a request in their name needs a decision", "nobody is taken for deceased"),
            "no_contact": FieldText(
                "a place of safety or an estrangement: nothing is delivered without an override (IDV-05)", "nothing stops a delivery there"
            ),
            "newsletter_consent_on": FieldText("since when somebody agreed to the newsletter"),
            "no_bulk_email": FieldText("that somebody wants no mailings; set by an objection", "an objection has no column to set"),
            "picture": FieldText("the same picture, as an answer shows it"),
        },
        "recording": {
            "dossier": FieldText(
                "the case of a recording of no communication: its holds reach it", "such a recording stays, or is refused"
            ),
            "fiche": FieldText("the communication that was recorded"),
            "channel": FieldText("telephone or chat", "nothing depends on it"),
            "started_on": FieldText("the day of the conversation: the term, where it has no end (RET-05)"),
            "ended_on": FieldText("the day on which it ended, from which the term counts", "the start counts; name it under `without`"),
            "taken_over": FieldText("that it was written down in the case", "no warning says what was not yet written down (RET-21)"),
            "evidence": FieldText(
                "that it is evidence: kept as long as its case", "evidence would go after six months; name it under `without`"
            ),
            "storage_uri": FieldText("where the sound lies outside the CRM", "what lies there is not deleted"),
            "name": _NAME,
            "transcript": FieldText("what was said; read by a person before it is sent"),
            "caller_number": FieldText("the number of the caller: whose it is finds them"),
            "started_at": FieldText("the moment of the start, as an answer tells it"),
            "ended_at": FieldText("the moment of the end, as an answer tells it"),
            "media": FieldText("the sound itself, where the CRM keeps it; heard by a person before it is sent"),
        },
        "donation": {
            "contact": _WHOSE,
            "booked_on": FieldText("the day of the gift: how long somebody is a donor (RET-20)", "gifts are kept"),
            "name": _NAME,
            "amount": FieldText("the amount"),
            "iban": FieldText("the account that it came from; redacted for others"),
        },
        "enrolment": {
            "contact": _WHOSE,
            "kind": FieldText("which courses a row of the schedule is for; keys of the organisation's own", "every course is alike"),
            "held_on": FieldText("the day of the course, from which a term counts", "courses are kept"),
            "name": _NAME,
            "course": FieldText("the title of the course"),
        },
        "engagement": {
            "contact": _WHOSE,
            "kind": FieldText(
                "volunteer, trainee, employee: which row of the schedule it has; keys of the organisation's own", "every agreement is alike"
            ),
            "ended_on": FieldText("the last day, from which a term counts; a relation until then (RET-20)", "agreements never end"),
            "name": _NAME,
            "started_on": FieldText("the first day"),
        },
        "note": {
            "regarding": _REGARDING,
            "subject": FieldText("the subject; written by a quarantine that tells owners", "such a quarantine is refused"),
            "text": FieldText(
                "the text; written by a quarantine that tells owners", "such a quarantine is refused; texts are not searched"
            ),
            "is_document": FieldText("that there is a file: only then it can be a recording", "no attachment is a recording (RET-05)"),
            "media_type": FieldText(
                "what the file is: sound on a communication is a recording (RET-05)", "no attachment is a recording (RET-05)"
            ),
            "evidence": FieldText("that the file is evidence: kept as long as its case", "evidence would go after six months"),
            "created_on": FieldText("the day of a recording that is an attachment", "such recordings are kept"),
            "file_name": FieldText("the name of the file"),
            "created_at": FieldText("the moment, as an answer tells it"),
            "body": FieldText("the file itself; looked at by a person before it is sent"),
        },
        "call": {
            "regarding": _REGARDING,
            "subject": FieldText("the subject; read by a person before it is sent"),
            "text": FieldText("what was written down; read by a person before it is sent"),
            "number": FieldText("the number: whose it is finds them"),
            "is_outgoing": FieldText("who called whom"),
            "ended_at": FieldText("the moment, as an answer tells it"),
        },
        "email": {
            "regarding": FieldText(
                "the row that it belongs to; attached to nothing, it is a unit of its own (RET-05)", "every message is a unit of its own"
            ),
            "sent_on": FieldText("the day from which the term of such a message counts", "the day of the record counts"),
            "created_on": FieldText("the day of the record, where it was not sent", "such messages are kept"),
            "subject": FieldText("the subject; read by a person before it is sent"),
            "text": FieldText("the text; read by a person before it is sent"),
            "sender": FieldText("the address it came from: whose it is finds them"),
            "recipients": FieldText("the addresses it went to: whose they are finds them"),
            "sent_at": FieldText("the moment, as an answer tells it"),
        },
        "activity_party": {
            "activity": FieldText("the call or message"),
            "party": FieldText("who takes part"),
            "address": FieldText("the address or number used: whose it is finds them"),
            "name": FieldText("the name shown; redacted for others"),
            "participation": FieldText("how somebody took part: sender, addressee, copy, …"),
        },
        "statistic": {
            "name": FieldText("a name without meaning; the product writes it", "rows have none"),
            "year": FieldText("the year of opening"),
            "category": FieldText("the row of the schedule"),
            "province": FieldText("the province", "it is not counted"),
            "age_band": FieldText("the age group of the youngest child", "it is not counted"),
            "sex": FieldText("the sex of that child", "it is not counted"),
            "outcome": FieldText("the outcome", "it is not counted"),
            "channel": FieldText("the channel of the first communication", "it is not counted"),
            "reporter_kind": FieldText("who reported first", "it is not counted"),
            "duration_band": FieldText("how long the case was open, as a band", "it is not counted"),
            "fiches_band": FieldText("how many communications it had, as a band", "it is not counted"),
            "count": FieldText("1, or the number in a row of totals"),
        },
    }
)
