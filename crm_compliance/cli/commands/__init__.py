"""The commands, one file a group, but for those about subject requests."""
