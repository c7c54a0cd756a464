// Requests to the service; paths are relative, so the page also works below a proxy's prefix.

export class Failure extends Error {
  constructor(sentence, details = "") {
    super(sentence);
    this.details = details;
  }
}

export async function read(path) {
  return (await request(path)).json();
}

export async function predict(path, picture, signal) {
  const began = performance.now();
  const response = await request(path, { method: "POST", body: picture, signal });
  const document = await response.json();
  return {
    model: `${document.model_name}, version ${document.model_version}`,
    ...document.predictions[0],
    stages: stagesOf(response.headers.get("Server-Timing") ?? ""),
    roundTrip: performance.now() - began,
  };
}

async function request(path, options) {
  const response = await send(path, options);
  if (!response.ok) throw await failureOf(response);
  return response;
}

async function send(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure("The service cannot be reached. Is it still running?", error.message);
  }
}

async function failureOf(response) {
  try {
    const { error, code, request_id } = await response.json();
    return new Failure(error, `${response.status} ${code} · request ${request_id}`);
  } catch {
    return new Failure(`Something between this page and the service responded with ${response.status} ${response.statusText}.`);
  }
}

// W3C Server Timing: name;dur=milliseconds, …
function stagesOf(header) {
  const entries = [...header.matchAll(/([\w-]+);dur=([\d.]+)/g)];
  return entries.map(([, name, duration]) => ({ name, duration: Number(duration) }));
}
