// retrieve, retrieveMultiple, retrieveAll, count, countAll
import { check, client, holds, refused, same } from "./harness.mjs";
import { contact, dossier, fiche, unique } from "./rows.mjs";

const api = client();

check("a row is retrieved with the columns that are asked for", async () => {
  const key = await fiche({ cf_callernumber: "000", cf_summary: "een fiche" });
  const row = await api.retrieve({ collection: "cf_fiches", key, select: ["cf_name", "cf_callernumber"] });
  holds(/^W\/"\d+"$/.test(row["@odata.etag"]));
  same([row.cf_ficheid, row.cf_callernumber, row.cf_summary], [key, "000", undefined]);
});

check("annotations come as the library names them", async () => {
  const parent = await dossier({ cf_name: "D-annotations" });
  const key = await fiche({ cf_channel: 100000000, "cf_DossierId@odata.bind": `/cf_dossiers(${parent})` });
  const row = await api.retrieve({ collection: "cf_fiches", key, includeAnnotations: "*" });
  same(row._cf_dossierid_value, parent);
  same(row._cf_dossierid_value_Formatted, "D-annotations");
  same(row._cf_dossierid_value_LogicalName, "cf_dossier");
  same(row._cf_dossierid_value_NavigationProperty, "cf_DossierId");
  holds(typeof row.cf_channel_Formatted === "string" && row.cf_channel_Formatted !== "100000000");
});

check("a lookup and a collection are expanded", async () => {
  const parent = await dossier();
  const name = unique("F");
  const key = await fiche({ cf_name: name, "cf_DossierId@odata.bind": `/cf_dossiers(${parent})` });
  const up = await api.retrieve({ collection: "cf_fiches", key, expand: [{ property: "cf_DossierId", select: ["cf_name"] }] });
  same(up.cf_DossierId.cf_dossierid, parent);
  const expand = [{ property: "cf_dossier_fiches", select: ["cf_name"], filter: `cf_name eq '${name}'`, orderBy: ["cf_name asc"], top: 3 }];
  const down = await api.retrieve({ collection: "cf_dossiers", key: parent, expand });
  same(down.cf_dossier_fiches.map((row) => row.cf_name), [name]);
});

check("a row is retrieved by an alternate key", async () => {
  const number = unique("00.00.00-000");
  const key = await contact({ cf_nationalnumber: number });
  const row = await api.retrieve({ collection: "contacts", key: `cf_nationalnumber='${number}'`, select: ["contactid"] });
  same(row.contactid, key);
});

check("a row that a lookup leads to is retrieved, and its reference", async () => {
  const parent = await dossier();
  const key = await fiche({ "cf_DossierId@odata.bind": `/cf_dossiers(${parent})` });
  const row = await api.retrieve({ collection: "cf_fiches", key, select: ["/cf_DossierId", "cf_name"] });
  same(row.cf_dossierid, parent);
  const reference = await api.retrieve({ collection: "cf_fiches", key, select: ["cf_DossierId/$ref"] });
  same([reference.id, reference.collection], [parent, "cf_dossiers"]);
});

check("a row that has not changed is not sent again", async () => {
  const key = await fiche();
  const { "@odata.etag": etag } = await api.retrieve({ collection: "cf_fiches", key, select: ["cf_name"] });
  same(await api.retrieve({ collection: "cf_fiches", key, select: ["cf_name"], ifnonematch: etag }), undefined);
});

check("rows are filtered, ordered and counted", async () => {
  const prefix = unique("filter");
  for (const suffix of ["b", "c", "a"]) await fiche({ cf_name: `${prefix}-${suffix}` });
  const filter = `startswith(cf_name,'${prefix}') and cf_name ne '${prefix}-b'`;
  const request = { collection: "cf_fiches", select: ["cf_name"], filter };
  const found = await api.retrieveMultiple({ ...request, orderBy: ["cf_name desc"], count: true });
  same(found.value.map((row) => row.cf_name), [`${prefix}-c`, `${prefix}-a`]);
  same([found.oDataCount, found["@odata.count"]], [2, 2]);
  const top = await api.retrieveMultiple({ ...request, top: 1, orderBy: ["cf_name asc"] });
  same(top.value.map((row) => row.cf_name), [`${prefix}-a`]);
});

