"""The keys of an installation, what they sign and seal, and what bears witness to the ledger outside the
database."""
