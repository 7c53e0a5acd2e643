"""The routes that read: ours, and those of the services whose clients are answered too."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from flask import Blueprint, Response, abort, g, request

from shizi.server.bodies import Body, once
from shizi.server.compat.baidu import (
    BAIDU_PREFIX,
    baidu_call,
    baidu_shape,
    baidu_submission,
    baidu_token,
    is_baidu_route,
)
from shizi.server.compat.choice import COMPAT_PARAMETER, check_compat, shape_of_request
from shizi.server.compat.paddlex import PADDLEX, paddlex_submission
from shizi.server.compat.rapidocr import RAPIDOCR, take_rapidocr_fields
from shizi.server.compat.umi import UMI, umi_options, umi_shape, umi_submission
from shizi.server.service import Service
from shizi.server.shapes import DOCUMENTS, TEXTS, Shape, reply
from shizi.server.uploads import Submission


def create_api(service: Service) -> Blueprint:
    """Make the routes on a service."""
    api = Blueprint("api", __name__)

    @api.post("/v1/ocr")
    def read_documents() -> Response:
        return service.answer(service.submission(service.body()), DOCUMENTS)

    @api.post("/ocr")
    def read_lines() -> Response:
        shape = shape_of_request(request)
        check_compat(request)
        submission = _compat_submission(service, service.body(), shape)
        return service.answer(submission, shape, query=(COMPAT_PARAMETER,))

    @api.post("/api/ocr")
    def read_texts() -> Response:
        body = service.body()
        if body.json is not None and "base64" in body.json:
            return _answer_umi(service, body.json)
        return service.answer(service.submission(body), TEXTS)

    @api.get("/api/ocr/get_options")
    def list_umi_options() -> Response:
        return reply(umi_options())

    @api.post(BAIDU_PREFIX + "<kind>")
    def read_for_baidu(kind: str) -> Response:
        if not is_baidu_route(kind):
            abort(404)
        return _answer_baidu(service, kind)

    @api.route("/oauth/2.0/token", methods=["GET", "POST"])
    def give_baidu_token() -> Response:
        fields = {**request.args, **service.body().form}
        return reply(baidu_token(fields.get("client_secret", "")))

    return api


def _compat_submission(service: Service, body: Body, shape: Shape) -> Submission:
    if shape is PADDLEX and body.json is not None and "file" in body.json:
        return paddlex_submission(body.json)
    submission = service.submission(body)
    if shape is RAPIDOCR:
        return Submission(submission.pictures, take_rapidocr_fields(submission.fields))
    return submission


def _answer_umi(service: Service, content: Mapping[str, object]) -> Response:
    g.shape = UMI
    submission, choice = umi_submission(content, service.options)
    return service.answer(submission, umi_shape(choice))


def _answer_baidu(service: Service, kind: str) -> Response:
    query = once(list(request.args.items(multi=True)))
    submission, choice = baidu_submission(kind, service.body(), query)
    return service.answer(
        submission,
        baidu_shape(choice),
        query=tuple(query),
        change=partial(baidu_call, kind, choice=choice),
    )
