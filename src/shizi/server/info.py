"""The routes that tell: whether the service lives and is ready, what it can, how it is asked."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, abort, current_app, g

from shizi import __version__
from shizi.jobs.site import Site
from shizi.server.docspage import docs_page, error_page
from shizi.server.jobdesk import limits_of
from shizi.server.jobmetrics import jobs_to_text
from shizi.server.openapi import openapi_document
from shizi.server.service import Service
from shizi.server.shapes import DOCUMENTS, reply

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_STYLE = Path(__file__).parent / "docs.css"


def create_info(service: Service, site: Site | None = None) -> Blueprint:
    """Make the routes on a service, and where there are any, its jobs."""
    info = Blueprint("info", __name__)
    _add_health(info, service, site)
    _add_facts(info, service)
    _add_documents(info, service)
    return info


def _add_health(info: Blueprint, service: Service, site: Site | None) -> None:
    @info.get("/")
    def page() -> Response:
        return current_app.send_static_file("index.html")

    @info.get("/healthz")
    def health() -> Response:
        return reply({"status": "ok"})

    @info.get("/readyz")
    def readiness() -> Response:
        reason = service.state.unready()
        if reason is None:
            return reply({"status": "ready"})
        response = reply({"status": "unready", "reason": reason}, 503)
        response.headers["Retry-After"] = "1"
        return response

    @info.get("/metrics")
    def metrics() -> Response:
        content = service.meter.render() + service.state.metrics() + jobs_to_text(site)
        return Response(content, content_type=_METRICS_TYPE)


def _add_facts(info: Blueprint, service: Service) -> None:
    @info.get("/v1/models")
    def models() -> Response:
        g.shape = DOCUMENTS
        return reply({"models": list(service.state.models())})

    @info.get("/v1/options")
    def options() -> Response:
        limits, server = service.settings.limits, service.settings.server
        return reply(
            {
                "options": [
                    {
                        "name": option.name,
                        "description": option.doc,
                        "schema": option.schema,
                        "default": option.default(service.default),
                    }
                    for option in service.options.values()
                ],
                "limits": {
                    "max_body_bytes": server.max_body_bytes,
                    "max_documents": server.max_documents,
                    "max_bytes": limits.max_bytes,
                    "max_pixels": limits.max_pixels,
                    "max_pages": limits.max_pages,
                    "max_timeout_s": server.max_request_timeout_s,
                    **limits_of(service.settings.jobs),
                },
            }
        )


def _add_documents(info: Blueprint, service: Service) -> None:
    document = openapi_document(__version__, service.options, service.settings.server.max_documents)
    rendered = docs_page(document)
    style_sheet = _STYLE.read_bytes()

    @info.get("/openapi.json")
    def openapi() -> Response:
        return reply(document)

    @info.get("/docs")
    def docs() -> Response:
        return Response(rendered, content_type="text/html; charset=utf-8")

    @info.get("/docs/style.css")
    def style() -> Response:
        return Response(style_sheet, content_type="text/css; charset=utf-8")

    @info.get("/errors/<code>")
    def error(code: str) -> Response:
        content = error_page(code)
        if content is None:
            abort(404)
        return Response(content, content_type="text/html; charset=utf-8")
