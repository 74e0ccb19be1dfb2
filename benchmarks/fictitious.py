"""Names and numbers of people who do not exist, for benchmarks/matching.py."""

from datetime import date
from random import Random

_FIRST = """
Lotte Emma Noor Julie Fien Anke Marieke Hanne Griet Silke Leen Katrien Amber Elke Tine Roos Jolien Veerle Ilse Hilde Bram Wout Jef
Stijn Pieter Ruben Joris Senne Koen Jonas Dries Thijs Maarten Sander Wannes Filip Geert Luc Bart Kobe Seppe Arne Chloé Léa Manon
Camille Élise Zoé Inès Noémie Aurélie Céline Margaux Anaïs Clémence Hélène Sylvie Nathalie Valérie Amélie Juliette Hugo Théo Lucas
Maxime Antoine Loïc Benoît Étienne François Jérôme Rémi Quentin Olivier Mathieu Damien Cédric Adrien Bastien Fatima Yasmina Ayşe
Zofia Elif Samira Nadia Oksana Mariam Linh Ioana Youssef Mohamed Emre Piotr Abdelkader Karim Andrei Bilal Oleksandr Minh Ilyas
Jean-Pierre Anne-Marie
"""
# Beginnings and ends of which last names are made; most that come out are nobody's, which is meant.
_BEGINNINGS = """
Aer Baet Bal Beeck Bert Bogaer Bol Bos Brae Broeck Bruyn Bur Cae Claes Cool Cop Cor Dael Daem Delv Deman Dhaen Dier Ducr Eeck Eyck
Fier Geer Gijs Goos Gryp Haeg Hamm Heyl Hof Huys Jans Kerck Kest Lamm Lef Leen Lem Loos Maer Mart Meul Mich Moer Naes Nieuw Oost
Pauw Peet Pien Poel Quin Raes Roel Ryck Scheel Schoen Seg Smed Snoe Steen Swin Thys Tielm Uyt Vaes Verbr Verh Verm Verstr Vinck
Vlaem Wael Wauter Will Wouter Wyn Zeg Khatt Bouz Benam Ouch Yıl Özd Kowal Nowa Pope Shev Nguy Groß Dubr Lecl Fonten Charl Gill
Servai Hubr Thir
"""
_ENDS = """
aers ael aert age ain ard as aux beke berg boom bosch brouck camp dael dijck donck eel eghem ens er erman ers et eux geer haeg hout
huys ick iers ijn ing issen ker laer man mans meersch mont o oir ou rode s sen sens skens son stra t ters tens torre um vliet voort
winckel y ziel zoon abi adi ali ane aoui az i ic iev in ko oglu ov ova ska ski uk
"""
FIRST_NAMES = tuple(_FIRST.split())
_MADE_OF = tuple(_BEGINNINGS.split()), tuple(_ENDS.split())
_PARTICLES = ("",) * 14 + ("Van ", "Van den ", "De ", "Van de ", "D'", "Du ", "El ", "Ben ", "Van der ", "De la ", "Ait ")

# One way to write a sound for another (IDN-16).
SPELLINGS = (("ijc", "yc"), ("ae", "aa"), ("ck", "k"), ("Kh", "Gh"), ("ou", "u"), ("Mohamed", "Muhammad"), ("Youssef", "Yusuf"))


def surnames(draw: Random, count: int) -> list[str]:
    """Last names of which some are much more common than others."""
    names = sorted({draw.choice(_PARTICLES) + draw.choice(_MADE_OF[0]) + draw.choice(_MADE_OF[1]) for _ in range(count)})
    draw.shuffle(names)
    double = [f"{one}-{two}" for one, two in zip(names[: len(names) // 50], names[len(names) // 2 :], strict=False)]
    return names + double + names[: len(names) // 10] * 8


def check_digits(born: date, serial: int, bis: int) -> str:
    """A number that is valid and practically never issued; with `bis` one of somebody who is not in the
    National Register."""
    nine = f"{born.year % 100:02}{born.month + bis:02}{born.day:02}{serial}"
    return f"{nine}{97 - int(('2' if born.year >= 2000 else '') + nine) % 97:02}"
