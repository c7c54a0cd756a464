// The layer table; each number of parameters is explained by a formula.

import { byId, element } from "./element.js";
import { bytes, shape, whole } from "./numbers.js";

const BYTES_PER_PARAMETER = 4; // float32

export function showSummary(summary) {
  const input = { name: "input", type: "Input", output_shape: summary.input_shape, parameters: 0, multiply_adds: 0 };
  const rows = [input, ...summary.layers];
  const heads = ["Layer", "Output shape", "Parameters", "Multiply-adds"];
  byId("layers").replaceChildren(
    element("thead", {}, element("tr", {}, heads.map((head) => element("th", { scope: "col" }, head)))),
    element("tbody", {}, rows.map((layer, i) => layerRow(layer, rows[i - 1]?.output_shape))),
  );
  byId("totals").replaceChildren(...totals(summary));
}

function layerRow(layer, inputShape) {
  const name = element("td", {}, layer.name, " ", element("span", { class: "type" }, layer.type));
  const settings = settingsOf(layer);
  if (settings) name.append(element("small", {}, settings));
  const parameters = element("td", {}, whole(layer.parameters));
  const count = countOf(layer, inputShape);
  if (count) parameters.append(element("small", { class: "count" }, count));
  const cost = element("td", {}, whole(layer.multiply_adds));
  return element("tr", {}, name, element("td", {}, shape(layer.output_shape)), parameters, cost);
}

function settingsOf(layer) {
  const words = [];
  if (layer.filters) words.push(`${whole(layer.filters)} filters`);
  if (layer.kernel_size) words.push(`kernel ${layer.kernel_size.join(" × ")}`);
  if (layer.pool_size) words.push(`window ${layer.pool_size.join(" × ")}`);
  if (layer.strides) words.push(`stride ${[...new Set(layer.strides)].join(" × ")}`);
  if (layer.padding) words.push(`padding ${layer.padding}`);
  if (layer.activation) words.push(layer.activation);
  return words.join(", ");
}

// Every filter or unit has a weight for each value that it looks at, and a bias; said only where it comes out right.
function countOf(layer, inputShape) {
  const channels = inputShape?.at(-1);
  const outputs = layer.filters ?? layer.output_shape.at(-1);
  const factors = [...(layer.kernel_size ?? []), channels, outputs];
  if (!layer.parameters || factors.some((factor) => !Number.isInteger(factor))) return "";
  const weights = factors.reduce((product, factor) => product * factor, 1);
  const formula = factors.map(whole).join(" × ");
  if (layer.parameters === weights + outputs) return `${formula} + ${whole(outputs)}`;
  return layer.parameters === weights ? formula : "";
}

function totals({ parameters, multiply_adds }) {
  const facts = [
    ["Parameters", `${whole(parameters.total)} (${bytes(parameters.total * BYTES_PER_PARAMETER)})`],
    ["Trainable", whole(parameters.trainable)],
    ["Non-trainable", whole(parameters.non_trainable)],
    ["Multiply-adds for one picture", whole(multiply_adds)],
  ];
  return facts.map(([term, value]) => element("div", {}, element("dt", {}, term), element("dd", {}, value)));
}
