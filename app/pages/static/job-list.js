// The list of jobs, kept up to date by one stream: costs change figures in place, steps of a job bring its row anew.

import { follow } from "./events.js";
import { localize } from "./times.js";
import { count, duration, number } from "./wording.js";

const table = document.querySelector("table.jobs");
const live = document.querySelector("#live");
const fetching = new Set();
const rates = new Map();

/** Put the row of a job in its place, or a new one on top. */
async function renew(id) {
  if (fetching.has(id)) return;
  fetching.add(id);
  try {
    const answer = await fetch(`/jobs/${id}/row`);
    if (!answer.ok) return;
    const holder = document.createElement("tbody");
    holder.innerHTML = await answer.text();
    const row = holder.querySelector("tr");
    localize(row);
    const old = document.getElementById(id);
    if (old) {
      row.querySelector("input").checked = old.querySelector("input").checked;
      old.replaceWith(row);
    } else if (table.dataset.live === "new") {
      table.tBodies[0].prepend(row);
    }
  } finally {
    fetching.delete(id);
  }
}

/** How many iterations a second, by what has come since the job was first heard of. */
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
  const part = (name) => row.querySelector(`[data-part=${name}]`);
  part("cost").textContent = number(batch.cost.at(-1));
  part("iteration").textContent = count(last);
  part("progress").querySelector("progress").value = last;
  const perSecond = rate(batch.job_id, last);
  if (perSecond) part("eta").textContent = duration((Number(row.dataset.iterations) - last) / perSecond);
}

if (table) {
  follow(
    "/v1/events?max_rate=4",
    {
      cost: advance,
      transition: (step) => renew(step.job_id),
      end: (end) => (end.status === "deleted" ? document.getElementById(end.job_id)?.remove() : renew(end.job_id)),
    },
    (isOpen) => {
      live.textContent = isOpen ? "Live." : "The connection is lost; trying again.";
    },
  );
}
