"""Rows that only /beta has: graph-lifecycle-api.md section 3, Differences of beta.

Generated rows carry the members of beta, which v1.0 hides; documented rows stay as documented.
"""

from collections.abc import Iterator

from gateway.sandbox.data.model import Row
from gateway.sandbox.data.rows import Rows

USER_SUBJECT = "user"
"""The subjectType of every generated workflow."""


def workflow_subject(stub: Row) -> Row:
    """Return the workflowSubject that stands for a user."""
    return {
        "@odata.type": "#microsoft.graph.identityGovernance.directoryObjectWorkflowSubject",
        "directoryObject": {"@odata.type": "#microsoft.graph.user", "id": stub["id"]},
    }


def subject_result(row: Row) -> Row:
    """Return a user processing result as the subject processing result that it is as well."""
    subject = row.get("subject")
    return {
        **row,
        "subject": subject and workflow_subject(subject),
        "subjectType": USER_SUBJECT,
    }


class SubjectResults(Rows):
    """User processing results as subject processing results, with the same ids."""

    def __init__(self, users: Rows) -> None:
        self.users = users

    def __len__(self) -> int:
        return len(self.users)

    @property
    def end(self) -> int:
        """The position after the last one."""
        return self.users.end

    def at(self, position: int) -> Row:
        """Return the subject processing result at `position`."""
        return subject_result(self.users.at(position))

    def since(self, position: int) -> Iterator[tuple[int, Row]]:
        """Yield positions and subject processing results, beginning at `position`."""
        return ((index, subject_result(row)) for index, row in self.users.since(position))

    def find(self, key: str) -> Row | None:
        """Return the subject processing result with the id `key`, if there is one."""
        row = self.users.find(key)
        return None if row is None else subject_result(row)
