"use strict";
// What documents hold becomes text by textContent, and nothing else. A page's data is parsed when it is looked at.
const found = id => document.getElementById(id);
const rows = [...document.querySelectorAll("#list tbody tr")];
let shown = rows;  // rows that pass the filters, in order
let current = null;  // the row of the page that is looked at
let view = "blocks";

function node(name, className = "", text = null, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== null) made.textContent = text;
  made.append(...children);
  return made;
}

const score = value => value === null ? "–" : value.toFixed(3);
const count = (number, name) => `${number.toLocaleString("en")} ${name}${number === 1 ? "" : "s"}`;
const parsed = id => JSON.parse(found(id).textContent);

// Figures
const colours = () => {
  const style = getComputedStyle(document.documentElement);
  const line = style.getPropertyValue("--line").trim();
  const axis = {gridcolor: line, linecolor: line, color: style.getPropertyValue("--dim").trim()};
  return {xaxis: axis, yaxis: axis};
};
for (const [id, figure] of Object.entries(parsed("figures"))) {
  const layout = () => {
    const {xaxis, yaxis} = colours();
    return {...figure.layout, xaxis: {...figure.layout.xaxis, ...xaxis}, yaxis: {...figure.layout.yaxis, ...yaxis}};
  };
  const draw = () => Plotly.react(id, figure.data, layout(), {displayModeBar: false, responsive: true});
  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

// The list
function filter() {
  const wanted = [...document.querySelectorAll("[data-filter]")].filter(one => one.value !== "*");
  const address = found("search").value.toLowerCase();
  const passes = row => wanted.every(one => row.dataset[one.dataset.filter] === one.value)
    && row.lastElementChild.textContent.toLowerCase().includes(address);
  const order = found("sort").value === "f1" ? row => Number(row.dataset.f1) : row => -Number(row.dataset.wrong);
  const sorted = [...rows].sort((a, b) => order(a) - order(b) || a.dataset.number - b.dataset.number);
  shown = sorted.filter(passes);
  for (const row of rows) row.hidden = true;
  for (const row of shown) row.hidden = false;
  document.querySelector("#list tbody").append(...sorted);
  found("count").textContent = `${shown.length} of ${count(rows.length, "page")}`;
}

function step(by) {
  const place = shown.indexOf(current);
  const next = shown[place < 0 ? 0 : place + by];
  if (next) location.hash = next.querySelector("a").hash;
}

function select() {
  const row = rows[Number(location.hash.replace("#page-", "")) - 1];
  if (!row) return;
  current?.removeAttribute("aria-current");
  current = row;
  row.setAttribute("aria-current", "true");
  const box = found("list"), head = box.querySelector("thead").offsetHeight;
  if (row.offsetTop < box.scrollTop + head || row.offsetTop + row.offsetHeight > box.scrollTop + box.clientHeight)
    box.scrollTop = row.offsetTop - head - 40;
  show();
  if (found("page").getBoundingClientRect().top < 0) found("page").scrollIntoView();
}

// One page
function show() {
  const page = parsed(`data-${current.dataset.number}`);
  const {f1, precision, recall} = page.texts[0];
  found("page").hidden = false;
  found("url").textContent = current.lastElementChild.textContent;
  const facts = [`F1 ${score(f1)}`, `precision ${score(precision)}`, `recall ${score(recall)}`];
  if (page.expected_f1) facts.push(`expected F1 ${score(page.expected_f1)}`);
  for (const other of page.texts.slice(1)) facts.push(`F1 of ${other.name} ${score(other.f1)}`);
  facts.push(page.host);
  found("facts").textContent = facts.filter(Boolean).join(" · ");
  const against = found("against"), before = against.value;
  against.replaceChildren(...page.texts.map(one => node("option", "", one.name)));
  if (page.texts.some(one => one.name === before)) against.value = before;
  const using = page.blocks.length ? view : "texts";
  for (const button of document.querySelectorAll("[data-view]"))
    button.setAttribute("aria-pressed", String(button.dataset.view === using));
  found("only-label").hidden = using !== "blocks";
  found("against-label").hidden = using !== "texts" || page.texts.length < 2;
  found("view").replaceChildren(...(using === "blocks" ? blocks(page) : texts(page.texts[against.selectedIndex])));
}

const TOLD = {right: "right", missed: "missed", extra: "extra", out: "left out"};

function blocks(page) {
  const drawn = block => blockNode(block, page.paths[block[4]]);
  const made = [node("p", "dim", sums(page.blocks))];
  let run = [];
  const fold = () => {
    if (run.length === 0) return;
    const kinds = new Set(run.map(block => block[0]));
    const what = kinds.size > 1 ? "without an error" : kinds.has("out") ? "left out" : "right";
    const folded = run;
    const details = node("details", "fold", null, node("summary", "", `… ${count(folded.length, "block")} ${what}`));
    details.addEventListener("toggle", () => details.append(...folded.map(drawn)), {once: true});
    made.push(details);
    run = [];
  };
  for (const block of page.blocks) {
    if (block[0] === "out" || block[0] === "right" && found("only").checked) run.push(block);
    else { fold(); made.push(drawn(block)); }
  }
  fold();
  if (page.more_blocks) made.push(node("p", "note", `${count(page.more_blocks, "more block")} not carried here`));
  return made;
}

function sums(all) {
  return ["right", "missed", "extra", "out"].map(kind => {
    const these = all.filter(block => block[0] === kind);
    const words = these.reduce((sum, block) => sum + block[3], 0);
    return `${TOLD[kind]}: ${count(these.length, "block")}, ${count(words, "word")}`;
  }).join(" · ");
}

function blockNode([kind, probability, share, words, , text], path) {
  const shortPath = path.split(" > ").slice(-4).join(" > ");
  const side = node("div", "", null, node("b", kind, TOLD[kind]),
    ` · ${count(words, "word")}`, node("span", "", `p ${score(probability)} · share ${score(share)}`),
    node("span", "", shortPath));
  const body = node("p", "", text);
  body.dir = "auto";
  const made = node("div", `block ${kind}`, null, body, side);
  made.title = path;
  return made;
}

function texts(one) {
  return [node("div", "two", null, side("gold", "Gold text", "missed", one.gold),
    side("text", one.name === "extracted" ? "Extracted text" : `Text of ${one.name}`, "extra", one.text))];
}

function side(className, title, told, {pieces, chars, max_chars}) {
  const body = node("pre", className);
  body.dir = "auto";
  pieces.forEach((piece, place) => { if (piece) body.append(place % 2 ? node("mark", "", piece) : piece); });
  const note = chars === 0 ? "empty" : chars <= max_chars ? count(chars, "character")
    : `the first ${max_chars.toLocaleString("en")} of ${count(chars, "character")}`;
  return node("div", "", null, node("h3", "", title), node("p", "dim", `${note}; marked: ${told} words`), body);
}

// Events
const choose = name => { view = name; if (current) show(); };
const toggle = () => { found("only").checked = !found("only").checked; if (current) show(); };
const KEYS = {
  j: () => step(1), k: () => step(-1), ArrowRight: () => step(1), ArrowLeft: () => step(-1),
  1: () => choose("blocks"), 2: () => choose("texts"), e: toggle, "/": () => found("search").focus(),
};
document.addEventListener("keydown", event => {
  const busy = event.target.closest("input[type=search], select") || event.ctrlKey || event.metaKey || event.altKey;
  if (event.key === "Escape") event.target.blur?.();
  if (busy || !Object.hasOwn(KEYS, event.key)) return;
  event.preventDefault();
  KEYS[event.key]();
});
for (const one of document.querySelectorAll("#filters select, #search")) one.addEventListener("input", filter);
for (const button of document.querySelectorAll("[data-view]"))
  button.addEventListener("click", () => choose(button.dataset.view));
for (const id of ["only", "against"]) found(id).addEventListener("input", show);
found("previous").addEventListener("click", () => step(-1));
found("next").addEventListener("click", () => step(1));
document.querySelector("#list tbody").addEventListener("click", event => {
  const row = event.target.closest("tr");
  if (row && !getSelection().toString()) location.hash = row.querySelector("a").hash;
});
addEventListener("hashchange", select);

document.body.classList.add("js");
found("filters").hidden = false;
filter();
if (location.hash.startsWith("#page-")) select();
else if (rows.length) { current = null; step(0); }
