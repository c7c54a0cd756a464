// Shows a prediction: the label, the most probable classes, the preprocessing steps and the stage times.

import { byId, element } from "./element.js";
import { milliseconds, percent } from "./numbers.js";

export function showPrediction(prediction) {
  byId("label").textContent = prediction.label;
  byId("label").className = prediction.label.length <= 2 ? "short" : "";
  byId("label").classList.toggle("unsure", prediction.abstained === true);
  byId("probability").textContent = confidence(prediction);
  showRanking(prediction.top_k);
  const steps = prediction.preprocessing ?? ["nothing: it had the model's size and colours already"];
  byId("steps").replaceChildren(...steps.map((step) => element("li", {}, step)));
  showTiming(prediction.stages, prediction.roundTrip);
  show("prediction");
}

// Why a model abstains; the label is then the best guess and no more.
const REASONS = {
  no_ink: "no ink found",
  several_pieces: "several pieces found: one digit at a time",
  unlike_training: "unlike anything that this model has learned",
  unsure: "the model is not sure",
};

function confidence({ probability, abstained, reason }) {
  return abstained ? `${REASONS[reason]}; best guess, ${percent(probability)}` : `${percent(probability)} sure`;
}

export function showFailure(failure) {
  byId("failure").replaceChildren(failure.message, element("small", {}, failure.details ?? ""));
  show("failure");
}

export function showNothing() {
  show("waiting");
}

export function showPending(pending) {
  byId("prediction").classList.toggle("pending", pending);
}

function show(id) {
  for (const each of ["waiting", "failure", "prediction"]) byId(each).hidden = each !== id;
}

function showRanking(ranked) {
  const digits = ranked.every((each) => each.label.length <= 2);
  byId("ranking").replaceChildren(...ranked.map((each) => rankingRow(each, digits)));
}

function rankingRow({ label, probability }, digits) {
  const fill = element("div", { class: "fill" });
  fill.style.width = `${probability * 100}%`;
  const track = element("span", { class: "track", "aria-hidden": "true" }, fill);
  const value = element("span", { class: "value" }, percent(probability));
  return element("li", { class: digits ? "digit" : "word" }, element("span", { class: "label" }, label), track, value);
}

function showTiming(stages, roundTrip) {
  const total = stages.reduce((sum, { duration }) => sum + duration, 0);
  const stack = element("div", { class: "stack", "aria-hidden": "true" }, stages.map((stage) => stackPart(stage, total)));
  const list = element("ul", {}, stages.map(({ name, duration }) => {
    return element("li", { class: `stage-${name}` }, `${name} ${milliseconds(duration)}`);
  }));
  const sums = `${milliseconds(total)} in the service, ${milliseconds(roundTrip)} seen from this page`;
  byId("timing").replaceChildren(stack, list, element("p", { class: "muted small" }, sums));
}

function stackPart({ name, duration }, total) {
  const part = element("span", { class: `stage-${name}` });
  part.style.flexGrow = (100 * duration) / total;
  return part;
}
