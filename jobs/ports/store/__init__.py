"""What jobs ask of the state store, a protocol a noun; the desk answers over one database."""
