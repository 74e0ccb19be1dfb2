// create, update, upsert, updateSingleProperty, deleteRecord
import { check, client, holds, refused, same } from "./harness.mjs";
import { contact, dossier, fiche, recording, unique } from "./rows.mjs";

const api = client();
const loud = client({ propagateErrors: true });
const NOWHERE = "00000000-0000-4000-8000-00000000dead";
const fresh = () => crypto.randomUUID();
const name = async (key) => (await api.retrieve({ collection: "cf_fiches", key, select: ["cf_name"] })).cf_name;

check("a create gives the id, or the row for who prefers that", async () => {
  const id = await api.create({ collection: "cf_fiches", data: { cf_name: "F" } });
  holds(/^[0-9a-f-]{36}$/.test(id), id);
  const row = await api.create({ collection: "cf_fiches", data: { cf_name: "F" }, returnRepresentation: true, select: ["cf_name"] });
  same([row.cf_name, row.cf_summary], ["F", undefined]);
  holds(row.cf_ficheid && row["@odata.etag"]);
});

check("texts beyond ASCII arrive as they were sent", async () => {
  const text = "Françoise — “één” 子 🙂";
  const key = await fiche({ cf_summary: text });
  same((await api.retrieve({ collection: "cf_fiches", key, select: ["cf_summary"] })).cf_summary, text);
});

check("a lookup is bound by id, by whole address and by alternate key", async () => {
  const parent = await dossier();
  const number = unique("11.11.11-111");
  const person = await contact({ cf_nationalnumber: number });
  const values = [`cf_dossiers(${parent})`, `/cf_dossiers({${parent.toUpperCase()}})`];
  for (const value of values) {
    const key = await fiche({ "cf_DossierId@odata.bind": value });
    same((await api.retrieve({ collection: "cf_fiches", key, select: ["_cf_dossierid_value"] }))._cf_dossierid_value, parent);
  }
  const data = { cf_name: "P", "cf_ContactId@odata.bind": `contacts(cf_nationalnumber='${number}')` };
  const party = await api.create({ collection: "cf_parties", data });
  same((await api.retrieve({ collection: "cf_parties", key: party, select: ["_cf_contactid_value"] }))._cf_contactid_value, person);
});

check("rows are created with the rows they belong to and the rows that belong to them", async () => {
  const data = {
    cf_name: unique("D"),
    cf_dossier_fiches: [{ cf_name: "F-1" }, { cf_name: "F-2", cf_fiche_recordings: [{ cf_name: "R" }] }],
    cf_dossier_parties: [{ cf_name: "P", cf_ContactId: { firstname: "Voorbeeld", lastname: "Maes (fictief)" } }],
  };
  const key = await api.create({ collection: "cf_dossiers", data });
  const expand = [
    { property: "cf_dossier_fiches", select: ["cf_name"] },
    { property: "cf_dossier_parties", select: ["_cf_contactid_value"] },
  ];
  const row = await api.retrieve({ collection: "cf_dossiers", key, select: ["cf_name"], expand });
  same(row.cf_dossier_fiches.map((each) => each.cf_name).sort(), ["F-1", "F-2"]);
  const made = row.cf_dossier_parties[0]._cf_contactid_value;
  same((await api.retrieve({ collection: "contacts", key: made, select: ["lastname"] })).lastname, "Maes (fictief)");
});

check("an id that is taken is refused", async () => {
  const key = await fiche();
  const refusal = await refused(fiche({ cf_ficheid: key }));
  same([refusal.status, refusal.code], [412, "0x80040237"]);
});

check("an update answers true, or with the row", async () => {
  const key = await fiche();
  same(await api.update({ collection: "cf_fiches", key, data: { cf_name: "anders" } }), true);
  const data = { cf_name: "weer anders" };
  const row = await api.update({ collection: "cf_fiches", key, data, returnRepresentation: true, select: ["cf_name"] });
  same([row.cf_name, await name(key)], ["weer anders", "weer anders"]);
});

check("an update of a row that is gone does not create it again", async () => {
  const refusal = await refused(api.update({ collection: "cf_fiches", key: NOWHERE, data: { cf_name: "x" } }));
  same([refusal.status, refusal.code], [404, "0x80040217"]);
});

