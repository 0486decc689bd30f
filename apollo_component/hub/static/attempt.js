// The page of an attempt, in the window that began it and in the window that went to the service and came back.
import { asked, base, told } from "./hub.js";

const EACH = 1000;
const OVER = ["linked", "failed", "expired"];
const card = () => document.querySelector("[data-attempt]");
const id = card().dataset.attempt;
const name = `link-${id}`;
let popup = null;
let closedSince = 0;

// In the window that went: its work is done. Where a browser doesn't close it, this page tells the result itself.
if (window.name === name && window.opener && !window.opener.closed) window.close();

// A window that can't be opened is this one.
function open(link) {
  popup = window.open(link.href, name, "popup,width=560,height=760");
  if (!popup) {
    location.assign(link.href);
    return;
  }
  popup.focus();
  closedSince = 0;
  link.textContent = link.dataset.again;
  card().querySelector("[data-opened]").hidden = false;
  if (card().dataset.status !== "waiting") card().dataset.status = "waiting";
}

// The page as it is now, in place, so that the window that was opened isn't lost sight of.
async function draw() {
  const answer = await fetch(`${base}/link/attempts/${id}`, { credentials: "same-origin" });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("[data-attempt]");
  if (!fresh) {
    location.reload();
    return;
  }
  document.title = page.title;
  card().replaceWith(document.adoptNode(fresh));
  card().dispatchEvent(new CustomEvent("hub:drawn", { bubbles: true }));
  const heading = card().querySelector("h1");
  heading.focus();
  told(heading.textContent);
}

// A window that is closed without an answer was given up; it may only seem closed, so this is taken back by an answer.
async function gaveUp() {
  if (!popup?.closed || card().dataset.status !== "waiting") return false;
  closedSince ||= Date.now();
  if (Date.now() - closedSince < 1500) return false;
  popup = null;
  await asked(`/attempts/${id}/cancel`, { method: "POST" });
  return true;
}

async function look() {
  try {
    const status = (await asked(`/attempts/${id}`)).status;
    if (status !== card().dataset.status) await draw();
    else if (await gaveUp()) await draw();
  } catch (error) {
    if (error.status === 401 || error.status === 404) {
      location.reload();
      return;
    }
  }
  if (!OVER.includes(card().dataset.status)) setTimeout(look, EACH);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-go]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const over = OVER.includes(card().dataset.status);
  open(link);
  if (over && popup) setTimeout(look, EACH);
});

if (!OVER.includes(card().dataset.status)) setTimeout(look, EACH);
