"""The protocols of a connector over the Web API, a noun each."""
