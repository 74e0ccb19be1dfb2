"""Words that are also names: read as a name only where they are written with a capital, and never a proof of
a leak by themselves. Dutch, French, German and English together; without accents and case (`folding.fold`),
but for what begins a sentence (`is_no_name`)."""

import re
from collections.abc import Iterable
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_IN_NAMES_AND_STREETS: Final = _words("de den der van von ter ten t du des la le d l")
# What belongs to a surname without telling families apart (IDN-14).
PARTICLES: Final = _IN_NAMES_AND_STREETS | _words("vande vander vanden el al ben bin bint ibn abu ait ould da dos")
# The same before a word that may be an unknown surname.
GUESSED: Final = PARTICLES | _words("te di zu zum zur")
# The same in a text, with the articles that stand in names of places.
JOINING: Final = GUESSED | _words("s op in het les della af")
# Between the words of a street.
IN_STREETS: Final = _IN_NAMES_AND_STREETS | _words("het les op in zum zur aan au aux en et sur am an im naar")
_WITH_APOSTROPHE: Final = {"d": "d'", "l": "l'", "t": "'?t"}

# What is typed where no name is known.
PLACEHOLDERS: Final = _words(
    """
    onbekend onbekende anoniem anonieme inconnu inconnue anonyme unknown anonymous unbekannt unbekannte anonym nvt na nn xxx xx x
    geen aucun aucune none test nb nc
    """
)
NAMELESS: Final = PLACEHOLDERS - _words("na test")  # in the place of a name; these two are surnames as well

# Accounts and counters that write and call like people: together they name nobody.
OFFICES: Final = PLACEHOLDERS | _words(
    """
    system integration service services support helpdesk info admin administrator administratie administration crm
    dynamics user gebruiker utilisateur benutzer team dienst onthaal intake accueil empfang secretariaat secretariat sekretariat
    contact noreply reply no mailer daemon postmaster webmaster hotline
    """
)

# People and their roles.
_PEOPLE: Final = _words(
    """
    moeder vader mama papa ouder ouders kind kinderen zoon dochter broer zus oma opa tante oom voogd melder getuige verdachte
    persoon derde vriend vriendin buur baas heer vrouw man meisje jongen juf meester dokter mere pere maman parent parents enfant
    enfants fils fille frere soeur oncle tuteur temoin suspect personne ami amie voisin homme femme garcon monsieur madame docteur
    mother father mom dad child son daughter brother sister aunt uncle guardian reporter witness person friend neighbour woman boy
    girl doctor mutter vater eltern sohn tochter bruder schwester onkel vormund zeuge freund nachbar mann frau junge
    """
)

# Work and rank.
_TRADES: Final = _words(
    """
    bakker smid molenaar visser slager jager herder koning keizer prins graaf hertog ridder bisschop paus priester monnik
    pastoor schepen boer timmerman metser kok kuiper wever schoenmaker winter zomer lente herfst roi prince duc comte eveque moine
    boulanger berger boucher charpentier meunier marchand fournier king duke bishop pope abbot baker smith miller cook hunter
    shepherd taylor turner konig kaiser graf herzog bischof abt schmidt muller koch
    """
)

# Things, places, colours, sizes.
_THINGS: Final = _words(
    """
    bos berg beek dal veld hof poort huis kerk kasteel molen brug water meer zee put bron steen zand klei boom roos bloem linde eik
    berk haag tak blad gras hooi koren brood wijn bier zout peper vis haan vos wolf beer leeuw arend duif raaf mus vink uil wit
    zwart rood groen blauw bruin grijs geel klein groot lang kort dik smal jong oud nieuw goed slecht warm koud zoet zuur snel hard
    zacht sterk rijk arm wijs vrij bois mont vallee champ cour porte maison eglise chateau moulin pont eau lac mer puits source
    pierre sable arbre rose fleur tilleul chene haie branche pain vin sel poivre poisson coq renard loup ours lion aigle pigeon
    blanc noir rouge vert bleu brun gris petit grand long court gros jeune vieux nouveau bon mauvais doux fort riche sage libre wood
    hill field gate house church castle mill bridge lake sea stone sand tree flower bread wine salt pepper fish cock fox bear eagle
    dove white black red green blue brown grey gray small little big short young old new good bad strong rich wise free wald tal
    feld tor haus kirche schloss muhle brucke wasser see stein baum blume brot wein salz fisch hahn fuchs bar lowe adler weiss
    schwarz rot grun blau braun grau gross kurz jung alt neu gut stark reich frei
    """
)

