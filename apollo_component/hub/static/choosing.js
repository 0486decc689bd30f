// Drop-downs with search and lists as chips. The field that is posted stays what it was: this only fills it in.
import { combobox, made } from "./combobox.js";
import { asked } from "./hub.js";

export function enhance(root, form, words) {
  const inputs = root.querySelectorAll("input[data-options]");
  for (const area of root.querySelectorAll("textarea[data-chips]")) chips(area, form, words);
  for (const input of inputs) {
    const whole = input.hasAttribute("data-key") ? (choice) => filledRow(input, choice) : undefined;
    combobox(input, words, source(input, form), whole);
  }
}

// Where a field's choices come from: the service, as the account that is chosen sees it.
function source(input, form) {
  return (text, cursor) => {
    const query = new URLSearchParams({ field: input.dataset.options, q: text });
    const connection = document.getElementById("connection")?.value;
    if (connection) query.set("connection", connection);
    if (cursor) query.set("cursor", cursor);
    return asked(`${form.dataset.optionsAt}?${query}`);
  };
}

// The key of a pair was chosen: its type is known, and its values may be, too.
function filledRow(input, choice) {
  const row = input.closest("[data-row]");
  const types = { number: "number", boolean: "flag", choices: "list" };
  row.querySelector("select").value = types[choice.type] ?? "text";
  return choice.label;
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
    close = combobox(input, words, source(input, form), (choice) => {
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
