// Follows a run until it has ended, and turns its pages in place.
import { base, put, told } from "./hub.js";

const PAUSES = [250, 500, 1000, 2000];

async function fetched(path) {
  const answer = await fetch(path, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(answer.statusText);
  return new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("result");
}

const shown = () => document.getElementById("result");

export async function follow(words) {
  for (let turn = 0; ; turn += 1) {
    const running = document.querySelector("#result [data-running]");
    if (!running) return;
    await new Promise((done) => setTimeout(done, PAUSES[Math.min(turn, PAUSES.length - 1)]));
    try {
      const fresh = await fetched(base + running.dataset.running);
      if (!fresh || !running.isConnected) return;
      put(shown(), fresh);
      if (!fresh.querySelector("[data-running]") && words.ended) {
        told(`${words.ended} ${fresh.querySelector("[data-summary]").innerText.replace(/\s+/g, " ")}`);
      }
    } catch {
      // The Hub may be back at the next look.
    }
  }
}

async function turned(path) {
  try {
    put(shown(), await fetched(path));
  } catch {
    location.assign(path);
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("#result a[data-swap]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  turned(link.getAttribute("href"));
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches("#result form[data-swap]")) return;
  event.preventDefault();
  turned(`${event.target.getAttribute("action")}?${new URLSearchParams(new FormData(event.target))}`);
});
