"""Tables of the store held against the ledger, a noun each (ACC-06)."""