check("quotation marks and accents survive the address", async () => {
  const name = unique("d'Été & co? #1 100% + 50");
  await fiche({ cf_name: name });
  const filter = `cf_name eq '${name.replaceAll("'", "''")}'`;
  const found = await api.retrieveMultiple({ collection: "cf_fiches", filter, select: ["cf_name"] });
  same(found.value.map((row) => row.cf_name), [name]);
});

check("pages are followed by their nextLink until there are no more", async () => {
  const prefix = unique("page");
  for (let n = 0; n < 5; n += 1) await fiche({ cf_name: `${prefix}-${n}` });
  const filter = `startswith(cf_name,'${prefix}')`;
  const request = { collection: "cf_fiches", select: ["cf_name"], filter, orderBy: ["cf_name asc"], maxPageSize: 2 };
  const names = [];
  let page = await api.retrieveMultiple(request);
  const sizes = [page.value.length];
  names.push(...page.value);
  while (page.oDataNextLink) {
    page = await api.retrieveMultiple(request, page.oDataNextLink);
    sizes.push(page.value.length);
    names.push(...page.value);
  }
  same(sizes, [2, 2, 1]);
  same(names.map((row) => row.cf_name), [0, 1, 2, 3, 4].map((n) => `${prefix}-${n}`));
});

check("retrieveAll and countAll read every page", async () => {
  const prefix = unique("all");
  for (let n = 0; n < 5; n += 1) await fiche({ cf_name: `${prefix}-${n}` });
  const request = { collection: "cf_fiches", select: ["cf_name"], filter: `startswith(cf_name,'${prefix}')`, maxPageSize: 2 };
  same((await api.retrieveAll(request)).value.length, 5);
  same(await api.countAll(request), 5);
});

check("rows are counted, with and without a filter", async () => {
  const prefix = unique("count");
  for (let n = 0; n < 3; n += 1) await fiche({ cf_name: `${prefix}-${n}` });
  same(await api.count({ collection: "cf_fiches", filter: `startswith(cf_name,'${prefix}')` }), 3);
  holds((await api.count({ collection: "cf_fiches" })) >= 3);
});

check("names of tables are turned into names of sets", async () => {
  const key = await dossier();
  const byName = client({ useEntityNames: true });
  const party = await byName.create({ collection: "cf_party", data: { cf_name: "P" } });
  const row = await byName.retrieve({ collection: "cf_party", key: party });
  same(row.cf_name, "P");
  same((await byName.retrieve({ collection: "cf_dossier", key, select: ["cf_name"] })).cf_dossierid, key);
});

check("a refusal has a status, a code and a message", async () => {
  const key = "00000000-0000-4000-8000-00000000dead";
  const missing = await refused(api.retrieve({ collection: "cf_fiches", key }));
  same([missing.status, missing.code, missing.message], [404, "0x80040217", `Entity 'cf_fiche' With Id = ${key} Does Not Exist`]);
  const column = await refused(api.retrieveMultiple({ collection: "cf_fiches", select: ["cf_nothing"] }));
  same([column.status, column.code], [400, "0x0"]);
  holds(column.message.startsWith("Could not find a property named 'cf_nothing'"));
  const set = await refused(api.retrieveMultiple({ collection: "cf_nothings" }));
  same([set.status, set.code], [404, "0x8006088a"]);
});

check("without a good token the refusal is 401", async () => {
  const stranger = client({ onTokenRefresh: () => " " });
  const refusal = await refused(stranger.retrieveMultiple({ collection: "cf_fiches" }));
  same(refusal.status, 401);
  holds(refusal.headers["www-authenticate"].startsWith("Bearer authorization_uri="));
});

check("an address of more than 2,000 characters becomes a batch", async () => {
  const prefix = unique("long");
  for (let n = 0; n < 3; n += 1) await fiche({ cf_name: `${prefix}-${n}` });
  const names = Array.from({ length: 120 }, (_, n) => `cf_name eq '${prefix}-${n}'`);
  const request = { collection: "cf_fiches", select: ["cf_name"], filter: names.join(" or "), orderBy: ["cf_name asc"], maxPageSize: 2 };
  const found = await api.retrieveMultiple(request);
  same(found.value.map((row) => row.cf_name), [`${prefix}-0`, `${prefix}-1`]);
  same((await api.retrieveAll(request)).value.length, 3);
  const refusal = await refused(api.retrieveMultiple({ ...request, select: ["cf_nothing"] }));
  same([refusal.status, refusal.code], [400, "0x0"]);
});
