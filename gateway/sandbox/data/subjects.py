"""Subjects of any kind: graph-lifecycle-api.md sections 3 (subjectProcessingResult) and 4.

What was processed for a user is a user processing result and a subject processing result, with one
id; what was processed for an object of a provisioning job is the latter alone. Rows of both kinds
carry the object as `workflowSubject`, which is null for a user.
"""

from collections.abc import Iterator

from gateway.sandbox.data.model import Row
from gateway.sandbox.data.rows import Rows

TYPES = "#microsoft.graph.identityGovernance."
DIRECTORY_OBJECT = f"{TYPES}directoryObjectWorkflowSubject"
PROVISIONING_OBJECT = f"{TYPES}provisioningObjectWorkflowSubject"
USER_SUBJECT = "user"
PROVISIONING_SUBJECT = "provisioningObject"


def subject_result(row: Row) -> Row:
    """Return a row of a run as the subject processing result that it is."""
    members = {name: value for name, value in row.items() if name != "workflowSubject"}
    given: Row | None = row.get("workflowSubject")
    if given is not None:
        kind = given["@odata.type"]
        return {
            **members,
            "subject": given,
            "subjectType": PROVISIONING_SUBJECT if kind == PROVISIONING_OBJECT else USER_SUBJECT,
        }
    stub = row.get("subject")
    return {
        **members,
        "subject": stub
        and {
            "@odata.type": DIRECTORY_OBJECT,
            "directoryObject": {"@odata.type": "#microsoft.graph.user", "id": stub["id"]},
        },
        "subjectType": USER_SUBJECT,
    }


class SubjectResults(Rows):
    """Rows of runs as subject processing results, with the same ids."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def end(self) -> int:
        """The position after the last one."""
        return self.rows.end

    def at(self, position: int) -> Row:
        """Return the subject processing result at `position`."""
        return subject_result(self.rows.at(position))

    def since(self, position: int) -> Iterator[tuple[int, Row]]:
        """Yield positions and subject processing results, beginning at `position`."""
        return ((index, subject_result(row)) for index, row in self.rows.since(position))

    def find(self, key: str) -> Row | None:
        """Return the subject processing result with the id `key`, if there is one."""
        row = self.rows.find(key)
        return None if row is None else subject_result(row)
