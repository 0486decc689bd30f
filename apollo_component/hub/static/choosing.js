// Drop-downs with search and lists as chips. The field that is posted stays what it was: this only fills it in.
import { asked } from "./hub.js";

const WAIT = 200;
let count = 0;

function made(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function enhance(root, form, words) {
  const inputs = root.querySelectorAll("input[data-options]");
  for (const area of root.querySelectorAll("textarea[data-chips]")) chips(area, form, words);
  for (const input of inputs) {
    const whole = input.hasAttribute("data-key") ? (choice) => filledRow(input, choice) : undefined;
    combobox(input, form, words, whole);
  }
}

// The key of a pair was chosen: its type is known, and its values may be, too.
function filledRow(input, choice) {
  const row = input.closest("[data-row]");
  const types = { number: "number", boolean: "flag", choices: "list" };
  row.querySelector("select").value = types[choice.type] ?? "text";
  return choice.label;
}

// A combobox by the ARIA pattern. `chosen(choice)` gives the text that stands in the field afterwards.
export function combobox(input, form, words, chosen) {
  const id = `choices-${++count}`;
  const list = made("ul", { role: "listbox", id, hidden: "", tabindex: "-1", "aria-label": words.type_or_choose });
  const picked = made("p", { class: "picked" });
  const box = made("div", { class: "combo" });
  input.replaceWith(box);
  box.append(input, list);
  if (!chosen) box.append(picked);
  for (const [name, value] of Object.entries({
    role: "combobox", "aria-expanded": "false", "aria-controls": id, "aria-autocomplete": "list", autocomplete: "off",
  })) input.setAttribute(name, value);
  if (!input.placeholder) input.placeholder = words.type_or_choose;
  let [choices, active, timer, cursor, turn] = [[], -1, 0, null, 0];

  const open = () => !list.hidden;
  function close() {
    turn += 1;
    list.hidden = true;
    unmark();
    input.setAttribute("aria-expanded", "false");
  }
  function mark(next) {
    const options = [...list.querySelectorAll('[role="option"]:not(.said)')];
    if (!options.length) return;
    active = (next + options.length) % options.length;
    options.forEach((one, number) => one.setAttribute("aria-selected", String(number === active)));
    options[active].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", options[active].id);
  }
  function say(text) {
    list.replaceChildren(made("li", { role: "option", class: "said", "aria-disabled": "true", "aria-selected": "false", id: `${id}-said` }, text));
    unmark();
    show();
  }
  function unmark() {
    active = -1;
    input.removeAttribute("aria-activedescendant");
  }
  function show() {
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
  }
  async function load(more = false) {
    const mine = ++turn;
    clearTimeout(timer);
    if (!more) say(words.loading);
    const query = new URLSearchParams({ field: input.dataset.options, q: input.dataset.searches === "no" ? "" : input.value });
    const connection = document.getElementById("connection")?.value;
    if (connection) query.set("connection", connection);
    if (more) query.set("cursor", cursor);
    try {
      const found = await asked(`${form.dataset.optionsAt}?${query}`);
      if (mine !== turn) return;
      choices = more ? [...choices, ...found.choices] : found.choices;
      cursor = found.next_cursor;
      draw();
    } catch (error) {
      if (mine === turn) say([error.message, error.hint].filter(Boolean).join(" "));
    }
  }
  function draw() {
    if (!choices.length && !cursor) return say(words.none);
    const rows = choices.map((choice, number) => {
      const row = made("li", { role: "option", id: `${id}-${number}`, "aria-selected": "false" }, made("span", {}, choice.label));
      if (choice.value !== choice.label) row.append(made("small", {}, choice.value));
      return row;
    });
    if (cursor) rows.push(made("li", { role: "option", id: `${id}-more`, "aria-selected": "false", class: "next" }, words.more));
    list.replaceChildren(...rows);
    unmark();
    show();
  }
  function take(number) {
    if (number === choices.length && cursor) return void load(true);
    const choice = choices[number];
    if (!choice) return;
    close();
    input.value = chosen ? chosen(choice) : choice.value;
    picked.textContent = choice.value === choice.label ? "" : choice.label;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    close();
    clearTimeout(timer);
  }

  input.addEventListener("input", (event) => {
    if (!event.isTrusted) return;
    picked.textContent = "";
    clearTimeout(timer);
    timer = setTimeout(load, WAIT);
  });
  input.addEventListener("click", () => open() || load());
  input.addEventListener("blur", () => { clearTimeout(timer); close(); });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open()) load();
      else mark(active < 0 && event.key === "ArrowUp" ? -1 : active + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter" && open() && active >= 0) {
      event.preventDefault();
      event.stopImmediatePropagation();
      take(active);
    } else if (event.key === "Escape" && open()) {
      event.preventDefault();
      close();
    }
  });
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const row = event.target.closest('[role="option"]:not(.said)');
    if (row) take([...list.children].indexOf(row));
  });
  return close;
}

