"""A server over real TCP: health, reflection, its port, its limits, its errors and its end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from schemas.errors import DefectError, HwlinkError, InputError, PolicyError, Reason, StateError, TransientError
from services.rpc.client import call, open_channel, our_errors
from services.rpc.server import MAX_MESSAGE_BYTES, RpcServer, Service

NAME = "hwlink.v1.EchoService"
Behaviour = Callable[[bytes], bytes]


def echo_service(answer: Behaviour, name: str = NAME) -> Service:
    """A service of raw bytes with one method of each kind."""

    def unary(request: bytes, context: grpc.ServicerContext) -> bytes:
        return answer(request)

    def stream(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        for request in requests:
            yield answer(request)

    handlers = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary),
        "Stream": grpc.stream_stream_rpc_method_handler(stream),
        "Collect": grpc.stream_unary_rpc_method_handler(lambda requests, context: answer(b"".join(requests))),
        "Repeat": grpc.unary_stream_rpc_method_handler(
            lambda request, context: (answer(part) for part in request.split())
        ),
    }
    return Service(
        name, lambda server: server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
    )


class Running:
    def __init__(self, answer: Behaviour) -> None:
        self.server = RpcServer("127.0.0.1:0", [echo_service(answer)])
        self.server.start()
        self.channel = open_channel(self.server.address)

    def unary(self, request: bytes) -> bytes:
        method: Any = self.channel.unary_unary(f"/{NAME}/Unary")
        result: bytes = call(method, request, 20)
        return result


@pytest.fixture
def serve() -> Iterator[Callable[[Behaviour], Running]]:
    running: list[Running] = []

    def start(answer: Behaviour) -> Running:
        running.append(Running(answer))
        return running[-1]

    yield start
    for one in running:
        one.channel.close()
        one.server.stop(0)


def status(channel: grpc.Channel, service: str) -> int:
    answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
    return int(answer.status)


def test_health_answers_for_the_server_and_each_service(serve: Any) -> None:
    running = serve(bytes.upper)
    for name in ("", NAME):
        assert status(running.channel, name) == health_pb2.HealthCheckResponse.SERVING
    with pytest.raises(grpc.RpcError) as caught:
        status(running.channel, "hwlink.v1.Other")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_reflection_names_the_services(serve: Any) -> None:
    names = ProtoReflectionDescriptorDatabase(serve(bytes.upper).channel).get_services()
    assert {NAME, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"} == set(names)


def test_a_port_in_use_is_refused(serve: Any) -> None:
    running = serve(bytes.upper)
    with pytest.raises(StateError) as caught:
        RpcServer(running.server.address, [])
    assert caught.value.reason is Reason.PORT_IN_USE
    assert running.server.address in caught.value.message


def test_messages_beyond_the_usual_limit_pass_and_beyond_ours_are_refused(serve: Any) -> None:
    running = serve(lambda request: b"%d" % len(request))
    assert running.unary(bytes(8 * 1024 * 1024)) == b"%d" % (8 * 1024 * 1024)
    with pytest.raises(InputError) as caught:
        running.unary(bytes(MAX_MESSAGE_BYTES + 1))
    assert caught.value.reason is Reason.BATCH_TOO_LARGE


def raising(error: Exception) -> Behaviour:
    def answer(request: bytes) -> bytes:
        raise error

    return answer


def every_kind_of_call(running: Running) -> Iterator[Callable[[], object]]:
    yield lambda: running.unary(b"x")
    yield lambda: list(running.channel.stream_stream(f"/{NAME}/Stream")(iter([b"x"]), timeout=20))
    yield lambda: running.channel.stream_unary(f"/{NAME}/Collect")(iter([b"x"]), timeout=20)
    yield lambda: list(running.channel.unary_stream(f"/{NAME}/Repeat")(b"x", timeout=20))


def test_our_errors_arrive_as_they_were_raised_by_every_kind_of_call(serve: Any) -> None:
    running = serve(raising(PolicyError(Reason.DISCLOSURE_RISK, "Ask about more people.")))
    for ask in every_kind_of_call(running):
        with pytest.raises(HwlinkError) as caught, our_errors():
            ask()
        assert (type(caught.value), caught.value.message) == (PolicyError, "Ask about more people.")


def test_other_errors_arrive_without_a_word_of_theirs(serve: Any, capfd: pytest.CaptureFixture[str]) -> None:
    running = serve(raising(ValueError("MRS CANARY, 1970-01-01")))
    for ask in every_kind_of_call(running):
        with pytest.raises((grpc.RpcError, DefectError)) as caught:
            ask()
        assert "CANARY" not in repr(caught.value) + str(caught.value)
    assert "CANARY" not in "".join(capfd.readouterr())


def test_stopping_lets_calls_end_and_turns_new_ones_away(serve: Any) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(request: bytes) -> bytes:
        begun.set()
        go_on.wait(20)
        return b"done"

    running = serve(slow)
    under_way = running.channel.unary_unary(f"/{NAME}/Unary").future(b"x", timeout=20)
    begun.wait(20)
    stopping = threading.Thread(target=running.server.stop, args=(20,))
    stopping.start()

    def ask_until_turned_away() -> None:
        with our_errors():
            for _ in range(500):
                running.channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=5)
                threading.Event().wait(0.01)

    with pytest.raises(TransientError):
        ask_until_turned_away()
    go_on.set()
    assert under_way.result() == b"done"
    stopping.join(20)
    assert not stopping.is_alive()


@pytest.mark.parametrize("address", ["", "nowhere", "127.0.0.1", "127.0.0.1:x", "http://127.0.0.1:1", "a b:1"])
def test_an_address_is_a_host_and_a_port(address: str) -> None:
    with pytest.raises(InputError) as caught:
        open_channel(address)
    assert caught.value.reason is Reason.OPTION_INVALID


def test_nobody_there_is_unavailable_within_the_deadline() -> None:
    channel = open_channel("127.0.0.1:1")
    with pytest.raises(TransientError):
        call(channel.unary_unary("/x/Y"), b"", 0.5)
    channel.close()
