"use strict";
// Frames are whatever a venue sent: they get into the page as text only, never as markup.
const lives = JSON.parse(document.getElementById("lives").textContent);
const byId = new Map(lives.map((life) => [life.id, life]));
const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const LANE = { frame: 40, event: 98 }, LEFT = 92, RIGHT = 34, LEAST = 24, HEIGHT = 148;
let life = null, chosen = 0;

function node(name, values = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(values)) made[key] = value;
  made.append(...children);
  return made;
}
function shape(name, values, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(values)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}
function duration(ns) {
  if (ns === 0) return "0";
  if (ns < 1e7) return (ns / 1e6).toFixed(2) + " ms";
  if (ns < 1e9) return Math.round(ns / 1e6) + " ms";
  if (ns < 1.2e11) return (ns / 1e9).toFixed(2) + " s";
  return (ns / 6e10).toFixed(1) + " min";
}

// Neighbours keep a least distance, so no mark hides another; what room is left is shared by time, or by its logarithm.
function places(moments, room, trueScale) {
  const gaps = moments.slice(1).map((m, n) => m.at - moments[n].at);
  const weights = gaps.map((gap) => (trueScale ? gap : Math.log10(1 + gap / 1e5)));
  const total = weights.reduce((a, b) => a + b, 0) || 1;
  const free = Math.max(room - LEAST * gaps.length, 0);
  let x = LEFT + 14;
  return [x, ...weights.map((weight) => (x += LEAST + (weight / total) * free))];
}

