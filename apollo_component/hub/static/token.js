// Sends the token from behind the # to the address that the page names, and takes it out of this one first.
import { asked } from "./hub.js";

const card = document.querySelector("[data-token-to]");
const token = location.hash.slice(1);
if (token) {
  history.replaceState(null, "", location.pathname);
  const text = card.querySelector("[data-text]");
  text.textContent = card.dataset.working;
  try {
    location.replace((await asked(card.dataset.tokenTo, { method: "POST", form: { token } })).to);
  } catch (error) {
    text.textContent = [error.message, error.hint].filter(Boolean).join(" ");
    text.setAttribute("role", "alert");
  }
}
