"""Puts the parts together: settings in, ASGI application out."""

import logging
import ssl
from collections.abc import AsyncIterator, MutableMapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from gateway.access.credentials import Credentials, Fixed
from gateway.access.identity import is_loopback
from gateway.access.quota import IN_FLIGHT, PER_MINUTE, Quota
from gateway.access.setup import authenticator_of, credentials_of
from gateway.answer.bounds import Bounds
from gateway.explorer import ASSETS_PATH, PAGE_HEADERS, explorer_page, static_app
from gateway.graph.client import GraphClient
from gateway.graph.engine import Engine
from gateway.http.graphql import GraphQLEndpoint, Policy, fault, http_error
from gateway.http.health import healthz
from gateway.http.limits import Limits
from gateway.http.persisted import PersistedDocuments, read_manifest
from gateway.http.websockets import refuse_handshake
from gateway.network import check
from gateway.odata.cursor import CursorCodec
from gateway.plan.cost import CostModel
from gateway.plan.planner import Planner
from gateway.schema.build import build_schema
from gateway.schema.context import Context, Plans
from gateway.schema.permissions import needed
from gateway.settings import Settings, read_settings, split

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
SANDBOX = ("workflows", "runs", "users", "tasks", "seed", "now")
"""The settings ``sandbox_…``, which are options of the sandbox too."""
EMBEDDED_SANDBOX_URL = "http://sandbox/v1.0"
_CHANGE_TIME = 5.0
DEFAULT_QUERY = """\
# Which leaver tasks failed, for whom, and why? Newest first.
query Triage {
  taskProcessingResults(
    first: 10
    filter: { processingStatus: { eq: FAILED } }
    workflowFilter: { category: { eq: LEAVER } }
  ) {
    nodes {
      createdDateTime
      failureReason
      task { displayName }
      subject { displayName userPrincipalName }
      workflow { displayName }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""


@dataclass(frozen=True, slots=True)
class Upstream:
    """The service that the data comes from, and whose token opens it."""

    url: str
    credentials: Credentials
    transport: httpx.AsyncBaseTransport | None = None

    @property
    def is_sandbox(self) -> bool:
        """Whether nobody's data are there."""
        return isinstance(self.credentials, Fixed)


def check_way_out(settings: Settings) -> None:
    """Find out whether what is configured can be connected to as the environment says.

    Raises:
        ValueError: it names a proxy or certificates that can't be used.
    """
    access = settings.access
    authority = access.authority if access.tenant_id or access.authority_url else None
    check(settings.upstream_url, settings.sandbox_url, authority)


def upstream_of(settings: Settings, tls: ssl.SSLContext | None = None) -> Upstream:
    """The configured upstream, a sandbox elsewhere, or one of its own in this process.

    Raises:
        ValueError: as for `check_way_out`.
    """
    credentials = credentials_of(settings.access, tls)
    check_way_out(settings)
    if settings.upstream_url is not None:
        return Upstream(settings.upstream_url, credentials)
    if settings.sandbox_url is not None:
        # A token that was sent by mistake goes no further than this machine.
        near = is_loopback(urlsplit(settings.sandbox_url).hostname or "")
        return Upstream(settings.sandbox_url, credentials if near else Fixed("sandbox"))
    # A gateway in front of a real service has no use for it.
    from gateway.sandbox import SandboxSettings, create_sandbox

    given = {name: getattr(settings, f"sandbox_{name}") for name in SANDBOX}
    transport = httpx.ASGITransport(create_sandbox(SandboxSettings(**given)))
    return Upstream(EMBEDDED_SANDBOX_URL, credentials, transport)


def create_engine(settings: Settings, upstream: Upstream | None = None) -> Engine:
    """The engine that runs plans against the upstream."""
    upstream = upstream or upstream_of(settings)
    secret = settings.cursor_secret
    client = GraphClient(
        upstream.url,
        transport=upstream.transport,
        concurrency=settings.concurrency,
        max_attempts=settings.max_attempts,
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        link_origins=split(settings.link_origins),
        needs=needed,
        change_time=min(_CHANGE_TIME, settings.read_timeout, settings.deadline / 2),
    )
    return Engine(
        client,
        upstream.credentials,
        CursorCodec((secret.get_secret_value() if secret else upstream.url).encode()),
        deadline=settings.deadline,
        budget=settings.max_upstream_requests,
        upstream_bytes=settings.max_upstream_bytes,
        answer_objects=settings.max_answer_objects,
        answer_bytes=settings.max_answer_bytes,
        costs=CostModel(settings.cost, client.latency),
    )


