"""What a name adds: where the client says nothing or always, in every dialect, to every engine."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from relayed import config, model, relay, request
from synapse_common.refusals import Refusal
from synapse_gateway.config import Config
from synapse_gateway.needs import needs
from synapse_gateway.relay.exchange import Exchange, exchange
from synapse_gateway.request import Request

Body = dict[str, Any]

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
RESPONSES, MESSAGES = "/v1/responses", "/v1/messages"
COUNT, TOKENIZE = "/v1/messages/count_tokens", "/tokenize"
OLLAMA, GENERATE = "/api/chat", "/api/generate"
HI = [{"role": "user", "content": "hi"}]
ASKS: dict[str, Body] = {
    CHAT: {"messages": HI},
    COMPLETIONS: {"prompt": "hi"},
    RESPONSES: {"input": "hi"},
    MESSAGES: {"messages": HI, "max_tokens": 900},
    COUNT: {"messages": HI},
    TOKENIZE: {"messages": HI},
    OLLAMA: {"messages": HI},
    GENERATE: {"prompt": "hi"},
}
ABLE = ["reasoning", "tools"]
LITELLM = {"url": "http://litellm:4000/v1", "key_variable": "LITELLM_KEY"}


def known(engine: Any = "vllm", **preset: Any) -> Config:
    """A preset `p` of a model `m` that reasons, whose fallbacks are one that does not and one of
    which nobody knows it.
    """
    via = {"via_litellm": engine == "openai"}
    return config(
        model("m", engine, "unable", "unknown", capabilities=ABLE, context=4096, **via),
        model("unable", "ollama", capabilities=["tools"]),
        model("unknown", "ollama"),
        aliases=[{"name": "p", "model": "m", **preset}, {"name": "plain", "model": "m"}],
        translator=LITELLM,
    )


def asked(path: str, models: Config, **more: Any) -> Request:
    return request(path, {"model": "p", **ASKS[path], **more}, models)


def sent(asking: Exchange) -> Body:
    body: Body = orjson.loads(b"".join(asking.body))
    return body


def received(path: str, more: Any = None, engine: Any = "vllm", **preset: Any) -> Body:
    """Return what the engine gets for a client's own fields."""
    found = asked(path, known(engine, **preset), **(more or {}))
    return sent(exchange(found, found.model))


def told(path: str, more: Any, **preset: Any) -> set[str]:
    """Return the names of what no engine was told of."""
    found = asked(path, known(**preset), **more)
    return {*found.ignored, *exchange(found, found.model).ignored}


def at(body: Body, place: str) -> Any:
    """Return what stands at a place such as `options.num_predict`."""
    value: Any = body
    for key in place.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


# Where each dialect has temperature and limit.
NUMBERS = [
    (CHAT, "temperature", "max_tokens"),
    (COMPLETIONS, "temperature", "max_tokens"),
    (RESPONSES, "temperature", "max_output_tokens"),
    (MESSAGES, "temperature", "max_tokens"),
    (OLLAMA, "options.temperature", "options.num_predict"),
    (GENERATE, "options.temperature", "options.num_predict"),
]


def own(place: str, value: Any) -> Body:
    first, _, inner = place.partition(".")
    return {first: {inner: value} if inner else value}


HEAT = [("vllm", path, where) for path, where, _ in NUMBERS]
# For responses and messages on Ollama LiteLLM is asked.
HEAT += [("ollama", *each[1:]) for each in HEAT if each[1] not in (RESPONSES, MESSAGES)]


@pytest.mark.parametrize(("engine", "path", "where"), HEAT)
def test_temperature(engine: str, path: str, where: str) -> None:
    seen = where.rpartition(".")[2] if engine == "vllm" else f"options.{where.rpartition('.')[2]}"
    default, fixed = {"parameters": {"temperature": 0.3}}, {"fixed": {"temperature": 0.3}}
    assert at(received(path, engine=engine, **default), seen) == 0.3
    assert at(received(path, own(where, 0.9), engine, **default), seen) == 0.9
    assert at(received(path, own(where, 0), engine, **default), seen) == 0
    assert at(received(path, own(where, 0.9), engine, **fixed), seen) == 0.3
    assert told(path, own(where, 0.9), **fixed) == {where}
    assert told(path, own(where, 0.3), **fixed) == set()


