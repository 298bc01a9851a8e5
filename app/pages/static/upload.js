// A file that is dropped or chosen goes to the API at once, and its way is shown.

const form = document.querySelector("#upload");
const drop = document.querySelector("#drop");
const file = form.querySelector("[name=file]");
const sending = document.querySelector("#sending");
const bar = sending.querySelector("progress");
const said = sending.querySelector("[role=status]");
const button = form.querySelector("button");

/** Say what is wrong, each thing at its field, and take back what was said before. */
function tell(problem) {
  for (const slot of form.querySelectorAll("[data-problem]")) slot.textContent = "";
  if (!problem) return;
  const left = problem.errors.filter((error) => {
    const slot = form.querySelector(`[data-problem="${CSS.escape(error.path.split("/")[1] ?? "")}"]`);
    if (slot) slot.textContent = error.message;
    slot?.closest("details")?.setAttribute("open", "");
    return !slot;
  });
  if (left.length || !problem.errors.length) form.querySelector("[data-problem=file]").textContent = problem.detail;
}

function answered(request) {
  button.disabled = false;
  const answer = request.response;
  if (request.status === 201) {
    said.textContent = "It is read.";
    location.assign(`/jobs/new?dataset=${encodeURIComponent(answer.id)}`);
    return;
  }
  sending.hidden = true;
  tell(answer?.detail ? answer : { errors: [], detail: "The server did not take the file. Try again." });
  file.focus();
}

function send() {
  const fields = new FormData(form);
  fields.delete("csrf_token");
  const request = new XMLHttpRequest();
  request.open("POST", "/v1/datasets");
  request.responseType = "json";
  const token = document.querySelector("meta[name=csrf-token]");
  if (token) request.setRequestHeader("X-CSRF-Token", token.content);
  request.upload.addEventListener("progress", (event) => {
    if (!event.lengthComputable) return;
    bar.value = event.loaded / event.total;
    said.textContent = event.loaded < event.total ? `${Math.floor(100 * bar.value)} % sent` : "It is being read.";
  });
  request.addEventListener("load", () => answered(request));
  request.addEventListener("error", () => answered(request));
  tell(null);
  bar.value = 0;
  said.textContent = "It is being sent.";
  sending.hidden = false;
  button.disabled = true;
  request.send(fields);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});

drop.classList.add("live");
for (const name of ["dragenter", "dragover"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  if (!event.dataTransfer.files.length || button.disabled) return;
  file.files = event.dataTransfer.files;
  send();
});
