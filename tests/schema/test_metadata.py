"""The schema against the service's metadata: nothing is missing, nothing is made up.

What differs is on a list, with its reason; an entry that no longer applies fails as well.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
)

from gateway.schema.build import build_schema

METADATA = Path(__file__).parents[1] / "data" / "lifecycle.csdl.xml"
LIFECYCLE = "microsoft.graph.identityGovernance"
EDM = "{http://docs.oasis-open.org/odata/ns/edm}"

NODE_ID = "the gateway's own global id"
ODATA_TYPE = "the type as the service names it, for members that the gateway does not know"
BACK = "leads back to what contains the entity"
SUMMARY = "the function `summary`, bound to the collection of this name"

# Properties and navigation properties of exposed types that the schema leaves out.
EXCLUDED_PROPERTIES = {
    "Insights.id": "a singleton without properties; its functions are the fields",
    "LifecycleManagementSettings.id": "a singleton, and its id is undocumented",
    "Application.deletedDateTime": "an application is only named here",
}
# Fields that the metadata does not have as properties.
ADDED_FIELDS = {
    **{
        f"{name}.nodeId": NODE_ID
        for name in (
            "CustomTaskExtension",
            "Run",
            "SubjectProcessingResult",
            "Task",
            "TaskDefinition",
            "TaskProcessingResult",
            "TaskReport",
            "User",
            "UserProcessingResult",
            "Workflow",
            "WorkflowTemplate",
            "WorkflowVersion",
        )
    },
    **{
        f"{name}.odataType": ODATA_TYPE
        for name in (
            "ActivateGroupScope",
            "ActivateProcessingResultScope",
            "ActivateRunScope",
            "ActivateUserScope",
            "ActivationScope",
            "AttributeChangeTrigger",
            "AzureAdPopTokenAuthentication",
            "AzureAdTokenAuthentication",
            "CountBasedQuarantineCondition",
            "CustomExtensionAuthenticationConfiguration",
            "CustomExtensionCallbackConfiguration",
            "CustomExtensionEndpointConfiguration",
            "DirectoryObject",
            "DirectoryObjectWorkflowSubject",
            "GroupBasedSubjectSet",
            "GuestSponsorTrigger",
            "LogicAppTriggerEndpointConfiguration",
            "MembershipChangeTrigger",
            "OnDemandExecutionOnly",
            "PercentageBasedQuarantineCondition",
            "ProvisioningAttributeMapping",
            "ProvisioningObjectWorkflowSubject",
            "QuarantineCondition",
            "RuleBasedSubjectSet",
            "SubjectSet",
            "TimeBasedAttributeTrigger",
            "TriggerAndScopeBasedConditions",
            "UserInactivityTrigger",
            "WorkflowExecutionConditions",
            "WorkflowExecutionTrigger",
            "WorkflowSubject",
        )
    },
    "SubjectProcessingResult.run": BACK,
    "SubjectProcessingResult.workflow": BACK,
    "UserProcessingResult.run": BACK,
    "UserProcessingResult.workflow": BACK,
    "TaskProcessingResult.run": BACK,
    "TaskProcessingResult.userProcessingResult": BACK,
    "TaskProcessingResult.workflow": BACK,
    "TaskReport.run": "the run that `runId` names",
    "TaskReport.workflow": BACK,
    "Run.workflow": BACK,
    "WorkflowVersion.workflow": BACK,
    "Task.taskDefinition": "the task definition that `taskDefinitionId` names",
    "Workflow.runsSummary": SUMMARY,
    "Workflow.subjectProcessingResultsSummary": SUMMARY,
    "Workflow.userProcessingResultsSummary": SUMMARY,
    "Workflow.taskReportsSummary": SUMMARY,
    "Run.subjectProcessingResultsSummary": SUMMARY,
    "Run.userProcessingResultsSummary": SUMMARY,
    "DirectoryObject.displayName": "of the derived types; `directoryObject` is an open type",
    "CustomExtensionCallbackConfiguration.authorizedApps": (
        "of customTaskExtensionCallbackConfiguration, the only type that derives from it"
    ),
}
# Members of enumerations that the metadata of v1.0 does not have.
ADDED_MEMBERS = {"subjectType": {"agentIdentity"}}  # beta only
# Types and enumerations of the namespace that have no counterpart in the schema.
EXCLUDED_TYPES = {
    "cancelRunsScope": "an argument of cancelProcessing",
    "cancelScope": "an argument of cancelProcessing",
    "customTaskExtensionCallbackConfiguration": (
        "its one property is on CustomExtensionCallbackConfiguration, its base type"
    ),
    "customTaskExtensionCallbackData": "an argument of resume",
    "customTaskExtensionCalloutData": "what the service sends to an extension",
    "customTaskExtensionResponseData": "what an extension answers to that",
    "lifecycleWorkflowsContainer": "its navigation properties are the fields of Query",
    "workflowBase": "abstract; its members are on Workflow and WorkflowVersion",
}


class Metadata:
    """Types of the metadata by name without namespace; no name is there twice."""

    def __init__(self, path: Path) -> None:
        self.types: dict[str, ElementTree.Element] = {}
        self.enums: dict[str, ElementTree.Element] = {}
        self.namespaces: dict[str, str] = {}
        self.functions: dict[str, set[str]] = {}
        for schema in ElementTree.parse(path).iter(f"{EDM}Schema"):  # noqa: S314 - our own file
            for element in schema:
                kind, name = element.tag.removeprefix(EDM), element.get("Name", "")
                if kind in ("EntityType", "ComplexType", "EnumType"):
                    assert name not in self.namespaces, name
                    self.namespaces[name] = schema.get("Namespace", "")
                    (self.enums if kind == "EnumType" else self.types)[name] = element
                elif kind == "Function":
                    bound = element.findall(f"{EDM}Parameter")[0].get("Type", "")
                    if not bound.startswith("Collection("):
                        self.functions.setdefault(_short(bound), set()).add(name)

    def members(self, name: str) -> set[str]:
        """Properties, navigation properties and bound functions, those of base types included."""
        element = self.types[name]
        own = {
            member.get("Name", "")
            for tag in ("Property", "NavigationProperty")
            for member in element.findall(f"{EDM}{tag}")
        }
        base = element.get("BaseType")
        inherited = self.members(_short(base)) if base else set()
        return own | inherited | self.functions.get(name, set())

    def enum_members(self, name: str) -> set[str]:
        """The members of an enumeration."""
        return {member.get("Name", "") for member in self.enums[name]}


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _in_schema(name: str) -> str:
    return name[:1].upper() + name[1:]


def _screaming(member: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", member).upper()


@cache
def _metadata() -> Metadata:
    return Metadata(METADATA)


@cache
def _schema_types() -> dict[str, GraphQLNamedType]:
    return dict(build_schema().core.type_map)


def _exposed() -> Iterator[tuple[str, GraphQLObjectType | GraphQLInterfaceType]]:
    """Entity and complex types with their counterpart in the schema."""
    for name in _metadata().types:
        type_ = _schema_types().get(_in_schema(name))
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            yield name, type_


def _differences(found: Iterable[str], listed: Iterable[str]) -> dict[str, list[str]]:
    found, listed = set(found), set(listed)
    return {
        "not on the list": sorted(found - listed),
        "on the list for nothing": sorted(listed - found),
    }


NONE = {"not on the list": [], "on the list for nothing": []}


def test_the_metadata_is_read_with_its_base_types() -> None:
    metadata = _metadata()
    assert metadata.members("workflowVersion") >= {"versionNumber", "settings", "tasks", "category"}
    assert metadata.members("user") >= {"id", "deletedDateTime", "manager"}
    assert "topTasksProcessedSummary" in metadata.members("insights")
    assert len(list(_exposed())) > 40


def test_every_property_is_in_the_schema() -> None:
    missing = [
        f"{type_.name}.{member}"
        for name, type_ in _exposed()
        for member in _metadata().members(name)
        if member not in type_.fields
    ]
    assert _differences(missing, EXCLUDED_PROPERTIES) == NONE


def _is_text_of_enum(type_: GraphQLObjectType | GraphQLInterfaceType, field: str) -> bool:
    """Whether a field is the text beside an enum, as ``categoryText`` beside ``category``."""
    beside = type_.fields.get(field.removesuffix("Text"))
    enum = get_named_type(beside.type) if beside is not None else None
    return field.endswith("Text") and isinstance(enum, GraphQLEnumType)


def test_every_field_is_in_the_metadata() -> None:
    added = [
        f"{type_.name}.{field}"
        for name, type_ in _exposed()
        for field in type_.fields
        if field not in _metadata().members(name) and not _is_text_of_enum(type_, field)
    ]
    assert _differences(added, ADDED_FIELDS) == NONE


def test_enumerations_have_the_same_members() -> None:
    enums = {
        name: type_
        for name in _metadata().enums
        if isinstance(type_ := _schema_types().get(_in_schema(name)), GraphQLEnumType)
    }
    assert "lifecycleWorkflowProcessingStatus" in enums
    for name, type_ in enums.items():
        members = _metadata().enum_members(name) | ADDED_MEMBERS.get(name, set())
        assert {value.value for value in type_.values.values()} == members, name
        assert set(type_.values) == {_screaming(member) for member in members}, name


def test_every_type_of_the_namespace_is_in_the_schema() -> None:
    absent = [
        name
        for name, namespace in _metadata().namespaces.items()
        if namespace == LIFECYCLE and _in_schema(name) not in _schema_types()
    ]
    assert _differences(absent, EXCLUDED_TYPES) == NONE


def test_what_stands_for_the_container() -> None:
    """One of the reasons above can be checked."""
    query = _schema_types()["Query"]
    assert isinstance(query, GraphQLObjectType)
    container = _metadata().members("lifecycleWorkflowsContainer") - {"id", "deletedItems"}
    assert set(query.fields) >= container | {"deletedWorkflows"}
    assert get_named_type(query.fields["deletedWorkflows"].type).name == "WorkflowConnection"


def test_members_of_inputs_are_properties_of_the_types_that_they_make() -> None:
    inputs = {
        name.removesuffix("Input"): type_
        for name, type_ in _schema_types().items()
        if isinstance(type_, GraphQLInputObjectType) and name.endswith("Input")
    }
    made = {
        name: type_
        for name, type_ in {**inputs, "User": inputs["Subject"]}.items()
        if _in_metadata(name) in _metadata().types and not type_.is_one_of
    }
    assert {"Workflow", "Task", "User", "ActivateRunScope", "CustomTaskExtension"} <= made.keys()
    added = [
        f"{name}.{field}"
        for name, type_ in made.items()
        for field in type_.fields
        if field not in _metadata().members(_in_metadata(name))
    ]
    assert added == ["CustomExtensionCallbackConfiguration.authorizedApps"]


def test_a_choice_of_an_input_is_a_type_that_derives_from_what_is_chosen() -> None:
    """`triggerAndScopeBasedConditions` of `WorkflowExecutionConditionsInput`, and so on."""
    choices = {
        name.removesuffix("Input"): type_
        for name, type_ in _schema_types().items()
        if isinstance(type_, GraphQLInputObjectType) and type_.is_one_of
    }
    assert len(choices) >= 7
    for name, type_ in choices.items():
        for choice in type_.fields:
            base = _metadata().types[choice].get("BaseType", "").rpartition(".")[2]
            assert base == _in_metadata(name)


def _in_metadata(name: str) -> str:
    return name[:1].lower() + name[1:]


# --- types -----------------------------------------------------------------------------------

SCALARS = {
    "Edm.String": {"String", "ID"},
    "Edm.Int32": {"Int"},
    "Edm.Int64": {"Int64"},
    "Edm.Boolean": {"Boolean"},
    "Edm.DateTimeOffset": {"DateTime"},
    "Edm.Duration": {"String"},
}
REFERENCE = "the id alone, as a complex value carries it"
# Where the type of a field is not that of the property, and why.
OTHER_TYPES = {
    "User.manager": "null where it is no user",
    "ActivateGroupScope.group": REFERENCE,
    "ActivateProcessingResultScope.processingResults": REFERENCE,
    "ActivateRunScope.run": REFERENCE,
    "ActivateUserScope.users": REFERENCE,
    "DirectoryObjectWorkflowSubject.directoryObject": REFERENCE,
    "GroupBasedSubjectSet.groups": REFERENCE,
}


def _typed(name: str) -> dict[str, tuple[str, bool]]:
    """The type of each property of a type, and whether it is a collection; bases included."""
    element = _metadata().types[name]
    base = element.get("BaseType")
    found = _typed(_short(base)) if base else {}
    for tag in ("Property", "NavigationProperty"):
        for member in element.findall(f"{EDM}{tag}"):
            type_ = member.get("Type", "")
            many = type_.startswith("Collection(")
            found[member.get("Name", "")] = type_.removeprefix("Collection(").rstrip(")"), many
    return found


def _is_other(field: GraphQLField, edm: str, *, many: bool) -> bool:
    """Whether a field is not of the type of a property: another one, or not as many."""
    type_: Any = get_nullable_type(field.type)
    named: Any = get_named_type(type_)
    listed = isinstance(type_, GraphQLList) or named.name.endswith("Connection")
    if named.name.endswith("Connection"):
        named = get_named_type(named.fields["nodes"].type)
    enum = _metadata().enums.get(_short(edm))
    flags = enum is not None and enum.get("IsFlags") == "true"
    allowed = SCALARS.get(edm, {_in_schema(_short(edm))})
    return named.name not in allowed or listed != (many or flags)


def test_every_field_has_the_type_of_its_property() -> None:
    """Collections and flags are lists, or connections where they are unbounded."""
    wrong = [
        f"{type_.name}.{member}"
        for name, type_ in _exposed()
        for member, (edm, many) in _typed(name).items()
        if member in type_.fields and _is_other(type_.fields[member], edm, many=many)
    ]
    assert _differences(wrong, OTHER_TYPES) == NONE
