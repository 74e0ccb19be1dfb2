// associate, disassociate, associateSingleValued, disassociateSingleValued
import { check, client, same } from "./harness.mjs";
import { dossier, fiche } from "./rows.mjs";

const api = client();
const parent = async (key) => (await api.retrieve({ collection: "cf_fiches", key, select: ["_cf_dossierid_value"] }))._cf_dossierid_value;

check("a row is added to a collection and taken out of it", async () => {
  const [primaryKey, relatedKey] = [await dossier(), await fiche()];
  const link = { collection: "cf_dossiers", primaryKey, relationshipName: "cf_dossier_fiches", relatedCollection: "cf_fiches", relatedKey };
  await api.associate(link);
  same(await parent(relatedKey), primaryKey);
  await api.disassociate(link);
  same(await parent(relatedKey), null);
});

check("a lookup is set and cleared by its reference", async () => {
  const [relatedKey, primaryKey] = [await dossier(), await fiche()];
  const link = { collection: "cf_fiches", primaryKey, navigationProperty: "cf_DossierId" };
  await api.associateSingleValued({ ...link, relatedCollection: "cf_dossiers", relatedKey });
  same(await parent(primaryKey), relatedKey);
  await api.disassociateSingleValued(link);
  same(await parent(primaryKey), null);
});

check("the references of a collection are listed", async () => {
  const key = await dossier();
  const child = await fiche({ "cf_DossierId@odata.bind": `cf_dossiers(${key})` });
  const found = await api.retrieve({ collection: "cf_dossiers", key, navigationProperty: "cf_dossier_fiches", select: ["cf_name"] });
  same(found.value.map((row) => row.cf_ficheid), [child]);
});
