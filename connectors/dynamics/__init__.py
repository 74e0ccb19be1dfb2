"""Microsoft Dynamics CRM (Dataverse) over its Web API."""
