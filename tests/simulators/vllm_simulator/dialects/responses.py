"""/v1/responses: OpenAI's Responses, in one answer or as a stream."""

from http import HTTPStatus

from aiohttp import web

from vllm_simulator import calling
from vllm_simulator.answering import gathered
from vllm_simulator.checking import (
    ResponseRequest,
    check_length,
    check_model,
    check_parts,
    read,
)
from vllm_simulator.dialects import response_stream
from vllm_simulator.dialects.common import generation, new_id, prompt_of, settings_of, whole
from vllm_simulator.dialects.response_items import items
from vllm_simulator.dialects.response_object import Response
from vllm_simulator.hosting import SIMULATOR
from vllm_simulator.http_errors import RefusedError, refusal, wrong_value

_KIND = "invalid_request_error"
_NO_STORE = (
    "This vLLM engine does not support `store=True` and therefore does not support the background "
    "mode. To enable these features, set the environment variable "
    "`VLLM_ENABLE_RESPONSES_API_STORE=1` when launching the vLLM server."
)


def add_routes(app: web.Application) -> None:
    """Add the route, and the one that finds no stored response."""
    app.router.add_post("/v1/responses", respond)
    app.router.add_get("/v1/responses/{response_id}", stored, allow_head=False)


async def respond(request: web.Request) -> web.StreamResponse:
    """Answer an input."""
    asked = await read(request, ResponseRequest)
    settings = settings_of(request)
    check_model(asked.model, settings)
    if asked.background:
        raise refusal(_NO_STORE, "background", kind=_KIND)
    if asked.previous_response_id:
        raise _not_found(asked.previous_response_id)
    for item in asked.input if isinstance(asked.input, list) else []:
        check_parts(item.get("content"), "input_image", settings)
    answer_id = new_id(request, "resp_")
    limit, thinks = asked.max_output_tokens, asked.thinks
    wanted = generation(
        request,
        answer_id,
        prompt_of(asked.input, asked.tools),
        limit,
        temperature=asked.temperature,
        thinks=thinks,
        call=_call(asked),
        dictated=asked.dictated,
    )
    check_length(wanted.prompt_tokens, limit, settings)
    made = Response(request, asked, wanted)
    if asked.stream:
        return await response_stream.stream(request, made, wanted)
    (said,) = await gathered(request.app[SIMULATOR].engine, [wanted])
    complete = made.complete or not settings.behaviour.is_newest
    return await whole(request, made.ended(items(wanted, said, complete=complete)))


def _call(asked: ResponseRequest) -> calling.Call | None:
    """Translate the tools of Responses into those of chat."""
    functions = [{"function": tool} for tool in asked.tools if tool.get("type") == "function"]
    choice = asked.tool_choice
    if isinstance(choice, dict):
        name = choice.get("name")
        if name not in [tool["function"]["name"] for tool in functions]:
            kind = choice.get("type")
            sentence = f"Tool choice '{kind}' not found in 'tools' parameter."
            raise wrong_value(sentence, "tool_choice")
        choice = {"function": {"name": name}}
    demanded = calling.demanded(functions, choice) if functions else None
    return demanded or (calling.dictated(asked.dictated) if functions else None)


async def stored(request: web.Request) -> web.StreamResponse:
    """Find nothing: nothing is stored."""
    raise _not_found(request.match_info["response_id"])


def _not_found(response_id: str) -> RefusedError:
    sentence = f"Response with id '{response_id}' not found."
    return refusal(sentence, "response_id", status=HTTPStatus.NOT_FOUND, kind=_KIND)
