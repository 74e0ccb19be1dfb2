// startBatch … executeBatch: change sets, references by Content-ID, errors
import { check, client, holds, refused, same } from "./harness.mjs";
import { dossier, fiche, unique } from "./rows.mjs";

const api = client();
// The library looks up how to read an answer by its place in the batch, and counts a change set as one place: so no two writes stand side
// by side before a read.
const NOWHERE = "00000000-0000-4000-8000-00000000dead";
const named = (name) => api.count({ collection: "cf_fiches", filter: `cf_name eq '${name}'` });

check("reads and writes of a batch are answered in their order", async () => {
  const [key, name] = [await fiche({ cf_name: "eerst" }), unique("batch")];
  const batch = client();
  batch.startBatch();
  batch.retrieve({ collection: "cf_fiches", key, select: ["cf_name"] });
  batch.create({ collection: "cf_fiches", data: { cf_name: name } });
  batch.retrieveMultiple({ collection: "cf_fiches", select: ["cf_name"], filter: `cf_name eq '${name}'` });
  batch.update({ collection: "cf_fiches", key, data: { cf_name: "dan" } });
  batch.count({ collection: "cf_fiches", filter: `cf_name eq '${name}'` });
  batch.deleteRecord({ collection: "cf_fiches", key });
  const [first, made, list, updated, count, deleted] = await batch.executeBatch();
  same([first.cf_name, updated, list.value.map((row) => row.cf_name), count, deleted], ["eerst", true, [name], 1, true]);
  same(list.value[0].cf_ficheid, made);
});

check("a plain count stands in a batch", async () => {
  await fiche();
  const batch = client();
  batch.startBatch();
  batch.count({ collection: "cf_fiches" });
  const [count] = await batch.executeBatch();
  holds(Number.isInteger(count) && count >= 1, `found ${count}`);
});

check("a row made in a change set is referred to by its Content-ID", async () => {
  const batch = client();
  batch.startBatch();
  batch.create({ collection: "cf_dossiers", data: { cf_name: unique("D") }, contentId: "1" });
  batch.create({ collection: "cf_fiches", data: { cf_name: unique("F"), "cf_DossierId@odata.bind": "$1" }, contentId: "2" });
  batch.create({ collection: "cf_dossier_fiches", data: { cf_name: unique("F") }, contentId: "$1" });
  batch.update({ contentId: "$2", data: { cf_summary: "daarna" } });
  const [parent, child, below] = await batch.executeBatch();
  const row = await api.retrieve({ collection: "cf_fiches", key: child, select: ["_cf_dossierid_value", "cf_summary"] });
  same([row._cf_dossierid_value, row.cf_summary], [parent, "daarna"]);
  same((await api.retrieve({ collection: "cf_fiches", key: below, select: ["_cf_dossierid_value"] }))._cf_dossierid_value, parent);
});

check("rows are linked by reference in a change set", async () => {
  const child = await fiche();
  const batch = client();
  batch.startBatch();
  batch.create({ collection: "cf_dossiers", data: { cf_name: unique("D") }, contentId: "1" });
  batch.associateSingleValued({ collection: "cf_fiches", primaryKey: child, navigationProperty: "cf_DossierId", relatedKey: "$1" });
  const [parent] = await batch.executeBatch();
  same((await api.retrieve({ collection: "cf_fiches", key: child, select: ["_cf_dossierid_value"] }))._cf_dossierid_value, parent);
});

check("a change set that fails leaves nothing behind, and the error is given", async () => {
  const name = unique("atomic");
  const batch = client();
  batch.startBatch();
  batch.create({ collection: "cf_fiches", data: { cf_name: name } });
  batch.update({ collection: "cf_fiches", key: NOWHERE, data: { cf_name: name } });
  const errors = await refused(batch.executeBatch());
  holds(Array.isArray(errors), "the refusal of a batch is a list");
  const error = errors.at(-1);
  same([error.status, error.error.code, await named(name)], [404, "0x80040217", 0]);
});

check("what came before a failure outside a change set stays, what follows is not done", async () => {
  const name = unique("outside");
  const batch = client();
  batch.startBatch();
  batch.create({ collection: "cf_fiches", data: { cf_name: name }, inChangeSet: false });
  batch.retrieve({ collection: "cf_fiches", key: NOWHERE });
  batch.create({ collection: "cf_fiches", data: { cf_name: name }, inChangeSet: false });
  const answers = await refused(batch.executeBatch());
  same([answers.length, answers[1].status, await named(name)], [2, 404, 1]);
});

check("with continueOnError every operation is answered", async () => {
  const name = unique("continue");
  const batch = client();
  batch.startBatch();
  batch.retrieve({ collection: "cf_fiches", key: NOWHERE });
  batch.create({ collection: "cf_fiches", data: { cf_name: name }, inChangeSet: false });
  const [first, made] = await batch.executeBatch({ continueOnError: true });
  same([first.status, first.error.code, await named(name)], [404, "0x80040217", 1]);
  holds(/^[0-9a-f-]{36}$/.test(made), made);
});

check("a function stands in a batch", async () => {
  const batch = client();
  batch.startBatch();
  batch.callFunction("WhoAmI");
  batch.create({ collection: "cf_fiches", data: { cf_name: unique("F") }, returnRepresentation: true });
  const [who, row] = await batch.executeBatch();
  holds(who.UserId && row.cf_ficheid);
});

check("a batch of three hundred operations comes through", async () => {
  const parent = await dossier();
  const batch = client();
  batch.startBatch();
  for (let n = 0; n < 300; n += 1) {
    batch.create({ collection: "cf_fiches", data: { cf_name: `${n}`, "cf_DossierId@odata.bind": `cf_dossiers(${parent})` } });
  }
  const made = await batch.executeBatch();
  same([made.length, new Set(made).size], [300, 300]);
  same(await api.count({ collection: "cf_fiches", filter: `_cf_dossierid_value eq ${parent}` }), 300);
});
