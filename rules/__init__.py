"""The law: vocabulary, retention schedule and decisions, as pure functions without I/O and a clock."""
