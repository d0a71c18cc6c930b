"""The JobManager's thread that talks to TaskManagers, with TaskManagers that are sockets of this test."""

import selectors
import socket
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import pytest

from penstock.deploy.cluster.messages import Heartbeat, HeartbeatHeard, Replaced, TaskManagerJoined, Welcome
from penstock.deploy.cluster.roster import Listening, Roster
from penstock.deploy.local.control_link import ControlLink
from penstock.deploy.local.lifeline import Birth
from penstock.errors import OutsideError
from penstock.network.handshake import Handshake, Role, shake_hands

SECRET = b"secret"


class Caller:
    """One connection of a TaskManager."""

    def __init__(self, roster: Roster, id: str, instance: str = "", answer: type = Welcome) -> None:
        sock = socket.create_connection((roster.host, roster.port))
        shake_hands(sock, Handshake(Role.CALLER, SECRET, 1), 60)
        self._selector = selectors.DefaultSelector()
        self.heard: list[Any] = []
        self.lost: list[str] = []
        self.link = ControlLink(sock, self._selector, self.heard.append, self.lost.append)
        self.say(TaskManagerJoined(id, "here", 2, 1, instance=instance))
        self.wait_for(lambda: self.has_heard(answer))

    def say(self, message: object) -> None:
        self.link.send(message)
        self.link.write()

    def has_heard(self, kind: type) -> bool:
        return any(isinstance(message, kind) for message in self.heard)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        for _ in range(2400):
            if condition():
                return
            for key, mask in self._selector.select(0.05):
                key.data(mask)
        raise AssertionError("it did not come")

    def beat(self) -> None:
        """A heartbeat, and its answer: by then the JobManager has seen to all that came before."""
        self.heard.clear()
        self.say(Heartbeat())
        self.wait_for(lambda: self.has_heard(HeartbeatHeard))


@pytest.fixture
def roster() -> Iterator[Roster]:
    made = Roster(SECRET, Listening("127.0.0.1", 0), heartbeat_timeout_s=1.0)
    made.start()
    yield made
    made.close()


def birth() -> Birth:
    return Birth(0, 1, b"", 0, [], [], None, "here")


def test_a_taskmanager_that_calls_anew_outlives_its_old_connection(roster: Roster) -> None:
    before = Caller(roster, "tm-1")
    before.beat()
    worker = roster.place("job", birth(), 1, lambda: None, None)
    assert worker is not None and roster.slots() == (2, 1)
    again = Caller(roster, "tm-1")
    assert worker.wait_for_exit(60)  # the TaskManager has ended the workers that it had
    assert "called anew" in worker.how_it_ended()
    before.wait_for(lambda: bool(before.lost))
    before.link.close()
    again.beat()
    assert roster.slots() == (2, 2)
    assert [entry.description.id for entry in roster.entries()] == ["tm-1"]
    again.wait_for(lambda: roster.slots() == (0, 0))  # it falls silent, and is given up
    Caller(roster, "tm-2").beat()
    assert roster.slots() == (2, 2)


def test_of_two_processes_of_one_id_the_later_one_stays_and_the_other_is_told(roster: Roster) -> None:
    first = Caller(roster, "tm-1", "a")
    first.beat()
    worker = roster.place("job", birth(), 1, lambda: None, None)
    assert worker is not None
    second = Caller(roster, "tm-1", "b")
    first.wait_for(lambda: first.has_heard(Replaced) and bool(first.lost))
    assert worker.wait_for_exit(120)
    Caller(roster, "tm-1", "a", answer=Replaced).link.close()  # it may call again as often as it likes
    second.beat()
    again = Caller(roster, "tm-1", "b")  # the other one may, too
    again.beat()
    assert roster.slots() == (2, 2)
    third = Caller(roster, "tm-1", "c")
    again.wait_for(lambda: again.has_heard(Replaced))
    for instance in ("a", "b"):
        Caller(roster, "tm-1", instance, answer=Replaced).link.close()
    third.beat()
    for link in (first.link, second.link, again.link, third.link):
        link.close()


def test_a_process_that_was_cut_off_does_not_come_back_in_the_place_of_its_successor(roster: Roster) -> None:
    first = Caller(roster, "tm-1", "a")
    first.link.close()
    first.wait_for(lambda: roster.slots() == (0, 0))
    second = Caller(roster, "tm-1", "b")
    refused = Caller(roster, "tm-1", "a", answer=Replaced)
    assert [message.by for message in refused.heard] == ["process 1 on here"]
    second.beat()
    assert roster.slots() == (2, 2)
    for link in (second.link, refused.link):
        link.close()


def test_what_a_taskmanager_was_asked_is_answered_when_it_goes(roster: Roster) -> None:
    caller = Caller(roster, "tm-1")
    asked = roster.ask_for_files("tm-1")
    caller.wait_for(lambda: len(caller.heard) > 1)
    caller.link.close()
    with pytest.raises(OutsideError, match="tm-1 is gone"):
        asked.result(120)
    with pytest.raises(OutsideError, match="tm-1 is gone"):
        roster.ask_for_threads("tm-1").result(120)
    answered = Event()
    roster.ask_for_threads("nobody").add_done_callback(lambda _: answered.set())
    assert answered.wait(120)
