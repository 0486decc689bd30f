// The generated form without reloads: the server makes every page, and this swaps the parts that changed.
import { base, told } from "./hub.js";
import { offerAccounts } from "./account_choice.js";
import { enhance } from "./choosing.js";
import { follow } from "./trial_result.js";

const LOOK_AFTER = 400;
const form = document.getElementById("try");
const words = form ? JSON.parse(form.dataset.words) : {};
let typed = 0;
let timer;

async function sent(does, signal) {
  const body = new URLSearchParams(new FormData(form));
  body.set("_do", does);
  const answer = await fetch(form.action, { method: "POST", body, signal, credentials: "same-origin" });
  if (answer.redirected && new URL(answer.url).pathname.startsWith(`${base}/sign-in`)) location.reload();
  return [new DOMParser().parseFromString(await answer.text(), "text/html"), answer];
}

// Puts a part of the new page in the old one's place, and the focus back where it was.
function swap(page, id) {
  const fresh = page.getElementById(id);
  const old = document.getElementById(id);
  if (!fresh || !old) return;
  const focused = document.activeElement;
  const [inside, name] = [old.contains(focused), focused?.id];
  const caret = inside && focused.type === "text" ? focused.selectionStart : null;
  const open = new Set([...old.querySelectorAll("details[open]")].map((one) => one.className));
  for (const one of fresh.querySelectorAll("details")) one.open ||= open.has(one.className);
  old.replaceWith(document.adoptNode(fresh));
  enhance(fresh, form, words);
  offerAccounts(fresh);
  searching(fresh);
  if (inside && name) {
    const again = document.getElementById(name);
    again?.focus({ preventScroll: true });
    if (caret !== null && again?.setSelectionRange) again.setSelectionRange(caret, caret);
  }
}

async function act(does) {
  clearTimeout(timer);
  typed += 1;
  const run = document.getElementById("run");
  if (does === "run") run.setAttribute("aria-disabled", "true");
  try {
    const [page, answer] = await sent(does);
    if (answer.redirected && page.querySelector("#result > section")) return started(page);
    if (!page.getElementById("try")) return swapProblem(page);
    for (const id of ["parts", "input", "account", "before"]) swap(page, id);
    afterwards(does);
  } catch {
    told(words.lost);
  } finally {
    document.getElementById("run")?.removeAttribute("aria-disabled");
  }
}

// An answer that is no form: the whole page says what is wrong.
function swapProblem(page) {
  const result = document.getElementById("result");
  result.replaceChildren(...page.querySelectorAll("main .notice"));
  result.scrollIntoView({ block: "nearest" });
}

function started(page) {
  for (const old of document.querySelectorAll("#try .wrong, #errors > *")) old.remove();
  for (const old of document.querySelectorAll('#try [aria-invalid="true"]')) old.removeAttribute("aria-invalid");
  document.querySelector('[name="_once"]').value = crypto.randomUUID();
  const fresh = page.getElementById("result");
  document.getElementById("result").replaceWith(document.adoptNode(fresh));
  document.getElementById("result-title").focus();
  follow(words);
}

function afterwards(does) {
  const [verb, at] = does.split(":");
  if (verb === "add") {
    const rows = document.querySelector(`[data-rows="${CSS.escape(at)}"]`);
    rows?.querySelector(":scope > .rows > :last-child")?.querySelector("input:not([type=hidden]), textarea, select")?.focus();
  } else if (verb === "remove") {
    const rows = document.querySelector(`[data-rows="${CSS.escape(at.replace(/\/\d+$/, ""))}"] > [data-add]`);
    rows?.focus();
  } else if (["run", "check"].includes(verb)) {
    const wrong = document.querySelector('#try [aria-invalid="true"]');
    if (wrong) (wrong.matches("fieldset") ? wrong.querySelector("input") : wrong).focus();
    else if (document.querySelector("#errors .notice")) document.getElementById("errors").focus();
  } else if (["form", "json"].includes(verb)) {
    document.getElementById(`way-${verb}`)?.focus();
  }
}

// While somebody types, what it would do and cost is kept up to date.
async function look() {
  const at = ++typed;
  try {
    const [page] = await sent("look");
    if (at === typed) swap(page, "before");
  } catch {
    // The next change looks again.
  }
}

function searching(root) {
  const place = root.querySelector("[data-search]");
  if (!place) return;
  place.hidden = false;
  const fields = [...place.parentElement.children].filter((one) => one.dataset.field);
  place.querySelector("input").addEventListener("input", (event) => {
    event.stopPropagation();
    const wanted = event.target.value.trim().toLowerCase();
    for (const one of fields) one.hidden = !one.dataset.field.includes(wanted);
  });
}

if (form) {
  enhance(form, form, words);
  searching(form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = event.submitter;
    if (button?.getAttribute("aria-disabled") !== "true") act(button?.value || "check");
  });
  form.addEventListener("input", () => {
    typed += 1;
    clearTimeout(timer);
    timer = setTimeout(look, LOOK_AFTER);
  });
}
follow(words);