# Times, days, months.
_TIMES: Final = _words(
    """
    dag nacht morgen avond middag vandaag gisteren week maand jaar uur maandag dinsdag woensdag donderdag vrijdag zaterdag zondag
    januari februari maart april mei juni juli augustus september oktober november december jour nuit matin soir midi lundi mardi
    mercredi jeudi vendredi samedi dimanche janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre
    noel day night morning evening noon monday tuesday wednesday thursday friday saturday sunday january february march may june
    july august october tag abend montag dienstag mittwoch donnerstag freitag samstag sonntag januar marz dezember
    """
)

# First names that are words too.
_FIRST_NAMES: Final = _words(
    """
    els an ann bo fee iris roos lies mia wil will mark max claire aimee desire constant
    modeste prudence constance honore clement juste blanche bella dolores hope faith grace joy may april june rose daisy
    violet ivy ruby amber pearl summer dawn art bill drew frank gene grant jay miles norm pat ray rich rod sandy skip sue
    ward west page lance earl noble christian ernst ehrlich sommer lieve lief goede trouw vrede ster mee toe
    """
)

# Words of a letter about rights.
_LETTERS: Final = _words(
    """
    klacht verzoek antwoord recht rechten inzage gegevens dossier fiche bijlage datum plaats naam adres politie school plainte
    demande reponse droit droits acces donnees annexe date lieu nom adresse police ecole complaint request answer right rights
    access data annex file place name address letter beschwerde antrag antwort auskunft daten anlage ort polizei schule brief dienst
    zone
    """
)

# Words of everyday sentences, where a typing error or a short name would meet them.
_SENTENCES: Final = _words(
    """
    een het dat die dit der den des met van voor naar over door uit ook nog niet maar want als dan wel geen heeft had was werd waren
    zijn haar hem hun ons onze mijn jouw deze daar hier waar wie wat hoe alle alles iets niets veel meer minder zeer heel erg les
    une dans pour avec sans sur sous chez par pas plus moins tout tous toute rien son sa ses leur mon ma mes ton ta tes notre votre
    cette ces elle ils elles nous vous mais donc car comme quand the and not but for with from into under out all any some his her
    their our your this that these those here there who what how when ist war und nicht aber mit von aus bei nach uber unter sehr
    mehr ihr sein mein dein unser euer dieser diese dieses dort wer wann meters waters dieren moeders vaders kinderen ouders
    vriendin leraar boven binnen buiten samen tussen tijdens wonder wonders
    """
)

# With a capital because a sentence begins, or a word of the trade: neither a name nor the beginning of a
# street.
_NO_NAMES: Final = _words(
    """
    ik hij zij ze we wij jij je u het de een dit dat deze die er en maar want dus toen nu ook niet wel was is heeft had zegt zei
    belt belde vraagt meldt vertelt verklaart wil kan kon zal zou moet mag op in aan bij met van voor naar om te na over door uit
    als wanneer omdat volgens geen il elle on nous vous ils elles le la les un une ce cette ces mais donc et ou puis alors est a
    demande déclare signale raconte selon au aux dans par pour avec sans i he she it you they the an this that these those and but
    so then has says said asks at from with by for to if when because ich sie es wir ihr der das ein eine dieser und aber dann ist
    war hat hatte sagt sagte fragt nach mit von bei zu im am um wenn weil laut child politie police polizei parket parquet
    ocmw cpas caw clb belgië belgique belgien onbekend anoniem inconnu anonyme unknown anonymous unbekannt gsm tel
    """
)

ORDINARY: Final = OFFICES | _PEOPLE | _TRADES | _THINGS | _TIMES | _FIRST_NAMES | _LETTERS | _SENTENCES


def is_no_name(word: str) -> bool:
    """Return whether a word with a capital only begins a sentence. Its accents count, for `Zé` is a name and
    `Ze` is none."""
    return word.casefold() in _NO_NAMES


def as_written(words: Iterable[str]) -> str:
    """Return the alternatives of a pattern that matches any of these particles in a tidy text, the longest
    first."""
    return "|".join(_WITH_APOSTROPHE.get(word, re.escape(word)) for word in sorted(words, key=lambda word: (-len(word), word)))
