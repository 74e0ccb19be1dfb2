"""The law: vocabulary, retention schedule and decisions. Pure functions: no I/O, no clock."""
