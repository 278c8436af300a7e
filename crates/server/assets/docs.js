// Shows an OpenAPI document and tries its operations. Text only ever becomes text nodes.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];
const PAGES = { console: "/console/api", service: "/v1", web: "/api", inner: "/inner/api", files: "/files" };
const list = document.getElementById("list");
const api = list.dataset.api;
const page = location.pathname.slice((Object.values(PAGES).concat("/mcp")
  .find((prefix) => location.pathname.startsWith(prefix + "/")) || "").length);

function make(tag, text, cls) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (cls) element.className = cls;
  return element;
}

// A value that fits a schema, to start from.
function sample(schema, schemas, depth) {
  if (!schema || depth > 6) return null;
  if (schema.$ref) return sample(schemas[schema.$ref.split("/").pop()], schemas, depth + 1);
  if (schema.example !== undefined) return schema.example;
  if (schema.default !== undefined) return schema.default;
  for (const union of ["oneOf", "anyOf", "allOf"]) {
    const found = (schema[union] || []).find((one) => one.type !== "null");
    if (found) return sample(found, schemas, depth + 1);
  }
  if (schema.enum) return schema.enum[0];
  const type = [].concat(schema.type || "object").find((one) => one !== "null");
  if (type === "string") return "";
  if (type === "integer" || type === "number") return 0;
  if (type === "boolean") return false;
  if (type === "array") return [];
  const value = {};
  for (const [name, member] of Object.entries(schema.properties || {})) value[name] = sample(member, schemas, depth + 1);
  return value;
}

function show(path, method, operation, schemas) {
  const box = make("details");
  const line = make("summary");
  line.append(make("span", method.toUpperCase(), "method " + method), make("code", path), " ",
    make("span", operation.summary || (operation.description || "").split("\n")[0], "muted"));
  box.append(line);
  box.addEventListener("toggle", () => box.childElementCount > 1 || fill(box, path, method, operation, schemas));
  return box;
}

function fill(box, path, method, operation, schemas) {
  const form = make("form");
  const inputs = [];
  for (const parameter of operation.parameters || []) {
    const label = make("label", `${parameter.name} (${parameter.in}${parameter.required ? ", required" : ""}) ${parameter.description || ""}`);
    const input = make("input");
    label.append(input);
    form.append(label);
    inputs.push([parameter, input]);
  }
  const content = operation.requestBody && operation.requestBody.content;
  const json = content && content["application/json"];
  let body;
  if (json) {
    const label = make("label", "body");
    body = make("textarea");
    body.rows = 8;
    body.value = JSON.stringify(sample(json.schema, schemas, 0), null, 2);
    label.append(body);
    form.append(label);
  } else if (content) {
    form.append(make("p", "Takes " + Object.keys(content).join(", "), "muted"));
  }
  const answers = Object.entries(operation.responses || {}).map(([status, answer]) => `${status} ${answer.description || ""}`);
  form.append(make("p", "Answers: " + answers.join("; "), "muted"), make("button", "Send"));
  const answer = make("pre");
  answer.hidden = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(path, method, inputs, body, answer);
  });
  box.append(form, answer);
}

async function send(path, method, inputs, body, answer) {
  const query = new URLSearchParams();
  const headers = {};
  for (const [parameter, input] of inputs) {
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (input.value && parameter.in === "query") query.append(parameter.name, input.value);
    else if (input.value && parameter.in === "header") headers[parameter.name] = input.value;
  }
  const key = document.getElementById("key").value.trim();
  if (key) headers.Authorization = "Bearer " + key;
  const csrf = document.cookie.split("; ").find((cookie) => /^(__Host-)?csrf_token=/.test(cookie));
  if (csrf) headers["X-CSRF-Token"] = csrf.slice(csrf.indexOf("=") + 1);
  if (body) headers["Content-Type"] = "application/json";
  answer.hidden = false;
  answer.textContent = "…";
  try {
    const url = path + (query.size ? "?" + query : "");
    const response = await fetch(url, { method: method.toUpperCase(), headers, body: body && body.value });
    answer.textContent = `${response.status} ${response.headers.get("content-type") || ""}\n\n`;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) answer.append(part.value);
  } catch (error) {
    answer.textContent = String(error);
  }
}

async function start() {
  for (const [name, prefix] of Object.entries(PAGES)) {
    const link = make("a", name);
    link.href = prefix + page;
    document.getElementById("apis").append(link);
  }
  const spec = await (await fetch(`/openapi/${api}.json`)).json();
  const schemas = (spec.components && spec.components.schemas) || {};
  const boxes = [];
  for (const [path, item] of Object.entries(spec.paths)) {
    for (const method of METHODS.filter((method) => item[method])) {
      const words = `${path} ${method} ${item[method].summary || ""} ${(item[method].tags || []).join(" ")}`.toLowerCase();
      boxes.push([words, show(path, method, item[method], schemas)]);
    }
  }
  list.replaceChildren(...boxes.map(([, box]) => box));
  document.getElementById("filter").addEventListener("input", (event) => {
    const wanted = event.target.value.toLowerCase().split(/\s+/);
    for (const [words, box] of boxes) box.hidden = !wanted.every((word) => words.includes(word));
  });
}

start().catch((error) => { list.textContent = String(error); });
