// The palette: asks the Hub as words are typed, keeps the tick-list, and moves by keys. Rows stay what they are, so
// that ticks and focus are kept; they are only ordered and hidden.
import "./account_choice.js";
import { asked, base } from "./hub.js";

const form = document.querySelector("[data-palette]");
const find = form?.querySelector("#q");
const place = form?.querySelector("#found");
const rows = new Map([...(form?.querySelectorAll("[data-node]") ?? [])].map((row) => [row.dataset.node, row]));
let searching, planning;
let settled = Promise.resolve();

function query(picks = true) {
  const given = [...new FormData(form)].filter(([name, value]) => value && (picks || name !== "pick"));
  return new URLSearchParams(given.filter(([name, value]) => name !== "show" || value !== "all")).toString();
}

function remember() {
  const text = query();
  history.replaceState(null, "", `${base}/${text ? `?${text}` : ""}`);
}

async function search() {
  searching?.abort();
  searching = new AbortController();
  remember();
  try {
    draw(await asked(`/palette/search?${query(false)}`, { signal: searching.signal }));
  } catch (error) {
    if (error.name !== "AbortError") say([error.message, error.hint].filter(Boolean).join(" "));
  }
}

function draw({ order, barred, count, account, known }) {
  const shown = new Set(order);
  for (const [name, row] of rows) {
    row.hidden = !shown.has(name);
    tell(row, barred[name]);
  }
  const groups = new Set();
  for (const name of order) {
    const group = rows.get(name).closest("[data-group]");
    group.querySelector("ul").append(rows.get(name));
    groups.add(group);
  }
  for (const group of place.querySelectorAll("[data-group]")) group.hidden = !groups.has(group);
  place.append(...groups);
  say(count);
  const told = document.getElementById("account-told");
  told.textContent = account;
  told.hidden = !account;
  form.querySelector("[data-able]").hidden = !known;
}

// Why the account can't run it, below what it does.
function tell(row, reason) {
  row.querySelector(".bar-told")?.remove();
  if (!reason) return;
  const why = document.createElement("p");
  why.className = "bar-told";
  why.textContent = reason;
  row.querySelector("div").append(why);
}

function say(text) {
  document.getElementById("count").textContent = text;
}

async function plan() {
  planning?.abort();
  planning = new AbortController();
  remember();
  const picks = new URLSearchParams(new FormData(form).getAll("pick").map((name) => ["pick", name]));
  try {
    const { html, count } = await asked(`/palette/plan?${picks}`, { signal: planning.signal });
    document.getElementById("plan").innerHTML = html;
    form.querySelector("[data-picked]").textContent = count;
    form.querySelector("[data-tray]").hidden = !count;
  } catch (error) {
    if (error.name !== "AbortError") say([error.message, error.hint].filter(Boolean).join(" "));
  }
}

function drop(names) {
  for (const input of form.querySelectorAll("input[name=pick]")) {
    if (!names.includes(input.value)) continue;
    if (input.type === "hidden") input.remove();
    else input.checked = false;
  }
  document.getElementById("plan").focus();
  plan();
}

const links = () => [...place.querySelectorAll("[data-node]:not([hidden]) a")];

function move(step) {
  const there = links();
  const at = there.indexOf(document.activeElement.closest("[data-node]")?.querySelector("a"));
  if (at + step < 0) find.focus();
  else there[Math.min(at + step, there.length - 1)]?.focus();
}

function clear() {
  find.value = "";
  find.focus();
  settled = search();
}

// The name of an account while it is typed: it counts once it is chosen or left.
const half = (event) => event.isTrusted && event.target.dataset.accounts !== undefined;
const typing = (element) => element.matches("input:not([type=checkbox], [type=radio]), textarea, select");

function pressed(event) {
  const here = document.activeElement;
  const inRows = here === find || place.contains(here);
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "/" && !typing(here)) find.select();
  else if (event.key === "ArrowDown" && inRows) move(1);
  else if (event.key === "ArrowUp" && inRows && here !== find) move(-1);
  else if (event.key === "Escape" && inRows) clear();
  else if (event.key === "Enter" && here === find) settled.then(() => links()[0]?.click());
  else return;
  event.preventDefault();
}

if (form) {
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => {
    if (event.target.name === "pick") plan();
    else if (!half(event)) settled = search();
  });
  form.addEventListener("change", (event) => {
    if (event.target.dataset.accounts !== undefined) settled = search();
  });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.drop) drop([button.dataset.drop]);
    if (button && "dropAll" in button.dataset) drop(new FormData(form).getAll("pick"));
  });
  document.addEventListener("keydown", pressed);
}
