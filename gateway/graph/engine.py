"""What operations share: the client, what was learned of the service, and the limits."""

import time
from dataclasses import dataclass, field

from gateway.graph.capabilities import Capabilities, PageSizes
from gateway.graph.client import GraphClient, Session, Usage
from gateway.graph.credentials import Credentials
from gateway.graph.layers import Execution
from gateway.graph.loaders import RequestLoader
from gateway.graph.reader import Reader, Row
from gateway.odata.cost import DEFAULT_PAGE_SIZE
from gateway.odata.cursor import CursorCodec
from gateway.odata.plan import Plan


@dataclass(slots=True)
class Engine:
    """Runs plans against one upstream; one instance per process.

    Attributes:
        client: sends requests.
        credentials: choose the token that goes upstream.
        cursors: signs cursors.
        deadline: seconds that one operation may take.
        budget: upstream requests that one operation may send, each item of a `$batch` counted.
        capabilities, page_sizes: what the service turned out to accept and to send.
    """

    client: GraphClient
    credentials: Credentials
    cursors: CursorCodec
    deadline: float = 60.0
    budget: int = 5000
    capabilities: Capabilities = field(default_factory=Capabilities)
    page_sizes: PageSizes = field(default_factory=lambda: PageSizes(DEFAULT_PAGE_SIZE))

    async def run(self, plan: Plan, caller: str | None, usage: Usage) -> Row:
        """The stitched root row of ``plan``.

        Args:
            plan: what to fetch.
            caller: the caller's bearer token, if it sent one.
            usage: counts what is sent.

        Raises:
            Unauthenticated: there is no token to send upstream.
        """
        token = await self.credentials.token(caller)
        session = Session(token, time.monotonic() + self.deadline, usage)
        loader = RequestLoader(self.client, session, budget=self.budget)
        reader = Reader(loader, self.capabilities, self.page_sizes, self.client.relative)
        return await Execution(plan, reader, self.cursors).run()

    async def aclose(self) -> None:
        """Close what the engine holds open."""
        await self.client.aclose()
