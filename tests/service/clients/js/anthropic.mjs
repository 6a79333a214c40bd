// Anthropic's JavaScript package, with its defaults.
import Anthropic from "@anthropic-ai/sdk";
import { CITY, errorOf, KEY, MESSAGES, URL } from "./common.mjs";

const client = new Anthropic({ baseURL: URL, apiKey: KEY, maxRetries: 0 });
const asked = { max_tokens: 100, messages: MESSAGES };

export async function message({ model }) {
  return client.messages.create({ model, ...asked });
}

export async function messageStream({ model }) {
  return client.messages.stream({ model, ...asked }).finalMessage();
}

export async function callTool({ model }) {
  const tools = [{ name: "weather", input_schema: CITY }];
  const answer = await client.messages.create({ model, ...asked, tools, tool_choice: { type: "any" } });
  return answer.content.filter((block) => block.type === "tool_use").map((block) => block.name);
}

export async function refused({ model }) {
  return errorOf(() => message({ model }));
}
