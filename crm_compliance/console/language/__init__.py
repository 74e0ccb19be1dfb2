"""The console in a person's language: words from catalogs, codes in words, dates and numbers."""
