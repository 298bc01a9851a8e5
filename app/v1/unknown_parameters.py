"""Query parameters that a route does not have, or that come twice and are no lists, are refused.

So are fields of a body.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError


async def refuse_unknown_parameters(request: Request) -> None:
    """Compare the request with the parameters that its route has. Routers depend on it.

    Raises:
        RequestValidationError: it does not have one, or one that is no list comes more than once. All but one would be
            ignored, and a typing error with them.
    """
    if not request.scope["query_string"]:
        return
    operation = request.app.openapi()["paths"][request.scope["route"].path][request.method.lower()]
    parameters = [each for each in operation.get("parameters", ()) if each["in"] == "query"]
    known = sorted(each["name"] for each in parameters)
    single = sorted(each["name"] for each in parameters if not _is_list(each["schema"]))
    allowed = f"only {', '.join(known)}" if known else "and it has none"
    given = Counter(name for name, _value in request.query_params.multi_items())
    problems = {name: f"this address has no such parameter, {allowed}" for name in given if name not in known}
    problems |= {name: "this parameter comes more than once" for name in single if given[name] > 1}
    if problems:
        raise RequestValidationError(
            [
                {"type": "value_error", "loc": ("query", name or "(no name)"), "msg": message, "input": None}
                for name, message in problems.items()
            ]
        )


def _is_list(schema: dict[str, Any]) -> bool:
    """Whether a parameter may come more than once."""
    return any(each.get("type") == "array" for each in (schema, *schema.get("anyOf", ())))
