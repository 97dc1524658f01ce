"use strict";
// Signs requests with the mock's fake key and sends them to the host of this page, on loopback.
const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];
const HOUR_MS = 3_600_000;
const SHOWN_CHARACTERS = 6;  // of a signature
const page = document.body.dataset;

// What is wrong on purpose. Each changes a request before it is signed.
const MISTAKES = {
  "": () => {},
  late: (request) => shiftClock(request, -HOUR_MS),
  early: (request) => shiftClock(request, HOUR_MS),
  "no-timestamp": (request) => {
    request.parameters = request.parameters.filter(({role}) => role !== "timestamp");
  },
  "malformed-timestamp": (request) => { timestampOf(request).value = "today"; },
  "repeated-timestamp": (request) => { request.parameters.push(timestampOf(request)); },
  "zero-window": (request) => {
    const window = request.form.querySelector("[data-parameter=window]").name;
    request.parameters = request.parameters.filter(({role}) => role !== "window");
    request.parameters.unshift({name: window, value: "0", role: "window"});
  },
  "wrong-secret": (request) => { request.secretEnd = "x"; },
  "signature-first": (request) => { request.isSignatureFirst = true; },
  "no-signature": (request) => { request.signatureName = undefined; },
  "no-key": (request) => { request.keyHeader = undefined; },
  "unknown-key": (request) => { request.keyEnd = "-unknown"; },
  "unknown-parameter": (request) => { request.parameters.push({name: "unknown", value: "1"}); },
  "unknown-path": (request) => { request.path += "/unknown"; },
};
function timestampOf(request) {
  return request.parameters.find(({role}) => role === "timestamp");
}
function shiftClock(request, ms) {
  request.clockShiftMs = ms;
  timestampOf(request).value = "";
}

