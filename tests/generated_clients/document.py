"""Write the OpenAPI document down, as the service gives it at ``/openapi.json``::

python -m tests.generated_clients.document openapi.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from app.main import create_app
from infra.settings import Settings

if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(create_app(Settings()).openapi()))
