// A job's page, kept up to date by one stream until the job has ended.

import { Curve } from "./curve.js";
import { follow } from "./events.js";

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

const curve = new Curve(holder, query);
form.addEventListener("change", () => curve.draw());
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const data = new FormData(form);
  const after = Number(data.get("after") ?? -1);
  const before = data.get("before");
  curve.zoom(after > -1 || before ? [after + 1, before ? Number(before) - 1 : Number.MAX_SAFE_INTEGER] : null);
});

async function renewFigures() {
  const answer = await fetch(`/jobs/${job}/progress`);
  if (!answer.ok) return;
  const box = document.createElement("div");
  box.innerHTML = await answer.text();
  const next = box.querySelector("#progress");
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

const status = document.querySelector("#progress").dataset.status;
if (status === "queued" || status === "running") {
  const stream = follow(
    `/v1/jobs/${job}/events?points=4&max_rate=10`,
    {
      cost: soon,
      transition: soon,
      end: () => {
        stream.close();
        location.reload();
      },
    },
    (isOpen) => {
      live.textContent = isOpen ? "Live." : "The connection is lost; trying again.";
    },
  );
}
