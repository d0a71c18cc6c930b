"""Requests to a service that takes 50 ms for each, 10,000 of them under way at once.

The service is a stand-in of a few lines that answers all requests of the same millisecond together, so that it costs next to
nothing: what is measured is what surrounds a request. Ten thousand at 50 ms can be 200,000/s at the very most.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

UNDER_WAY = 10_000
TAKES_S = 0.05


class Service:
    """Answers with the double."""

    def __init__(self) -> None:
        self._due: dict[int, list[tuple[asyncio.Future[int], int]]] = {}

    def ask(self, number: int) -> asyncio.Future[int]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[int] = loop.create_future()
        at_ms = int((loop.time() + TAKES_S) * 1000)
        if at_ms not in self._due:
            self._due[at_ms] = []
            loop.call_at(at_ms / 1000, self._answer, at_ms)
        self._due[at_ms].append((answer, 2 * number))
        return answer

    def _answer(self, at_ms: int) -> None:
        for answer, result in self._due.pop(at_ms):
            if not answer.done():
                answer.set_result(result)


def plain(requests: int) -> Callable[[], dict[str, Any]]:
    """A task for each request, and the next one started when one is done."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        service, numbers, all_done = Service(), iter(range(requests)), loop.create_future()
        open_requests = 0

        async def request(number: int) -> list[int]:
            return [await service.ask(number)]

        def start(number: int) -> None:
            nonlocal open_requests
            open_requests += 1
            asyncio.Task(request(number), loop=loop, name="request").add_done_callback(done)

        def done(task: asyncio.Task[list[int]]) -> None:
            nonlocal open_requests
            open_requests -= 1
            task.result()
            number = next(numbers, None)
            if number is not None:
                start(number)
            elif not open_requests:
                all_done.set_result(None)

        for number, _ in zip(numbers, range(UNDER_WAY), strict=False):
            start(number)
        await all_done

    def work() -> dict[str, Any]:
        asyncio.run(main())
        return {"records": requests}

    return work


def ordered(requests: int) -> Callable[[], dict[str, Any]]:
    return _penstock(requests, "ordered_wait")


def unordered(requests: int) -> Callable[[], dict[str, Any]]:
    return _penstock(requests, "unordered_wait")


def _penstock(requests: int, wait: str) -> Callable[[], dict[str, Any]]:
    from benchmarks.workloads.penstock_job import environment
    from penstock.common import Time
    from penstock.connectors.discard.sink import DiscardingSink
    from penstock.datastream import AsyncDataStream

    service = Service()

    async def request(number: int) -> list[int]:
        return [await service.ask(number)]

    env = environment()
    stream = getattr(AsyncDataStream, wait)(
        env.from_sequence(0, requests - 1), request, Time.seconds(30), UNDER_WAY
    )
    stream.sink_to(DiscardingSink())

    def work() -> dict[str, Any]:
        started = time.perf_counter()
        env.execute()
        return {
            "records": requests,
            "microseconds_per_request": (time.perf_counter() - started) * 1_000_000 / requests,
        }

    return work
