"""Frameworks over OpenAI's and Anthropic's packages: LangChain, OpenAI's agents, Pydantic AI."""

from __future__ import annotations

from typing import Any

from client_programs.common import KEY, URL, error_of

BASE = f"{URL}/v1"


def weather(city: str) -> str:
    """Tell the weather."""
    return f"rain in {city}"


def langchain_chat(model: str) -> Any:
    """Ask whole and as a stream, and bind a tool that has to be called."""
    from langchain_openai import ChatOpenAI

    llm = ChatOpenAI(model=model, base_url=BASE, api_key=KEY, max_retries=0)
    streamed = "".join(str(chunk.content) for chunk in llm.stream("hi"))
    called = llm.bind_tools([weather], tool_choice="weather").invoke("hi")
    calls = [call["name"] for call in called.tool_calls]
    return {"text": llm.invoke("hi").content, "streamed": streamed, "calls": calls}


def langchain_embeddings(model: str, **more: Any) -> list[int]:
    """Return the sizes of vectors; by default the package splits texts itself and sends tokens."""
    from langchain_openai import OpenAIEmbeddings

    made = OpenAIEmbeddings(model=model, base_url=BASE, api_key=KEY, max_retries=0, **more)
    return [len(vector) for vector in made.embed_documents(["one", "two words"])]


def langchain_embeddings_refused(model: str) -> Any:
    """Return the exception of the default embeddings."""
    return error_of(lambda: langchain_embeddings(model))


def agent(model: str) -> Any:
    """Run an agent of OpenAI's with a tool that has to be called first."""
    from agents import Agent, ModelSettings, Runner, function_tool, set_tracing_disabled
    from agents.models.openai_provider import OpenAIProvider
    from agents.run import RunConfig

    set_tracing_disabled(True)
    provider = OpenAIProvider(api_key=KEY, base_url=BASE)
    made = Agent(
        name="clerk",
        instructions="Answer.",
        model=model,
        tools=[function_tool(weather)],
        model_settings=ModelSettings(tool_choice="required"),
    )
    result = Runner.run_sync(made, "hi", run_config=RunConfig(model_provider=provider))
    kinds = [item.type for item in result.new_items]
    return {"kinds": kinds, "text": result.final_output}


def pydantic_chat(model: str) -> Any:
    """Run an agent over /v1/chat/completions."""
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    provider = OpenAIProvider(base_url=BASE, api_key=KEY)
    return Agent(OpenAIChatModel(model, provider=provider)).run_sync("hi").output


def pydantic_responses(model: str) -> Any:
    """Run an agent over /v1/responses."""
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIResponsesModel
    from pydantic_ai.providers.openai import OpenAIProvider

    provider = OpenAIProvider(base_url=BASE, api_key=KEY)
    return Agent(OpenAIResponsesModel(model, provider=provider)).run_sync("hi").output


def pydantic_messages(model: str) -> Any:
    """Run an agent over /v1/messages."""
    from pydantic_ai import Agent
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    provider = AnthropicProvider(base_url=URL, api_key=KEY)
    return Agent(AnthropicModel(model, provider=provider)).run_sync("hi").output


def pydantic_structured(model: str) -> Any:
    """Run an agent whose answer has a form, which it asks for as a tool that has to be called."""
    from pydantic import BaseModel
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    class Place(BaseModel):
        city: str

    provider = OpenAIProvider(base_url=BASE, api_key=KEY)
    made = Agent(OpenAIChatModel(model, provider=provider), output_type=Place)
    return made.run_sync("hi").output.city
