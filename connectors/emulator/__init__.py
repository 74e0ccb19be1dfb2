"""A Dataverse organisation in one process: real HTTP, invented people, the answers that the Web API gives.

Shares no code with `connectors.dynamics`: each checks the other."""
