// The field for an account where there are too many for a list: they are searched by name as one types.
import { combobox } from "./combobox.js";
import { asked } from "./hub.js";

export function offerAccounts(root) {
  for (const input of root.querySelectorAll("input[data-accounts]")) {
    const settled = input.value;
    combobox(input, JSON.parse(input.dataset.words), (text, cursor) => {
      const query = { connector: input.dataset.accounts, q: text === settled ? "" : text, cursor };
      return asked(`/accounts/choices?${new URLSearchParams(query)}`);
    });
  }
}

offerAccounts(document);
