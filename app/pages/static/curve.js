// A cost curve that answers: it is drawn by the server, again for every range that is looked at.

import { part } from "./parts.js";
import { count, number } from "./wording.js";

const LEAST_DRAG = 8;
const ZOOM = 2;

/** Where a point of the screen is in the units of a picture. */
function inPicture(svg, event) {
  const box = svg.getBoundingClientRect();
  return ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
}

/** The place in an ascending list whose number is nearest. */
function nearest(numbers, wanted) {
  let low = 0;
  let high = numbers.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (numbers[middle] < wanted) low = middle;
    else high = middle;
  }
  return wanted - numbers[low] <= numbers[high] - wanted ? low : high;
}

/** A curve on a page. `holder` has the figure in it and keeps its place; `query` says how it is to be seen. */
export class Curve {
  constructor(holder, query) {
    this.holder = holder;
    this.query = query;
    this.range = null;
    this.cursor = null;
    this.isAsking = false;
    this.isWanted = false;
    this.listen();
  }

  get figure() {
    return this.holder.querySelector("figure.curve");
  }

  get svg() {
    return this.figure?.querySelector("svg.chart");
  }

  /** Have the server draw it again. While it draws, further wishes become one. */
  async draw() {
    if (this.isAsking) {
      this.isWanted = true;
      return;
    }
    this.isAsking = true;
    const query = new URLSearchParams(this.query());
    if (this.range) {
      query.set("after", String(Math.floor(this.range[0]) - 1));
      query.set("before", String(Math.ceil(this.range[1]) + 1));
    }
    try {
      const html = await part(`${this.address}?${query}`);
      if (html !== null) this.replace(html);
    } catch {
      // The connection is lost; the next drawing shows what was missed.
    } finally {
      this.isAsking = false;
      if (this.isWanted) {
        this.isWanted = false;
        this.draw();
      }
    }
  }

  get address() {
    return `/jobs/${this.figure.dataset.job}/curve`;
  }

  replace(html) {
    const isOpen = this.figure.querySelector("details")?.open;
    const hadFocus = this.figure === document.activeElement;
    const holder = document.createElement("div");
    holder.innerHTML = html;
    const next = holder.querySelector("figure.curve");
    if (!next) return;
    this.figure.replaceWith(next);
    if (isOpen && next.querySelector("details")) next.querySelector("details").open = true;
    if (hadFocus) next.focus({ preventScroll: true });
    this.mark(this.cursor);
  }

  zoom(range) {
    this.range = range;
    this.draw();
  }

  extent() {
    return [Number(this.svg.dataset.first), Number(this.svg.dataset.last)];
  }

  iterationAt(x) {
    const { left, right } = this.svg.dataset;
    const [first, last] = this.extent();
    const share = Math.min(1, Math.max(0, (x - left) / (right - left)));
    return first + share * (last - first);
  }

  placeOf(iteration) {
    const { left, right } = this.svg.dataset;
    const [first, last] = this.extent();
    return Number(left) + ((iteration - first) / (last - first)) * (right - left);
  }

  /** The lines with their numbers. */
  lines() {
    return [...this.svg.querySelectorAll("g[data-name]")].map((group) => ({
      name: group.dataset.name,
      iterations: group.dataset.x.split(" ").map(Number),
      values: group.dataset.y.split(" ").map(Number),
    }));
  }

  /** Show a cursor at an iteration, and what each line is there; nothing at null. */
  mark(iteration) {
    this.cursor = iteration;
    const svg = this.svg;
    if (!svg) return;
    svg.querySelector(".cursor")?.remove();
    const readout = this.figure.querySelector("[data-part=readout]");
    if (iteration === null) {
      readout.textContent = "";
      return;
    }
    const lines = this.lines().filter((line) => line.iterations.length && line.values.length);
    if (!lines.length) return;
    const at = lines[0].iterations[nearest(lines[0].iterations, iteration)];
    this.cursor = at;
    const x = this.placeOf(at).toFixed(1);
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("class", "cursor");
    path.setAttribute("d", `M${x} ${svg.dataset.top}V${svg.dataset.bottom}`);
    svg.append(path);
    const values = lines.map((line) => `${line.name} ${number(line.values[nearest(line.iterations, at)])}`);
    readout.textContent = `Iteration ${count(at)}: ${values.join(", ")}`;
  }

  step(by) {
    const numbers = this.lines()[0]?.iterations;
    if (!numbers?.length) return;
    const place = this.cursor === null ? -1 : nearest(numbers, this.cursor);
    this.mark(numbers[Math.min(numbers.length - 1, Math.max(0, place + by))]);
  }

  scaleAround(factor) {
    const [first, last] = this.extent();
    const middle = this.cursor ?? (first + last) / 2;
    const half = ((last - first) / 2) * factor;
    this.zoom([Math.max(0, middle - half), middle + half]);
  }

  listen() {
    let begun = null;
    this.holder.addEventListener("pointermove", (event) => {
      if (!this.svg?.contains(event.target)) return;
      this.mark(this.iterationAt(inPicture(this.svg, event)));
    });
    this.holder.addEventListener("pointerleave", () => this.mark(null));
    this.holder.addEventListener("pointerdown", (event) => {
      begun = this.svg?.contains(event.target) ? inPicture(this.svg, event) : null;
    });
    this.holder.addEventListener("pointerup", (event) => {
      if (begun === null || !this.svg) return;
      const ended = inPicture(this.svg, event);
      if (Math.abs(ended - begun) >= LEAST_DRAG) {
        this.zoom([this.iterationAt(Math.min(begun, ended)), this.iterationAt(Math.max(begun, ended))]);
      }
      begun = null;
    });
    this.holder.addEventListener("dblclick", () => this.zoom(null));
    this.holder.addEventListener("keydown", (event) => {
      if (event.target !== this.figure) return;
      if (!this.svg && event.key !== "0") return;
      const keys = {
        ArrowLeft: () => this.step(-1),
        ArrowRight: () => this.step(1),
        "+": () => this.scaleAround(1 / ZOOM),
        "-": () => this.scaleAround(ZOOM),
        0: () => this.zoom(null),
      };
      if (keys[event.key]) {
        event.preventDefault();
        keys[event.key]();
      }
    });
  }
}
