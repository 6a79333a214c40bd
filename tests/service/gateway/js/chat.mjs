// The OpenAI JavaScript package against the gateway: prints what each call brought, as JSON.
import OpenAI from "openai";

const client = new OpenAI({ baseURL: process.env.BASE_URL, apiKey: process.env.API_KEY, maxRetries: 0 });
const messages = [{ role: "user", content: "hi" }];
const tools = [{ type: "function", function: { name: "weather", parameters: { type: "object" } } }];

const answer = await client.chat.completions.create({ model: "chat", messages });
const stream = await client.chat.completions.create({ model: "chat", messages, stream: true });
let streamed = "";
for await (const chunk of stream) streamed += chunk.choices[0]?.delta?.content ?? "";
const called = await client.chat.completions.create({ model: "chat", messages, tools });
const embedded = await client.embeddings.create({ model: "minilm", input: "hi" });
const listed = await client.models.list();
const refused = await client.chat.completions
  .create({ model: "nothing", messages })
  .catch((error) => ({ name: error.constructor.name, code: error.code, status: error.status }));

console.log(
  JSON.stringify({
    answer: answer.choices[0].message.content,
    streamed,
    tool: called.choices[0].message.tool_calls[0].function.name,
    dimensions: embedded.data[0].embedding.length,
    models: listed.data.map((model) => model.id),
    refused,
  }),
);