@pytest.mark.parametrize(("path", "_", "where"), NUMBERS)
def test_the_limit_of_an_answer(path: str, _: str, where: str) -> None:
    seen = "max_tokens" if where.startswith("options") else where
    default = {"parameters": {"max_output_tokens": 100}}
    fixed = {"fixed": {"max_output_tokens": 100}}
    if path != MESSAGES:  # whose clients must name one
        assert at(received(path, **default), seen) == 100
    assert at(received(path, own(where, 2000), **default), seen) == 2000
    assert at(received(path, **fixed), seen) == 100
    assert at(received(path, own(where, 50), **fixed), seen) == 50
    assert at(received(path, own(where, 2000), **fixed), seen) == 100
    assert told(path, own(where, 2000), **fixed) == {where}


def test_both_of_chats_limits_are_capped() -> None:
    both = {"max_tokens": 500, "max_completion_tokens": 60}
    body = received(CHAT, both, fixed={"max_output_tokens": 100})
    assert (body["max_tokens"], body["max_completion_tokens"]) == (100, 60)
    only = received(CHAT, {"max_completion_tokens": 60}, parameters={"max_output_tokens": 100})
    assert "max_tokens" not in only


@pytest.mark.parametrize("endless", [-1, -2, 0])
def test_ollamas_no_limit_is_a_clients_wish_and_no_way_out(endless: int) -> None:
    more = {"options": {"num_predict": endless}}
    default, fixed = {"max_output_tokens": 100}, {"max_output_tokens": 100}
    assert (
        at(received(OLLAMA, more, "ollama", parameters=default), "options.num_predict") == endless
    )
    assert at(received(OLLAMA, more, "ollama", fixed=fixed), "options.num_predict") == 100


SYSTEM = "Be brief."
OWN = "Be kind."
BOTH = f"{SYSTEM}\n\n{OWN}"


def said(text: str, role: str = "system") -> Body:
    return {"role": role, "content": text}


@pytest.mark.parametrize("path", [CHAT, TOKENIZE, OLLAMA])
@pytest.mark.parametrize("role", ["system", "developer"])
def test_a_system_text_among_messages(path: str, role: str) -> None:
    default, fixed = {"parameters": {"system": SYSTEM}}, {"fixed": {"system": SYSTEM}}
    mine = {"messages": [said(OWN, role), *HI]}
    later = {"messages": [*HI, said(OWN, role)]}
    assert received(path, **default)["messages"] == [said(SYSTEM), *HI]
    assert received(path, **fixed)["messages"] == [said(SYSTEM), *HI]
    assert received(path, mine, **default)["messages"] == mine["messages"]
    assert received(path, later, **default)["messages"] == later["messages"]
    assert received(path, mine, **fixed)["messages"] == [said(BOTH), *HI], "which templates know"
    assert received(path, later, **fixed)["messages"] == [said(SYSTEM), *later["messages"]]


def test_a_system_message_of_parts_and_an_empty_one() -> None:
    parts = {"messages": [{"role": "system", "content": [{"type": "text", "text": OWN}]}, *HI]}
    (first, _) = received(CHAT, parts, fixed={"system": SYSTEM})["messages"]
    assert [part["text"] for part in first["content"]] == [f"{SYSTEM}\n\n", OWN]
    empty = {"messages": [said(""), *HI]}
    for section in ("parameters", "fixed"):
        body = received(CHAT, empty, **{section: {"system": SYSTEM}})
        assert body["messages"] == [said(SYSTEM), *HI]


