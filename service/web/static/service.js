// The service, asked over HTTP; paths are relative, so the page also works below a proxy's prefix.

export class Failure extends Error {
  constructor(sentence, details = "") {
    super(sentence);
    this.details = details;
  }
}

export async function read(path) {
  return (await ask(path)).json();
}

export async function predict(path, picture, signal) {
  const began = performance.now();
  const answer = await ask(path, { method: "POST", body: picture, signal });
  const document = await answer.json();
  return {
    model: `${document.model_name}, version ${document.model_version}`,
    ...document.predictions[0],
    stages: stagesOf(answer.headers.get("Server-Timing") ?? ""),
    roundTrip: performance.now() - began,
  };
}

async function ask(path, options) {
  const answer = await send(path, options);
  if (!answer.ok) throw await failureOf(answer);
  return answer;
}

async function send(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure("The service cannot be reached. Is it still running?", error.message);
  }
}

async function failureOf(answer) {
  try {
    const { error, code, request_id } = await answer.json();
    return new Failure(error, `${answer.status} ${code} · request ${request_id}`);
  } catch {
    return new Failure(`Something between here and the service answered ${answer.status} ${answer.statusText}.`);
  }
}

// W3C Server Timing: name;dur=milliseconds, …
function stagesOf(header) {
  const entries = [...header.matchAll(/([\w-]+);dur=([\d.]+)/g)];
  return entries.map(([, name, duration]) => ({ name, duration: Number(duration) }));
}
