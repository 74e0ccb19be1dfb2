"""The pages that follow from the models of an organisation file: `docs/organisation.md` and the JSON
schema."""

import json
from collections.abc import Iterator
from typing import Final

from rules.documents.policy_page import sentence, table
from rules.files.json_schema import described_schema
from rules.files.model import Model
from rules.organisation.organisation import Addressee, Authority, Helpline, OrganisationFile, Processor, Purpose
from rules.organisation.words import Words

SCHEMA_ID: Final = "organisation/1"
PARTS: Final[tuple[tuple[str, type[Model]], ...]] = (
    ("controller and dpo", Addressee),
    ("authority", Authority),
    ("helpline", Helpline),
    ("purposes.KEY", Purpose),
    ("a line of processors", Processor),
    ("a text", Words),
)


def organisation_schema() -> str:
    """Return the published JSON schema of an organisation file, as text. It covers the form; the loader also
    checks the languages of each text and the sentences that an organisation may word."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **described_schema(OrganisationFile),
        "title": f"Organisation ({SCHEMA_ID})",
    }
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def organisation_page() -> str:
    """Return the text of `docs/organisation.md`."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield from (_INTRODUCTION, *table(OrganisationFile))
    for title, model in PARTS:
        yield from ("", f"### {title}", "", sentence(model), "", *table(model))
    yield _WORDS


_INTRODUCTION: Final = """\
# The organisation file

This page comes from `rules/organisation/organisation.py`; when it is out of date, a test fails and says how to make it again.

Everything that is said in the name of an organisation stands in one YAML file: who it is and where it is written to, whom a person may
complain to, whom a child may call, what data are kept for and on which ground, who processes them, and what it words itself. The product
comes with one: `organisation show --output FILE` writes it. Change it, let `organisation check FILE` look at it, and set `ORGANISATION`
to its path. A JSON schema for editors lies in `rules/organisation/shipped/schema.json`.

What the law has every answer say (the rights, the complaint, the neutral answer, the grounds of a refusal, the notice to recipients) is the
product's own text and the same for everybody; name and address of this organisation and of its authority are put in.

How long data are kept, and why, in which time zone and country, is said by [the retention schedule](policy.md), what the CRM calls
things by [the mapping](mapping.md).
`doctor` has a check `organisation`: in whose name answers speak, and which purposes have no ground and which processors no name yet.

## What is refused

Every command that reads the file tells every error with its line and its field, and exits with 3:

- a key that is not known, stands twice or is missing; a tab; an empty value; an alias; a value of another kind;
- a text that lacks one of `languages`;
- a sentence of `words` that the product does not have, or that is the law's to word;
- a sentence without a place in braces that the product fills in, or with one that it does not know.

## The file
"""

_WORDS: Final = """
## The words of one's own

`words` holds, by table and key, sentences and names in place of the product's own, which stand in
`crm_compliance/answer_package/texts`: one file a language, the same tables and keys in each. What stands in braces is filled in and has to
be in every language. What is not named is said in the product's plain words, which name no organisation.

| table | what it is |
|---|---|
| `child`, `message_child` | the page that a minor reads first, and the message to a minor |
| `message` | the message that goes with the link: how the file is opened |
| `letter` | salutation, closing and signature; the rest is the product's |
| `kind`, `words`, `searched` | what the files are called: in a list, with a line that explains them, in the plural, and on pages |
| `role`, `data_category`, `source`, `recipient_category`, `place`, `field`, `withheld`, `criterion` | the words of lists in an answer |
| `value` | codes of the CRM in words, such as categories (without a word here: by their label in the schedule); any key may stand here |
| `refusal_more` | what is added to a ground of refusal, such as what the interests were weighed against |

A table that ends in `_on_behalf` has the wording for somebody who asks in a child's name.

```yaml
words:
  kind:
    fiche: {nl: Verslag, fr: Compte rendu, de: Bericht, en: Report}
  child:
    call:
      nl: Bel {phone}, elke werkdag.
      fr: Appelle le {phone}, du lundi au vendredi.
      de: Ruf {phone} an, an jedem Werktag.
      en: Call {phone} on any working day.
```"""
