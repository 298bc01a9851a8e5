// The form of a model's inputs: it predicts as you type. Without this its button does the same.

import { number } from "./wording.js";

const form = document.querySelector("#predict");
const answer = document.querySelector("#answer");
const WAIT = 150; // milliseconds after the last key: a number is mostly not done before
let latest = 0;
let timer;

/** What a field says, as JSON has it: null where it is empty, text where a number cannot be read. */
function value(field) {
  const text = field.value;
  if (text.trim() === "") return null;
  if (field.dataset.kind === "number") return Number.isFinite(Number(text)) ? Number(text) : text.trim();
  return text;
}

/** A category of a boolean column is written as text in the form, and is a boolean in JSON. */
function asBooleans(fields, row) {
  return row.map((each, place) => {
    const choices = [...(fields[place].options ?? [])].map((option) => option.value).filter((text) => text !== "");
    const isBoolean = choices.length > 0 && choices.every((text) => text === "true" || text === "false");
    return isBoolean && each !== null ? each === "true" : each;
  });
}

async function ask(row) {
  const token = document.querySelector("meta[name=csrf-token]");
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  if (token) headers["X-CSRF-Token"] = token.content;
  const body = JSON.stringify({ rows: [row] });
  const response = await fetch(`/v1/models/${form.dataset.model}/predict`, { method: "POST", headers, body });
  return { ok: response.ok, said: await response.json() };
}

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function shown(each) {
  if (each === null) return "missing";
  return typeof each === "number" ? number(each) : String(each);
}

function table(headings, rows) {
  const made = element("table", undefined, "plain");
  const head = made.createTHead().insertRow();
  for (const [text, className] of headings) {
    const cell = head.appendChild(element("th", text, className));
    cell.scope = "col";
  }
  const body = made.createTBody();
  for (const [name, ...cells] of rows) {
    const row = body.insertRow();
    row.appendChild(element("th", name)).scope = "row";
    for (const cell of cells) row.appendChild(cell);
  }
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

function part(name, className, width) {
  const made = document.createElementNS(SVG, name);
  made.setAttribute("class", className);
  made.setAttribute("width", width);
  made.setAttribute("height", 10);
  return made;
}

/** A cell with a bar, as the macro bar of models/parts.html draws it. */
function bar(share) {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("class", "bar");
  picture.setAttribute("viewBox", "0 0 100 10");
  picture.setAttribute("preserveAspectRatio", "none");
  picture.setAttribute("aria-hidden", "true");
  picture.append(part("rect", "bar-rest", 100), part("rect", "bar-part", 100 * share));
  const cell = element("td", undefined, "bars");
  cell.append(picture);
  return cell;
}

function ofClasses(said) {
  const votes = said.classes.map((label, place) => [label, said.scores[0][place]]).sort((a, b) => b[1] - a[1]);
  const line = element("p", "Prediction: ", "said");
  line.append(element("strong", shown(said.predictions[0])));
  const rows = votes.map(([label, score]) => [String(label), element("td", number(score), "figure"), bar(score)]);
  return [line, table([["Class"], ["Score", "figure"], ["Bar", "unseen"]], rows)];
}

function ofValues(prediction) {
  if (prediction === null || typeof prediction !== "object") {
    const line = element("p", "Prediction: ", "said");
    line.append(element("strong", shown(prediction)));
    return [line];
  }
  const rows = Object.entries(prediction).map(([name, each]) => [name, element("td", shown(each), "figure")]);
  return [table([["Column"], ["Prediction", "figure"]], rows)];
}

function mark(fields, problems) {
  for (const [place, field] of fields.entries()) {
    const isWrong = problems.some((problem) => problem.path === `/rows/0/${place}`);
    if (isWrong) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
}

async function predict() {
  const fields = [...form.querySelectorAll("[data-kind]")];
  const mine = ++latest;
  try {
    const { ok, said } = await ask(asBooleans(fields, fields.map(value)));
    if (mine !== latest) return; // a later one has been asked
    mark(fields, ok ? [] : (said.errors ?? []));
    if (ok) answer.replaceChildren(...(said.scores ? ofClasses(said) : ofValues(said.predictions[0])));
    else answer.replaceChildren(element("p", said.detail, "problem"));
  } catch {
    if (mine === latest) answer.replaceChildren(element("p", "The server does not answer.", "problem"));
  }
}

if (form && answer) {
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(predict, WAIT);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    predict();
  });
  if (!answer.childElementCount) predict();
}
