// Makes the calls that a test sends, one line of JSON each: {"call": "openai.chat", "arguments": {...}}.
import { createInterface } from "node:readline";

console.log = console.error; // whatever a package prints is no answer

for await (const line of createInterface({ input: process.stdin })) {
  const { call, arguments: given } = JSON.parse(line);
  const [script, name] = call.split(".");
  let told;
  try {
    const program = await import(`./${script}.mjs`);
    told = { returned: (await program[name](given)) ?? null };
  } catch (error) {
    told = { failed: String(error?.stack ?? error) };
  }
  process.stdout.write(JSON.stringify(told) + "\n");
}
