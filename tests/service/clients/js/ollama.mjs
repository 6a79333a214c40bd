// Ollama's JavaScript package, with a key in its headers.
import { Ollama } from "ollama";
import { CITY, errorOf, KEY, MESSAGES, URL } from "./common.mjs";

const client = new Ollama({ host: URL, headers: { Authorization: `Bearer ${KEY}` } });

export async function names() {
  return (await client.list()).models.map((model) => model.name);
}

export async function show({ model }) {
  return client.show({ model });
}

export async function chat({ model }) {
  return (await client.chat({ model, messages: MESSAGES })).message.content;
}

export async function chatStream({ model }) {
  const pieces = [];
  for await (const piece of await client.chat({ model, messages: MESSAGES, stream: true })) pieces.push(piece);
  return pieces;
}

export async function structured({ model }) {
  return (await client.chat({ model, messages: MESSAGES, format: CITY })).message.content;
}

export async function generate({ model }) {
  return (await client.generate({ model, prompt: "hi" })).response;
}

export async function embed({ model }) {
  return (await client.embed({ model, input: ["a", "b"] })).embeddings.map((vector) => vector.length);
}

export async function refused({ model }) {
  return errorOf(() => chat({ model }));
}
