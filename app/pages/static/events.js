// The one stream of events of a page, for as long as somebody looks at it.
//
// A browser has six connections to a server and no more, and each stream holds one: pages in the background give theirs
// back. A stream that is opened again tells from where it stands, so the page is renewed first.

const NAMES = ["job", "cost", "transition", "end"];
const AGAIN_MILLISECONDS = 5000;

/**
 * Follow jobs.
 * @param {string} address of the stream.
 * @param {Object<string, function>} handlers by the name of an event; each gets the event's data.
 * @param {function(string)} told is told in words how it stands.
 * @param {function()} renew brings the page up to date, each time the stream opens.
 * @returns {function()} ends it.
 */
export function follow(address, handlers, told = () => {}, renew = () => {}) {
  let source = null;
  let timer = null;
  let hasEnded = false;

  function open() {
    clearTimeout(timer);
    if (source || hasEnded || document.hidden) return;
    source = new EventSource(address);
    source.addEventListener("open", () => {
      told("Live.");
      renew();
    });
    source.addEventListener("error", () => {
      told("The connection is lost; trying again.");
      if (source?.readyState === EventSource.CLOSED) {
        close(); // the server has refused: a browser does not ask again by itself
        timer = setTimeout(open, AGAIN_MILLISECONDS);
        renew();
      }
    });
    for (const name of NAMES) {
      if (handlers[name]) source.addEventListener(name, (event) => handlers[name](JSON.parse(event.data)));
    }
  }

  function close() {
    source?.close();
    source = null;
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  open();
  return () => {
    hasEnded = true;
    clearTimeout(timer);
    close();
  };
}
