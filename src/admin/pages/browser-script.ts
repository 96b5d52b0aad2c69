// The few lines of our own that run in the browser. Pages work without them: they show times in the reader's zone and style,
// say that live preview is on, and say so when it fails; and neither a reload nor a double click asks twice for a secret.

export const BROWSER_SCRIPT = `"use strict";
(() => {
  const zoned = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

  // The same day in every zone.
  const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });

  const localize = () => {
    for (const element of document.querySelectorAll("time[datetime]")) {
      const date = new Date(element.dateTime);
      if (Number.isNaN(date.valueOf())) continue;
      const isMoment = element.dateTime.includes("T");
      if (isMoment) element.title = date.toISOString().slice(0, 19).replace("T", " ") + " UTC";
      element.textContent = (isMoment ? zoned : day).format(date);
    }
  };

  const tell = (text) => {
    const element = document.getElementById("live-problem");
    if (!element) return;
    element.textContent = text;
    element.hidden = text === "";
  };
  const failed = "The preview could not be updated, so it is older than your changes. Nothing is saved. ";

  // The answer to the second click would be that it is made already, in the place of the one that shows the secret. Not for
  // longer: where the first was stopped, or somebody comes back to the page, the button must not be dead.
  const ANSWERED_WITHIN_MS = 10000;
  let sent = -Infinity;
  addEventListener("pageshow", (event) => {
    if (event.persisted) sent = -Infinity;
  });
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post") return;
    if (event.timeStamp - sent < ANSWERED_WITHIN_MS) event.preventDefault();
    else sent = event.timeStamp;
  });

  const secret = document.querySelector(".secret[data-page]");
  if (secret) history.replaceState(null, "", secret.dataset.page);
  if (window.htmx) document.documentElement.classList.add("live");
  localize();
  document.addEventListener("htmx:after:swap", localize);
  document.addEventListener("htmx:after:swap", () => tell(""));
  document.addEventListener("htmx:error", () => tell(failed + "Check the connection and change something again."));
  document.addEventListener("htmx:response:error", (event) => {
    const status = event.detail.ctx.response.status;
    if (status >= 500) setTimeout(() => tell(failed + "The server answered " + status + "."));
  });
})();
`;
