"""FetchXML: read against the schema, put into SQL, and answered."""
