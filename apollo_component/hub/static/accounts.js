// The page of an account: asks what is left after the page is there, and asks before anything is removed.
import { fallback } from "./hub.js";

for (const button of document.querySelectorAll("[data-opens]")) {
  button.hidden = false;
  button.addEventListener("click", () => document.getElementById(button.dataset.opens).showModal());
}
for (const button of document.querySelectorAll("[data-closes]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}

async function load(place) {
  place.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(place.dataset.load, { credentials: "same-origin" });
    const found = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-usage]");
    if (!found) throw new Error("no usage in the answer");
    const held = place.contains(document.activeElement);
    place.replaceChildren(...document.adoptNode(found).childNodes);
    if (held) fallback(place).focus({ preventScroll: true });
    place.dispatchEvent(new CustomEvent("hub:drawn", { bubbles: true }));
  } catch {
    const text = document.createElement("p");
    text.textContent = place.dataset.failed;
    place.prepend(text);
  }
  place.removeAttribute("aria-busy");
}

for (const place of document.querySelectorAll("[data-load]")) load(place);
