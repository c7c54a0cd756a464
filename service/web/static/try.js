// The page to try the models with: one model, one picture, one prediction.

import { showPending, showFailure, showNothing, showPrediction } from "./prediction.js";
import { byId } from "./element.js";
import { showSummary } from "./layers.js";
import { absencesOf, choicesOf, optionOf, sentenceOf } from "./models.js";
import { Pad } from "./pad.js";
import { predict, read } from "./service.js";

const TINY = 96; // pixels; smaller pictures are shown as the squares they are

const state = { choices: [], picture: null, name: "picture.png", pending: null, urls: [], invitation: "" };
const pad = new Pad(byId("pad"), byId("pen"), { onBegin: hideHint, onStroke: takeDrawing });

function choice() {
  return state.choices[byId("model").selectedIndex];
}

async function start() {
  listen();
  try {
    const models = await read("models");
    state.choices = choicesOf(models);
    byId("model").replaceChildren(...state.choices.map(optionOf));
    byId("model").disabled = state.choices.length === 0;
    byId("model").value = await defaultOf(state.choices);
    byId("absent").textContent = absencesOf(models).join(" ");
    byId("absent").hidden = byId("absent").textContent === "";
    if (choice()) await showModel();
    else byId("about").textContent = "No model is served now.";
  } catch (error) {
    showFailure(error);
  }
}

// The default model, which /summary describes where no model is named; else the first.
async function defaultOf(choices) {
  const name = await read("summary").then((summary) => summary.model_name, () => null);
  return Math.max(0, choices.findIndex((each) => each.name === name));
}

function listen() {
  byId("model").addEventListener("change", () => Promise.all([showModel().catch(showFailure), predictPicture()]));
  byId("file").addEventListener("change", (event) => takeFile(event.target.files[0]));
  byId("clear").addEventListener("click", clear);
  byId("copy").addEventListener("click", copy);
  document.addEventListener("paste", (event) => takeFile(event.clipboardData?.files[0]));
  document.addEventListener("dragover", (event) => { event.preventDefault(); byId("sheet").classList.add("drop"); });
  document.addEventListener("dragleave", () => byId("sheet").classList.remove("drop"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    byId("sheet").classList.remove("drop");
    takeFile(event.dataTransfer.files[0]);
  });
}

async function showModel() {
  const chosen = choice();
  byId("about").textContent = sentenceOf(chosen);
  byId("as-text").href = chosen.path.text;
  byId("as-card").href = chosen.path.card;
  showCommand();
  const [summary, card] = await Promise.all([read(chosen.path.summary), read(chosen.path.card)]);
  if (chosen !== choice()) return;
  state.invitation = card.preprocessing.ink ? "Draw a digit here" : "Drop a picture here, or draw";
  if (!state.picture) showHint(state.invitation);
  showSummary(summary);
}

async function takeDrawing() {
  state.picture = await pad.toFile();
  state.name = "drawing.png";
  byId("save").href = urlOf(state.picture);
  byId("save").download = state.name;
  byId("save").hidden = false;
  await predictPicture();
}

async function takeFile(file) {
  if (!file) return;
  clear();
  hideHint();
  state.picture = file;
  state.name = file.name;
  await Promise.all([showPicture(file), predictPicture()]);
}

async function showPicture(file) {
  const shown = byId("picture");
  shown.alt = file.name;
  shown.src = urlOf(file);
  const readable = await shown.decode().then(() => true, () => false);
  if (state.picture !== file) return;
  shown.classList.toggle("tiny", Math.max(shown.naturalWidth, shown.naturalHeight) <= TINY);
  shown.hidden = !readable;
  if (!readable) showHint(`${file.name}, which this browser cannot show`);
}

function clear() {
  state.pending?.abort();
  for (const url of state.urls.splice(0)) URL.revokeObjectURL(url);
  state.picture = null;
  pad.clear();
  for (const id of ["picture", "save"]) byId(id).hidden = true;
  showHint(state.invitation);
  byId("file").value = "";
  showCommand();
  showNothing();
}

// Only the newest request counts: an older one that has no response yet is aborted.
async function predictPicture() {
  state.pending?.abort();
  showCommand();
  if (!state.picture || !choice()) return;
  const pending = (state.pending = new AbortController());
  showPending(true);
  try {
    showPrediction(await predict(choice().path.predict, state.picture, pending.signal));
  } catch (error) {
    if (error.name !== "AbortError") showFailure(error);
  } finally {
    if (pending === state.pending) showPending(false);
  }
}

function showCommand() {
  if (!choice()) return;
  const name = state.picture ? state.name : "picture.png";
  byId("command").textContent = `curl --data-binary ${quoted(`@${name}`)} ${new URL(choice().path.predict, document.baseURI)}`;
}

// For a POSIX shell, and only where it needs it.
function quoted(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

async function copy() {
  const button = byId("copy");
  try {
    await navigator.clipboard.writeText(byId("command").textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  } catch {
    getSelection().selectAllChildren(byId("command")); // the clipboard is closed to pages that came without TLS
  }
}

function showHint(text) {
  byId("hint").textContent = text;
  byId("hint").hidden = false;
}

function hideHint() {
  byId("hint").hidden = true;
}

function urlOf(file) {
  const url = URL.createObjectURL(file);
  state.urls.push(url);
  return url;
}

start();
