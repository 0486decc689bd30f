// What the other modules share: requests to this Hub, and sentences for the person.
const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";

export const base = meta("base");

// The answer as JSON. Throws an Error with the Hub's sentence, and `problems` where fields are wrong.
export async function asked(path, { method = "GET", json, form, signal } = {}) {
  const headers = { accept: "application/json" };
  let body;
  if (method !== "GET") headers["x-csrf-token"] = meta("csrf");
  if (json !== undefined) {
    headers["content-type"] = "application/json";
    body = JSON.stringify(json);
  } else if (form) {
    body = new URLSearchParams(form);
  }
  const answer = await fetch(base + path, { method, headers, body, signal, credentials: "same-origin" });
  const told = await answer.json().catch(() => ({}));
  if (answer.ok) return told;
  const error = new Error(told.error?.message ?? told.problem ?? answer.statusText);
  Object.assign(error, { status: answer.status, hint: told.error?.hint ?? "", problems: told.error?.problems ?? [], told });
  throw error;
}

// A sentence that appears for a moment, and that screen readers read out.
export function told(text) {
  const place = document.getElementById("said");
  place.textContent = text;
  place.classList.add("shown");
  clearTimeout(told.timer);
  told.timer = setTimeout(() => place.classList.remove("shown"), 2500);
}

// Puts a new part of the page where the old one was. The focus stays at what is the same in both, by its id, name or
// words; where that is gone, it is at the part's heading, or at the part itself.
export function put(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  old.replaceWith(document.adoptNode(fresh));
  if (focused) (twin(focused, fresh) ?? fallback(fresh)).focus({ preventScroll: true });
}

const words = (one) => one.id || one.name || one.getAttribute("aria-label") || one.textContent.trim();
const twin = (focused, fresh) =>
  [...fresh.querySelectorAll(focused.localName)].find((one) => words(one) === words(focused) && one.checkVisibility());

export function fallback(part) {
  const place = part.querySelector("h1, [tabindex='-1']") ?? part;
  if (!place.hasAttribute("tabindex")) place.tabIndex = -1;
  return place;
}
