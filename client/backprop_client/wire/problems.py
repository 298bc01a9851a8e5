"""What every error answers with."""

from __future__ import annotations

from pydantic import BaseModel, Field


class ProblemField(BaseModel):
    """One thing wrong with one place of the request."""

    path: str = Field(
        description="JSON pointer into the body, or the name of a parameter.", examples=["/training/seed"]
    )
    message: str


class Problem(BaseModel):
    """What every error answers with (RFC 9457)."""

    type: str = "about:blank"
    title: str = Field(description="The status in words.")
    status: int
    code: str = Field(description="Stable name of the error; programs may rely on it.", examples=["unknown_column"])
    detail: str = Field(description="What is wrong, for a person.")
    errors: list[ProblemField] = Field(default_factory=list, description="The places concerned, where there are any.")
