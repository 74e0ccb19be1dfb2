// fetch, fetchAll: FetchXML with paging cookies
import { check, client, holds, same } from "./harness.mjs";
import { dossier, fiche, unique } from "./rows.mjs";

const api = client();

function listing(prefix, attributes = "") {
  return `<fetch ${attributes} mapping="logical">
    <entity name="cf_fiche"><attribute name="cf_name" /><order attribute="cf_name" />
      <filter><condition attribute="cf_name" operator="like" value="${prefix}-%" /></filter>
    </entity></fetch>`;
}

async function fiches(prefix, count, columns = {}) {
  for (let n = 0; n < count; n += 1) await fiche({ cf_name: `${prefix}-${n}`, ...columns });
}

check("a FetchXML query is answered, columns without a value left out", async () => {
  const prefix = unique("fetch");
  await fiches(prefix, 2);
  const found = await api.fetch({ collection: "cf_fiches", fetchXml: listing(prefix) });
  same(found.value.map((row) => row.cf_name), [`${prefix}-0`, `${prefix}-1`]);
  holds(!("cf_summary" in found.value[0]));
});

check("FetchXML is paged with the cookie of the page before", async () => {
  const prefix = unique("cookie");
  await fiches(prefix, 5);
  const request = { collection: "cf_fiches", fetchXml: listing(prefix, 'count="2"'), includeAnnotations: "*" };
  const first = await api.fetch(request);
  same([first.value.length, first.PagingInfo.nextPage], [2, 2]);
  holds(first.PagingInfo.cookie.length > 10, first.PagingInfo.cookie);
  const second = await api.fetch({ ...request, pageNumber: first.PagingInfo.nextPage, pagingCookie: first.PagingInfo.cookie });
  same(second.value.map((row) => row.cf_name), [`${prefix}-2`, `${prefix}-3`]);
  const third = await api.fetch({ ...request, pageNumber: second.PagingInfo.nextPage, pagingCookie: second.PagingInfo.cookie });
  same([third.value.map((row) => row.cf_name), third.PagingInfo], [[`${prefix}-4`], undefined]);
});

check("fetchAll reads every page of a FetchXML query", async () => {
  const prefix = unique("fetchall");
  await fiches(prefix, 5);
  const request = { collection: "cf_fiches", fetchXml: listing(prefix, 'count="2"'), includeAnnotations: "*" };
  same((await api.fetchAll(request)).value.map((row) => row.cf_name), [0, 1, 2, 3, 4].map((n) => `${prefix}-${n}`));
});

check("columns of a linked table come under its alias", async () => {
  const [prefix, parent] = [unique("linked"), await dossier({ cf_name: "D-linked" })];
  await fiches(prefix, 1, { "cf_DossierId@odata.bind": `cf_dossiers(${parent})` });
  const fetchXml = `<fetch><entity name="cf_fiche"><attribute name="cf_name" />
    <filter><condition attribute="cf_name" operator="eq" value="${prefix}-0" /></filter>
    <link-entity name="cf_dossier" from="cf_dossierid" to="cf_dossierid" alias="d"><attribute name="cf_name" /></link-entity>
    </entity></fetch>`;
  const found = await api.fetch({ collection: "cf_fiches", fetchXml });
  same(found.value[0].d.cf_name, "D-linked");
});

check("a long FetchXML query becomes a batch", async () => {
  const prefix = unique("longfetch");
  await fiches(prefix, 2);
  const values = Array.from({ length: 120 }, (_, n) => `<value>${prefix}-${n}</value>`).join("");
  const fetchXml = `<fetch><entity name="cf_fiche"><attribute name="cf_name" />
    <filter><condition attribute="cf_name" operator="in">${values}</condition></filter></entity></fetch>`;
  same((await api.fetch({ collection: "cf_fiches", fetchXml })).value.length, 2);
});
