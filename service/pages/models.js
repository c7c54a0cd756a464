// What can be chosen, and where each choice is asked.

import { element } from "./element.js";
import { percent } from "./numbers.js";

// The newest version of a model goes by the model's name, as in the API; older ones are named with their number.
export function choicesOf({ models }) {
  return models.flatMap(({ name, versions }) => {
    const ready = versions.filter(({ state }) => state === "READY").reverse();
    return ready.map((version, i) => ({ ...version, name, path: pathOf(name, version.version, i === 0), newest: i === 0 }));
  });
}

export function refusalsOf({ models }) {
  return models.flatMap(({ name, versions }) => {
    const refused = versions.filter(({ state }) => state !== "READY");
    return refused.map(({ version, reason }) => `${name}, version ${version}, was refused: ${reason}`);
  });
}

export function optionOf(choice, value) {
  return element("option", { value }, choice.newest ? choice.name : `${choice.name}, version ${choice.version}`);
}

export function sentenceOf({ description, version, accuracy }) {
  const measured = typeof accuracy === "number" ? `, right on ${percent(accuracy)} of its test pictures` : "";
  return `${description.replace(/\.$/, "")}. Version ${version}${measured}.`;
}

function pathOf(name, version, newest) {
  const model = `models/${encodeURIComponent(name)}`;
  return {
    predict: newest ? `${model}/predict` : `${model}/versions/${version}/predict`,
    summary: newest ? `${model}/summary` : `${model}/summary?version=${version}`,
    text: `${model}/summary?version=${version}&format=text`,
    card: `${model}/versions/${version}`,
  };
}
