"""An answer as files: letter, page, data, table, in one archive that is searched before it is sent."""
