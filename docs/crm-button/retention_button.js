// A button on a form of Dynamics 365 or Power Apps: opens CRM Compliance at the record that is shown.
// Upload it as a JavaScript web resource; the page crm-button.md says where to put it.
"use strict";

var CrmCompliance = window.CrmCompliance || {};

/**
 * Open the page that says why the record is kept, until when, and what holds it.
 * @param {object} primaryControl The form (parameter "PrimaryControl" of the command).
 * @param {string} address Where the console is, such as https://compliance.example.org
 */
CrmCompliance.open = function (primaryControl, address) {
  const entity = primaryControl.data.entity;
  const query = new URLSearchParams({ typename: entity.getEntityName(), id: entity.getId() });
  Xrm.Navigation.openUrl(`${address.replace(/\/+$/, "")}/open?${query}`);
};

/**
 * Show the button only where there is a record: one that is not saved yet has no id.
 * @param {object} primaryControl The form.
 * @returns {boolean}
 */
CrmCompliance.isSaved = function (primaryControl) {
  return primaryControl.data.entity.getId() !== "";
};

window.CrmCompliance = CrmCompliance;
