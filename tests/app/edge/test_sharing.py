from __future__ import annotations

import asyncio
import os
import socket

from app.edge.sharing import ConnectionCounts, SharedListener, counts_file


def taken(listening: int, processes: int, clients: int) -> list[int]:
    """How many connections each of several listeners takes, of which only the first ones listen."""
    file = counts_file(processes)
    counts = [ConnectionCounts(file, place) for place in range(processes)]
    held: list[set[asyncio.Protocol]] = [set() for _ in range(processes)]

    def keeping(place: int) -> asyncio.Protocol:
        protocol = asyncio.Protocol()
        held[place].add(protocol)
        return protocol

    async def everything() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            listeners = [
                SharedListener(server.dup(), counts[place], lambda place=place: keeping(place))  # type: ignore[misc]
                for place in range(listening)
            ]
            connections = [socket.create_connection(server.getsockname()) for _ in range(clients)]
            async with asyncio.timeout(30):
                while sum(map(len, held)) < clients:
                    await asyncio.sleep(0.001)
            for listener in listeners:
                listener.close()
            for connection in connections:
                connection.close()

    asyncio.run(everything())
    os.close(file)
    return [len(each) for each in held]


def test_a_burst_of_connections_is_shared_evenly() -> None:
    assert sorted(taken(listening=3, processes=3, clients=30)) == [10, 10, 10]


def test_processes_that_are_away_leave_theirs_to_the_others() -> None:
    assert taken(listening=1, processes=3, clients=10) == [10, 0, 0]
    assert sorted(taken(listening=2, processes=3, clients=10)) == [0, 5, 5]
