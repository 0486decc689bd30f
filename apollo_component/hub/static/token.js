// Sends the token from behind the # to the address that the page names, and takes it out of this one first. A link that
// is pasted while this page is open changes the # only.
import { asked } from "./hub.js";

const card = document.querySelector("[data-token-to]");
const text = card.querySelector("[data-text]");

async function send() {
  const token = location.hash.slice(1);
  if (!token) return;
  history.replaceState(null, "", location.pathname);
  text.removeAttribute("role");
  text.textContent = card.dataset.working;
  try {
    location.replace((await asked(card.dataset.tokenTo, { method: "POST", form: { token } })).to);
  } catch (error) {
    text.textContent = [error.message, error.hint].filter(Boolean).join(" ");
    text.setAttribute("role", "alert");
  }
}

addEventListener("hashchange", send);
send();
