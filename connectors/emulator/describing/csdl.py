"""`$metadata`: the schema as CSDL XML, enough to generate a client from."""

from xml.sax.saxutils import quoteattr

from connectors.emulator.schema.environment import Column, Environment, Table

_EDM = {
    "string": "String",
    "memo": "String",
    "entityname": "String",
    "choices": "String",
    "int": "Int32",
    "choice": "Int32",
    "state": "Int32",
    "status": "Int32",
    "bigint": "Int64",
    "bool": "Boolean",
    "decimal": "Decimal",
    "double": "Double",
    "money": "Decimal",
    "date": "Date",
    "datetime": "DateTimeOffset",
    "datetime_tzi": "DateTimeOffset",
    "guid": "Guid",
    "lookup": "Guid",
    "file": "Guid",
    "image": "Binary",
}
_FUNCTIONS = """
      <Function Name="WhoAmI"><ReturnType Type="mscrm.WhoAmIResponse" Nullable="false" /></Function>
      <ComplexType Name="WhoAmIResponse">
        <Property Name="BusinessUnitId" Type="Edm.Guid" Nullable="false" />
        <Property Name="UserId" Type="Edm.Guid" Nullable="false" />
        <Property Name="OrganizationId" Type="Edm.Guid" Nullable="false" />
      </ComplexType>"""


def csdl(environment: Environment, *, annotations: bool) -> bytes:
    """Return the whole schema; with annotations, also which sets are tracked
    (`$metadata?annotations=true`)."""
    types = "".join(_entity_type(environment, table) for table in environment.tables.values())
    sets = "".join(_entity_set(environment, table, annotations) for table in environment.tables.values())
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">\n'
        '  <edmx:Reference Uri="http://vocabularies.odata.org/OData.Community.Keys.V1.xml">'
        '<edmx:Include Namespace="OData.Community.Keys.V1" Alias="Keys" /></edmx:Reference>\n'
        '  <edmx:DataServices>\n    <Schema Namespace="Microsoft.Dynamics.CRM" Alias="mscrm" xmlns="http://docs.oasis-open.org/odata/ns/edm">\n'
        '      <EntityType Name="crmbaseentity" Abstract="true" />'
        f'{types}{_FUNCTIONS}\n      <EntityContainer Name="System">{sets}\n        '
        '<FunctionImport Name="WhoAmI" Function="mscrm.WhoAmI" />'
        "\n      </EntityContainer>\n    </Schema>\n  </edmx:DataServices>\n</edmx:Edmx>\n"
    ).encode()


def _entity_type(environment: Environment, table: Table) -> str:
    lines = [
        f'\n      <EntityType Name="{table.name}" BaseType="mscrm.crmbaseentity">',
        f'        <Key><PropertyRef Name="{table.key}" /></Key>',
        *(_property(column) for column in table.columns.values()),
    ]
    for navigation in table.navigations.values():
        relation = next((r for r in table.parents if r.column == navigation.column.name and r.parent == navigation.target), None)
        partner = f" Partner={quoteattr(relation.name)}" if relation else ""
        key = environment.tables[navigation.target].key
        constraint = f'<ReferentialConstraint Property="{navigation.column.wire}" ReferencedProperty="{key}" />'
        start = f'        <NavigationProperty Name="{navigation.name}" Type="mscrm.{navigation.target}"{partner}>'
        lines.append(start + constraint + "</NavigationProperty>")
    for relation in table.children:
        child = environment.tables[relation.child]
        partner = child.navigation_name(child.columns[relation.column], table.name)
        lines.append(f'        <NavigationProperty Name="{relation.name}" Type="Collection(mscrm.{child.name})" Partner="{partner}" />')
    for peers in table.peers.values():
        start = f'        <NavigationProperty Name="{peers.name}" Type="Collection(mscrm.{peers.far.table})"'
        lines.append(f'{start} Partner="{peers.far.navigation}" />')
    for name, columns in table.alternate_keys.items():
        references = "".join(f"<PropertyValue Property='Name' String='{column.wire}' />" for column in columns)
        record = f"<Collection><Record><!-- {name} -->{references}</Record></Collection>"
        lines.append(f'        <Annotation Term="Keys.AlternateKeys">{record}</Annotation>')
    return "\n".join([*lines, "      </EntityType>"])


def _property(column: Column) -> str:
    start = f'        <Property Name="{column.wire}" Type="Edm.{_EDM[column.kind]}"'
    if column.kind in ("string", "memo") and column.length:
        start += f' MaxLength="{column.length}"' if column.length < 2**30 else ""
    if column.kind in ("decimal", "money"):
        start += ' Scale="Variable"'
    if column.writable and not column.is_lookup:
        return start + " />"
    read_only = (
        '<Annotation Term="Org.OData.Core.V1.Permissions"><EnumMember>Org.OData.Core.V1.PermissionType/Read</EnumMember></Annotation>'
    )
    return f'{start}><Annotation Term="Org.OData.Core.V1.Computed" Bool="true" />{read_only}</Property>'


def _entity_set(environment: Environment, table: Table, annotations: bool) -> str:
    bindings = [
        f'<NavigationPropertyBinding Path="{n.name}" Target="{environment.tables[n.target].set_name}" />'
        for n in table.navigations.values()
    ]
    bindings += [f'<NavigationPropertyBinding Path="{r.name}" Target="{environment.tables[r.child].set_name}" />' for r in table.children]
    bindings += [
        f'<NavigationPropertyBinding Path="{p.name}" Target="{environment.tables[p.far.table].set_name}" />' for p in table.peers.values()
    ]
    if annotations and table.change_tracking:
        supported = '<Record><PropertyValue Property="Supported" Bool="true" /></Record>'
        bindings.append(f'<Annotation Term="Org.OData.Capabilities.V1.ChangeTracking">{supported}</Annotation>')
    return f'\n        <EntitySet Name="{table.set_name}" EntityType="mscrm.{table.name}">{"".join(bindings)}</EntitySet>'
