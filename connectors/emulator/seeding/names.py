"""First names, surnames and towns to combine; every combination is fictitious and says so."""

from typing import Literal

FICTITIOUS = "(fictief)"
Gender = Literal["m", "f"]

FIRST_NAMES: dict[str, dict[Gender, tuple[str, ...]]] = {
    "nl": {
        "f": (
            *("Lotte", "Emma", "Noor", "Julie", "Fien", "Anke", "Marieke", "Hanne", "Griet", "Silke", "Leen", "Katrien", "Amber", "Elke"),
            *("Tine", "Roos", "Jolien", "Lieselot", "Veerle", "An", "Ilse", "Hilde", "Saartje", "Febe"),
        ),
        "m": (
            *("Bram", "Wout", "Jef", "Lowie", "Stijn", "Pieter", "Ruben", "Joris", "Senne", "Koen", "Jonas", "Dries", "Thijs", "Maarten"),
            *("Sander", "Wannes", "Filip", "Geert", "Luc", "Bart", "Kobe", "Seppe", "Tuur", "Arne"),
        ),
    },
    "fr": {
        "f": (
            *("Chloé", "Léa", "Manon", "Camille", "Élise", "Zoé", "Inès", "Noémie", "Aurélie", "Céline", "Margaux", "Anaïs", "Clémence"),
            *("Hélène", "Sylvie", "Nathalie", "Valérie", "Amélie", "Juliette", "Maëlle"),
        ),
        "m": (
            *("Hugo", "Théo", "Lucas", "Maxime", "Antoine", "Noé", "Loïc", "Benoît", "Étienne", "François", "Jérôme", "Rémi", "Gaëtan"),
            *("Quentin", "Olivier", "Mathieu", "Damien", "Cédric", "Adrien", "Bastien"),
        ),
    },
    "other": {
        "f": ("Fatima", "Yasmina", "Ayşe", "Zofia", "Elif", "Samira", "Nadia", "Oksana", "Mariam", "Chipo", "Linh", "Ioana"),
        "m": ("Youssef", "Mohamed", "Emre", "Piotr", "Abdelkader", "Karim", "Andrei", "Bilal", "Oleksandr", "Tendai", "Minh", "Ilyas"),
    },
}

SURNAMES: dict[str, tuple[str, ...]] = {
    "nl": (
        *("Peeters", "Maes", "Janssens", "Mertens", "Willems", "Claes", "Goossens", "Wouters", "De Smet", "Van den Broeck", "Vandenbroeck"),
        *("D'Hondt", "De Cock", "Verstraete", "Van Dijck", "Van Dyck", "Desmedt", "Hermans", "Pauwels", "Aerts", "Michiels", "Vermeulen"),
        *("Segers", "Coppens", "Lemmens", "De Backer", "Van de Velde", "Thys", "Cools", "Bogaert", "Ver Elst", "Ten Haaf"),
    ),
    "fr": (
        *("Dubois", "Lambert", "Dupont", "Leclercq", "Leclerc", "Simon", "Laurent", "Lejeune", "Renard", "Delvaux", "Gérard", "Noël"),
        *("Bertrand", "Collard", "Marchal", "Denis", "Fontaine", "Servais", "Henrard", "Piron", "Du Bois", "De la Haye", "Rousseau"),
        *("Charlier", "Lecomte", "Mathieu-Roland", "Thiry", "Bodart", "Hubert", "Gillet"),
    ),
    "other": (
        *("El Khattabi", "Elkhattabi", "Ben Amar", "Yıldız", "Kowalski", "Kowalska", "Aït Haddou", "Öztürk", "Nowak", "Popescu"),
        *("Shevchenko", "Nguyen", "Moyo", "Abu Saleh", "da Silva", "Şahin", "Groß", "Bouazza"),
    ),
}

TOWNS: dict[str, tuple[tuple[str, str], ...]] = {
    "nl": (
        *(("Antwerpen", "2000"), ("Mechelen", "2800"), ("Turnhout", "2300"), ("Gent", "9000"), ("Aalst", "9300"), ("Sint-Niklaas", "9100")),
        *(("Brugge", "8000"), ("Kortrijk", "8500"), ("Oostende", "8400"), ("Roeselare", "8800"), ("Leuven", "3000"), ("Halle", "1500")),
        *(("Vilvoorde", "1800"), ("Tienen", "3300"), ("Hasselt", "3500"), ("Genk", "3600"), ("Tongeren", "3700"), ("Lier", "2500")),
        *(("Dendermonde", "9200"), ("Geel", "2440"), ("Ieper", "8900"), ("Diest", "3290"), ("Eeklo", "9900"), ("Maaseik", "3680")),
    ),
    "fr": (
        *(("Bruxelles", "1000"), ("Schaerbeek", "1030"), ("Ixelles", "1050"), ("Namur", "5000"), ("Dinant", "5500"), ("Liège", "4000")),
        *(("Verviers", "4800"), ("Huy", "4500"), ("Charleroi", "6000"), ("Mons", "7000"), ("Tournai", "7500"), ("La Louvière", "7100")),
        *(("Wavre", "1300"), ("Nivelles", "1400"), ("Arlon", "6700"), ("Bastogne", "6600"), ("Marche-en-Famenne", "6900"), ("Ath", "7800")),
        *(("Mouscron", "7700"), ("Gembloux", "5030"), ("Seraing", "4100"), ("Ciney", "5590"), ("Spa", "4900"), ("Eupen", "4700")),
    ),
}
STREETS: dict[str, tuple[str, ...]] = {
    "nl": ("Verzonnenstraat", "Voorbeeldlaan", "Fictiefplein", "Proefweg", "Denkbeeldige Dreef"),
    "fr": ("Rue de l'Exemple", "Avenue Imaginaire", "Place Fictive", "Chemin de l'Essai", "Rue Inventée"),
}
ORGANISATIONS = ("Huis Voorbeeld", "Maison Exemple", "Proefschool", "École Imaginaire", "Centrum Fictie", "Service Inventé")
