"""What every part of a schedule or a mapping is made of: a frozen model that refuses unknown keys. The
sentence below a field is its description in the published JSON schema, and of a schedule in
`docs/policy.md`."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints


class Model(BaseModel):
    """A part of a file that people edit: unknown keys are refused, and nothing changes once it is read."""

    # What validates a part alone is only made once somebody validates one: the whole has its own.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


EMAIL = r"^([^@\s]+@[^@\s]+\.[^@\s]+)?$"
AN_EMAIL = "an e-mail address has a name, @ and a domain, such as privacy@example.org"
Email = Annotated[str, StringConstraints(pattern=EMAIL)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]  # 60: the length of cf_categorykey