def test_instructions() -> None:
    default, fixed = {"parameters": {"system": SYSTEM}}, {"fixed": {"system": SYSTEM}}
    assert received(RESPONSES, **default)["instructions"] == SYSTEM
    assert received(RESPONSES, {"instructions": OWN}, **default)["instructions"] == OWN
    assert received(RESPONSES, {"instructions": OWN}, **fixed)["instructions"] == BOTH
    items = [said(OWN, "developer"), *HI]
    body = received(RESPONSES, {"input": items}, **default)
    assert (body["input"], body.get("instructions")) == (items, None)
    body = received(RESPONSES, {"input": items}, **fixed)
    assert (body["input"], body.get("instructions")) == ([said(BOTH), *HI], None)
    parts = [{"role": "developer", "content": [{"type": "input_text", "text": OWN}]}, *HI]
    (first, _) = received(RESPONSES, {"input": parts}, **fixed)["input"]
    assert [part["type"] for part in first["content"]] == ["input_text", "input_text"]


@pytest.mark.parametrize("path", [MESSAGES, COUNT])
def test_a_system_text_of_messages_counts_where_tokens_are_counted(path: str) -> None:
    default, fixed = {"parameters": {"system": SYSTEM}}, {"fixed": {"system": SYSTEM}}
    assert received(path, **default)["system"] == SYSTEM
    assert received(path, {"system": OWN}, **default)["system"] == OWN
    assert received(path, {"system": OWN}, **fixed)["system"] == BOTH
    blocks = [{"type": "text", "text": OWN, "cache_control": {"type": "ephemeral"}}]
    assert received(path, {"system": blocks}, **default)["system"] == blocks
    joined = received(path, {"system": blocks}, **fixed)["system"]
    assert joined == [{"type": "text", "text": f"{SYSTEM}\n\n"}, *blocks]
    inline = {"messages": [*HI, said(OWN)]}
    assert "system" not in received(path, inline, **default)
    assert received(path, inline, **fixed)["system"] == SYSTEM


def test_a_system_text_of_ollamas_generate() -> None:
    for engine in ("vllm", "ollama"):

        def text(more: Body, engine: str = engine, **preset: Body) -> Any:
            body = received(GENERATE, more, engine, **preset)
            return body["system"] if engine == "ollama" else body["messages"][0]["content"]

        assert text({}, parameters={"system": SYSTEM}) == SYSTEM
        assert text({"system": OWN}, parameters={"system": SYSTEM}) == OWN
        assert text({"system": OWN}, fixed={"system": SYSTEM}) == BOTH


PARTS = [{"type": "text", "text": OWN}]


@pytest.mark.parametrize(
    ("path", "own", "place"),
    [
        (RESPONSES, {"instructions": PARTS}, "instructions"),
        (RESPONSES, {"instructions": {"text": OWN}}, "instructions"),
        (RESPONSES, {"instructions": 5}, "instructions"),
        (RESPONSES, {"input": [{"role": "system", "content": {"a": 1}}, *HI]}, "input[0].content"),
        (MESSAGES, {"system": {"type": "text", "text": OWN}}, "system"),
        (COUNT, {"system": True}, "system"),
        (GENERATE, {"system": 5}, "system"),
        (GENERATE, {"system": PARTS}, "system"),
        *(
            (path, {"messages": [{"role": "system", "content": own}, *HI]}, "messages[0].content")
            for path in (CHAT, TOKENIZE, OLLAMA)
            for own in (5, {"text": OWN}, True)
        ),
        (CHAT, {"messages": None}, "messages"),
        (CHAT, {"messages": []}, "messages"),
        (CHAT, {"messages": "hi"}, "messages"),
        (CHAT, {"messages": {"0": HI}}, "messages"),
        *((path, {"messages": {"0": HI}}, "messages") for path in (TOKENIZE, OLLAMA)),
    ],
)
def test_a_fixed_text_is_never_left_out_for_a_text_of_the_clients_that_is_none(
    path: str, own: Body, place: str
) -> None:
    with pytest.raises(Refusal) as refused:
        asked(path, known(fixed={"system": SYSTEM}), **own)
    assert (refused.value.status, refused.value.param) == (400, place)
    assert refused.value.message.startswith(f"'{place}' must be a ")
    kept = asked(path, known(parameters={"system": SYSTEM}), **own).fields
    assert {name: kept.get(name) for name in own} == own, "a default leaves it to the engine"


