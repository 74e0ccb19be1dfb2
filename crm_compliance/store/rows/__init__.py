"""One module a noun of the store: what is written of it, and what is read, each in one transaction."""
