// Vercel's AI SDK: @ai-sdk/openai, whose default is /v1/responses, and @ai-sdk/openai-compatible.
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embedMany, generateText, jsonSchema, streamText, tool } from "ai";
import { CITY, errorOf, KEY, URL } from "./common.mjs";

const options = { baseURL: `${URL}/v1`, apiKey: KEY };
const providers = {
  openai: createOpenAI(options),
  compatible: createOpenAICompatible({ name: "synapse", ...options }),
};
const weather = tool({
  description: "Tells the weather.",
  inputSchema: jsonSchema(CITY),
  execute: async ({ city }) => `rain in ${city}`,
});

export async function generate({ provider, model }) {
  return (await generateText({ model: providers[provider](model), prompt: "hi", maxRetries: 0 })).text;
}

export async function stream({ provider, model }) {
  let text = "";
  const streaming = streamText({ model: providers[provider](model), prompt: "hi", maxRetries: 0 });
  for await (const piece of streaming.textStream) text += piece;
  return { text, reason: await streaming.finishReason };
}

export async function callTool({ provider, model }) {
  const asked = { model: providers[provider](model), prompt: "hi", maxRetries: 0 };
  const answer = await generateText({ ...asked, tools: { weather }, toolChoice: "required" });
  return answer.toolResults.map((result) => result.output);
}

export async function embed({ provider, model }) {
  const embedder = providers[provider].embeddingModel(model);
  const answer = await embedMany({ model: embedder, values: ["a", "b"], maxRetries: 0 });
  return answer.embeddings.map((vector) => vector.length);
}

export async function refused({ provider, model }) {
  return errorOf(() => generate({ provider, model }));
}
