// The slider over snapshots: it moves without loading the page again, and plays.

import { part } from "./parts.js";

const FRAME_MILLISECONDS = 350;

const form = document.querySelector("#watch");

if (form) {
  const slider = form.querySelector("#step");
  const play = form.querySelector("#play");
  const place = document.querySelector("#look");
  const isEnded = !["queued", "running"].includes(form.dataset.status);
  let asked = 0;
  let timer = null;

  /** Show the snapshot that the slider stands at; tells whether there was an answer. */
  async function show() {
    const mine = ++asked;
    const html = await part(`${form.dataset.look}?step=${slider.value}`);
    if (html === null || mine !== asked) return html !== null;
    place.innerHTML = html;
    const look = place.querySelector("[data-last]");
    if (look) slider.max = look.dataset.last;
    return true;
  }

  function stop() {
    clearTimeout(timer);
    timer = null;
    play.textContent = "Play";
    play.setAttribute("aria-pressed", "false");
    place.setAttribute("aria-live", "polite");
  }

  /** One step further; at the last one it waits for more while the job trains, and else it ends. */
  async function advance() {
    const isLast = Number(slider.value) >= Number(slider.max);
    if (isLast && isEnded) return stop();
    if (!isLast) slider.value = Number(slider.value) + 1;
    const went = await show();
    if (timer === null) return;
    if (went) timer = setTimeout(advance, FRAME_MILLISECONDS);
    else stop();
  }

  form.querySelector("#show").hidden = true;
  for (const link of form.querySelectorAll("a")) link.hidden = true;
  play.hidden = false;
  slider.addEventListener("input", show);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    show();
  });
  play.addEventListener("click", () => {
    if (timer !== null) return stop();
    if (Number(slider.value) >= Number(slider.max)) slider.value = 0;
    play.textContent = "Pause";
    play.setAttribute("aria-pressed", "true");
    place.setAttribute("aria-live", "off"); // nobody can listen so fast
    timer = setTimeout(advance, 0);
  });
}
