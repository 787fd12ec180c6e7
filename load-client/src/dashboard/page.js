// Puts in what has changed. The page is rendered by the server: everything is there without this script, too.
"use strict";

const connection = document.getElementById("connection");
const pause = document.getElementById("pause");
const calm = matchMedia("(prefers-reduced-motion: reduce)");

let waiting = {}; // by id, what is not shown yet
let timer = null;

const paused = () => pause.getAttribute("aria-pressed") === "true";
const ended = () => document.querySelector("#headline .ended") !== null;

// Only if it is something new: it is read out.
function say(text = paused() ? "paused" : ended() ? "ended" : "live") {
  if (connection.textContent !== text) connection.textContent = text;
}

function show() {
  timer = null;
  if (paused()) return;
  for (const [id, html] of Object.entries(waiting)) {
    const element = document.getElementById(id);
    if (element) element.innerHTML = html; // escaped where it was rendered
  }
  waiting = {};
  say();
}

const events = new EventSource("events");
events.onmessage = (event) => {
  Object.assign(waiting, JSON.parse(event.data));
  // Whoever wants less motion gets one picture in a second.
  timer ??= setTimeout(show, calm.matches ? 1000 : 0);
};
events.onopen = () => say();
// The browser tries again by itself; what it gets then is everything.
events.onerror = () => say("no connection: the client has ended, or is gone");

pause.hidden = false;
pause.onclick = () => {
  pause.setAttribute("aria-pressed", String(!paused()));
  say();
  show();
};
