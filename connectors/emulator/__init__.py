"""A Dataverse organisation in one process: real HTTP, invented people, the answers that the Web API gives,
and no code of the client."""
