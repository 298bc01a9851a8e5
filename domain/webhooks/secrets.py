"""The secrets that webhooks are signed with, as Standard Webhooks 1.0 has them: ``whsec_`` and base64.

Whoever signs must have the secret itself, so it stands in the database as it is. Who reads that can forge deliveries.
"""

from __future__ import annotations

import base64
import secrets
from datetime import datetime, timedelta

from standardwebhooks import Webhook as Signer

from infra.tables import Webhook

SECRET_BYTES = 32

OVERLAP = timedelta(hours=24)
"""After a rotation the old secret signs for so long, too: a receiver has that time to learn the new one."""


def new_secret() -> str:
    """A fresh one."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def signed_headers(webhook: Webhook, delivery_id: str, body: str, now: datetime) -> dict[str, str]:
    """The headers of one try.

    Args:
        webhook: with its secrets.
        delivery_id: the same at every try.
        body: what is sent.
        now: in UTC.
    """
    previous = webhook.previous_secret if webhook.previous_until is not None and now < webhook.previous_until else None
    signing = [secret for secret in (webhook.secret, previous) if secret is not None]
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Signer(secret).sign(delivery_id, now, body) for secret in signing),
    }
