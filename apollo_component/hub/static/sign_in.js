// Sends the one-time token from behind the #, and takes it out of the address first.
import { asked } from "./hub.js";

const card = document.querySelector("[data-sign-in]");
const token = location.hash.slice(1);
if (token) {
  history.replaceState(null, "", location.pathname);
  const text = card.querySelector("[data-text]");
  text.textContent = card.dataset.working;
  try {
    location.replace((await asked("/sign-in", { method: "POST", form: { token } })).to);
  } catch (error) {
    text.textContent = [error.message, error.hint].filter(Boolean).join(" ");
    text.setAttribute("role", "alert");
  }
}
