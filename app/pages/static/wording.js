// How pages write numbers: as app/pages/wording.py does.

const DIGITS = 5;

/** A number as people read it; a dash for none. */
export function number(value) {
  if (value === null || value === undefined) return "–";
  const [digits, power] = value.toExponential(DIGITS - 1).split("e");
  const exponent = Number(power);
  const isPlain = exponent >= -4 && exponent < DIGITS;
  const text = isPlain ? value.toFixed(DIGITS - 1 - exponent) : digits;
  const short = text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  if (isPlain) return short.replaceAll("-", "−");
  const sign = exponent < 0 ? "-" : "+";
  return `${short}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`.replaceAll("-", "−");
}

/** A whole number, with thin spaces between thousands; a dash for none. */
export function count(value) {
  if (value === null || value === undefined) return "–";
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}

/** How long something takes: the two largest units of it; a dash for none. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  if (seconds < 60) return seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
