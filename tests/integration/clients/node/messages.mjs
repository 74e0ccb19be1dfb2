// callFunction, callAction
import { check, client, holds, refused, same } from "./harness.mjs";
import { contact, fiche, unique } from "./rows.mjs";

const api = client();

check("WhoAmI gives three ids", async () => {
  for (const who of [await api.callFunction("WhoAmI"), await api.callFunction({ name: "WhoAmI" })]) {
    holds([who.UserId, who.BusinessUnitId, who.OrganizationId].every((id) => /^[0-9a-f-]{36}$/.test(id)));
  }
});

check("a function takes its parameters in the address", async () => {
  await fiche();
  const parameters = { EntityNames: ["cf_fiche", "contact"] };
  const found = await api.callFunction({ name: "RetrieveTotalRecordCount", parameters });
  const counts = found.EntityRecordCountCollection;
  holds(counts.Keys.includes("cf_fiche") && counts.Values[counts.Keys.indexOf("cf_fiche")] >= 1, JSON.stringify(found));
});

check("a function bound to a row is called", async () => {
  const { UserId: key } = await api.callFunction("WhoAmI");
  const name = "Microsoft.Dynamics.CRM.RetrieveUserPrivileges";
  const found = await api.callFunction({ collection: "systemusers", key, name });
  holds(Array.isArray(found.RolePrivileges), JSON.stringify(found).slice(0, 300));
});

check("an action is called with a body", async () => {
  const key = await contact();
  await api.update({ collection: "contacts", key, data: { firstname: "Anders" } });
  const action = { Target: { contactid: key, "@odata.type": "Microsoft.Dynamics.CRM.contact" } };
  same((await api.callAction({ actionName: "DeleteRecordChangeHistory", action })).DeletedEntriesCount, 2);
});

check("an action bound to a set is called", async () => {
  const names = [unique("many"), unique("many")];
  const Targets = names.map((cf_name) => ({ "@odata.type": "Microsoft.Dynamics.CRM.cf_fiche", cf_name }));
  const actionName = "Microsoft.Dynamics.CRM.CreateMultiple";
  const made = await api.callAction({ collection: "cf_fiches", actionName, action: { Targets } });
  same(made.Ids.length, 2);
  const rows = await Promise.all(made.Ids.map((key) => api.retrieve({ collection: "cf_fiches", key, select: ["cf_name"] })));
  same(rows.map((row) => row.cf_name), names);
});

check("an action bound to a row is called", async () => {
  const role = await api.create({ collection: "roles", data: { name: unique("Rol"), "businessunitid@odata.bind": await rootUnit() } });
  const privilege = (await api.retrieveMultiple({ collection: "privileges", filter: "name eq 'prvReadcf_fiche'" })).value[0];
  const Privileges = [{ Depth: "Global", PrivilegeId: privilege.privilegeid }];
  const actionName = "Microsoft.Dynamics.CRM.AddPrivilegesRole";
  await api.callAction({ collection: "roles", key: role, actionName, action: { Privileges } });
  const found = await api.callFunction({ name: "RetrieveRolePrivilegesRole", parameters: { RoleId: role } });
  holds(found.RolePrivileges.some((each) => each.PrivilegeId === privilege.privilegeid), JSON.stringify(found).slice(0, 300));
});

check("an action that does not exist is refused", async () => {
  const refusal = await refused(api.callAction({ actionName: "cf_Nothing", action: {} }));
  holds(refusal.status === 404 && refusal.message, `${refusal.status} ${refusal.code}`);
});

async function rootUnit() {
  return `businessunits(${(await api.callFunction("WhoAmI")).BusinessUnitId})`;
}
