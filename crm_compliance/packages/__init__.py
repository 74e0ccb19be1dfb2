"""What a person receives: the letter, the page, the data and the archive that holds them."""