@pytest.mark.parametrize(
    ("path", "own"),
    [
        (RESPONSES, {"input": 5}),
        (RESPONSES, {"input": ["hi", 5]}),
        (RESPONSES, {"input": [{"type": "reasoning", **said(OWN)}, *HI]}),
        (RESPONSES, {"instructions": {}, "input": {"role": "system"}}),
        (MESSAGES, {"system": 0, "messages": 5}),
        (CHAT, {"messages": [5]}),
        (CHAT, {"messages": [said(OWN, "System"), *HI]}),
    ],
)
def test_a_fixed_text_stands_first_beside_whatever_else_is_odd(path: str, own: Body) -> None:
    fields = asked(path, known(fixed={"system": SYSTEM}), **own).fields
    given = fields.get("messages") if path == CHAT else None
    first = given[0]["content"] if given else fields.get("instructions") or fields.get("system")
    assert str(first).startswith(SYSTEM)
    assert not given or given[0]["role"] == "system"


@pytest.mark.parametrize("path", [OLLAMA, GENERATE])
def test_a_request_that_only_loads_a_model_still_asks_nothing(path: str) -> None:
    nothing: Body = {"messages": []} if path == OLLAMA else {"prompt": ""}
    found = asked(path, known(fixed={"system": SYSTEM}), **nothing)
    assert exchange(found, found.model).answered is not None


# Where each engine is told, by dialect: thinking on, off, and an effort.
ON, OFF, LOW = {"thinking": True}, {"thinking": False}, {"effort": "low"}
KWARGS = "chat_template_kwargs.enable_thinking"
TOLD: list[tuple[str, str, Body, Body]] = [
    *(
        ("vllm", path, wish, {KWARGS: wish is not OFF, effort: wish.get("effort")})
        for path, effort in (
            (CHAT, "reasoning_effort"), (RESPONSES, "reasoning.effort"),
            (MESSAGES, "output_config.effort"), (COUNT, "output_config.effort"),
            (OLLAMA, "reasoning_effort"), (GENERATE, "reasoning_effort"),
        )
        for wish in (ON, OFF, LOW)
    ),
    *(
        ("ollama", path, wish, {"think": heard})
        for path in (CHAT, OLLAMA, GENERATE)
        for wish, heard in ((ON, True), (OFF, False), (LOW, "low"))
    ),
    *(
        ("openai", path, wish, {where: heard})
        for path, where in (
            (CHAT, "reasoning_effort"), (OLLAMA, "reasoning_effort"),
            (RESPONSES, "reasoning.effort"),
        )
        for wish, heard in ((ON, "medium"), (OFF, "none"), (LOW, "low"))
    ),
    ("openai", MESSAGES, ON, {"thinking.type": "adaptive", "output_config": None}),
    ("openai", MESSAGES, OFF, {"thinking.type": "disabled", "output_config": None}),
    ("openai", MESSAGES, LOW, {"thinking.type": "adaptive", "output_config.effort": "low"}),
]  # fmt: skip


@pytest.mark.parametrize(("engine", "path", "wish", "heard"), TOLD)
def test_each_engine_is_told_of_thinking_in_its_own_words(
    engine: str, path: str, wish: Body, heard: Body
) -> None:
    for section in ("parameters", "fixed"):
        body = received(path, engine=engine, **{section: wish})
        assert {place: at(body, place) for place in heard} == heard


