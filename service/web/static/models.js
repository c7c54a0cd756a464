// The versions of models that can be chosen, and their paths.

import { element } from "./element.js";
import { percent } from "./numbers.js";

// The default version goes by the model's name, as in the API; the others are named with their number.
export function choicesOf({ models }) {
  return models.flatMap(({ name, versions, ...model }) => {
    const ready = versions.filter(({ state }) => state === "READY").reverse();
    const choices = ready.map((version) => describe(name, version, model));
    choices.sort((one, other) => other.isDefault - one.isDefault);
    return choices.map((each) => ({ ...each, path: pathOf(name, each.version, each.isDefault) }));
  });
}

export function absencesOf({ models }) {
  return models.flatMap(({ name, versions }) => {
    const absent = versions.filter(({ state }) => state !== "READY");
    return absent.map(({ version, reason }) => `${name}, version ${version}, is not served: ${reason}.`);
  });
}

export function optionOf(choice, value) {
  return element("option", { value }, choice.isDefault ? choice.name : `${choice.name}, version ${choice.version}`);
}

export function sentenceOf({ description, version, accuracy, abstain_below, outlier_above, canary }) {
  const measured = typeof accuracy === "number" ? `, right on ${percent(accuracy)} of its test pictures` : "";
  const unsure = abstain_below ? ` Below ${percent(abstain_below)} it says that it is not sure.` : "";
  const unlike = outlier_above === undefined ? "" : " It says when a picture is unlike anything that it has learned.";
  const trial = canary ? ` Version ${canary.version}, on trial, answers ${percent(canary.share)} of the requests.` : "";
  return `${description.replace(/\.$/, "")}. Version ${version}${measured}.${unsure}${unlike}${trial}`;
}

// The default version shares its requests with the canary, if there is one.
function describe(name, version, model) {
  const isDefault = version.version === model.default;
  return { ...version, name, isDefault, canary: isDefault ? model.canary : undefined };
}

function pathOf(name, version, isDefault) {
  const model = `models/${encodeURIComponent(name)}`;
  return {
    predict: isDefault ? `${model}/predict` : `${model}/versions/${version}/predict`,
    summary: isDefault ? `${model}/summary` : `${model}/summary?version=${version}`,
    text: `${model}/summary?version=${version}&format=text`,
    card: `${model}/versions/${version}`,
  };
}
