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