# What clients say of thinking themselves, in each dialect.
SAYS: list[tuple[str, Body]] = [
    (CHAT, {"reasoning_effort": "none"}),
    (CHAT, {"reasoning_effort": "high"}),
    (CHAT, {"think": False}),
    (CHAT, {"chat_template_kwargs": {"enable_thinking": False}}),
    (CHAT, {"chat_template_kwargs": {"thinking": True}}),
    (RESPONSES, {"reasoning": {"effort": "high"}}),
    (MESSAGES, {"thinking": {"type": "enabled", "budget_tokens": 800}}),
    (MESSAGES, {"thinking": {"type": "disabled"}}),
    (MESSAGES, {"output_config": {"effort": "max"}}),
    (COUNT, {"thinking": {"type": "adaptive"}}),
    (MESSAGES, {"thinking": {"budget_tokens": 0}}),
    (CHAT, {"thinking_token_budget": 0}),
    (CHAT, {"chat_template_kwargs": {"thinking_budget": 0}}),
    (CHAT, {"chat_template_kwargs": {"reasoning_budget": 0}}),
    (CHAT, {"chat_template_kwargs": {"low_effort": True}}),
]


@pytest.mark.parametrize(("path", "says"), SAYS)
def test_a_clients_own_word_about_thinking_takes_the_place_of_a_default(
    path: str, says: Body
) -> None:
    for wish in (ON, OFF, LOW):
        assert received(path, says, parameters=wish) == received(path, says)


@pytest.mark.parametrize("think", [True, False, "high"])
@pytest.mark.parametrize("path", [OLLAMA, GENERATE])
def test_ollamas_own_word_as_well(path: str, think: bool | str) -> None:
    for engine in ("vllm", "ollama"):
        plain = received(path, {"think": think}, engine)
        assert received(path, {"think": think}, engine, parameters=LOW) == plain


@pytest.mark.parametrize(("path", "says"), SAYS)
def test_what_is_fixed_replaces_a_clients_word_and_says_so(path: str, says: Body) -> None:
    (name,) = says
    assert received(path, says, fixed=ON) == received(path, fixed=ON)
    (ignored,) = told(path, says, fixed=ON)
    assert ignored.startswith(name)


def test_other_switches_of_a_template_and_other_parts_of_reasoning_stay() -> None:
    kwargs = {"chat_template_kwargs": {"tools_first": True, "enable_thinking": False}}
    for section in ("parameters", "fixed"):
        more = kwargs if section == "fixed" else {"chat_template_kwargs": {"tools_first": True}}
        body = received(CHAT, more, **{section: ON})
        assert body["chat_template_kwargs"] == {"tools_first": True, "enable_thinking": True}
    body = received(RESPONSES, {"reasoning": {"summary": "auto"}}, parameters=LOW)
    assert body["reasoning"] == {"summary": "auto", "effort": "low"}


def test_a_default_effort_stands_beside_fixed_thinking() -> None:
    body = received(CHAT, {"reasoning_effort": "high"}, fixed=ON, parameters=LOW)
    assert (at(body, KWARGS), body["reasoning_effort"]) == (True, "low")


def test_what_is_shown_of_thinking_is_the_clients_own() -> None:
    for section in ("parameters", "fixed"):
        body = received(CHAT, {"include_reasoning": False}, **{section: ON})
        assert (at(body, KWARGS), body["include_reasoning"]) == (True, False)


@pytest.mark.parametrize(
    ("path", "wrong"),
    [(RESPONSES, {"reasoning": "none"}), (MESSAGES, {"output_config": ["low"]})],
)
def test_fixed_thinking_is_never_left_out_for_what_is_no_object(path: str, wrong: Body) -> None:
    (name,) = wrong
    for engine in ("vllm", "openai"):
        with pytest.raises(Refusal, match=f"'{name}' must be an object") as refused:
            asked(path, known(engine, fixed=LOW), **wrong)
        assert (refused.value.status, refused.value.param) == (400, name)


