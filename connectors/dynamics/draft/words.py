"""By which names organisations call kinds of rows, fields and option values, in Dutch, French, English and
German; and the columns that every CRM has. Folded: small letters and digits alone."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from rules.model.personal_records import FULL
from rules.texts.folding import fold

# The standard tables, and their columns by our fields.
STANDARD_TABLES: Final = MappingProxyType(
    {"contact": "contact", "note": "annotation", "call": "phonecall", "email": "email", "activity_party": "activityparty"}
)
STANDARD_COLUMNS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "contact": {
            "birth_on": "birthdate", "parent": "parentcustomerid", "gender": "gendercode", "postcode": "address1_postalcode",
            "country": "address1_country", "image": "entityimage", "description": "description", "first_name": "firstname",
            "last_name": "lastname", "email": "emailaddress1", "email_2": "emailaddress2", "phone": "telephone1", "mobile": "mobilephone",
            "street": "address1_line1", "city": "address1_city", "no_bulk_email": "donotbulkemail", "picture": "entityimage",
        },
        "note": {
            "regarding": "objectid", "subject": "subject", "text": "notetext", "is_document": "isdocument", "media_type": "mimetype",
            "created_on": "createdon", "file_name": "filename", "created_at": "createdon", "body": "documentbody",
        },
        "call": {
            "regarding": "regardingobjectid", "subject": "subject", "text": "description", "number": "phonenumber",
            "is_outgoing": "directioncode", "ended_at": "actualend",
        },
        "email": {
            "regarding": "regardingobjectid", "sent_on": "senton", "created_on": "createdon", "subject": "subject", "text": "description",
            "sender": "sender", "recipients": "torecipients", "sent_at": "senton",
        },
        "activity_party": {
            "activity": "activityid", "party": "partyid", "address": "addressused", "name": "partyidname",
            "participation": "participationtypemask",
        },
        "dossier": {"is_active": "statecode"},
        "fiche": {"created_on": "createdon"},
    }
)  # fmt: skip

# What fills a field where the organisation has no column of its own for it: an activity, or a case of the
# platform, is a kind that others keep in a table of their own.
ACTIVITY_COLUMNS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "dossier": {"number": "title", "summary": "description"},
        "fiche": {
            "dossier": "regardingobjectid", "communicated_on": "actualend", "number": "subject", "caller_number": "phonenumber",
            "summary": "description",
        },
    }
)  # fmt: skip

PLATFORM_CATEGORIES: Final = frozenset({"casetypecode", "caseorigincode"})  # whose options an organisation makes its own

KINDS_BY_WORD: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        kind: tuple(words.split())
        for kind, words in {
            "dossier": "dossier zaak casus case affaire suivi fall fallakte akte klientenakt incident",
            "fiche": "fiche melding communicatie communication signalement meldung report contactmoment intake "
            "gesprek entretien oproep appel anruf beratung",
            "party": "party partij betrokkene partie participant beteiligter beteiligte beteiligung rol role intervenant",
            "recording": "recording opname enregistrement aufnahme aufzeichnung gesprek",
            "donation": "donation gift schenking don spende donatie",
            "enrolment": "enrolment enrollment inschrijving inscription anmeldung cursist deelname",
            "engagement": "engagement overeenkomst vrijwilligersovereenkomst convention vereinbarung agreement",
            "statistic": "statistic statistics statistiek cijfer statistique statistik",
        }.items()
    }
)

_FIELDS: Final = {
    "dossier": {
        "categories": "category onderwerp soort categorie categorieen thema problematiek problematique sujet kategorie subject",
        "outcome": "afloop resultaat resultat ergebnis uitkomst issue result",
        "opened_on": "opened start geopend geopendop startdatum begindatum openingsdatum opendate dateopened "
        "ouvertle dateouverture ouverture datedebut eroffnet eroffnetam angelegtam beginn fallbeginn startdate",
        "closed_on": "closed stop stopdatum gesloten geslotenop einddatum afsluitdatum afgesloten cloture datecloture cloturele "
        "datefin geschlossen geschlossenam abgeschlossen abgeschlossenam erledigtam ende fallende enddate closedate dateclosed",
        "reopened_on": "reopened heropend heropendop rouvert reouverture wiedereroffnet",
        "proceedings_ended_on": "proceedingsended eindeproces eindeprocedure finprocedure verfahrensende",
        "reviewed_on": "reviewed nagekeken herzien revu gepruft",
        "public_alert": "oproep opsporingsbericht appelpublic avisderecherche affiche",
        "legal_hold": "bevroren geblokkeerd bewaarplicht blocage gesperrt sperre rechtlichesperre loschsperre onhold gel gele "
        "nietvernietigen nietverwijderen nepasdetruire nepassupprimer nichtvernichten nichtloschen donotdelete donotdestroy legalhold",
        "anonymised_on": "anonymized anonymizedon geanonimiseerd geanonimiseerdop anonymise anonymisiert",
        "number": "nummer numero dossiernummer zaaknummer fallnummer aktennummer",
        "court_reference": "notitienummer parketnummer referenceparquet aktenzeichen",
        "legal_hold_reason": "redenbevroren redenblokkering motifblocage sperrgrund",
        "summary": "verslag samenvatting verhaal omschrijving resume beschreibung rapport",
        "outcome_on": "datumafloop afloopop dateresultat",
    },
    "fiche": {
        "categories": "category onderwerp soort categorie categorieen thema problematiek problematique sujet kategorie subject",
        "communicated_on": "moment wanneer quand gemeldop melddatum meldingsdatum "
        "datecommunication gemeldetam contactdatum tijdstip datum date",
        "transmitted_on": "doorgegeven doorgegevenop transmisle ubermitteltam",
        "channel": "kanaal canal kanal wijze moyen",
        "reporter_kind": "melder soortmelder typemelder declarant melderart",
        "anonymised_on": "anonymized anonymizedon geanonimiseerd geanonimiseerdop anonymise anonymisiert",
        "number": "nummer numero titel titre title fichenummer",
        "language": "taal langue sprache",
        "caller_number": "nummerbeller bellernummer telefoonbeller numeroappelant anrufernummer ruckrufnummer rufnummer telefonnummer",
        "caller_email": "emailbeller emailmelder emailappelant",
        "ip_address": "ipadres adresseip ipadresse",
        "summary": "tekst verslag samenvatting verhaal omschrijving resume texte contenu beschreibung inhoud",
        "transmitted_to": "ontvanger recipient destinataire empfanger doorgegevenaan transmisa ubermitteltan",
        "transmitted_country": "ontvangerland recipientcountry paysdestinataire empfangerland doorgegevenland paystransmission",
        "transfer_basis": "grondslagdoorgifte basetransfert",
    },
    "party": {
        "role": "rol rolle hoedanigheid qualite",
        "name": "naam nom",
        "authority_evidence": "bewijsgezag preuveautorite",
        "authority_valid_until": "gezagtot autoritejusque",
        "suspect_until": "verdachttot suspectjusque",
        "notes": "notities nota opmerkingen remarques bemerkungen",
    },
    "contact": {
        "birth_year": "geboortejaar anneenaissance geburtsjahr",
        "birth_month": "geboortemaand moisnaissance geburtsmonat",
        "stated_age": "leeftijd age alter",
        "stated_on": "statedageon leeftijdop ageau alteram",
        "national_number": "rrn rijksregister rijksregisternummer numeronational registrenational niss insz nrn",
        "newsletter": "nieuwsbrief infolettre rundbrief",
        "birth_place": "geboorteplaats lieunaissance lieudenaissance geburtsort",
        "anonymised_on": "anonymized anonymizedon geanonimiseerd geanonimiseerdop anonymise anonymisiert",
        "language": "taal langue sprache",
        "deceased_on": "overleden overledenop deces decedele verstorbenam",
        "no_contact": "geencontact pasdecontact keinkontakt",
        "newsletter_consent_on": "toestemmingnieuwsbrief consentementinfolettre",
    },
    "recording": {
        "channel": "kanaal canal kanal",
        "started_on": "started begin start debut beginn aanvang",
        "ended_on": "ended einde end fin ende",
        "taken_over": "overgenomen repris ubernommen",
        "evidence": "bewijsstuk bewijs preuve beweis",
        "storage_uri": "plaats uri url pad path locatie emplacement speicherort opslagplaats",
        "name": "naam nom",
        "transcript": "transcriptie transcription",
        "caller_number": "nummerbeller bellernummer numeroappelant",
        "media": "geluid audio son bestand fichier",
    },
    "note": {"evidence": "bewijsstuk bewijs preuve beweis"},
    "donation": {
        "contact": "schenker donateur donor spender",
        "booked_on": "booked geboekt geboektop boekdatum datedon datum date",
        "name": "naam nom",
        "amount": "bedrag montant betrag",
        "iban": "rekening compte konto",
    },
    "enrolment": {
        "contact": "cursist deelnemer participant",
        "kind": "soort type art",
        "held_on": "held datum date gegevenop",
        "name": "naam nom",
        "course": "cursus opleiding vorming formation kurs",
    },
    "engagement": {
        "contact": "persoon personne person",
        "kind": "soort type art",
        "ended_on": "ended einde eindeop einddatum fin ende",
        "started_on": "started begin begindatum debut beginn",
        "name": "naam nom",
    },
    "statistic": {
        "name": "naam nom",
        "year": "jaar annee jahr",
        "category": "categorykey categorie soort kategorie",
        "province": "provincie gewest provinz",
        "age_band": "leeftijd leeftijdsgroep tranchedage altersgruppe",
        "sex": "geslacht sexe geschlecht",
        "outcome": "outcomekey afloop resultaat resultat",
        "channel": "kanaal canal kanal",
        "reporter_kind": "melder soortmelder declarant",
        "duration_band": "duur duree dauer",
        "fiches_band": "meldingen fiches communications",
        "count": "aantal nombre anzahl number",
    },
}  # fmt: skip

FIELD_WORDS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = MappingProxyType(
    {
        kind: {
            name: (name.replace("_", ""), *_FIELDS.get(kind, {}).get(name, "").split())
            for name in record.__struct_fields__
            if name not in ("id", "etag")
        }
        for kind, record in FULL.items()
    }
)

Words = Mapping[str, Mapping[str, tuple[str, ...]]]  # what the values of a field are called, by field and key

# What option values are called, by the key that they stand for. Categories are those of the schedule, in the
# words of the organisation.
OPTION_WORDS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = MappingProxyType(
    {
        name: {key: tuple(fold(word) for word in words.split("|")) for key, words in keys.items()}
        for name, keys in {
            "outcome": {
                "not_located": "Niet gelokaliseerd|Niet terecht|Non localisé|Not located",
                "located": "Gelokaliseerd|Terecht|Localisé|Located|Aufgefunden",
                "returned": "Teruggekeerd|Revenu|Returned|Zurückgekehrt",
                "not_returned": "Niet teruggekeerd|Non revenu|Not returned|Nicht zurückgekehrt",
                "found_deceased": "Overleden teruggevonden|Overleden|Retrouvé décédé|Found deceased",
            },
            "channel": {
                "phone": "Telefoon|Téléphone|Telephone|Phone|Telefon", "chat": "Chat", "email": "E-mail|Mail|Courriel",
                "letter": "Brief|Lettre|Letter", "fax": "Fax", "visit": "Bezoek|Balie|Visite|Guichet|Visit|Besuch",
                "form": "Webformulier|Formulier|Formulaire|Web form|Form|Formular", "other": "Andere|Autre|Other",
            },
            "reporter_kind": {
                "child": "Kind|Enfant|Child", "parent": "Ouder|Parent|Elternteil",
                "professional": "Hulpverlener|Professional|Professionnel|Fachkraft", "other": "Andere|Autre|Other",
            },
            "role": {
                "child": "Kind|Enfant|Child|Minderjarige|Mineur|Mineure|Minderjähriger|Minor",
                "parent": "Ouder|Parent|Elternteil|Moeder|Vader|Mère|Père|Mother|Father|Mutter|Vater",
                "guardian": "Voogd|Tuteur|Guardian|Vormund",
                "reporter": "Melder|Signalant|Reporter", "witness": "Getuige|Témoin|Witness|Zeuge",
                "suspect": "Verdachte|Suspect|Dader|Auteur|Perpetrator|Verdächtiger|Täter|"
                "Vermoedelijke dader|Auteur présumé|Mutmaßlicher Täter",
                "professional": "Hulpverlener|Professionnel|Professional|Fachkraft", "other": "Andere|Autre|Other|Sonstige",
            },
            "language": {
                "nl": "Nederlands|Néerlandais|Dutch|Niederländisch", "fr": "Frans|Français|French|Französisch",
                "de": "Duits|Allemand|German|Deutsch", "en": "Engels|Anglais|English|Englisch", "other": "Andere|Autre|Other",
            },
            "gender": {
                "m": "Man|Mannelijk|Homme|Masculin|Male|Mann|Männlich", "f": "Vrouw|Vrouwelijk|Femme|Féminin|Female|Frau|Weiblich",
                "x": "X|Divers",
            },
            "kind": {
                "volunteer": "Vrijwilliger|Bénévole|Volunteer", "trainee": "Stagiair|Stagiaire|Trainee",
                "employee": "Medewerker|Collaborateur|Employee",
            },
            "truth": {"yes": "Ja|Oui|Yes", "no": "Neen|Nee|Non|No|Nein"},
        }.items()
    }
)  # fmt: skip

# What columns of yes and no are called that say whether a case is open, where its state does not.
STATE_WORDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        key: tuple(words.split())
        for key, words in {
            "inactive": "inactief inactif inaktiv afgerond clos afgesloten gesloten beeindigd cloture termine ferme closed finished "
            "abgeschlossen beendet",
            "active": "open lopend actief ouvert actif encours active offen laufend aktiv",
        }.items()
    }
)


def words_of(categories: Mapping[str, Collection[str]]) -> Words:
    """Return what the values of fields are called. A category is one of the schedule: another would lead to
    no row of it."""
    return {**OPTION_WORDS, "categories": {key: tuple(fold(word) for word in (key, *words)) for key, words in categories.items()}}
