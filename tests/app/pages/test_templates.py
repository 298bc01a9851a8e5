"""What a page shows is its dataclass: templates read no other names, and no field is there for nothing."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from jinja2 import meta, nodes

import app.pages
from app.pages.rendering import ENVIRONMENT, TEMPLATES

KNOWN = {"page", "frame"}


def pages() -> Iterator[type[Any]]:
    """Every class with a template of its own."""
    for module in pkgutil.walk_packages(app.pages.__path__, "app.pages."):
        for value in vars(importlib.import_module(module.name)).values():
            is_ours = isinstance(value, type) and is_dataclass(value) and value.__module__ == module.name
            if is_ours and hasattr(value, "template"):
                yield value


PAGES = list(pages())


def parsed(template: str) -> nodes.Template:
    return ENVIRONMENT.parse((TEMPLATES / template).read_text())


def templates_below(template: str) -> set[str]:
    """A template, what it extends, and what it imports and includes, all the way."""
    found, left = set(), [template]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += [each for each in meta.find_referenced_templates(parsed(name)) if each is not None]
    return found


def read_of_page(template: str) -> set[str]:
    """The attributes of ``page`` that a template reads, or those below it do."""
    return {
        node.attr
        for name in templates_below(template)
        for node in parsed(name).find_all(nodes.Getattr)
        if isinstance(node.node, nodes.Name) and node.node.name == "page"
    }


@pytest.mark.parametrize("template", sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html")))
def test_templates_know_the_page_and_what_is_around_it_and_nothing_else(template: str) -> None:
    there = parsed(template)
    its_own = {each.target for each in there.find_all(nodes.Import)} | {
        each.name for each in there.find_all(nodes.Macro)
    }
    assert meta.find_undeclared_variables(there) <= KNOWN | its_own


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.__name__)
def test_a_template_reads_each_field_of_its_page_and_only_what_there_is(page: type[Any]) -> None:
    read = read_of_page(page.template)
    its_own = {field.name for field in fields(page)}
    assert its_own <= read, "fields that no template shows"
    assert all(hasattr(page, name) or name in its_own for name in read), "names that the page does not have"


def test_every_template_of_a_page_is_of_one_page() -> None:
    templates = [page.template for page in PAGES]
    assert len(set(templates)) == len(templates)
    used = set().union(*map(templates_below, templates))
    assert used == {str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html")}
