// How client caches tell the objects of the gateway apart: by `nodeId`, never by `id`.
// Printed by `lifecycle-gateway schema --cache-keys`; how to use it: docs/clients.md.

/** The types with a `nodeId`. */
export const nodes = [
  "CustomTaskExtension",
  "LifecyclePolicy",
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
  "WorkflowVersion"
];

/** The other types: objects of theirs belong to the object that they were read with. */
export const parts = [
  "ActivateGroupScope",
  "ActivateProcessingResultScope",
  "ActivateRunScope",
  "ActivateUserScope",
  "ActivateWorkflowAndWaitPayload",
  "AllExcludingGroupsSubjectSet",
  "AllExcludingSpecificObjectsSubjectSet",
  "Application",
  "AttributeChangeTrigger",
  "AttributeSetEntry",
  "AwaitedWorkflowProcessingResult",
  "AzureAdPopTokenAuthentication",
  "AzureAdTokenAuthentication",
  "CancelProcessingPayload",
  "CountBasedQuarantineCondition",
  "CustomExtensionCallbackConfiguration",
  "CustomExtensionClientConfiguration",
  "CustomTaskExtensionConnection",
  "CustomTaskExtensionEdge",
  "CustomTaskExtensionPayload",
  "DeleteOnlyEnforcementAction",
  "DeletedPayload",
  "DirectoryObject",
  "DirectoryObjectConnection",
  "DirectoryObjectEdge",
  "DirectoryObjectWorkflowSubject",
  "DisableOnlyEnforcementAction",
  "DisableThenDeleteEnforcementAction",
  "EmailSettings",
  "EntityReference",
  "FailureGroup",
  "Failures",
  "GroupBasedSubjectSet",
  "GuestSponsorTrigger",
  "Insights",
  "KeyValuePair",
  "LifecycleManagementSettings",
  "LifecyclePolicyConnection",
  "LifecyclePolicyEdge",
  "LifecyclePolicyPriorityConfiguration",
  "LifecyclePolicyPriorityConfigurationConnection",
  "LifecyclePolicyPriorityConfigurationEdge",
  "LifecyclePolicyRule",
  "LogicAppTriggerEndpointConfiguration",
  "MembershipChangeTrigger",
  "OnDemandExecutionOnly",
  "PageInfo",
  "Parameter",
  "PercentageBasedQuarantineCondition",
  "PreviewFailedTask",
  "PreviewTaskFailuresPayload",
  "ProvisioningAttributeMapping",
  "ProvisioningObjectWorkflowSubject",
  "QuarantineConfiguration",
  "QuarantineDetails",
  "RuleBasedSubjectSet",
  "RunConnection",
  "RunEdge",
  "RunSummary",
  "SelectedObjectsSubjectSet",
  "SettingsPayload",
  "SubjectProcessingResultConnection",
  "SubjectProcessingResultEdge",
  "SubjectSummary",
  "TaskDefinitionConnection",
  "TaskDefinitionEdge",
  "TaskPayload",
  "TaskProcessingResultConnection",
  "TaskProcessingResultEdge",
  "TaskProcessingResultPayload",
  "TaskReportConnection",
  "TaskReportEdge",
  "TaskReportSummary",
  "TimeBasedAttributeTrigger",
  "TopTasksInsightsSummary",
  "TopWorkflowsInsightsSummary",
  "TriggerAndScopeBasedConditions",
  "TriggerAttribute",
  "UnknownActivationScope",
  "UnknownAuthenticationConfiguration",
  "UnknownEndpointConfiguration",
  "UnknownEnforcementAction",
  "UnknownExecutionConditions",
  "UnknownExecutionTrigger",
  "UnknownQuarantineCondition",
  "UnknownSubjectSet",
  "UnknownWorkflowSubject",
  "Unread",
  "UserInactivityTrigger",
  "UserProcessingResultConnection",
  "UserProcessingResultEdge",
  "UserProcessingResultPayload",
  "UserSummary",
  "UsersProcessingSummary",
  "WorkflowConnection",
  "WorkflowEdge",
  "WorkflowPayload",
  "WorkflowSetting",
  "WorkflowTemplateConnection",
  "WorkflowTemplateEdge",
  "WorkflowVersionConnection",
  "WorkflowVersionEdge",
  "WorkflowsInsightsByCategory",
  "WorkflowsInsightsSummary"
];

/** The members of interfaces and unions, for fragments on them. */
export const possibleTypes = {
  "ActivationScope": [
    "ActivateGroupScope",
    "ActivateProcessingResultScope",
    "ActivateRunScope",
    "ActivateUserScope",
    "UnknownActivationScope"
  ],
  "CustomExtensionAuthenticationConfiguration": [
    "AzureAdPopTokenAuthentication",
    "AzureAdTokenAuthentication",
    "UnknownAuthenticationConfiguration"
  ],
  "CustomExtensionEndpointConfiguration": [
    "LogicAppTriggerEndpointConfiguration",
    "UnknownEndpointConfiguration"
  ],
  "LifecyclePolicyEnforcementAction": [
    "DeleteOnlyEnforcementAction",
    "DisableOnlyEnforcementAction",
    "DisableThenDeleteEnforcementAction",
    "UnknownEnforcementAction"
  ],
  "Node": [
    "CustomTaskExtension",
    "LifecyclePolicy",
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
    "WorkflowVersion"
  ],
  "QuarantineCondition": [
    "CountBasedQuarantineCondition",
    "PercentageBasedQuarantineCondition",
    "UnknownQuarantineCondition"
  ],
  "SubjectSet": [
    "AllExcludingGroupsSubjectSet",
    "AllExcludingSpecificObjectsSubjectSet",
    "GroupBasedSubjectSet",
    "RuleBasedSubjectSet",
    "SelectedObjectsSubjectSet",
    "UnknownSubjectSet"
  ],
  "WorkflowExecutionConditions": [
    "OnDemandExecutionOnly",
    "ProvisioningAttributeMapping",
    "TriggerAndScopeBasedConditions",
    "UnknownExecutionConditions"
  ],
  "WorkflowExecutionTrigger": [
    "AttributeChangeTrigger",
    "GuestSponsorTrigger",
    "MembershipChangeTrigger",
    "TimeBasedAttributeTrigger",
    "UnknownExecutionTrigger",
    "UserInactivityTrigger"
  ],
  "WorkflowSubject": [
    "DirectoryObjectWorkflowSubject",
    "ProvisioningObjectWorkflowSubject",
    "UnknownWorkflowSubject"
  ]
};

const each = (types, make) => Object.fromEntries(types.map((type) => [type, make(type)]));

/** Relay: the option `getDataID` of an environment. */
export const getDataID = (object) => object.nodeId;

/** Apollo Client: the options of `InMemoryCache`. An object without `nodeId` has no key. */
export const typePolicies = {
  ...each(nodes, () => ({ keyFields: (object) => (object.nodeId ? ["nodeId"] : false) })),
  ...each(parts, () => ({ keyFields: false })),
};

/** urql: the option `keys` of graphcache. An object without `nodeId` has no key. */
export const keys = {
  ...each(nodes, () => (object) => object.nodeId ?? null),
  ...each(parts, () => () => null),
};
