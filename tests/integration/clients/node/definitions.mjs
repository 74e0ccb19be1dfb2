// Tables, columns, relationships and choices: read, and changed
import { check, client, holds, refused, same } from "./harness.mjs";
import { unique } from "./rows.mjs";

const api = client();
const label = (text) => ({
  "@odata.type": "Microsoft.Dynamics.CRM.Label",
  LocalizedLabels: [{ "@odata.type": "Microsoft.Dynamics.CRM.LocalizedLabel", Label: text, LanguageCode: 1043 }],
});

check("tables are listed with their sets", async () => {
  const found = await api.retrieveEntities({ select: ["LogicalName", "EntitySetName"], filter: "LogicalName eq 'cf_party'" });
  same(found.value.map((each) => [each.LogicalName, each.EntitySetName]), [["cf_party", "cf_parties"]]);
});

check("a table is retrieved by name and by id, with its columns", async () => {
  const key = "LogicalName='cf_fiche'";
  const expand = [{ property: "Attributes", select: ["LogicalName"], filter: "LogicalName eq 'cf_name'" }];
  const table = await api.retrieveEntity({ key, select: ["LogicalName", "PrimaryIdAttribute"], expand });
  same([table.PrimaryIdAttribute, table.Attributes.map((each) => each.LogicalName)], ["cf_ficheid", ["cf_name"]]);
  same((await api.retrieveEntity({ key: table.MetadataId, select: ["LogicalName"] })).LogicalName, "cf_fiche");
});

check("columns are listed, all of them or those of one type with their choices", async () => {
  const entityKey = "LogicalName='cf_fiche'";
  const all = await api.retrieveAttributes({ entityKey, select: ["LogicalName", "AttributeType"] });
  holds(all.value.some((each) => each.LogicalName === "cf_summary" && each.AttributeType === "Memo"));
  const castType = "Microsoft.Dynamics.CRM.PicklistAttributeMetadata";
  const expand = [{ property: "OptionSet" }, { property: "GlobalOptionSet" }];
  const choices = await api.retrieveAttributes({ entityKey, castType, select: ["LogicalName"], expand });
  const channel = choices.value.find((each) => each.LogicalName === "cf_channel");
  holds((channel.OptionSet ?? channel.GlobalOptionSet).Options.some((each) => each.Value === 100000000));
  holds(choices.value.every((each) => each.LogicalName !== "cf_summary"));
});

check("one column is retrieved with a cast", async () => {
  const [entityKey, attributeKey] = ["LogicalName='contact'", "LogicalName='lastname'"];
  const castType = "Microsoft.Dynamics.CRM.StringAttributeMetadata";
  const column = await api.retrieveAttribute({ entityKey, attributeKey, castType, select: ["LogicalName", "MaxLength"] });
  same([column.LogicalName, column.MaxLength], ["lastname", 50]);
});

check("relationships are listed and retrieved with what a delete does", async () => {
  const castType = "Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata";
  const filter = "SchemaName eq 'cf_contact_donations'";
  const found = await api.retrieveRelationships({ castType, filter });
  same(found.value.map((each) => each.CascadeConfiguration.Delete), ["Restrict"]);
  same((await api.retrieveRelationship({ key: found.value[0].MetadataId, castType })).SchemaName, "cf_contact_donations");
});

check("choices that several columns share are listed and retrieved", async () => {
  const castType = "Microsoft.Dynamics.CRM.OptionSetMetadata";
  const names = (await api.retrieveGlobalOptionSets({ castType })).value.map((each) => each.Name);
  holds(names.includes("cf_channel"), names.join());
  const choice = await api.retrieveGlobalOptionSet({ key: "Name='cf_channel'", castType });
  holds(choice.Options.some((each) => each.Value === 100000006));
});

check("the CSDL is retrieved as XML", async () => {
  const text = await api.retrieveCsdlMetadata();
  holds(text.includes('<EntityType Name="cf_fiche"') && text.includes("edmx:Edmx"), text.slice(0, 200));
});

