"""Files that people write: YAML with its lines, models that refuse what they do not know, what was meant."""
