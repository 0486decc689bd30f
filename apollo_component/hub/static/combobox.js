// A text field with a list below it that is searched as one types: a combobox by the ARIA pattern.
const WAIT = 200;
let count = 0;

export function made(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// `load(text, cursor)` promises `{choices: [{label, value, note?}], next_cursor}`; `chosen(choice)` gives the text that
// stands in the field afterwards, where that isn't the value.
export function combobox(input, words, load, chosen) {
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
  async function look(more = false) {
    const mine = ++turn;
    clearTimeout(timer);
    if (!more) say(words.loading);
    try {
      const found = await load(input.value, more ? cursor : "");
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
      const note = choice.note ?? (choice.value === choice.label ? "" : choice.value);
      if (note) row.append(made("small", {}, note));
      return row;
    });
    if (cursor) rows.push(made("li", { role: "option", id: `${id}-more`, "aria-selected": "false", class: "next" }, words.more));
    list.replaceChildren(...rows);
    unmark();
    show();
  }
  function take(number) {
    if (number === choices.length && cursor) return void look(true);
    const choice = choices[number];
    if (!choice) return;
    close();
    input.value = chosen ? chosen(choice) : choice.value;
    picked.textContent = choice.note ?? (choice.value === choice.label ? "" : choice.label);
    input.dispatchEvent(new Event("input", { bubbles: true }));
    close();
    clearTimeout(timer);
  }

  input.addEventListener("input", (event) => {
    if (!event.isTrusted) return;
    picked.textContent = "";
    clearTimeout(timer);
    timer = setTimeout(look, WAIT);
  });
  input.addEventListener("click", () => open() || look());
  input.addEventListener("blur", () => { clearTimeout(timer); close(); });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open()) look();
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
