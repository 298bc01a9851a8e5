"""The pages about datasets."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from app.pages.datasets import listing, single
from infra.database import Database
from tests.support.keys import bearing, make_key
from tests.support.pages import ESCAPED, HOSTILE, led_to, refused, sent, shown, words_of
from tests.support.service import Service, csv_text

TABLE = csv_text(
    ("age", "fare", "class", "survived", "born"),
    [
        (22.5, 7.25, "third", "no", "2001-02-03"),
        (38, 71.28, "first", "yes", "1986-01-01"),
        ("", 8.05, "third", "no", "1997-05-06"),
        (35, 53.1, "first", "yes", "1990-07-08"),
    ],
)


def test_a_dataset_is_shown_with_what_was_read_and_how(service: Service) -> None:
    dataset = service.upload_csv(TABLE, "passengers.csv")
    html = shown(service.api, f"/datasets/{dataset['id']}")
    said = words_of(html)
    assert "Rows 4 Columns 5 File passengers.csv" in said
    assert "Between cells comma" in said
    assert "First row names the columns" in said
    assert dataset["sha256"] in said


def test_columns_have_their_types_gaps_and_spread(service: Service) -> None:
    dataset = service.upload_csv(TABLE)
    html = shown(service.api, f"/datasets/{dataset['id']}")
    said = words_of(html)
    assert "age number 1 25.0 %" in said
    assert "class category 2 values 0 third 2× first 2×" in said
    assert "born datetime 0 1986-01-01 – – 2001-02-03" in said
    assert html.count('aria-label="Histogram of') == 2
    assert "The pictures and the most frequent values are of all rows." in said


def test_the_first_rows_are_shown_and_gaps_are_named(service: Service) -> None:
    dataset = service.upload_csv(TABLE)
    said = words_of(shown(service.api, f"/datasets/{dataset['id']}"))
    assert "First rows age fare class survived born 22.5 7.25 third no 2001-02-03" in said
    assert "missing 8.05 third no 1997-05-06" in said


def test_remarks_stand_at_what_they_are_about(service: Service) -> None:
    content = "größe;when\n1,5;2020-01-31 12:30\n9;?\n".encode("cp1252")
    dataset = service.api.post("/v1/datasets", files={"file": ("t.csv", content)}).json()
    on_the_file, on_a_column = (remark["message"] for remark in dataset["remarks"])
    said = words_of(shown(service.api, f"/datasets/{dataset['id']}"))
    assert f"Remarks {words_of(on_the_file)}" in said
    assert f"when {words_of(on_a_column)}" in said
    assert "2 remarks" in words_of(shown(service.api, "/datasets"))


def test_a_wide_table_is_shown_some_columns_at_a_time(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single, "COLUMNS_A_PAGE", 2)
    dataset = service.upload_csv(TABLE)
    first = shown(service.api, f"/datasets/{dataset['id']}")
    assert "1 to 2 of 5" in words_of(first)
    assert "?column=2#columns" in first
    last = shown(service.api, f"/datasets/{dataset['id']}?column=4")
    assert "First rows born 2001-02-03" in words_of(last)
    assert "?column=2#columns" in last
    past = shown(service.api, f"/datasets/{dataset['id']}?column=5")
    assert "1 to 2 of 5" in words_of(past)


def test_of_a_long_table_the_pictures_are_of_the_first_rows(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single, "MOST_ROWS_LOOKED_AT", 20)
    dataset = service.upload_csv(csv_text(("n", "c"), [(k, "ab"[k % 2]) for k in range(30)]))
    said = words_of(shown(service.api, f"/datasets/{dataset['id']}"))
    assert "are of the first 20 rows" in said
    assert "a 10× b 10×" in said


def test_columns_without_values_and_of_one_value_have_no_trouble(service: Service) -> None:
    dataset = service.upload_csv("none,one,yes\n,7,true\n,7,false\n", "t.csv")
    html = shown(service.api, f"/datasets/{dataset['id']}")
    assert 'aria-label="Histogram of one, 7 to 7"' in html
    assert "true 1× false 1×" in words_of(html)


def test_jobs_that_train_on_it_are_named(service: Service) -> None:
    dataset = service.upload_csv(TABLE)
    assert "No job has trained on it yet." in shown(service.api, f"/datasets/{dataset['id']}")
    job = service.submit({"dataset_id": dataset["id"], "targets": ["survived"], "name": "On the ship"})
    html = shown(service.api, f"/datasets/{dataset['id']}")
    assert f'<a href="/jobs/{job["id"]}">On the ship</a>' in html
    assert f'href="/?dataset={dataset["id"]}"' in html
    assert f'href="/jobs/new?dataset={dataset["id"]}"' in html


def test_the_list_can_be_searched_and_turned(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "DATASETS_A_PAGE", 2)
    for k in range(3):
        dataset = service.upload_csv(TABLE, f"ship-{k}.csv")
        service.api.patch(f"/v1/datasets/{dataset['id']}", json={"tags": ["even"] if k % 2 == 0 else ["odd"]})
    first = shown(service.api, "/datasets?q=&tag=")
    assert "ship-2.csv" in first
    assert "ship-0.csv" not in first
    following = first.split('rel="next"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    second = shown(service.api, following)
    assert "ship-0.csv" in second
    assert "ship-2.csv" not in second
    tagged = shown(service.api, "/datasets?tag=odd")
    assert "ship-1.csv odd 4 5 csv" in words_of(tagged)
    assert "ship-0.csv" not in tagged
    assert "ship-0.csv" in shown(service.api, "/datasets?q=SHIP-0")
    assert "No dataset is like that." in shown(service.api, "/datasets?q=nothing")


def test_an_empty_list_says_what_a_dataset_is(api: TestClient) -> None:
    assert "There are no datasets yet." in shown(api, "/datasets")


@pytest.mark.parametrize("query", ["q=%00", "tag=two%20words", "after=%3Cb%3E", "q=" + "x" * 201])
def test_what_nothing_can_be_found_by_is_refused_as_a_page(api: TestClient, query: str) -> None:
    assert refused(api.get(f"/datasets?{query}")) == (422, "invalid_request")


def test_what_people_say_of_it_is_changed_by_a_form(service: Service) -> None:
    dataset = service.upload_csv(TABLE, "ship.csv")
    here = f"/datasets/{dataset['id']}"
    fields = {"name": "The ship", "tags": "big, old", "note": "It sank."}
    assert led_to(sent(service.api, f"{here}/caption", fields)) == here
    changed = service.api.get(f"/v1{here}").json()
    assert (changed["name"], changed["tags"], changed["note"]) == ("The ship", ["big", "old"], "It sank.")
    assert "It sank." in shown(service.api, here)
    led_to(sent(service.api, f"{here}/caption", {"name": "", "tags": "", "note": ""}))
    cleared = service.api.get(f"/v1{here}").json()
    assert (cleared["name"], cleared["tags"], cleared["note"]) == ("ship.csv", [], None)
    assert refused(sent(service.api, f"{here}/caption", {"name": "x" * 201})) == (422, "invalid_request")


def test_it_is_deleted_unless_something_needs_it(service: Service) -> None:
    dataset = service.upload_csv(TABLE)
    here = f"/datasets/{dataset['id']}"
    job = service.submit({"dataset_id": dataset["id"], "targets": ["survived"]})
    assert refused(sent(service.api, f"{here}/delete")) == (409, "dataset_in_use")
    service.api.post(f"/v1/jobs/{job['id']}/cancel")
    assert led_to(sent(service.api, f"{here}/delete")) == "/datasets"
    assert refused(service.api.get(here)) == (404, "dataset_not_found")


def test_names_and_values_are_text_whatever_is_in_them(service: Service) -> None:
    dataset = service.upload_csv(csv_text((HOSTILE, "y"), [(HOSTILE, 1), ("b", 2)]), f"{HOSTILE}.csv")
    service.api.patch(f"/v1/datasets/{dataset['id']}", json={"name": HOSTILE, "note": HOSTILE, "tags": [HOSTILE]})
    for address in ("/datasets", f"/datasets/{dataset['id']}"):
        html = shown(service.api, address)
        assert HOSTILE not in html
        assert ESCAPED in html


def test_another_project_and_too_small_a_scope_see_and_change_nothing(service: Service, database: Database) -> None:
    here = f"/datasets/{service.upload_csv(TABLE)['id']}"
    other, reader = bearing(make_key(database, "other")), bearing(make_key(database, "default", ["read"]))
    assert refused(service.api.get(here, headers=other)) == (404, "dataset_not_found")
    for form in ("caption", "delete"):
        assert refused(sent(service.api, f"{here}/{form}", headers=other)) == (404, "dataset_not_found")
    html = shown(service.api, here, headers=reader)
    assert "<form" not in html.partition("<main")[2]
    assert "/jobs/new" not in html
    assert refused(sent(service.api, f"{here}/caption", headers=reader)) == (403, "scope_train_required")
    assert refused(sent(service.api, f"{here}/delete", headers=reader)) == (403, "scope_admin_required")
    predicting = bearing(make_key(database, "default", ["predict"]))
    assert refused(service.api.get("/datasets", headers=predicting)) == (403, "scope_read_required")
