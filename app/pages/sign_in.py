"""`/sign-in` and `/sign-out`: a key is typed once, and a cookie stands for it from then on."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, ClassVar

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from app.access.cookies import COOKIE
from app.access.state import SIGN_IN
from app.dependencies import DatabaseDep
from app.pages.addresses import page_of_ours
from app.pages.forms import FormDep, said
from app.pages.rendering import page_response
from domain.access import sign_ins
from domain.access.sign_ins import NewSignIn
from infra.database import Database
from infra.errors import Forbidden, Unauthenticated

router = APIRouter()


@dataclass(frozen=True)
class SignInPage:
    """The form that asks for a key.

    Attributes:
        next: where to go then.
        refused: why the key that was typed is none; None before one was.
    """

    template: ClassVar[str] = "sign_in.html"
    title: ClassVar[str] = "Sign in"
    next: str
    refused: str | None = None


@router.get("/sign-in")
async def ask_for_key(request: Request, next_page: Annotated[str, Query(alias="next")] = "/") -> Response:
    """Ask for a key."""
    return page_response(request, SignInPage(page_of_ours(next_page)))


@router.post("/sign-in")
async def sign_in(request: Request, form: FormDep, database: DatabaseDep) -> Response:
    """Take a key that was typed, and have the browser hold a cookie that stands for it."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden("form_not_ours", "This does not come from a page of this server: load the page again.")
    request.app.state.rates.admit("")  # whoever tries keys out does so slowly
    there = page_of_ours(said(form, "next") or "/")
    try:
        begun = await run_in_threadpool(_begun, database, said(form, "key") or "")
    except Unauthenticated as error:
        return page_response(request, SignInPage(there, error.message), HTTPStatus.UNAUTHORIZED)
    answer = RedirectResponse(there, HTTPStatus.SEE_OTHER)
    answer.set_cookie(
        COOKIE,
        begun.text,
        expires=begun.expires_at,
        httponly=True,
        samesite="strict",
        secure="https" in (request.url.scheme, request.headers.get("x-forwarded-proto")),
    )
    return answer


@router.post("/sign-out")
async def sign_out(request: Request, _form: FormDep, database: DatabaseDep) -> Response:
    """End the sign-in, here and in the browser."""
    text: str | None = getattr(request.state, SIGN_IN)
    if text is not None:
        await run_in_threadpool(_ended, database, text)
        request.app.state.admission.forget_sign_in(text)
    answer = RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


def _begun(database: Database, key_text: str) -> NewSignIn:
    with database.writing() as session:
        return sign_ins.begin(session, key_text)


def _ended(database: Database, text: str) -> None:
    with database.writing() as session:
        sign_ins.end(session, text)
