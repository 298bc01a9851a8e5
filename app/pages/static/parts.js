// Parts of pages that the server renders anew.

/**
 * The HTML at an address of ours; null if it is not there. Whoever is no longer signed in is led to where one signs in.
 * @param {string} address
 * @returns {Promise<string|null>}
 */
export async function part(address) {
  const answer = await fetch(address);
  if (answer.redirected) {
    location.reload();
    return null;
  }
  return answer.ok ? answer.text() : null;
}

/** The first element of some HTML that a selector finds. */
export function elementOf(html, selector, holder = "div") {
  const box = document.createElement(holder);
  box.innerHTML = html;
  return box.querySelector(selector);
}
