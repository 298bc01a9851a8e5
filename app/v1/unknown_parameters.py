"""Query parameters that a route does not have are refused, as unknown fields of a body are."""

from __future__ import annotations

from fastapi import Request
from fastapi.exceptions import RequestValidationError


def refuse_unknown_parameters(request: Request) -> None:
    """Compare the request with the parameters that its route has. Routers depend on it.

    Raises:
        RequestValidationError: there is one that it does not have. It would be ignored, and a typing error with it.
    """
    operation = request.app.openapi()["paths"][request.scope["route"].path][request.method.lower()]
    known = sorted(each["name"] for each in operation.get("parameters", ()) if each["in"] == "query")
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in known]
    if unknown:
        allowed = f"only {', '.join(known)}" if known else "and it has none"
        raise RequestValidationError(
            [
                {
                    "type": "extra_forbidden",
                    "loc": ("query", name),
                    "msg": f"this address has no such parameter, {allowed}",
                    "input": None,
                }
                for name in unknown
            ]
        )
