// trackChanges and the delta link that it gives
import { check, client, holds, same } from "./harness.mjs";
import { dossier } from "./rows.mjs";

const api = client();

check("changes are read from a delta link on", async () => {
  const [stays, goes] = [await dossier(), await dossier()];
  const request = { collection: "cf_dossiers", select: ["cf_name"], trackChanges: true };
  const before = await api.retrieveAll(request);
  holds(before.oDataDeltaLink, "the last page has no delta link");
  holds(before.value.some((row) => row.cf_dossierid === stays));
  await api.update({ collection: "cf_dossiers", key: stays, data: { cf_name: "anders" } });
  await api.deleteRecord({ collection: "cf_dossiers", key: goes });
  const added = await dossier();
  const after = await api.retrieveMultiple(request, before.oDataDeltaLink);
  const written = after.value.filter((row) => row.cf_dossierid);
  same(new Set(written.map((row) => row.cf_dossierid)), new Set([stays, added]));
  const deleted = after.value.filter((row) => row.reason === "deleted");
  same(deleted.map((row) => row.id), [goes]);
  const quiet = await api.retrieveMultiple(request, after.oDataDeltaLink);
  same(quiet.value, []);
});
