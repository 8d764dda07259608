"""Which operation of AWS a request is for, named as the API names it."""

from __future__ import annotations

import re
from urllib.parse import unquote

from werkzeug.wrappers import Request

_FUNCTION = re.compile(r"/[\d-]+/functions/(?P<function>[^/]+)/(?P<rest>.+?)/?")


def operation_of(request: Request) -> tuple[str, str, str]:
    """Operation, function, and what the path has behind it."""
    target = request.headers.get("X-Amz-Target")
    if target:
        return target.rpartition(".")[2], "", ""
    if request.path == "/" and "Action" in request.form:  # IAM's protocol
        return request.form["Action"], "", ""
    if re.fullmatch(r"/[\d-]+/functions/?", request.path):
        return ("ListFunctions" if request.method == "GET" else "CreateFunction"), "", ""
    found = _FUNCTION.fullmatch(request.path)
    if not found:
        return f"{request.method} {request.path}", "", ""
    name, rest = unquote(found["function"]).split(":")[-1], found["rest"]
    what = {
        ("GET", "configuration"): "GetFunctionConfiguration",
        ("PUT", "configuration"): "UpdateFunctionConfiguration",
        ("PUT", "code"): "UpdateFunctionCode",
        ("POST", "versions"): "PublishVersion",
        ("GET", "provisioned-concurrency"): "ListProvisionedConcurrencyConfigs"
        if "List" in request.args
        else "GetProvisionedConcurrencyConfig",
        ("GET", "aliases"): "GetAlias" if rest != "aliases" else "ListAliases",
        ("PUT", "aliases"): "UpdateAlias",
        ("POST", "aliases"): "CreateAlias",
    }.get((request.method, rest.split("/")[0]), f"{request.method} {rest}")
    return what, name, rest
