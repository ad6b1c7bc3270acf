"""Declarations of endpoints and of the navigation properties that they expand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.sandbox.data.model import NOTHING, USER, EntityType, Row
from gateway.sandbox.data.rows import Rows
from gateway.sandbox.writes.targets import Target

LIFECYCLE = "identityGovernance/lifecycleWorkflows"
DELETED = f"{LIFECYCLE}/deletedItems/workflows"

Related = Callable[[Target, Row], Row | list[Row] | None]


@dataclass(frozen=True)
class Navigation:
    """A relationship that can be expanded; `related` returns what stands there for one row."""

    name: str
    entity: EntityType
    related: Related
    undocumented: bool = False


@dataclass(frozen=True)
class Endpoint:
    """One path: its type, its query options, and how its data is found.

    A collection has `rows`, a single entity `row`, and what answers nothing (204) has `act`.
    `counted` collections carry `@odata.count` unasked; `typed` answers carry `@odata.type`;
    `always` adds to what $select can't leave out; `beta` endpoints are not in v1.0. A path that
    ends in `name()` is a function of a period. `status` is that of an answer with a body;
    `wrapped` names the only member of an answer that holds the entity; a `bodiless` action takes
    no parameters; `draft` methods are those of the beta draft that a setting removes.
    """

    path: str
    entity: EntityType
    rows: Callable[[Target], Rows] | None = None
    row: Callable[[Target], Row] | None = None
    options: frozenset[str] = NOTHING
    expand: Mapping[str, Navigation] = field(default_factory=dict)
    method: str = "GET"
    counted: bool = False
    typed: bool = False
    always: frozenset[str] = NOTHING
    context: str = ""
    beta: bool = False
    act: Callable[[Target], None] | None = None
    status: int = 200
    wrapped: str = ""
    bodiless: bool = False
    draft: bool = False

    @property
    def needs_body(self) -> bool:
        """Say whether a request without a body is wrong."""
        return self.method in {"POST", "PATCH"} and not self.bodiless

    @property
    def action(self) -> bool:
        """Say whether the path ends in an action, not in a collection that is posted to."""
        last = self.path.rpartition("/")[2]
        return self.method == "POST" and self.status != 201 and last[0] not in "${"

    @property
    def function(self) -> bool:
        """Say whether the path ends in a function of a period."""
        return self.path.endswith("()")

    @property
    def many(self) -> bool:
        """Say whether the answer is a collection."""
        return self.rows is not None

    @property
    def paged(self) -> bool:
        """Say whether the answer comes page by page; a link could not lead to a POST."""
        return self.many and self.method == "GET"

    @property
    def lifecycle(self) -> bool:
        """Say whether the lifecycle workflows service answers, not the directory."""
        return self.entity is not USER

    @property
    def deleted(self) -> bool:
        """Say whether the path goes through the deleted workflows."""
        return self.path.startswith(DELETED)
