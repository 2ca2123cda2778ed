// Keeps the overview live: asks for its numbers every five seconds while somebody looks.

import { Chart } from "./charts.js";

const EVERY = 5000;

const live = document.getElementById("live");
const parts = { tiles: document.getElementById("tiles"), state: document.getElementById("state"), table: document.getElementById("table") };
const throughput = document.getElementById("throughput-chart");
const latency = document.getElementById("latency-chart");
const charts = {
  throughput: new Chart(throughput, [
    { label: throughput.dataset.received, stroke: "--accent", fill: "--accent-soft" },
    { label: throughput.dataset.settled, stroke: "--good" },
  ]),
  latency: new Chart(latency, [
    { label: latency.dataset.median, stroke: "--accent", points: true },
    { label: latency.dataset.most, stroke: "--warning", points: true },
    { label: latency.dataset.answered, stroke: "--good", points: true },
  ]),
};

// Nobody's place on the page is lost: a part is put in only when it changed and nobody is in it.
function put(element, html) {
  if (element.dataset.shown !== html && !element.contains(document.activeElement)) {
    element.innerHTML = html;
    element.dataset.shown = html;
  }
}

function say(isLive) {
  const text = isLive ? live.dataset.on : live.dataset.off;
  live.hidden = false;
  live.classList.toggle("on", isLive);
  live.classList.toggle("off", !isLive);
  if (live.textContent !== text) {
    live.textContent = text;
  }
}

async function refresh() {
  const response = await fetch("/console/overview/numbers", { headers: { accept: "application/json" } });
  if (response.status === 401) {
    location.reload();
    return;
  }
  if (!response.ok) {
    throw new Error(`HTTP ${response.status}`);
  }
  const { minutes, ...html } = await response.json();
  for (const [name, element] of Object.entries(parts)) {
    put(element, html[name]);
  }
  charts.throughput.show([minutes.at, minutes.received, minutes.settled]);
  charts.latency.show([minutes.at, minutes.settledMedian, minutes.settledMost, minutes.answeredMost]);
}

async function follow() {
  for (;;) {
    if (!document.hidden) {
      try {
        await refresh();
        say(true);
      } catch {
        say(false);
      }
    }
    await new Promise((resume) => setTimeout(resume, EVERY));
  }
}

follow();
