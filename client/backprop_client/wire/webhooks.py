"""What a client sends and gets about webhooks: addresses that are told when something has ended."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, AnyHttpUrl, BaseModel, ConfigDict, Field, StrictBool, TypeAdapter

from backprop_client.wire.names import Text
from backprop_client.wire.strict_models import StrictModel

WebhookEvent = Literal[
    "job.succeeded",
    "job.failed",
    "job.cancelled",
    "prediction.succeeded",
    "prediction.failed",
    "prediction.cancelled",
]
"""What webhooks are told of."""

EVENTS: tuple[WebhookEvent, ...] = get_args(WebhookEvent)

TEST = "webhook.test"
"""The type of what a test sends."""

DeliveryStatus = Literal["pending", "delivered", "failed"]

LONGEST_URL = 2_000

LONGEST_LABEL = 63
LONGEST_HOST = 253
"""Characters of a host, and between its dots: DNS knows no longer names."""

_URL: TypeAdapter[AnyHttpUrl] = TypeAdapter(AnyHttpUrl)


def normal_address(url: str) -> str:
    """The address as a request is sent to it.

    Programs differ about odd URLs. So what is odd is refused, and the rest is written in the one way that all of them
    read alike: what has been checked is what is sent.

    Raises:
        ValueError: no request can be sent there, or it would tell somebody's password.
    """
    if any(character == "\\" or character.isspace() or not character.isprintable() for character in url):
        raise ValueError("has a space, a backslash or an invisible character in it: they are written as %20 and so on")
    parsed = _URL.validate_python(url)
    if parsed.username is not None or parsed.password is not None:
        raise ValueError("has a name or a password in it: they would be shown to everybody who sees the webhook")
    if parsed.fragment is not None:
        raise ValueError("has a fragment, which is sent to nobody")
    if not _has_usable_host(parsed):
        raise ValueError(f"has a host that no name can be: {LONGEST_LABEL} characters at most between dots, and some")
    normal = str(parsed)
    if len(normal) > LONGEST_URL:
        raise ValueError(f"has more than {LONGEST_URL:,} characters once all are ASCII")
    return normal


def _has_usable_host(url: AnyHttpUrl) -> bool:
    host = (url.host or "").removesuffix(".")
    return len(host) <= LONGEST_HOST and all(0 < len(label) <= LONGEST_LABEL for label in host.split("."))


Address = Annotated[str, Field(max_length=LONGEST_URL), AfterValidator(normal_address)]
Events = Annotated[tuple[WebhookEvent, ...], Field(min_length=1, max_length=len(EVENTS))]


class WebhookIn(StrictModel):
    """An address that is to be told."""

    url: Address = Field(description="http or https.", examples=["https://example.org/backprop"])
    events: Events = Field(default=EVENTS, description="Of what it is told. Default: of all.")
    description: Text | None = Field(default=None, description="For people.")
    enabled: StrictBool = Field(default=True, description="Whether it is told anything for now.")


class WebhookPatch(StrictModel):
    """What is to be changed. What is left out stays."""

    url: Address | None = Field(default=None, description="http or https; null changes nothing.")
    events: Events | None = Field(default=None, description="All of them; null changes nothing.")
    description: Text | None = Field(default=None, description="For people; null clears.")
    enabled: StrictBool | None = Field(default=None, description="Null changes nothing.")


class WebhookOut(BaseModel):
    """An address that is told. Its secret is shown only when it is made."""

    model_config = ConfigDict(title="Webhook")

    id: str
    url: str
    events: tuple[WebhookEvent, ...]
    description: str | None
    enabled: bool
    disabled_reason: str | None = Field(description="Why the service has disabled it, if it has.")
    created_at: datetime
    updated_at: datetime


class WebhookPage(BaseModel):
    """Webhooks, newest first."""

    data: list[WebhookOut]
    has_more: bool


class NewWebhookOut(WebhookOut):
    """A webhook that has just been made."""

    model_config = ConfigDict(title="NewWebhook")

    secret: str = Field(description="For checking signatures: whsec_ and base64. It is not shown again.")


class NewSecretOut(BaseModel):
    """The secret that signs from now on."""

    model_config = ConfigDict(title="NewSecret")

    secret: str = Field(description="It is not shown again.")
    previous_until: datetime = Field(description="Until then the secret before it signs, too.")


class DeliveryOut(BaseModel):
    """Something that a webhook is told, and how far that has come."""

    model_config = ConfigDict(title="Delivery")

    id: str = Field(description="The header webhook-id, the same at every try.")
    webhook_id: str
    type: str = Field(examples=["job.succeeded"])
    status: DeliveryStatus = Field(description="failed: there will be no further try.")
    tries: int = Field(description="How many there have been.")
    next_try_at: datetime | None = Field(description="Null once it is delivered or has failed.")
    last_status: int | None = Field(description="The status of the last answer; null if none came.")
    last_error: str | None = Field(description="Why the last try failed.")
    body: dict[str, Any] = Field(description="What is sent.")
    created_at: datetime
    finished_at: datetime | None


class DeliveryPage(BaseModel):
    """Deliveries, newest first."""

    data: list[DeliveryOut]
    has_more: bool