// A list of values, one a line in the textarea that is posted.
function chips(area, form, words) {
  const values = area.value.split("\n").map((line) => line.trim()).filter(Boolean);
  const labels = new Map();
  const input = made("input", { type: "text", id: area.id, placeholder: words.type_or_choose, spellcheck: "false", autocomplete: "off" });
  for (const name of ["aria-describedby", "aria-invalid", "aria-required"]) {
    if (area.hasAttribute(name)) input.setAttribute(name, area.getAttribute(name));
  }
  const box = made("div", { class: area.getAttribute("aria-invalid") ? "chips bad" : "chips" }, input);
  area.removeAttribute("id");
  area.hidden = true;
  area.after(box);

  function drawn() {
    for (const old of box.querySelectorAll(".chip")) old.remove();
    values.forEach((value, number) => {
      const remove = made("button", { type: "button", "aria-label": `${words.remove} ${labels.get(value) ?? value}` }, "×");
      remove.addEventListener("click", () => { values.splice(number, 1); changed(); input.focus(); });
      const chip = made("span", { class: "chip", title: value }, labels.get(value) ?? value, remove);
      box.insertBefore(chip, input.closest(".combo") ?? input);
    });
  }
  function changed() {
    area.value = values.join("\n");
    drawn();
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }
  function add(text) {
    const fresh = text.split("\n").map((line) => line.trim()).filter((line) => line && !values.includes(line));
    input.value = "";
    if (!fresh.length) return;
    values.push(...fresh);
    changed();
  }

  let close = () => {};
  if (area.dataset.options) {
    input.dataset.options = area.dataset.options;
    close = combobox(input, form, words, (choice) => {
      labels.set(choice.value, choice.label);
      add(choice.value);
      return "";
    });
  } else {
    input.placeholder = "";
  }
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && input.value.trim()) {
      event.preventDefault();
      close();
      add(input.value);
    } else if (event.key === "Backspace" && !input.value && values.length) {
      values.pop();
      changed();
    }
  });
  input.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text");
    if (!text.includes("\n")) return;
    event.preventDefault();
    add(text);
  });
  input.addEventListener("blur", () => add(input.value));
  box.addEventListener("click", (event) => { if (event.target === box) input.focus(); });
  if (area.hasAttribute("data-band")) box.after(band(add, words));
  drawn();
}

// Two numbers that make one value of a list.
function band(add, words) {
  const from = made("input", { type: "text", inputmode: "numeric" });
  const to = made("input", { type: "text", inputmode: "numeric" });
  const button = made("button", { type: "button", class: "small" }, words.add);
  const put = () => {
    if (!from.value.trim() || !to.value.trim()) return;
    add(`${from.value.trim()},${to.value.trim()}`);
    from.value = to.value = "";
    from.focus();
  };
  button.addEventListener("click", put);
  for (const one of [from, to]) {
    one.addEventListener("input", (event) => event.stopPropagation());
    one.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); put(); } });
  }
  return made("div", { class: "band" }, made("label", {}, words.from, from), made("label", {}, words.to, to), button);
}
