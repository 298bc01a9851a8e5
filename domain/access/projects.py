"""Projects: every dataset, network, job and model belongs to one, and is seen by its keys alone."""

from __future__ import annotations

from typing import NewType

Project = NewType("Project", str)
"""A project's name. It has a type of its own, so that no id is ever taken for one."""

DEFAULT_PROJECT = Project("default")
"""Requests without a key belong to it, where these are let in. So does what was there before there were projects."""

NAME_PATTERN = "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
