// The OpenAPI document, laid out to be read.

import { commandsOf } from "./curl.js";
import { byId, element } from "./element.js";
import { anchor, nameOf, propertiesOf, typeOf } from "./schema.js";

const METHODS = ["get", "put", "post", "delete", "patch"];

async function start() {
  const answer = await fetch("openapi.json");
  const api = await answer.json();
  const seen = new Map();
  const groups = api.tags.map((tag) => ({ ...tag, operations: operationsOf(api, tag.name, seen) }));
  byId("introduction").append(
    ...paragraphs(api.info.description),
    element("p", {}, "For programs: ", element("a", { href: "openapi.json" }, "openapi.json"), `, OpenAPI ${api.openapi}.`),
  );
  byId("contents").replaceChildren(...groups.map(contentsOf), schemaContents(api));
  byId("routes").replaceChildren(...groups.map(groupOf), schemaGroup(api));
  if (location.hash) byId(location.hash.slice(1))?.scrollIntoView();
}

function operationsOf(api, tag, seen) {
  const resolve = (value) => (value?.$ref ? value.$ref.slice(2).split("/").reduce((at, key) => at[key], api) : value);
  return Object.entries(api.paths).flatMap(([path, item]) => {
    const methods = METHODS.filter((method) => item[method]?.tags.includes(tag));
    return methods.map((method) => operation(method, path, item, resolve, seen));
  });
}

// The operation with all that it refers to at its place; a body that was shown before is only pointed to.
function operation(method, path, item, resolve, seen) {
  const described = item[method];
  const reference = described.requestBody?.$ref;
  const first = seen.get(reference);
  if (reference && !first) seen.set(reference, { path, id: described.operationId });
  return {
    ...described,
    method,
    path,
    parameters: [...(item.parameters ?? []), ...(described.parameters ?? [])].map(resolve),
    body: resolve(described.requestBody),
    bodyShownAt: first,
    answers: Object.entries(described.responses).map(([status, answer]) => ({ status, ...resolve(answer) })),
  };
}

function contentsOf({ name, operations }) {
  const links = operations.map(({ operationId, path }) => element("li", {}, element("a", { href: `#${operationId}` }, ...breakable(path))));
  return element("section", {}, element("h2", {}, name), element("ul", {}, links));
}

// A path that may break after its slashes.
function breakable(path) {
  return path.split(/(?<=\/)/).flatMap((part) => [part, element("wbr")]);
}

function schemaContents(api) {
  const names = Object.keys(api.components.schemas);
  const links = names.map((name) => element("li", {}, element("a", { href: `#${anchor(name)}` }, name)));
  return element("section", { class: "schemas" }, element("h2", {}, "Schemas"), element("ul", {}, links));
}

function groupOf({ name, description, operations }) {
  const lead = element("p", { class: "muted" }, description);
  return element("section", { class: "group" }, element("h2", {}, name), lead, operations.map(article));
}

function article(route) {
  const { method, path, operationId, summary, description, parameters, answers } = route;
  const badge = element("span", { class: `method ${method}` }, method.toUpperCase());
  return element("article", { id: operationId },
    element("h3", {}, badge, ...breakable(path)),
    element("p", {}, `${summary}.`.replace(/([.?!])\.$/, "$1")),
    prose(description),
    commands(commandsOf(method, path, parameters, route.body?.content).slice(0, route.bodyShownAt ? 1 : undefined)),
    parameters.length ? [element("h4", {}, "Parameters"), table(parameters.map(parameterRow))] : [],
    route.body ? bodyOf(route) : [],
    element("h4", {}, "Answers"),
    table(answers.filter(isSuccess).map(answerRow)),
    failures(answers.filter((answer) => !isSuccess(answer))),
  );
}

function bodyOf({ body, bodyShownAt: shown }) {
  const title = element("h4", {}, "Body");
  if (shown) return [title, element("p", {}, "As for ", element("a", { href: `#${shown.id}` }, shown.path), ".")];
  return [title, prose(body.description), table(formRows(body.content))];
}

function isSuccess({ status }) {
  return status.startsWith("2");
}

function failures(answers) {
  const codes = answers.map(({ status }) => status).join(", ");
  return element("details", {}, element("summary", {}, `When it fails: ${codes}`), table(answers.map(answerRow)));
}

function commands(lines) {
  return element("div", { class: "commands" }, lines.map((line) => element("pre", {}, element("code", {}, line))));
}

function parameterRow({ name, in: place, required, description, schema }) {
  const facts = element("span", { class: "type" }, `${place}${required ? ", required" : ""}`);
  return [[element("code", {}, name), facts], [prose(description), type(schema)]];
}

// Picture files share a row: there is no more to say of one than of the other.
function formRows(content) {
  const kinds = Object.keys(content);
  const pictures = kinds.filter((kind) => kind.startsWith("image/"));
  const others = kinds.filter((kind) => !pictures.includes(kind));
  return [[lines(pictures), "The picture file as it is."], ...others.map((kind) => formRow(kind, content[kind].schema))];
}

function formRow(kind, schema) {
  if (kind === "application/octet-stream") return [lines([kind]), "Any of these; the first bytes tell which."];
  return [lines([kind]), schema.description ? prose(schema.description) : type(schema)];
}

function lines(words) {
  return words.map((word) => element("div", {}, element("code", {}, word)));
}

function answerRow({ status, description, content, headers }) {
  const kinds = Object.entries(content ?? {}).map(([kind, { schema }]) => {
    return element("span", { class: "type" }, `${kind}: `, ...typeOf(schema));
  });
  const names = Object.keys(headers ?? {}).filter((name) => name !== "X-Request-ID");
  const sent = names.length ? element("span", { class: "type" }, `headers: ${names.join(", ")}`) : "";
  return [element("code", {}, status), [prose(description), ...kinds, sent]];
}

function schemaGroup(api) {
  const articles = Object.entries(api.components.schemas).map(([name, schema]) => schemaArticle(name, schema));
  return element("section", { class: "group" }, element("h2", {}, "Schemas"), articles);
}

function schemaArticle(name, schema) {
  const members = propertiesOf(schema);
  const rows = members.map(({ name: member, value, required }) => {
    const facts = element("span", { class: "type" }, required ? "" : "optional");
    return [[element("code", {}, member), facts], [prose(value.description), type(value)]];
  });
  const rest = rows.length ? table(rows) : type(schema);
  return element("article", { id: anchor(name) }, element("h3", {}, nameOf(name)), prose(schema.description), rest);
}

function type(schema) {
  return element("span", { class: "type" }, ...typeOf(schema));
}

function table(rows) {
  const cells = rows.map((row) => element("tr", {}, row.map((cell) => element("td", {}, ...[cell].flat()))));
  return element("div", { class: "scroll" }, element("table", {}, element("tbody", {}, cells)));
}

function prose(text) {
  return element("div", { class: "prose" }, ...paragraphs(text ?? ""));
}

// Markdown, as far as the description uses it: paragraphs and `code`.
function paragraphs(text) {
  return text.split("\n\n").filter(Boolean).map((paragraph) => {
    const parts = paragraph.split("`").map((part, i) => (i % 2 ? element("code", {}, part) : part));
    return element("p", {}, ...parts);
  });
}

start();
