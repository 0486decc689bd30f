// A run's page while it goes on: asks once a second, fills in what changed, and loads the page anew when it is another.
import { asked, put, told } from "./hub.js";

const PAUSE = 1000;
const KINDS = { done: "good", failed: "bad", running: "info", queued: "info", unfinished: "warn", interrupted: "warn" };
const shown = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });
const page = () => document.querySelector("[data-run]");
let timer;

function badge(status, texts) {
  const made = document.createElement("span");
  made.className = `badge ${status.startsWith("waiting") ? "warn" : KINDS[status] ?? ""}`;
  made.textContent = texts[status || "pending"] ?? status;
  return made;
}

function counted(cell, text, more) {
  cell.textContent = text;
  if (!more) return;
  const soft = document.createElement("span");
  soft.className = "soft";
  soft.textContent = more;
  cell.append(" ", soft);
}

function drawStep(step, now, labels, texts) {
  const status = now.status === "failed" && now.place === step.id ? "failed" : step.status;
  document.querySelector(`[data-step="${CSS.escape(step.id)}"]`)?.setAttribute("data-status", status);
  const row = document.querySelector(`[data-row="${CSS.escape(step.id)}"]`);
  if (!row) return;
  const cell = (name) => row.querySelector(`[data-cell="${name}"]`);
  cell("status").replaceChildren(badge(status, texts));
  const planned = step.planned > step.requests ? labels.of.replace("{count}", shown.format(step.planned)) : "";
  counted(cell("requests"), shown.format(step.requests), planned);
  cell("records").textContent = shown.format(step.records);
  cell("failed").textContent = shown.format(step.failed);
  cell("missed").textContent = shown.format(step.missed);
  drawCredits(cell("credits"), step, labels);
}

function drawCredits(cell, { spent, reserved }, labels) {
  counted(cell, shown.format(spent), reserved ? labels.reserved.replace("{count}", shown.format(reserved)) : "");
}

// The page of the new state takes the place of this one, unless somebody is typing in it.
async function renew() {
  const here = page();
  if (here.querySelector("dialog[open]") || here.contains(document.activeElement?.closest("input, textarea"))) return;
  const answer = await fetch(location.href, { credentials: "same-origin" });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-run]");
  if (!fresh) return;
  const place = here.querySelector(".drawing")?.scrollLeft ?? 0;
  put(here, fresh);
  if (fresh.querySelector(".drawing")) fresh.querySelector(".drawing").scrollLeft = place;
  fresh.dispatchEvent(new Event("hub:drawn", { bubbles: true }));
  told(`${JSON.parse(fresh.dataset.labels).changed}: ${fresh.querySelector("[data-status-badge]").textContent.trim()}`);
}

async function look() {
  timer = 0;
  try {
    const now = await asked(`/runs/${encodeURIComponent(page().dataset.run)}/now`);
    if (page().dataset.mark !== now.mark) await renew();
    const labels = JSON.parse(page().dataset.labels);
    const texts = JSON.parse(page().dataset.statuses);
    for (const step of now.steps) drawStep(step, now, labels, texts);
    drawCredits(document.querySelector("[data-credits]"), now.credits, labels);
    if (now.moving) next();
  } catch (error) {
    if (error.status === 401 || error.status === 404) return;
    next(PAUSE * 5);
  }
}

function next(pause = PAUSE) {
  if (!timer && !document.hidden) timer = setTimeout(look, pause);
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  timer = 0;
  if (!document.hidden && page().dataset.moving) look();
});
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) {
    event.preventDefault();
    document.getElementById(opener.dataset.dialog).showModal();
  }
  if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
});
if (page().dataset.moving) next();
