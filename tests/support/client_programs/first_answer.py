"""Three programs that were told nothing: their packages find address and key in the environment."""

from __future__ import annotations

import json

import anthropic
import openai

import ollama

ASKED = "Say hello."


def of_openai() -> tuple[str, str]:
    """Ask the first model that OpenAI's package lists; return its name and its words."""
    client = openai.OpenAI(max_retries=0)
    model = client.models.list().data[0].id
    answer = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": ASKED}]
    )
    return model, answer.choices[0].message.content or ""


def of_anthropic() -> tuple[str, str]:
    """Do the same through Anthropic's package."""
    client = anthropic.Anthropic(max_retries=0)
    model = client.models.list().data[0].id
    answer = client.messages.create(
        model=model, max_tokens=100, messages=[{"role": "user", "content": ASKED}]
    )
    return model, "".join(block.text for block in answer.content if block.type == "text")


def of_ollama() -> tuple[str, str]:
    """Do the same through Ollama's package."""
    model = ollama.list().models[0].model or ""
    answer = ollama.chat(model=model, messages=[{"role": "user", "content": ASKED}])
    return model, answer.message.content or ""


if __name__ == "__main__":
    print(json.dumps([of_openai(), of_anthropic(), of_ollama()]))
