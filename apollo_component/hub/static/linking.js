// The form that links an account: shows secrets on demand, hides what a stored app makes needless, sends once.
import { told } from "./hub.js";

for (const button of document.querySelectorAll("[data-show]")) {
  const input = document.getElementById(button.dataset.show);
  button.hidden = false;
  button.addEventListener("click", () => {
    const hidden = input.type === "password";
    input.type = hidden ? "text" : "password";
    button.setAttribute("aria-pressed", String(hidden));
  });
}

const app = document.querySelector("[data-app]");
const fields = document.querySelector("[data-app-fields]");
function arranged() {
  fields.hidden = app.value !== "";
}
if (app && fields) {
  app.addEventListener("change", arranged);
  arranged();
}

const LARGEST = 1024 * 1024;
for (const file of document.querySelectorAll("[data-reads]")) {
  file.hidden = false;
  file.addEventListener("change", async () => {
    if (!file.files.length) return;
    if (file.files[0].size > LARGEST) told(file.dataset.large);
    else document.getElementById(file.dataset.reads).value = await file.files[0].text();
  });
}

for (const link of document.querySelectorAll("[data-goes]")) {
  link.addEventListener("click", () => document.querySelector(link.hash).focus());
}

const form = document.querySelector("[data-link]");
const button = form.querySelector("button.main");
const label = button.textContent;
form.addEventListener("submit", (event) => {
  if (button.getAttribute("aria-disabled") === "true") {
    event.preventDefault();
    return;
  }
  for (const input of form.querySelectorAll("input[name][data-1p-ignore]")) input.type = "password";
  button.setAttribute("aria-disabled", "true");
  button.textContent = form.dataset.working;
});

// A page that is come back to is as it was before it was sent, without its secrets.
addEventListener("pageshow", () => {
  button.removeAttribute("aria-disabled");
  button.textContent = label;
});
addEventListener("pagehide", () => {
  for (const input of form.querySelectorAll("input[type=password]")) input.value = "";
});

form.querySelector("[aria-invalid=true]")?.focus();
