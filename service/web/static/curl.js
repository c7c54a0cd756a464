// A curl command for a route, made from its description.

export function commandsOf(method, path, parameters, content) {
  const url = new URL(filled(path, parameters).slice(1) || "./", document.baseURI);
  if (!content) return [method === "get" ? `curl ${url}` : `curl -X ${method.toUpperCase()} ${url}`];
  const headers = parameters.filter((each) => each.in === "header");
  const pictureFirst = Object.entries(content).sort(([a], [b]) => b.startsWith("image/") - a.startsWith("image/"));
  const forms = pictureFirst.map(([kind, form]) => command(kind, form, url, headers));
  return [...new Set(forms.flat())];
}

function command(kind, form, url, headers) {
  if (kind.startsWith("image/")) return kind === "image/png" ? `curl --data-binary @picture.png ${url}` : []; // one is enough
  if (kind === "multipart/form-data") return `curl -F file=@one.png -F file=@two.jpg ${url}`;
  if (kind === "application/json") return jsonCommands(form, url);
  if (kind === "application/octet-stream") return binaryCommands(url, headers);
  if (kind === "application/x-www-form-urlencoded") return `curl --data-urlencode "image=$(base64 -w0 picture.png)" ${url}`;
  if (kind === "text/plain") return `base64 picture.png | curl -H 'Content-Type: ${kind}' --data-binary @- ${url}`;
  return `curl -H 'Content-Type: ${kind}' --data-binary @batch.npy ${url}`;
}

function jsonCommands({ examples = {} }, url) {
  return Object.values(examples).slice(0, 1).map(({ value }) => {
    return `curl -H 'Content-Type: application/json' -d '${JSON.stringify(value)}' ${url}`;
  });
}

// Headers say what bytes mean that have no Content-Type of their own; then the response is bytes, too.
function binaryCommands(url, headers) {
  return headers.map(({ name, example }) => `curl -H '${name}: ${example}' --data-binary @picture.png --output response.bin ${url}`);
}

function filled(path, parameters) {
  return path.replace(/\{(\w+)\}/g, (whole, name) => parameters.find((each) => each.name === name)?.example ?? whole);
}
