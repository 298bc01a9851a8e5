"""The pages about jobs in a browser: they move by themselves, answer to mouse and keyboard, and need neither."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from backprop_client import Backprop
from backprop_client.handles.job import Job
from tests.support.waiting import wait_for

LONG = {"preset": "tutorial", "iterations": 2_000_000, "learning_rate": 0.1}


@pytest.fixture
def running(client: Backprop, csv_file: Path) -> Iterator[Job]:
    """A job that trains for longer than a test."""
    job = client.train(csv_file, target="kind", hidden=[4], name="a long one", training=LONG)
    yield job
    client.jobs.cancel(job.id)


@pytest.fixture
def ended(client: Backprop, csv_file: Path) -> Job:
    """A job that has succeeded."""
    job = client.train(csv_file, target="kind", hidden=[3], name="a short one")
    job.wait(progress=False)
    return job


def drawn(page: Page) -> list[int]:
    """The iterations that the first line of the curve shows."""
    texts = page.locator("figure.curve g[data-name=J]").evaluate_all("lines => lines.map(line => line.dataset.x)")
    return [int(k) for text in texts for k in text.split()]


def test_a_new_job_comes_into_the_list_and_runs_through_it(page: Page, client: Backprop, csv_file: Path) -> None:
    client.train(csv_file, target="kind", hidden=[2], name="there before").wait(progress=False)
    page.goto("/")
    expect(page.locator("#live")).to_have_text("Live.")
    job = client.train(csv_file, target="kind", hidden=[2], name="just begun")
    row = page.locator(f"#{job.id}")
    expect(row).to_contain_text("just begun")
    expect(row.locator(".status")).to_have_text("succeeded", timeout=20_000)
    expect(row.locator("svg.sparkline")).to_have_count(1)


def test_figures_in_the_list_move(page: Page, running: Job) -> None:
    page.goto("/")
    figure = page.locator(f"#{running.id} [data-part=iteration]")
    expect(figure).not_to_have_text("–", timeout=20_000)
    first = figure.inner_text()
    expect(figure).not_to_have_text(first, timeout=20_000)


def test_the_curve_grows_while_it_trains(page: Page, running: Job) -> None:
    page.goto(f"/jobs/{running.id}")
    expect(page.locator("#live")).to_have_text("Live.", timeout=20_000)
    last = wait_for("the first costs", lambda: drawn(page))[-1]
    wait_for("more of them", lambda: drawn(page)[-1] > last)


def test_the_page_shows_the_end_when_it_comes(page: Page, client: Backprop, running: Job) -> None:
    page.goto(f"/jobs/{running.id}")
    expect(page.locator("#progress .status")).to_have_text("running", timeout=20_000)
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#progress .status")).to_have_text("cancelled", timeout=20_000)
    expect(page.get_by_role("button", name="Resume")).to_be_visible()


def test_a_part_is_looked_at_with_the_mouse_and_all_again(page: Page, ended: Job) -> None:
    page.goto(f"/jobs/{ended.id}")
    whole = drawn(page)
    box = page.locator("svg.chart").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.4, middle)
    expect(page.locator("[data-part=readout]")).to_contain_text(re.compile(r"Iteration \d+: J [\d.]+"))
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=3)
    page.mouse.up()
    part = wait_for("a part", lambda: drawn(page) if drawn(page)[0] > whole[0] else None)
    assert set(part) < set(whole)
    page.locator("svg.chart").dblclick()
    wait_for("all of it", lambda: drawn(page) == whole)


def test_the_keyboard_reads_points_and_zooms(page: Page, ended: Job) -> None:
    page.goto(f"/jobs/{ended.id}")
    whole = drawn(page)
    page.locator("figure.curve").focus()
    readout = page.locator("[data-part=readout]")
    page.keyboard.press("ArrowRight")
    expect(readout).to_contain_text("Iteration 0: J")
    page.keyboard.press("ArrowRight")
    expect(readout).to_contain_text("Iteration 1: J")
    page.keyboard.press("+")
    wait_for("a part", lambda: len(drawn(page)) < len(whole))
    page.keyboard.press("0")
    wait_for("all of it", lambda: drawn(page) == whole)


def test_the_form_changes_what_is_drawn_without_leaving(page: Page, ended: Job) -> None:
    page.goto(f"/jobs/{ended.id}")
    page.get_by_label("terms of J").check()
    expect(page.locator("g[data-name='decay term']")).to_have_count(1)
    page.get_by_label("Smoothing").fill("0.8")
    page.get_by_label("Smoothing").blur()
    expect(page.locator("path.raw").first).to_be_attached()
    assert page.url.endswith(ended.id)


def test_all_of_it_works_without_scripts(plain_page: Page, ended: Job) -> None:
    plain_page.goto("/")
    plain_page.get_by_role("link", name="a short one").first.click()
    expect(plain_page.get_by_role("heading", level=1)).to_have_text("a short one")
    plain_page.get_by_label("After").fill("3")
    plain_page.get_by_label("Before").fill("8")
    plain_page.get_by_role("button", name="Show").click()
    assert drawn(plain_page) == [4, 5, 6, 7]
    plain_page.goto("/")
    plain_page.locator(f"#{ended.id} input[type=checkbox]").check()
    plain_page.get_by_label("Tag").last.fill("plain")
    plain_page.get_by_role("button", name="Add tag").click()
    expect(plain_page.locator(f"#{ended.id} .tag")).to_have_text("plain")
    assert ended.refresh().data.tags == ("plain",)


def test_chosen_jobs_are_compared(page: Page, client: Backprop, csv_file: Path, ended: Job) -> None:
    other = client.train(csv_file, target="kind", hidden=[5], name="another")
    other.wait(progress=False)
    page.goto("/")
    for job in (ended, other):
        page.locator(f"#{job.id} input[type=checkbox]").check()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare jobs")
    expect(page.locator("g[data-name]")).to_have_count(2)
