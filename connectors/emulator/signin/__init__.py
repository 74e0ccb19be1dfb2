"""Who is let in: the authority that issues tokens, and the tokens that are good here."""
