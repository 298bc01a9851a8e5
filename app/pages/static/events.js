// The one stream of events of a page. The server continues it after a break where it was.

const NAMES = ["job", "cost", "transition", "end"];

/**
 * Follow jobs.
 * @param {string} address of the stream.
 * @param {Object<string, function>} handlers by the name of an event; each gets the event's data.
 * @param {function(boolean)} connected is told whether the stream is open.
 * @returns {EventSource} to be closed.
 */
export function follow(address, handlers, connected = () => {}) {
  const source = new EventSource(address);
  source.addEventListener("open", () => connected(true));
  source.addEventListener("error", () => connected(false));
  for (const name of NAMES) {
    if (handlers[name]) source.addEventListener(name, (event) => handlers[name](JSON.parse(event.data)));
  }
  return source;
}
