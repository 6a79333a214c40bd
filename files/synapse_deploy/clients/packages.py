"""The packages that programs are written with: OpenAI's, Anthropic's, Ollama's, and two above."""

from __future__ import annotations

from synapse_common.engines import KINDS
from synapse_deploy.clients.access import Access
from synapse_deploy.clients.formats import env, quoted


def environment(access: Access) -> dict[str, str]:
    """Return what the packages of OpenAI, Anthropic and Ollama read by themselves."""
    return {
        **openai_environment(access),
        "ANTHROPIC_BASE_URL": access.url,
        "ANTHROPIC_API_KEY": access.key,
        "OLLAMA_HOST": access.url,
        "OLLAMA_API_KEY": access.key,
    }


def openai_environment(access: Access) -> dict[str, str]:
    """Return what OpenAI's package reads, and most of what is written with it."""
    return {"OPENAI_BASE_URL": access.openai_url, "OPENAI_API_KEY": access.key}


def plain_openai(access: Access) -> str:
    """Return an env file with the names to ask for as comments."""
    firsts = [(kind, found.name) for kind in KINDS if (found := access.first(kind))]
    told = "".join(f"# model for {kind}: {name}\n" for kind, name in firsts)
    if access.task_name:
        told += f"# model for short tasks: {access.task_name}\n"
    if access.first("speech"):
        told += f"# voice: {access.voice}\n"
    return env(openai_environment(access)) + told


def langchain(access: Access) -> str:
    """Return a program with LangChain's models of this application."""
    embedding = access.first("embedding")
    imports = "ChatOpenAI, OpenAIEmbeddings" if embedding else "ChatOpenAI"
    text = f"""\
from langchain_openai import {imports}

SYNAPSE = {{"base_url": {quoted(access.openai_url)}, "api_key": {quoted(access.key)}}}

chat = ChatOpenAI(model={quoted(access.chat.name)}, **SYNAPSE)
"""
    if embedding:
        text += f"""\
# Else it cuts texts into tokens of OpenAI's models, which no model here reads.
embeddings = OpenAIEmbeddings(
    model={quoted(embedding.name)}, check_embedding_ctx_length=False, **SYNAPSE
)
"""
    return text + _asking('chat.invoke("Say hello.").content')


def llamaindex(access: Access) -> str:
    """Return a program with LlamaIndex's models of this application."""
    chat, embedding = access.chat, access.first("embedding")
    text = "from llama_index.core import Settings\n"
    if embedding:
        text += "from llama_index.embeddings.openai_like import OpenAILikeEmbedding\n"
    window = f"    context_window={chat.context},\n" if chat.context else ""
    text += f"""\
from llama_index.llms.openai_like import OpenAILike

SYNAPSE = {{"api_base": {quoted(access.openai_url)}, "api_key": {quoted(access.key)}}}

Settings.llm = OpenAILike(
    model={quoted(chat.name)},
    is_chat_model=True,
    is_function_calling_model={chat.may("tools")},
{window}    **SYNAPSE,
)
"""
    if embedding:
        text += f"""\
Settings.embed_model = OpenAILikeEmbedding(model_name={quoted(embedding.name)}, **SYNAPSE)
"""
    return text + _asking('Settings.llm.complete("Say hello.").text')


def _asking(expression: str) -> str:
    return f'\nif __name__ == "__main__":\n    print({expression})\n'
