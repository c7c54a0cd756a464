// The OpenAPI document, laid out to be read.

import { commandsOf } from "./curl.js";
import { byId, element } from "./element.js";
import { anchor, nameOf, propertiesOf, typeOf } from "./schema.js";

const METHODS = ["get", "put", "post", "delete", "patch"];
const SAME = "x-same-as"; // the id of the operation that this one is the same as, but for its path
const WIDE = matchMedia("(min-width: 56rem)"); // as in docs.css

async function start() {
  const response = await fetch("openapi.json");
  const api = await response.json();
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

// The operations of a tag; those that are the same as another one are taken together with it.
function operationsOf(api, tag, seen) {
  const resolve = (value) => (value?.$ref ? value.$ref.slice(2).split("/").reduce((at, key) => at[key], api) : value);
  const all = Object.entries(api.paths).flatMap(([path, item]) => {
    const methods = METHODS.filter((method) => item[method]?.tags.includes(tag));
    return methods.map((method) => operation(method, path, item, resolve, seen));
  });
  const first = all.filter((each) => !each[SAME]);
  return first.map((each) => together(each, all.filter((other) => other[SAME] === each.operationId)));
}

function together(first, others) {
  const all = [first, ...others];
  return {
    ...first,
    others,
    parameters: distinct(all.flatMap(({ parameters }) => parameters), "name").sort((a, b) => (b.required ?? 0) - (a.required ?? 0)),
    responses: distinct(all.flatMap(({ responses }) => responses), "status").sort((a, b) => a.status - b.status),
  };
}

function distinct(items, key) {
  return [...new Map(items.map((item) => [item[key], item])).values()];
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
    responses: Object.entries(described.responses).map(([status, response]) => ({ status, ...resolve(response) })),
  };
}

function contentsOf({ name, operations }) {
  const links = operations.map(({ operationId, path }) => link(operationId, ...breakable(path)));
  return listOf(name, links, WIDE.matches ? { open: "" } : {});
}

function schemaContents(api) {
  return listOf("Schemas", Object.keys(api.components.schemas).map((name) => link(anchor(name), name)), {});
}

function listOf(title, links, state) {
  return element("details", state, element("summary", {}, title), element("ul", {}, links));
}

function link(id, ...words) {
  return element("li", {}, element("a", { href: `#${id}` }, ...words));
}

// A path that may break after its slashes.
function breakable(path) {
  return path.split(/(?<=\/)/).flatMap((part) => [part, element("wbr")]);
}

function groupOf({ name, description, operations }) {
  const lead = element("p", { class: "muted" }, description);
  return element("section", { class: "group" }, element("h2", {}, name), lead, operations.map(article));
}

function article(route) {
  const { method, path, operationId, summary, description, parameters, responses } = route;
  const successes = responses.filter(isSuccess);
  return element("article", { id: operationId },
    element("h3", {}, ...titleOf(route)),
    route.others.map((other) => element("h3", { id: other.operationId, class: "other" }, ...titleOf(other))),
    element("p", {}, `${summary}.`.replace(/([.?!])\.$/, "$1")),
    prose(description),
    commands(commandsOf(method, path, parameters, route.body?.content).slice(0, route.bodyShownAt ? 1 : undefined)),
    parameters.length ? [element("h4", {}, "Parameters"), table(parameters.map(parameterRow))] : [],
    route.body ? bodyOf(route) : [],
    element("h4", {}, "Responses"),
    successes.length ? table(successes.map(responseRow)) : [],
    failures(responses.filter((response) => !isSuccess(response))),
  );
}

function titleOf({ method, path }) {
  return [element("span", { class: `method ${method}` }, method.toUpperCase()), ...breakable(path)];
}

function bodyOf({ body, bodyShownAt: shown }) {
  const title = element("h4", {}, "Body");
  if (shown) return [title, element("p", {}, "As for ", element("a", { href: `#${shown.id}` }, shown.path), ".")];
  return [title, prose(body.description), table(formRows(body.content))];
}

function isSuccess({ status }) {
  return status.startsWith("2");
}

function failures(responses) {
  const codes = responses.map(({ status }) => status).join(", ");
  return element("details", {}, element("summary", {}, `When it fails: ${codes}`), table(responses.map(responseRow)));
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
  const others = kinds.filter((kind) => !pictures.includes(kind)).map((kind) => [lines([kind]), formOf(content[kind].schema)]);
  return pictures.length ? [[lines(pictures), "The picture file as it is."], ...others] : others;
}

function formOf(schema) {
  return schema.description ? prose(schema.description) : type(schema);
}

function lines(words) {
  return words.map((word) => element("div", {}, element("code", {}, word)));
}

function responseRow({ status, description, content, headers }) {
  const kinds = Object.entries(content ?? {}).map(([kind, { schema }]) => {
    return element("span", { class: "type" }, `${kind}: `, ...(schema.description ? [schema.description] : typeOf(schema)));
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
