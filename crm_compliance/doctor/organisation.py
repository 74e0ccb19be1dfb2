"""In whose name answers speak."""

from connectors.dynamics.mapping.loader import examine_mapping
from connectors.dynamics.mapping.mapping import REFERENCE
from crm_compliance.configuration.organisation import organisation_of
from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.mapping import mapping_text
from crm_compliance.wiring.schedule import policy_of
from rules.errors import ComplianceError
from rules.organisation.organisation import SAID_BY_POLICY
from rules.policy.loader import SHIPPED


def about_organisation(settings: Settings) -> str:
    """Return in whose name answers speak, with what requesters cannot be informed of because the controller
    has not filled it in (7.1)."""
    found = organisation_of(settings)
    try:
        policy = policy_of(settings)
    except ComplianceError:  # the check of the policy tells what is wrong with it
        return f"answers speak for {found.controller.name}; what is yet to be filled in depends on the schedule"
    organisation = found.under(policy)
    told = [f"answers speak for {organisation.controller.name}, in {', '.join(organisation.languages)}"]
    if unfilled := organisation.unfilled(policy):
        told.append(f"yet to be filled in by the controller: {', '.join(unfilled)}")
    if organisation.digest != found.digest:
        told.append("warning: the schedule says who the controller is; the rest comes from the shipped file: name your own in ORGANISATION")
    elif found.is_shipped and policy.name != SHIPPED:
        told.append(f"warning: the schedule is not that of {organisation.controller.name}: name your own organisation in ORGANISATION")
    elif found.is_shipped and _is_another_crm(settings):
        told.append(f"warning: the CRM is not that of {organisation.controller.name}: name your own organisation in ORGANISATION")
    elif not found.is_shipped and (said := sorted(policy.model_fields_set.intersection(SAID_BY_POLICY))):
        told.append(f"the schedule has {', '.join(said)} as well, which is not read: the organisation file counts")
    return "\n".join(told)


def _is_another_crm(settings: Settings) -> bool:
    """Return whether the mapping has its dossiers in other tables than the shipped one; not where it is
    refused, which is told by itself."""
    if settings.mapping is None:
        return False
    try:
        texts = mapping_text(settings)[0], REFERENCE.read_text(encoding="utf-8")
    except ComplianceError:
        return False
    own, shipped = (examine_mapping(text, "mapping")[0] for text in texts)
    if own is None or shipped is None:
        return False
    return {each.name for each in own.of("dossier")}.isdisjoint(each.name for each in shipped.of("dossier"))
