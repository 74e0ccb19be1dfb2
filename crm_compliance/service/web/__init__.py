"""What the service answers over HTTP: downloads of released packages, and whether it is well."""
