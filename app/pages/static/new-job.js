// The plan of a job while its form is filled in. The server reads the form and draws the page; this puts its parts in.

const PAUSE = 350; // Milliseconds without a key pressed, after which the plan is asked for.

const form = document.querySelector("#job");
let asked = 0;
let timer;

/** The page that the server makes of the form after one of its buttons. */
async function answer(action) {
  const fields = new FormData(form);
  fields.set("do", action);
  const response = await fetch(form.action, { method: "POST", body: new URLSearchParams(fields) });
  if (!response.headers.get("Content-Type")?.startsWith("text/html")) throw new Error("no page");
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  if (!page.querySelector("#job")) throw new Error("another page");
  return page;
}

function put(page, selector) {
  document.querySelector(selector).replaceWith(page.querySelector(selector));
}

/** Show what the server says of the form, without touching what somebody types in. */
function show(page) {
  put(page, "#plan");
  put(page, "#commands");
  document.querySelector("#in-short").textContent = page.querySelector("#in-short").textContent;
  for (const slot of form.querySelectorAll("[data-problem]")) {
    const text = page.getElementById(slot.id)?.textContent ?? "";
    if (slot.textContent !== text) slot.textContent = text;
    if (text) slot.closest("details")?.setAttribute("open", "");
    for (const field of form.querySelectorAll(`[aria-describedby~="${CSS.escape(slot.id)}"]`)) {
      if (text) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
  }
  addCopying();
}

async function act(action) {
  clearTimeout(timer);
  const mine = ++asked;
  try {
    const page = await answer(action);
    if (mine !== asked) return; // somebody has typed on
    if (action !== "look") {
      put(page, "#network");
      const units = form.querySelectorAll("#network [name=units]");
      (action === "add" || action === "compose" ? units[units.length - 1] : form.querySelector("#network button:last-of-type"))?.focus();
    }
    show(page);
  } catch {
    document.querySelector("#in-short").textContent = "The server cannot be reached. The form still works by its buttons.";
  }
}

/** A button beside each text that can be copied, where the browser lets a page do that. */
function addCopying() {
  if (!navigator.clipboard) return;
  for (const text of document.querySelectorAll("pre[data-copy]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet copy";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy ${text.dataset.copy}`);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    });
    text.before(button);
  }
}

form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(() => act("look"), PAUSE);
});

form.addEventListener("submit", (event) => {
  const action = event.submitter?.value;
  if (action === "start") return; // the browser goes to the job, or to what is wrong with it
  event.preventDefault();
  act(action ?? "look");
});

addCopying();