def _explorer(path: str) -> HTMLResponse:
    page = explorer_page(endpoint=path, default_query=DEFAULT_QUERY)
    return HTMLResponse(page, headers=PAGE_HEADERS)


def _policy(settings: Settings) -> Policy:
    return Policy(
        introspection=settings.helps("introspection"),
        suggestions=settings.helps("suggestions"),
        timing=settings.helps("timing"),
        plan=settings.helps("plan"),
        limits=Limits(
            **{name: getattr(settings, f"max_{name}") for name in Limits.__dataclass_fields__}
        ),
        max_body=settings.max_body_bytes,
        max_batch=settings.max_batch,
        max_operations=settings.max_operations,
        csrf_prevention=settings.csrf_prevention,
        trusted_origins=split(settings.cors_origins),
    )


def _persisted(settings: Settings, kept: MutableMapping[str, str] | None) -> PersistedDocuments:
    path = settings.trusted_documents
    return PersistedDocuments(
        capacity=settings.persisted_queries,
        trusted=read_manifest(path) if path is not None else None,
        trusted_only=settings.trusted_documents_only,
        kept=kept,
    )


def _cors(settings: Settings) -> list[Middleware]:
    """Without credentials: callers send their token themselves, and there are no cookies."""
    if not split(settings.cors_origins):
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=split(settings.cors_origins),
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            expose_headers=["Retry-After", "Server-Timing", "WWW-Authenticate"],
        )
    ]


def _quota(settings: Settings, sandbox: bool) -> Quota:
    in_flight, per_minute = settings.operations_per_caller, settings.requests_per_minute
    if not sandbox:
        in_flight, per_minute = in_flight or IN_FLIGHT, per_minute or PER_MINUTE
    return Quota(in_flight, per_minute)


def create_app(
    settings: Settings | None = None,
    upstream: Upstream | None = None,
    *,
    tls: ssl.SSLContext | None = None,
    resources: Sequence[type] = (),
    documents: MutableMapping[str, str] | None = None,
) -> Starlette:
    """The gateway as an ASGI application.

    Args:
        settings: by default those of the environment.
        upstream: instead of the one that the settings name; for tests.
        tls: trusted by the connections to Microsoft Entra ID instead of the system's roots; for
            tests.
        resources: further resources of the service, declared with `gateway.schema.declare`.
        documents: where automatic persisted queries are kept, text by hash, instead of in this
            process.

    Raises:
        DeclarationError: a resource contradicts another one, or lacks something.
        ValueError: the manifest of trusted documents can't be read, or as for `read_settings` and
            `upstream_of`.
    """
    settings = settings or read_settings()
    upstream = upstream or upstream_of(settings, tls)
    logging.getLogger("gateway").setLevel(settings.log_level.upper())
    # It logs what the authority answers; the gateway's own line tells the codes and no more.
    logging.getLogger("azure").setLevel(logging.CRITICAL)
    schema = build_schema(
        draft_methods=settings.draft_methods,
        bounds=Bounds(
            errors=settings.max_errors,
            objects=settings.max_answer_objects,
            bytes=settings.max_answer_bytes,
        ),
        resources=resources,
    )
    allow_resume = settings.allow_resume
    if allow_resume is None:
        allow_resume = upstream.is_sandbox
    beta = upstream.url.endswith("/beta")
    plans = Plans(Planner(schema.model, max_first=settings.max_first, beta=beta))
    engines: list[Engine] = []

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        engine = create_engine(settings, upstream)
        engines.append(engine)
        yield
        engines.remove(engine)
        await engine.aclose()

    endpoint = GraphQLEndpoint(
        schema,
        context=lambda caller, usage: Context(
            engines[-1],
            plans,
            caller,
            usage,
            allow_resume=allow_resume,
            wait_timeout=settings.wait_timeout,
        ),
        authenticator=authenticator_of(settings.access, upstream.credentials, tls),
        quota=_quota(settings, upstream.is_sandbox),
        policy=_policy(settings),
        persisted=_persisted(settings, documents),
        page=_explorer if settings.helps("explorer") else None,
    )
    routes: list[BaseRoute] = [
        Route("/", lambda _: RedirectResponse("graphql")),
        Route("/graphql", endpoint.__call__, methods=METHODS, name="graphql"),
        Route("/healthz", healthz),
        WebSocketRoute("/{path:path}", refuse_handshake),
    ]
    if settings.helps("explorer") and (assets := static_app()) is not None:
        routes.append(Mount(ASSETS_PATH, assets))
    app = Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=_cors(settings),
        exception_handlers={HTTPException: http_error, Exception: fault},
    )
    # A redirect to an absolute URL would lead out of a path prefix.
    app.router.redirect_slashes = False
    return app
