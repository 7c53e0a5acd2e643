"""Builds the web application: routes, errors, and headers that keep the page to itself."""

from __future__ import annotations

from flask import Flask, Response

from shizi.core.config import Settings
from shizi.engine.pagereader import PageReader
from shizi.jobs.site import Site
from shizi.server.api import create_api
from shizi.server.bodies import release_body
from shizi.server.budget import BodyBudget
from shizi.server.cors import install_cors
from shizi.server.failures import install_failures
from shizi.server.gate import install_gate
from shizi.server.info import create_info
from shizi.server.jobdesk import JobDesk
from shizi.server.jobs import create_jobs
from shizi.server.judging import create_judging
from shizi.server.metrics import Meter, ProcessMeter, install_meter
from shizi.server.releasedoor import Door
from shizi.server.releases import create_releases
from shizi.server.routing import RequestRouter, install_routing
from shizi.server.schema import default_call, make_options
from shizi.server.service import Service
from shizi.server.state import InProcessState, ServiceState
from shizi.server.trace import install_trace

# Nothing but our own files may run, and nobody may put the page into a frame.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def create_app(
    settings: Settings,
    reader: PageReader,
    state: ServiceState | None = None,
    meter: Meter | None = None,
    router: RequestRouter | None = None,
    site: Site | None = None,
) -> Flask:
    """Assemble the service.

    Args:
        settings: resolved at the edge.
        reader: shared by all threads; it must be safe for that.
        state: what the engine tells of itself; that of a reader in this process where None.
        meter: counts; within this process where None.
        router: chooses the version that reads a request; None where there is one only.
        site: where jobs are; without one, none are taken.

    Returns:
        A WSGI application; `docs/http.md` lists its routes.

    Raises:
        ConfigError: a setting of the service, or a file it names, is malformed.
    """
    service = Service(
        settings=settings,
        reader=reader,
        state=state or InProcessState(settings),
        meter=meter or ProcessMeter(),
        budget=BodyBudget(settings.server.max_held_bytes),
        options=make_options(settings.server),
        default=default_call(settings),
        router=router,
    )
    app = Flask("shizi.server", static_folder="static", static_url_path="/static")
    app.config["MAX_CONTENT_LENGTH"] = settings.server.max_body_bytes
    _wrap(app, service)
    _add_routes(app, service, site)
    return app


def _wrap(app: Flask, service: Service) -> None:
    """Put around every request what all of them need."""
    server = service.settings.server
    # What comes first begins first and ends last: the log has the whole of every request.
    install_trace(app)
    install_meter(app, service.meter)
    app.after_request(_add_headers)
    install_cors(app, server.cors_origins)
    install_gate(app, server)
    if service.router is not None:
        install_routing(app, service.router.member)
    install_failures(app, service.meter)
    app.teardown_request(lambda _: release_body(service.budget))


def _add_routes(app: Flask, service: Service, site: Site | None) -> None:
    door = Door(service.settings)
    recorder = service.router.member.recorder if service.router else None
    for routes in (
        create_info(service, site),
        create_api(service),
        create_releases(door),
        create_judging(door, recorder),
        create_jobs(JobDesk(service, site) if site else None),
    ):
        app.register_blueprint(routes)


def _add_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response
