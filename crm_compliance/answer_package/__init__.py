"""An answer as files: letter, page, data, table, in one archive that is looked through before it goes."""
