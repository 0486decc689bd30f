// A token that was just made is where the reader begins; loading the page again must not make another.
const made = document.querySelector("[data-made]");
if (made) {
  made.focus();
  history.replaceState(null, "", location.pathname);
}
