// A job's page, kept up to date by one stream until the job has ended.

import { Curve } from "./curve.js";
import { follow } from "./events.js";
import { elementOf, part } from "./parts.js";
import { localize } from "./times.js";

const REDRAW_MILLISECONDS = 500;

const figure = document.querySelector("figure.curve");
const holder = document.createElement("div");
figure.before(holder);
holder.append(figure);
const form = document.querySelector("#view");
const live = document.querySelector("#live");
const job = figure.dataset.job;

/** How the form wants the curve; its range is the curve's own affair. */
function query() {
  const data = new FormData(form);
  data.delete("after");
  data.delete("before");
  return [...data].filter(([, value]) => value !== "");
}

/** The range that the form's fields name; null for all iterations. */
function rangeOfForm() {
  const data = new FormData(form);
  const after = Number(data.get("after") || -1);
  const before = data.get("before");
  return after > -1 || before ? [after + 1, before ? Number(before) - 1 : Number.MAX_SAFE_INTEGER] : null;
}

const curve = new Curve(holder, query);
curve.range = rangeOfForm();
form.addEventListener("change", () => curve.draw());
form.addEventListener("submit", (event) => {
  event.preventDefault();
  curve.zoom(rangeOfForm());
});

async function renewFigures() {
  const html = await part(`/jobs/${job}/progress`);
  if (html === null) return;
  const next = elementOf(html, "#progress");
  localize(next);
  document.querySelector("#progress").replaceWith(next);
}

let timer = null;

/** Draw anew soon, however many costs come meanwhile. */
function soon() {
  timer ??= setTimeout(() => {
    timer = null;
    curve.draw();
    renewFigures();
  }, REDRAW_MILLISECONDS);
}

let isTyped = false;
for (const each of document.querySelectorAll("form[method=post]")) {
  each.addEventListener("input", () => {
    isTyped = true;
  });
}

/** The job has ended: much of the page is another then. What somebody is typing stays. */
function ended() {
  stop();
  if (!isTyped) {
    location.reload();
    return;
  }
  soon();
  live.textContent = "The job has ended: load the page again to see all of it.";
}

const status = document.querySelector("#progress").dataset.status;
const stop =
  status === "queued" || status === "running"
    ? follow(
        `/v1/jobs/${job}/events?points=4&max_rate=10`,
        { cost: soon, transition: soon, end: ended },
        (words) => {
          live.textContent = words;
        },
        soon,
      )
    : () => {};