function drawAxis() {
  const host = $("axis"), moments = life.moments;
  const room = host.clientWidth - LEFT - RIGHT - 14;
  const xs = places(moments, room, $("true-scale").checked);
  const width = Math.max(host.clientWidth, xs[xs.length - 1] + RIGHT);
  const svg = shape("svg", { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}` });
  for (const [lane, name] of [["frame", "venue"], ["event", "framework"]]) {
    svg.append(shape("line", { class: "lane", x1: LEFT, x2: width - 12, y1: LANE[lane], y2: LANE[lane] }));
    svg.append(shape("text", { x: 12, y: LANE[lane] + 4 }, name));
  }
  let lastFrame = -1, lastLabelEnd = -Infinity;
  moments.forEach((moment, n) => {
    const x = xs[n], y = LANE[moment.kind];
    if (moment.kind === "frame") lastFrame = n;
    else if (lastFrame >= 0 && !moment.ours) {
      svg.append(shape("line", { class: "cause", x1: xs[lastFrame], y1: LANE.frame + 7, x2: x, y2: LANE.event - 11 }));
    }
    const label = duration(moment.at), half = label.length * 3.4;
    if (x - half > lastLabelEnd + 8 && x + half < width) {
      svg.append(shape("line", { class: "tick", x1: x, x2: x, y1: LANE.event + 13, y2: HEIGHT - 26 }));
      svg.append(shape("text", { x, y: HEIGHT - 12, "text-anchor": "middle" }, label));
      lastLabelEnd = x + half;
    }
  });
  moments.forEach((moment, n) => {
    const x = xs[n], y = LANE[moment.kind];
    const group = shape("g", { class: `moment ${moment.style}`, "data-n": n });
    group.append(shape("title", {}, `${duration(moment.at)}: ${moment.text}`));
    if (moment.kind === "frame") group.append(shape("circle", { cx: x, cy: y, r: 7 }));
    else {
      group.append(shape("rect", { x: x - 10, y: y - 10, width: 20, height: 20, rx: 5 }));
      group.append(shape("text", { x, y: y + 4, "text-anchor": "middle" }, moment.mark));
    }
    group.addEventListener("click", () => choose(n));
    svg.append(group);
  });
  host.replaceChildren(svg);
  mark();
}

function pretty(raw) {
  try { return JSON.stringify(JSON.parse(raw), null, 2); } catch { return raw; }
}
function mark(scroll) {
  for (const group of $("axis").querySelectorAll(".moment")) {
    group.classList.toggle("chosen", Number(group.dataset.n) === chosen);
  }
  [...$("moments").children].forEach((row, n) => row.classList.toggle("chosen", n === chosen));
  if (scroll) reveal($("axis").querySelector(".moment.chosen"));
}
// Moves the axis only: the page, or one that this page is a part of, stays where it is.
function reveal(moment) {
  if (!moment) return;
  const host = $("axis").getBoundingClientRect(), own = moment.getBoundingClientRect();
  if (own.left < host.left) $("axis").scrollLeft += own.left - host.left - 20;
  if (own.right > host.right) $("axis").scrollLeft += own.right - host.right + 20;
}
function choose(n) {
  chosen = Math.min(Math.max(n, 0), life.moments.length - 1);
  const moment = life.moments[chosen];
  if (!moment) return $("detail").replaceChildren();
  const who = moment.kind === "frame" ? `the venue said (${moment.stream})` : "the framework was told";
  $("detail").replaceChildren(
    node("b", { textContent: duration(moment.at) }), ` after the start, ${who}: `,
    node("span", { className: moment.style, textContent: moment.kind === "frame" ? moment.fault || "" : moment.text }),
    node("pre", { textContent: pretty(moment.detail) }),
  );
  mark(true);
}

function show(id) {
  life = byId.get(id);
  if (!life) return;
  chosen = 0;
  $("life").hidden = false;
  $("life-title").replaceChildren(life.title + " ", node("span", { className: life.status, textContent: life.status }));
  $("life-about").textContent = life.about;
  $("life-facts").replaceChildren(...life.facts.map(([name, value]) =>
    node("div", {}, node("dt", { textContent: name }), node("dd", { textContent: value }))));
  $("path").replaceChildren(...life.path.map((step) =>
    node("li", { className: step.status, textContent: `${step.status} ${step.at ? duration(step.at) : ""}` })));
  $("moments").replaceChildren(...life.moments.map((moment, n) => {
    const text = node("span", { className: moment.kind === "frame" ? "said" : `told ${moment.style}`, textContent: moment.text });
    const row = node("li", {}, node("time", { textContent: duration(moment.at) }),
      node("b", { className: moment.style, textContent: moment.kind === "frame" ? "•" : moment.mark }), text);
    row.addEventListener("click", () => choose(n));
    return row;
  }));
  const steps = new Set(life.path.slice(1).map((step, n) => `${life.path[n].status}>${step.status}`));
  for (const arrow of document.querySelectorAll(".states .arrow")) {
    const taken = steps.has(arrow.dataset.step);
    arrow.classList.toggle("taken", taken);
    arrow.setAttribute("marker-end", taken ? "url(#tip-taken)" : "url(#tip)");
    if (taken) arrow.parentNode.insertBefore(arrow, arrow.parentNode.querySelector(".state"));
  }
  const reached = new Set(life.path.map((step) => step.status));
  for (const state of document.querySelectorAll(".states .state")) {
    state.classList.toggle("reached", reached.has(state.dataset.state));
    state.classList.toggle("now", state.dataset.state === life.status);
  }
  for (const row of document.querySelectorAll("#orders tbody tr")) {
    row.classList.toggle("chosen", row.dataset.id === id);
  }
  drawAxis();
  choose(0);
  history.replaceState(null, "", "#" + encodeURIComponent(id));
}

$("true-scale").addEventListener("change", drawAxis);
$("axis").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step) { choose(chosen + step); event.preventDefault(); }
});
for (const row of document.querySelectorAll("#orders tbody tr")) {
  row.addEventListener("click", () => {
    show(row.dataset.id);
    $("life").scrollIntoView({ behavior: "smooth" });
  });
}
$("filter").addEventListener("input", () => {
  const words = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of document.querySelectorAll("#orders tbody tr")) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
  }
});
new ResizeObserver(() => life && drawAxis()).observe($("axis"));
const asked = decodeURIComponent(location.hash.slice(1));
show(byId.has(asked) ? asked : lives.length ? lives[lives.length - 1].id : "");
