// OpenAI's JavaScript package, with its defaults.
import OpenAI from "openai";
import { CITY, errorOf, KEY, MESSAGES, URL } from "./common.mjs";

const client = new OpenAI({ baseURL: `${URL}/v1`, apiKey: KEY, maxRetries: 0 });
const tools = [{ type: "function", function: { name: "weather", parameters: CITY } }];

export async function chat({ model }) {
  const answer = await client.chat.completions.create({ model, messages: MESSAGES });
  return answer.choices[0].message.content;
}

export async function chatStream({ model }) {
  const stream = client.chat.completions.stream({ model, messages: MESSAGES });
  return (await stream.finalChatCompletion()).choices[0];
}

export async function callTool({ model }) {
  const tool_choice = { type: "function", function: { name: "weather" } };
  const answer = await client.chat.completions.create({ model, messages: MESSAGES, tools, tool_choice });
  return answer.choices[0].message.tool_calls.map((call) => call.function);
}

export async function respond({ model }) {
  return (await client.responses.create({ model, input: "hi" })).output_text;
}

export async function respondStream({ model }) {
  const stream = client.responses.stream({ model, input: "hi" });
  const kinds = [];
  for await (const event of stream) kinds.push(event.type);
  return { kinds, text: (await stream.finalResponse()).output_text };
}

export async function embed({ model }) {
  const answer = await client.embeddings.create({ model, input: ["a", "b"] });
  return answer.data.map((each) => each.embedding.length);
}

export async function models() {
  const names = [];
  for await (const model of client.models.list()) names.push(model.id);
  return names;
}

export async function refused({ model, key = KEY }) {
  const asking = new OpenAI({ baseURL: `${URL}/v1`, apiKey: key, maxRetries: 0 });
  return errorOf(() => asking.chat.completions.create({ model, messages: MESSAGES }));
}

export async function brokenStream({ model }) {
  return errorOf(() => chatStream({ model }));
}