check("a write with the version of a row that has changed since is refused", async () => {
  const key = await fiche();
  const old = (await api.retrieve({ collection: "cf_fiches", key, select: ["cf_name"] }))["@odata.etag"];
  same(await api.update({ collection: "cf_fiches", key, ifmatch: old, data: { cf_name: "eerst" } }), true);
  same(await api.update({ collection: "cf_fiches", key, ifmatch: old, data: { cf_name: "te laat" } }), false);
  const refusal = await refused(loud.update({ collection: "cf_fiches", key, ifmatch: old, data: { cf_name: "te laat" } }));
  same([refusal.status, refusal.code], [412, "0x80060882"]);
  same(await api.deleteRecord({ collection: "cf_fiches", key, ifmatch: old }), false);
  same(await name(key), "eerst");
  const now = (await api.retrieve({ collection: "cf_fiches", key, select: ["cf_name"] }))["@odata.etag"];
  same(await api.deleteRecord({ collection: "cf_fiches", key, ifmatch: now }), true);
});

check("an upsert creates, updates, and does only one of the two when told so", async () => {
  const key = fresh();
  same(await api.upsert({ collection: "cf_fiches", key, data: { cf_name: "een" } }), key);
  await api.upsert({ collection: "cf_fiches", key, data: { cf_name: "twee" } });
  same(await name(key), "twee");
  same(await api.upsert({ collection: "cf_fiches", key, ifnonematch: "*", data: { cf_name: "drie" } }), null);
  same(await name(key), "twee");
  same(await api.upsert({ collection: "cf_fiches", key: fresh(), ifmatch: "*", data: { cf_name: "vier" } }), null);
  const row = await api.upsert({ collection: "cf_fiches", key: fresh(), data: { cf_name: "vijf" }, returnRepresentation: true });
  same(row.cf_name, "vijf");
  const refusal = await refused(loud.upsert({ collection: "cf_fiches", key, ifnonematch: "*", data: { cf_name: "x" } }));
  same([refusal.status, refusal.code], [412, "0x80040237"]);
});

check("an upsert finds its row by an alternate key", async () => {
  const key = `cf_nationalnumber='${unique("22.22.22-222")}'`;
  const made = await api.upsert({ collection: "contacts", key, data: { lastname: "Peeters (fictief)" } });
  await api.upsert({ collection: "contacts", key, data: { firstname: "Lotte" } });
  const row = await api.retrieve({ collection: "contacts", key, select: ["fullname"] });
  same([row.contactid, row.fullname], [made, "Lotte Peeters (fictief)"]);
});

check("a single property is written, and emptied", async () => {
  const key = await fiche({ cf_summary: "een" });
  await api.updateSingleProperty({ collection: "cf_fiches", key, fieldValuePair: { cf_summary: "twee" } });
  same((await api.retrieve({ collection: "cf_fiches", key, select: ["cf_summary"] })).cf_summary, "twee");
  await api.deleteRecord({ collection: "cf_fiches", key, property: "cf_summary" });
  same((await api.retrieve({ collection: "cf_fiches", key, select: ["cf_summary"] })).cf_summary, null);
});

check("a deleted row is gone, and deleting it again is refused", async () => {
  const key = await recording();
  same(await api.deleteRecord({ collection: "cf_recordings", key }), true);
  const refusal = await refused(api.deleteRecord({ collection: "cf_recordings", key }));
  same([refusal.status, refusal.code], [404, "0x80040217"]);
});

check("a row that others depend on is not deleted", async () => {
  const key = await contact();
  await api.create({ collection: "cf_donations", data: { cf_name: "G", "cf_ContactId@odata.bind": `contacts(${key})` } });
  const refusal = await refused(api.deleteRecord({ collection: "contacts", key }));
  same([refusal.status, refusal.code], [405, "0x80040227"]);
});

check("somebody acts for somebody else, whose name the row then bears", async () => {
  const { UserId: me } = await api.callFunction("WhoAmI");
  const users = await api.retrieveMultiple({ collection: "systemusers", select: ["fullname"], filter: `systemuserid ne ${me}` });
  const other = users.value[0];
  const select = ["_createdby_value", "_createdonbehalfby_value"];
  const row = { collection: "cf_fiches", data: { cf_name: "F" } };
  const key = await api.create({ ...row, impersonate: other.systemuserid });
  const made = await api.retrieve({ collection: "cf_fiches", key, select });
  same([made._createdby_value, made._createdonbehalfby_value], [other.systemuserid, me]);
  const nobody = await refused(api.create({ ...row, impersonate: NOWHERE }));
  holds(nobody.status >= 400 && nobody.code, "an unknown user acted");
  const noPerson = await refused(api.create({ ...row, impersonateAAD: NOWHERE }));
  holds(noPerson.status >= 400 && noPerson.code, "an unknown person acted");
});