@pytest.mark.parametrize(("path", "wrong"), [(RESPONSES, {"reasoning": "much"})])
def test_a_wrong_field_reaches_the_engine_that_refuses_it(path: str, wrong: Body) -> None:
    assert received(path, wrong, parameters=LOW)["reasoning"] == "much"


@pytest.mark.parametrize("wrong", [{"options": "hot"}, {"options": {"num_predict": "many"}}])
def test_a_wrong_option_is_still_refused(wrong: Body) -> None:
    preset = {"temperature": 0.3, "max_output_tokens": 9}
    with pytest.raises(Refusal) as refused:
        received(OLLAMA, wrong, fixed=preset)
    assert "options" in str(refused.value.param)


@pytest.mark.parametrize(
    ("path", "raw"),
    [(COMPLETIONS, {}), (GENERATE, {"raw": True}), (GENERATE, {"suffix": "end"})],
)
def test_a_raw_prompt_has_no_place_for_what_is_fixed(path: str, raw: Body) -> None:
    for fixed in ({"system": SYSTEM}, ON, LOW):
        with pytest.raises(Refusal) as refused:
            asked(path, known(fixed=fixed), **raw)
        assert (refused.value.status, refused.value.param) == (400, "model")
        assert "raw prompt" in refused.value.message
    default = {"system": SYSTEM, "effort": "low", "temperature": 0.3}
    ignored = told(path, raw, parameters=default)
    assert ignored == {"preset.system", "preset.effort"}
    assert received(path, raw, parameters=default)["temperature"] == 0.3


# Fallbacks: what the name wants excludes nobody, what the client wants does.

DEAD = {name: ConnectionError() for name in ("m", "unable", "unknown")}


@pytest.mark.parametrize("path", [CHAT, OLLAMA])
def test_a_fallback_that_cannot_reason_is_not_told_to_and_the_client_hears_of_it(
    path: str,
) -> None:
    for section in ("parameters", "fixed"):
        models = known(**{section: {**LOW, "temperature": 0.3}})
        found = asked(path, models)
        assert "reasoning" not in needs(found.fields)
        for name in ("unable", "unknown"):
            asking = exchange(found, models.models[name])
            assert "think" not in sent(asking)
            assert sent(asking)["options"]["temperature"] == 0.3, "the rest counts there too"
            assert set(asking.ignored) == {"preset.effort"}
        assert exchange(found, found.model).ignored == ()


def test_not_to_think_is_easy_for_who_cannot() -> None:
    models = known(parameters=OFF)
    found = asked(CHAT, models)
    asking = exchange(found, models.models["unable"])
    assert (sent(asking).get("think"), asking.ignored) == (None, ())


def test_a_clients_own_wish_stays_a_need() -> None:
    models = known(parameters=LOW)
    assert "reasoning" in needs(asked(CHAT, models, reasoning_effort="low").fields)
    out = relay(asked(CHAT, models), DEAD, models)
    assert [each.model.name for each in out.sent] == ["m", "unable", "unknown"]
    wish = asked(CHAT, models, reasoning_effort="low")
    out = relay(wish, DEAD, models)
    assert [each.model.name for each in out.sent] == ["m", "unknown"]


def test_of_whom_nothing_is_known_the_operator_has_chosen() -> None:
    models = config(model("m", "ollama"), aliases=[{"name": "p", "model": "m", "parameters": LOW}])
    found = asked(CHAT, models)
    assert sent(exchange(found, found.model))["think"] == "low"


def test_a_name_that_adds_nothing_changes_nothing() -> None:
    models = known()
    assert models.presets == {}
    for path, body in ASKS.items():
        named = request(path, {"model": "p", **body}, models)
        straight = request(path, {"model": "m", **body}, models)
        assert sent(exchange(named, named.model)) == sent(exchange(straight, straight.model))
