// The list of jobs, kept up to date by one stream: costs change figures in place, steps of a job bring its row anew.

import { follow } from "./events.js";
import { elementOf, part } from "./parts.js";
import { localize } from "./times.js";
import { count, duration, number } from "./wording.js";

const table = document.querySelector("table.jobs");
const live = document.querySelector("#live");
const fetching = new Set();
const wanted = new Set();
const rates = new Map();

/** Put the row of a job in its place, or a new one on top. */
async function renew(id) {
  rates.delete(id);
  if (!table) {
    location.reload(); // the first job of all: the list is there now
    return;
  }
  const isListed = document.getElementById(id) !== null;
  if (!isListed && table.dataset.live !== "new") return;
  if (fetching.has(id)) {
    wanted.add(id);
    return;
  }
  fetching.add(id);
  try {
    const html = await part(`/jobs/${id}/row`);
    if (html !== null) place(id, elementOf(html, "tr", "tbody"));
  } finally {
    fetching.delete(id);
    if (wanted.delete(id)) renew(id);
  }
}

function place(id, row) {
  localize(row);
  const old = document.getElementById(id);
  if (old) {
    row.querySelector("input").checked = old.querySelector("input").checked;
    old.replaceWith(row);
  } else {
    table.tBodies[0].prepend(row);
  }
}

/** What may have changed while nobody told. */
function renewUnended() {
  for (const row of document.querySelectorAll("tr[data-status=queued], tr[data-status=running]")) renew(row.id);
}

/** How many iterations a second, by what has come since the job was last taken up or the page was opened. */
function rate(id, iteration) {
  const now = performance.now() / 1000;
  const first = rates.get(id);
  if (!first) {
    rates.set(id, { at: now, iteration });
    return null;
  }
  return now > first.at ? (iteration - first.iteration) / (now - first.at) : null;
}

function advance(batch) {
  const row = document.getElementById(batch.job_id);
  if (!row) return;
  const last = batch.iteration.at(-1);
  const cell = (name) => row.querySelector(`[data-part=${name}]`);
  cell("cost").textContent = number(batch.cost.at(-1));
  cell("iteration").textContent = count(last);
  cell("progress").querySelector("progress").value = last;
  const perSecond = rate(batch.job_id, last);
  if (perSecond) cell("eta").textContent = duration((Number(row.dataset.iterations) - last) / perSecond);
}

follow(
  "/v1/events?max_rate=4",
  {
    cost: advance,
    transition: (step) => renew(step.job_id),
    end: (end) => (end.status === "deleted" ? document.getElementById(end.job_id)?.remove() : renew(end.job_id)),
  },
  (words) => {
    if (live) live.textContent = words;
  },
  renewUnended,
);
