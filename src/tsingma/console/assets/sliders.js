// Sliders follow their numbers and numbers their sliders; a changed form asks again and puts the answer in its place.
// Without this file the numbers are there, and the button sends them.
"use strict";

function follow(slider) {
  const range = slider.querySelector('input[type="range"]');
  const number = slider.querySelector('input[type="number"]');
  range.addEventListener("input", () => { number.value = range.value; number.dataset.moved = ""; });
  number.addEventListener("input", (event) => {
    range.value = number.value;
    if (event.isTrusted) { number.dataset.moved = ""; }
  });
}

function asked(form, submitter) {
  const values = new FormData(form, submitter);
  return form.getAttribute("action") + "?" + new URLSearchParams(values).toString();
}

// What the scenario itself has; what the reader has moved since it was asked for stays.
function take(form, page) {
  for (const one of page.querySelectorAll(".asking[data-asks] [name]")) {
    const mine = form.elements.namedItem(one.name);
    if (mine && mine.type === "number" && !("moved" in mine.dataset)) { mine.value = one.value; mine.dispatchEvent(new Event("input")); }
  }
}

async function ask(form, submitter) {
  const address = asked(form, submitter);
  const place = document.querySelector(form.dataset.asks);
  place.setAttribute("aria-busy", "true");
  for (const one of form.querySelectorAll('input[type="number"]')) { delete one.dataset.moved; }
  form.dataset.asking = address; // the last question is the one that is answered
  try {
    const answer = await fetch(address, { credentials: "same-origin", headers: { "X-Requested-With": "console" } });
    if (!answer.ok) { window.location.assign(address); return; }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (form.dataset.asking !== address) { return; }
    place.replaceChildren(...page.querySelector(form.dataset.asks).childNodes);
    if (submitter && submitter.value === "own") { take(form, page); }
    window.history.replaceState(null, "", address);
    for (const [place, one] of [...document.querySelectorAll(".switches ul")].entries()) { // they keep what was asked
      one.replaceWith(page.querySelectorAll(".switches ul")[place]);
    }
    place.removeAttribute("aria-busy");
    place.dispatchEvent(new CustomEvent("answered", { bubbles: true }));
  } catch {
    window.location.assign(address);
  }
}

for (const slider of document.querySelectorAll("[data-slider]")) { follow(slider); }

for (const form of document.querySelectorAll("form[data-asks]")) {
  form.addEventListener("change", (event) => {
    const changed = event.target;
    if (changed.dataset.sets) { form.elements.namedItem(changed.dataset.sets).value = changed.dataset.setsTo; }
    const own = "takesOwn" in changed.dataset ? form.querySelector('button[value="own"]') : undefined;
    if (form.reportValidity()) { ask(form, own); }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(form, event.submitter);
  });
}
