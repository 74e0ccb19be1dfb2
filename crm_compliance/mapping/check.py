"""Everything that is wrong with a mapping, at once: the form of the file, what must fit together, and what
does not fit the CRM, also where there are mistakes elsewhere in the file (R-161)."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

from connectors.dynamics.mapping.loader import examine_mapping
from connectors.dynamics.mapping.mapping import Mapping
from connectors.dynamics.mapping.refused_names import RefusedName, refused_names
from connectors.dynamics.mapping.schedule_check import misspelt
from crm_compliance.configuration.organisation import organisation_of
from crm_compliance.configuration.settings import Settings
from crm_compliance.hints import in_words
from crm_compliance.wiring.crm import connector_of
from crm_compliance.wiring.fits_this_crm import NO_PROVINCES, PROVINCES_HINT, lacking_for_notice, lacking_provinces, lacks_statistics
from crm_compliance.wiring.schedule import policy_of
from rules.files.suggestions import asked
from rules.hints import hint_to
from rules.organisation.category_names import category_names, own_names
from rules.policy.policy import Policy

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem or warning: file and line, one of the codes of docs/mapping.md, what is wrong, and what was
    probably meant ("" where nothing is like it)."""

    where: str
    code: str
    message: str
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. Warnings do not prevent anything from running."""

    problems: list[Finding]
    warnings: list[Finding]

    def document(self) -> dict[str, object]:
        told = {"problems": self.problems, "warnings": self.warnings}
        return {"ok": not self.problems} | {name: [asdict(each) for each in found] for name, found in told.items()}


def check_mapping_file(text: str, source: str, settings: Settings, *, offline: bool, on_wait: Tell | None) -> Verdict:
    """Check the text of a mapping; `source` is what places in it are called. Unless `offline`, the CRM of the
    settings is asked, also where the file has mistakes; `on_wait` is told of long waits for it as they begin.
    Raises ConnectorError: the CRM cannot be asked;
    PolicyError: the schedule of the settings is refused."""
    policy = policy_of(settings)
    mapping, wrong = examine_mapping(text, source)
    found = Verdict([Finding(f"{source}:{each.line}", each.code, str(each), each.suggestion) for each in wrong], [])
    if mapping is not None:
        _compare_with_schedule(found, mapping, policy, source)
        if not offline:
            _compare_with_crm(found, mapping, policy, settings, list(refused_names(text, wrong)), on_wait)
    return found


def _compare_with_schedule(found: Verdict, mapping: Mapping, policy: Policy, source: str) -> None:
    note = next(iter(mapping.of("note")), None)
    for name in lacking_for_notice(mapping, policy):
        message = f"the schedule tells owners by a note, and note.{name} has no column: map it, or set quarantine.notice to none"
        found.problems.append(Finding(note.where if note is not None else f"{source}:1", "schedule", message))
    for where in lacking_provinces(mapping, policy):
        found.problems.append(Finding(where, "schedule", f"{NO_PROVINCES.format(country=policy.home.country)}: {PROVINCES_HINT}"))
    for slip in misspelt(mapping, policy):
        found.warnings.append(Finding(slip.where, "schedule", slip.message, slip.meant))


def _compare_with_crm(
    found: Verdict, mapping: Mapping, policy: Policy, settings: Settings, refused: Sequence[RefusedName], on_wait: Tell | None
) -> None:
    """Add what does not fit the CRM, and to the names that were `refused` those that were probably meant."""
    with connector_of(settings, mapping=mapping, warn=on_wait) as connector:
        for at, name, table in refused:
            if like := connector.meant(name, table):
                found.problems[at] = replace(found.problems[at], message=found.problems[at].message + asked(like), suggestion=like)
        said = organisation_of(settings).under(policy)
        categories, own = category_names(policy, said), own_names(said)
        for each in connector.check(in_place=policy.anonymise.is_in_place, decisions=True, categories=categories, own=own):
            message = each.message
            if lacks_statistics(each, mapping) and not each.suggestion:
                message += f" {in_words(hint_to('make_statistics'))}."
            told = Finding(each.where, each.code, message, each.suggestion)
            (found.problems if each.is_error else found.warnings).append(told)
