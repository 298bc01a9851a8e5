// Moments are written in UTC by the server. Here they become the reader's own time.

const SAME_DAY = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const OTHER_DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** Write the moments below an element in the reader's own time. */
export function localize(element) {
  const today = new Date().toDateString();
  for (const time of element.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    time.title = time.dateTime;
    time.textContent = (at.toDateString() === today ? SAME_DAY : OTHER_DAY).format(at);
  }
}

localize(document);
