// Rows that checks need; the people are fictitious. Each gives the id of a new row.
import { client } from "./harness.mjs";

const api = client();
let number = 0;

export function unique(prefix) {
  number += 1;
  return `${prefix}-${number}`;
}

export const fiche = (columns = {}) => api.create({ collection: "cf_fiches", data: { cf_name: unique("F"), ...columns } });
export const dossier = (columns = {}) => api.create({ collection: "cf_dossiers", data: { cf_name: unique("D"), ...columns } });
export const contact = (columns = {}) =>
  api.create({ collection: "contacts", data: { firstname: "Voorbeeld", lastname: unique("Peeters (fictief)"), ...columns } });
export const recording = (columns = {}) => api.create({ collection: "cf_recordings", data: { cf_name: unique("R"), ...columns } });
