"""The folders that attempts write their coded rows to.

They are below the temporary folder, and are gone when the attempt has ended.
"""

from __future__ import annotations

import tempfile
from contextlib import AbstractContextManager
from pathlib import Path

from infra.scratch import remove_abandoned, scratch_folder

PREFIX = "backprop-job-"


def job_folder() -> AbstractContextManager[Path]:
    """A folder for one attempt."""
    return scratch_folder(Path(tempfile.gettempdir()), PREFIX)


def remove_abandoned_job_folders() -> None:
    """Delete the folders of attempts whose process is gone."""
    remove_abandoned(Path(tempfile.gettempdir()), PREFIX)