// What the checks on changes need: a table and its columns as they are posted.
const text = (SchemaName, more = {}) => ({
  "@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata",
  SchemaName,
  MaxLength: 100,
  RequiredLevel: { Value: "None" },
  DisplayName: label(SchemaName),
  ...more,
});

async function table() {
  const name = unique("cf_node").replaceAll("-", "");
  const data = {
    "@odata.type": "Microsoft.Dynamics.CRM.EntityMetadata",
    SchemaName: name,
    DisplayName: label("Knoop"),
    DisplayCollectionName: label("Knopen"),
    OwnershipType: "UserOwned",
    HasActivities: false,
    HasNotes: false,
    Attributes: [text(`${name}name`, { IsPrimaryName: true })],
  };
  const id = await api.createEntity({ data });
  holds(/^[0-9a-f-]{36}$/.test(id), JSON.stringify(id));
  const { EntitySetName: set } = await api.retrieveEntity({ key: `LogicalName='${name}'`, select: ["EntitySetName"] });
  return { id, name, set };
}

check("a table is made, given a column, and used", async () => {
  const { name, set } = await table();
  await api.createAttribute({ entityKey: `LogicalName='${name}'`, data: text("cf_Extra") });
  const key = await api.create({ collection: set, data: { [`${name}name`]: "een", cf_extra: "twee" } });
  same((await api.retrieve({ collection: set, key })).cf_extra, "twee");
});

check("a table and a column are changed by sending all of them again", async () => {
  const { id, name } = await table();
  const data = await api.retrieveEntity({ key: id });
  data.DisplayName.LocalizedLabels[0].Label = "Andere knoop";
  await api.updateEntity({ data, mergeLabels: true });
  const changed = await api.retrieveEntity({ key: id, select: ["DisplayName"] });
  same(changed.DisplayName.LocalizedLabels[0].Label, "Andere knoop");
  const castType = "Microsoft.Dynamics.CRM.StringAttributeMetadata";
  const column = await api.retrieveAttribute({ entityKey: id, attributeKey: `LogicalName='${name}name'`, castType });
  await api.updateAttribute({ entityKey: id, castType, data: { ...column, MaxLength: 150 } });
  const widened = await api.retrieveAttribute({ entityKey: id, attributeKey: column.MetadataId, castType, select: ["MaxLength"] });
  same(widened.MaxLength, 150);
});

check("a relationship is made, changed, used and deleted", async () => {
  const { name, set } = await table();
  const castType = "Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata";
  const data = {
    "@odata.type": castType,
    SchemaName: `cf_dossier_${name}`,
    ReferencedEntity: "cf_dossier",
    ReferencedAttribute: "cf_dossierid",
    ReferencingEntity: name,
    CascadeConfiguration: { Delete: "RemoveLink", Assign: "NoCascade", Reparent: "NoCascade", Share: "NoCascade", Unshare: "NoCascade" },
    Lookup: {
      "@odata.type": "Microsoft.Dynamics.CRM.LookupAttributeMetadata",
      SchemaName: "cf_NodeDossierId",
      DisplayName: label("Dossier"),
      RequiredLevel: { Value: "None" },
    },
  };
  const id = await api.createRelationship({ data });
  const relation = await api.retrieveRelationship({ key: id, castType });
  same([relation.SchemaName, relation.CascadeConfiguration.Delete], [data.SchemaName, "RemoveLink"]);
  relation.CascadeConfiguration.Delete = "Restrict";
  await api.updateRelationship({ data: relation, castType });
  const parent = await api.create({ collection: "cf_dossiers", data: { cf_name: "D" } });
  const child = await api.create({ collection: set, data: { "cf_NodeDossierId@odata.bind": `cf_dossiers(${parent})` } });
  same((await refused(api.deleteRecord({ collection: "cf_dossiers", key: parent }))).code, "0x80040227");
  await api.deleteRecord({ collection: set, key: child });
  await api.deleteRelationship({ key: id });
  same((await refused(api.retrieveRelationship({ key: id }))).status, 404);
});