// An empty value is not sent. An empty timestamp is the time of sending.
function readForm(form) {
  const {method, path, signature, keyHeader} = form.dataset;
  const parameters = [...form.querySelectorAll("[data-parameter]")]
    .map((input) => ({name: input.name, value: input.value, role: input.dataset.parameter}))
    .filter(({value, role}) => value !== "" || role === "timestamp");
  return {
    form, method, path, parameters, keyHeader, signatureName: signature, clockShiftMs: 0,
    secretEnd: "", keyEnd: "", isSignatureFirst: false,
  };
}
function encode(text) {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
}
function buildQuery(request, time) {
  return request.parameters
    .map(({name, value}) => `${encode(name)}=${value === "" ? time : encode(value)}`).join("&");
}
function withSignature(request, query, signature) {
  const pair = `${encode(request.signatureName)}=${signature}`;
  return (request.isSignatureFirst ? [pair, query] : [query, pair]).filter(Boolean).join("&");
}
async function sign(payload, secret) {
  const text = new TextEncoder();
  const algorithm = {name: "HMAC", hash: "SHA-256"};
  const key = await crypto.subtle.importKey("raw", text.encode(secret), algorithm, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", key, text.encode(payload));
  return [...new Uint8Array(mac)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Every address is made here, before anything is signed.
function localAddress(target) {
  const url = new URL(target, location.href);
  const isLocal = url.origin === location.origin && LOOPBACK.includes(url.hostname);
  if (!isLocal) throw new Error(page.foreign);
  return url;
}
async function send(request) {
  const address = localAddress(request.path);
  const payload = buildQuery(request, Date.now() + request.clockShiftMs);
  const sent = {payload, query: payload, headers: {}};
  if (request.signatureName !== undefined) {
    sent.signature = await sign(payload, page.apiSecret + request.secretEnd);
    sent.query = withSignature(request, payload, sent.signature);
  }
  if (request.keyHeader !== undefined) {
    sent.headers[request.keyHeader] = page.apiKey + request.keyEnd;
  }
  address.search = sent.query;
  const response = await fetch(address, {
    method: request.method, headers: sent.headers, cache: "no-store", credentials: "omit",
    redirect: "error",
  }).catch(() => { throw new Error(page.unreachable); });
  const body = await response.text().catch(() => { throw new Error(page.unreachable); });
  return {...sent, response, body};
}

// The same request in a shell, which signs again: a copied line has no signature that works.
function curlLines(request) {
  const seconds = request.clockShiftMs / 1000;
  const time = seconds ? `$(($(date +%s) + ${seconds}))000` : "$(date +%s)000";
  const lines = [];
  let query = buildQuery(request, time);
  if (request.signatureName !== undefined) {
    lines.push(`query="${query}"`);
    lines.push(`signature=$(printf %s "$query" | openssl dgst -sha256 \\\n`
      + `  -hmac "\${BINANCE_API_SECRET}${request.secretEnd}" | sed 's/.* //')`);
    query = withSignature(request, "$query", "$signature");
  }
  const path = new URL(request.path, location.href).href.replace(/[\\"$`]/g, "\\$&");
  const options = [request.method === "GET" ? "" : ` -X ${request.method}`];
  if (request.keyHeader !== undefined) {
    options.push(` -H "${request.keyHeader}: \${BINANCE_API_KEY}${request.keyEnd}"`);
  }
  lines.push(`curl -s --noproxy '*'${options.join("")} \\\n  "${path}${query ? `?${query}` : ""}"`);
  return lines.join("\n");
}

// Only the beginning of a signature is shown, enough to compare.
function shorten(text, signature) {
  return signature ? text.replace(signature, `${signature.slice(0, SHOWN_CHARACTERS)}…`) : text;
}
function codeOf(body) {
  try {
    const code = JSON.parse(body)?.code;
    return Number.isInteger(code) ? String(code) : "";
  } catch {
    return "";
  }
}
// The entry of the code, or else of the status.
function explain(form, status, code) {
  const entry = code && document.getElementById(`error${code}`);
  if (entry) {
    const copy = entry.cloneNode(true);
    copy.removeAttribute("id");
    return [copy];
  }
  if (status < 400) return [];
  const isStatus = ({dataset}) => [`${status}`, `${status}`[0] + "XX"].includes(dataset.status);
  const rows = form.closest("section").querySelectorAll("[data-status]");
  const text = [...rows].filter(isStatus).map((row) => row.querySelector("dd").cloneNode(true));
  return text.slice(0, 1).map((words) => make("div", {class: "entry"}, ...words.childNodes));
}
// Strings become text nodes, never markup.
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}
function showVerdict(form, kind, words) {
  const verdict = form.parentElement.querySelector(".verdict");
  verdict.className = `verdict ${kind}`;
  verdict.textContent = words;
}
function showOutcome(request, result) {
  const {response, body, signature} = result;
  const code = codeOf(body);
  const outcome = document.getElementById("outcome").content.cloneNode(true);
  const slot = (name) => outcome.querySelector(`[data-slot=${name}]`);
  const names = ["Content-Type", ...JSON.parse(request.form.dataset.headers)];
  const headers = names.map((name) => [name, response.headers.get(name)])
    .filter(([, value]) => value !== null);
  slot("explanation").append(...explain(request.form, response.status, code));
  slot("headers").append(...headers.map(([name, value]) =>
    make("div", {}, make("dt", {}, name), make("dd", {}, make("code", {}, value)))));
  slot("body").textContent = prettyJson(body) || page.noBody;
  if (signature === undefined) {
    slot("signing").remove();
  } else {
    slot("payload").textContent = result.payload;
    slot("signature").textContent = shorten(signature, signature);
    slot("query").textContent = shorten(`${request.path}?${result.query}`, signature);
    slot("key").textContent = Object.entries(result.headers).map((pair) => pair.join(": ")).join();
    if (!slot("key").textContent) slot("key").parentElement.remove();
  }
  const lines = curlLines(request);
  slot("curl").textContent = lines;
  const copy = outcome.querySelector(".copy");
  copy.addEventListener("click", async () => {
    const isCopied = await navigator.clipboard.writeText(lines).then(() => true, () => false);
    copy.textContent = isCopied ? page.copied : page.noCopy;
  });
  request.form.parentElement.querySelector(".outcome").replaceChildren(outcome);
  const kind = response.ok && !code ? "good" : "bad";
  showVerdict(request.form, kind, [`HTTP ${response.status}`, code].filter(Boolean).join(", "));
}
for (const form of document.forms) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const request = readForm(form);
    MISTAKES[form.elements.mistake.value](request);
    showVerdict(form, "", page.sending);
    try {
      showOutcome(request, await send(request));
    } catch (error) {
      form.parentElement.querySelector(".outcome").replaceChildren();
      showVerdict(form, "bad", error.message);
    }
  });
}
