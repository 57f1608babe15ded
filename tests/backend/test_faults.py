"""An engine that misbehaves: the named error comes, the connection goes, the next call is good."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing

import pytest

from backend import containers, events, moving
from backend.client import Engine
from backend.errors import (
    ApiVersionUnsupported,
    BackendError,
    Conflict,
    EngineFault,
    EngineGone,
    EngineTimeout,
    NotFound,
    ProtocolError,
    SocketMissing,
)
from tests.fakes.engine import FakeEngine

pytestmark = pytest.mark.asyncio
JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.fixture
def fake() -> FakeEngine:
    made = FakeEngine()
    made.add_container("web", logs=[b"one\n", b"two\n"])
    return made


def body(data: bytes) -> bytes:
    return JSON_HEAD + b"Content-Length: %d\r\n\r\n" % len(data) + data


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not happened():
            await asyncio.sleep(0.005)


async def test_a_socket_that_is_missing_and_then_comes(
    fake: FakeEngine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with fake.serve() as endpoint:
        pass
    made = Engine(endpoint)
    for _ in range(2):
        with pytest.raises(SocketMissing) as caught:
            await made.open()
        assert endpoint.path in caught.value.where
    path = str(tmp_path_factory.mktemp("s") / "s")
    async with fake.serve(path) as later:
        made = Engine(later)
        await made.open()
        await made.close()


@pytest.mark.parametrize(
    "raw",
    [
        body(b'[{"Id": "ab'),
        body(b'[{"Id": NaN}]'),
        body(b"[" * 10_000 + b"]" * 10_000),
        body(b'[{"Id": "x", "Command": ' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}]"),
        body(b'[{"Id": "\xff\xfe"}]'),
        body(b'{"no": "list"}'),
        body(b"<html>hello</html>"),
        body(b""),
        b"garbage that is no HTTP\r\n\r\n",
        b"\x00\xff\x00\xff" * 100,
        b"HTTP/1.1 abc OK\r\n\r\n",
        JSON_HEAD + b"Content-Length: 500\r\n\r\n[]",
        JSON_HEAD + b"Content-Length: -1\r\n\r\n[]",
        JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n[]",
        JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n[]\r\n0\r\n\r\n",
        JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n[]\r\n0\r\n\r\n",
        JSON_HEAD + b"X-Long: " + b"a" * 200_000 + b"\r\n\r\n[]",
        JSON_HEAD + b"".join(b"X-%d: y\r\n" % i for i in range(20_000)),
        JSON_HEAD + b"Content-Length: 99999999999\r\n\r\n[]",
        b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/x\r\nContent-Length: 0\r\n\r\n",
    ],
)  # fmt: skip
async def test_a_broken_answer_is_an_error_of_that_call_alone(fake: FakeEngine, engine: Engine, raw: bytes) -> None:
    fault = fake.fail("/containers/json", raw=raw, times=1)
    with pytest.raises((ProtocolError, EngineGone)):
        await containers.list_(engine)
    assert fault.seen == 1
    assert len(await containers.list_(engine)) == 1


async def test_an_engine_that_closes_without_a_word_is_gone_for_that_call(fake: FakeEngine, engine: Engine) -> None:
    """Over a local socket every question has a connection of its own, so none can have been closed long before."""
    fault = fake.fail("/containers/json", raw=b"", times=1)
    with pytest.raises(EngineGone):
        await containers.list_(engine)
    assert fault.seen == 1
    assert len(await containers.list_(engine)) == 1


async def test_a_length_that_is_too_short_does_not_poison_the_next_call(fake: FakeEngine, engine: Engine) -> None:
    fake.fail("/containers/json", raw=JSON_HEAD + b"Content-Length: 2\r\n\r\n[]garbage", times=1)
    assert await containers.list_(engine) == ()
    assert len(await containers.list_(engine)) == 1


async def test_an_answer_past_the_cap_is_cut(fake: FakeEngine, engine: Engine) -> None:
    huge = b"[" + b" " * 5_000_000 + b"]"
    fake.fail("/containers/json", raw=JSON_HEAD + b"\r\n" + huge, times=1)
    with pytest.raises(ProtocolError):
        await engine.fetch("GET", "/containers/json", cap=1_000_000)
    assert len(await containers.list_(engine)) == 1


async def test_duplicate_keys_take_the_last(fake: FakeEngine, engine: Engine) -> None:
    fake.fail("/containers/json", raw=body(b'[{"Id":"aa","State":"x","State":"running"}]'), times=1)
    assert (await containers.list_(engine))[0].state == "running"


async def test_a_row_with_wrong_fields_lives_on_as_unknown(fake: FakeEngine, engine: Engine) -> None:
    fake.add_container("bad", override={"State": None, "Ports": 7, "Labels": [1], "Names": None})
    fake.add_container("lost", override={"Id": 5})
    rows = {r.name: r for r in await containers.list_(engine)}
    assert rows["web"].state == "running"
    assert len(rows) == 2
    bad = next(r for r in rows.values() if r.name != "web")
    assert (bad.state, bad.ports, bad.image) == ("unknown", None, "nginx:latest")


async def test_inspect_with_wrong_fields_keeps_the_good_ones(fake: FakeEngine, engine: Engine) -> None:
    fake.fail(
        "/json",
        raw=body(
            b'{"Id":"aa","Name":5,"State":{"Status":"running","Pid":"x"},"Config":null,"Mounts":[1,{"Type":"bind"}]}'
        ),
    )
    found = (await containers.inspect(engine, "web")).value
    assert (found.id, found.name, found.state.status, found.state.pid) == ("aa", "", "running", 0)
    assert found.mounts is not None
    assert found.mounts[0].type == "bind"


@pytest.mark.parametrize("fault", [{"hang": True}, {"drip": 0.01}, {"delay": 60}])
async def test_no_answer_ends_at_the_deadline_and_the_connection_with_it(
    fake: FakeEngine, engine: Engine, fault: dict[str, object]
) -> None:
    fake.fail("/containers/json", times=1, **fault)
    with pytest.raises(EngineTimeout):
        await containers.list_(engine, deadline=0.2)
    await until(lambda: fake.hangups == 1)
    assert len(await containers.list_(engine)) == 1


async def test_endless_headers_one_byte_at_a_time(fake: FakeEngine, engine: Engine) -> None:
    fake.fail("/_ping", raw=b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 50_000, drip=0.01, times=1)
    with pytest.raises(EngineTimeout):
        await engine.ping(deadline=0.2)
    await engine.ping()


@pytest.mark.parametrize(
    "ask",
    [
        lambda e: containers.list_(e),
        lambda e: containers.wait(e, "web"),
        lambda e: first(events.stream(e)),
        lambda e: first(containers.stats_stream(e, "web")),
        lambda e: first(moving.pull(e, "redis")),
        lambda e: containers.logs(e, "web"),
    ],
)
async def test_cancelling_closes_the_connection(
    fake: FakeEngine, engine: Engine, ask: Callable[[Engine], Awaitable[object]]
) -> None:
    fake.fail("/", hang=True)
    task = asyncio.ensure_future(ask(engine))
    before = len(fake.requests)
    await until(lambda: len(fake.requests) > before)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: fake.hangups == 1)


async def first(stream: AsyncIterator[object]) -> object:
    async for found in stream:
        return found
    return None


async def test_leaving_a_stream_closes_its_connection(fake: FakeEngine, engine: Engine) -> None:
    async with aclosing(events.stream(engine)) as stream:
        waiting = asyncio.ensure_future(anext(stream))
        await until(lambda: bool(fake.asked("GET", "/events")))
        await fake.emit("container", "start", "x")
        assert (await waiting).action == "start"
    await until(lambda: fake.hangups == 1)


@pytest.mark.parametrize("at", [0, 5, 30, 80, 150])
async def test_a_stream_that_is_cut_says_so(fake: FakeEngine, engine: Engine, at: int) -> None:
    fake.fail("/events", cut_after=at)
    await fake.emit("container", "start", "x")
    with pytest.raises(EngineGone):
        await first_after(events.stream(engine, since="1"))


async def test_garbage_in_a_stream_says_so(fake: FakeEngine, engine: Engine) -> None:
    fake.fail("/events", raw=JSON_HEAD + b'\r\n{"Type":"container"}\n{oops}\n', times=1)
    stream = events.stream(engine)
    assert (await anext(stream)).type == "container"
    with pytest.raises(ProtocolError):
        await anext(stream)


async def test_the_engine_is_killed_under_every_stream(fake: FakeEngine, engine: Engine) -> None:
    asks: list[Awaitable[object]] = [
        containers.wait(engine, "web"),
        first(events.stream(engine)),
        first_after(containers.stats_stream(engine, "web")),
    ]
    fake.stats_every = 60
    tasks = [asyncio.ensure_future(a) for a in asks]
    before = len(fake.requests)
    await until(lambda: len(fake.requests) == before + 3)
    await asyncio.sleep(0.05)
    fake.drop_all()
    for found in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(found, BackendError) or found is None


async def first_after(stream: AsyncIterator[object]) -> object:
    async for _ in stream:
        pass
    return None


@pytest.mark.parametrize(
    ("raw", "kind", "message"),
    [
        (b"HTTP/1.1 500 X\r\nContent-Type: text/html\r\nContent-Length: 45\r\n\r\n"
         b"<html><b>It &amp; broke</b><script>x</script>\n ", EngineFault, "It & broke"),
        (b'HTTP/1.1 409 X\r\nContent-Length: 17\r\n\r\n{"message":"<b>"}', Conflict, "<b>"),
        (b'HTTP/1.1 404 X\r\nContent-Length: 18\r\n\r\n{"message":"gone"}', NotFound, "gone"),
        (b"HTTP/1.1 502 X\r\nContent-Length: 0\r\n\r\n", EngineFault, ""),
    ],
)  # fmt: skip
async def test_the_engines_own_words(
    fake: FakeEngine, engine: Engine, raw: bytes, kind: type[BackendError], message: str
) -> None:
    fake.fail("/start", raw=raw, times=1)
    with pytest.raises(kind) as caught:
        await containers.start(engine, "web")
    assert getattr(caught.value, "message") == message  # noqa: B009 - of every ApiError


async def test_a_state_that_is_already_so_is_no_error(fake: FakeEngine, engine: Engine) -> None:
    before = len(fake.events)
    await containers.start(engine, "web")
    assert len(fake.asked("POST", "/containers/web/start")) == 1
    assert len(fake.events) == before, "it was not running before"


async def test_a_container_that_went_meanwhile(engine: Engine) -> None:
    for ask in (containers.inspect(engine, "gone"), containers.start(engine, "gone"), containers.logs(engine, "gone")):
        with pytest.raises(NotFound):
            await ask
    assert await containers.stats_once(engine, ["gone" * 4]) == {}


@pytest.mark.parametrize(
    ("api", "oldest", "product", "spoken"),
    [("1.41", "1.12", "docker", "1.41"), ("1.99", "1.44", "docker", "1.51"), ("1.41", "1.24", "podman", "1.41")],
)
async def test_versions_are_negotiated(api: str, oldest: str, product: str, spoken: str) -> None:
    fake = FakeEngine(api=api, oldest=oldest, product=product)
    async with fake.serve() as endpoint:
        made = Engine(endpoint)
        await made.open()
        assert made.api == spoken
        assert (made.product == "Podman") == (product == "podman")
        await containers.list_(made)
        assert f"/v{spoken}/" in fake.requests[-1].target
        await made.close()


@pytest.mark.parametrize(
    ("api", "oldest", "error"),
    [("1.24", "1.12", ApiVersionUnsupported), ("1.99", "1.98", ApiVersionUnsupported), ("<b>", "", ProtocolError)],
)
async def test_versions_that_cannot_be_spoken(api: str, oldest: str, error: type[BackendError]) -> None:
    fake = FakeEngine(api=api, oldest=oldest)
    async with fake.serve() as endpoint:
        made = Engine(endpoint)
        with pytest.raises(error):
            await made.open()
        await made.close()


async def test_proxies_are_not_used(fake: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with fake.serve() as endpoint:
        made = Engine(endpoint)
        await made.open()
        await containers.start(made, "web")
        await made.close()
    assert fake.asked("POST", "/containers/web/start"), "the call through httpx came to the engine itself"


async def test_fifty_streams_and_calls_beside_them(fake: FakeEngine, engine: Engine) -> None:
    fake.stats_every = 60
    streams = [containers.stats_stream(engine, "web") for _ in range(50)]
    await asyncio.gather(*(anext(s) for s in streams))
    assert len(await containers.list_(engine, deadline=5)) == 1
    await asyncio.gather(*(s.aclose() for s in streams))
    await until(lambda: fake.hangups == 50)
