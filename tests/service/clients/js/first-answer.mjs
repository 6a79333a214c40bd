// Two programs that were told nothing: their packages find address and key in the environment.
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

const messages = [{ role: "user", content: "Say hello." }];

async function ofOpenAI() {
  const client = new OpenAI({ maxRetries: 0 });
  const model = (await client.models.list()).data[0].id;
  const answer = await client.chat.completions.create({ model, messages });
  return [model, answer.choices[0].message.content];
}

async function ofAnthropic() {
  const client = new Anthropic({ maxRetries: 0 });
  const model = (await client.models.list()).data[0].id;
  const answer = await client.messages.create({ model, max_tokens: 100, messages });
  return [model, answer.content.map((block) => block.text ?? "").join("")];
}

console.log(JSON.stringify([await ofOpenAI(), await ofAnthropic()]));
