// JSON Schema in words: short enough for one cell of a table.

import { element } from "./element.js";

export function typeOf(schema) {
  if (schema.$ref) return [element("a", { href: `#${anchor(nameOf(schema.$ref))}` }, nameOf(schema.$ref))];
  if ("const" in schema) return [JSON.stringify(schema.const)];
  if (schema.oneOf && !schema.type) return either(schema.oneOf);
  if (schema.anyOf && !schema.type) return either(schema.anyOf);
  if (schema.allOf && !schema.type) return joined(schema.allOf, " and ");
  if (schema.title) return [schema.title];
  if (schema.type === "array" && schema.items) return ["list of ", ...typeOf(schema.items)];
  if (schema.type === "object" && schema.additionalProperties) return ["object of ", ...typeOf(schema.additionalProperties)];
  return [[schema.type ?? "anything"].flat().join(" or "), bounds(schema)].filter(Boolean);
}

export function nameOf(reference) {
  return reference.split("/").at(-1);
}

export function anchor(name) {
  return `schema-${name}`;
}

// The members of an object schema, or of each of its forms.
export function propertiesOf(schema) {
  const forms = [schema, ...(schema.oneOf ?? []), ...(schema.anyOf ?? [])];
  return forms.filter((form) => form.properties && (form === schema || !schema.properties)).flatMap((form) => {
    return Object.entries(form.properties).map(([name, value]) => ({ name, value, required: form.required?.includes(name) }));
  });
}

function either(forms) {
  return joined(forms, " or ");
}

function joined(forms, word) {
  return forms.flatMap((form, i) => [...(i ? [word] : []), ...typeOf(form)]);
}

function bounds({ enum: words, examples, minimum, maximum, default: usual }) {
  const facts = [];
  if (words) facts.push(words.map((word) => word || '""').join(", "));
  if (examples) facts.push(`such as ${examples.join(", ")}`);
  if (minimum !== undefined || maximum !== undefined) facts.push(range(minimum, maximum));
  if (usual !== undefined) facts.push(`default ${usual}`);
  return facts.length ? `: ${facts.join("; ")}` : "";
}

function range(minimum, maximum) {
  if (maximum === undefined) return `at least ${minimum}`;
  return minimum === undefined ? `at most ${maximum}` : `${minimum} to ${maximum}`;
}
