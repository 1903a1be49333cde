"""A client of the console's WebSocket that shares no code with it: docs/console-protocol.md and
Debian's python3-websockets. Run by live_test.cc:

    live.py CASE HTTP_PORT WS_PORT TOKEN

Exit status 0 when everything was as the protocol says.
"""

import asyncio
import json
import os
import socket
import ssl
import sys
import urllib.error
import urllib.request

import jsonschema
import websockets

CASE, HTTP_PORT, WS_PORT, TOKEN = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
ORIGIN = f"http://localhost:{HTTP_PORT}"
SCHEMA_FILE = os.path.join(os.path.dirname(__file__), "../../docs/console-protocol.schema.json")
with open(SCHEMA_FILE, encoding="utf-8") as file:
    SCHEMA = jsonschema.Draft202012Validator(json.load(file))


def ticket():
    request = urllib.request.Request(f"http://127.0.0.1:{HTTP_PORT}/api/ticket", method="POST",
                                     headers={"Authorization": "Bearer " + TOKEN}, data=b"")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["ticket"]


def connect(key=None, origin=ORIGIN, path="/live", protocols=None, **more):
    protocols = protocols or ["payops.v1", "ticket." + (key or ticket())]
    return websockets.connect(f"ws://127.0.0.1:{WS_PORT}{path}", origin=origin,
                              subprotocols=protocols, max_size=None, compression=None, **more)


async def secure():
    """All of it over TLS; the certificate signs itself."""
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    request = urllib.request.Request(f"https://127.0.0.1:{HTTP_PORT}/api/ticket", method="POST",
                                     headers={"Authorization": "Bearer " + TOKEN}, data=b"")
    with urllib.request.urlopen(request, context=trust) as answer:
        key = json.load(answer)["ticket"]
    async with websockets.connect(f"wss://127.0.0.1:{WS_PORT}/live", ssl=trust, max_size=None,
                                  origin=f"https://localhost:{HTTP_PORT}", compression=None,
                                  subprotocols=["payops.v1", "ticket." + key]) as live:
        assert (await receive(live))["type"] == "hello"
        assert (await receive(live))["type"] == "snapshot"


async def receive(socket_, checked=False):
    message = json.loads(await asyncio.wait_for(socket_.recv(), 10))
    if checked:
        SCHEMA.validate(message)
    return message


def apply(state, delta):
    for section, values in delta["set"].items():
        state[section].update(values)
    for section, keys in delta["remove"].items():
        for key in keys:
            state[section].pop(key, None)


async def follow():
    """Hello, snapshot, deltas without a gap, heartbeats; a second client sees the same state."""
    async with connect() as live:
        assert live.subprotocol == "payops.v1"
        hello, snapshot = await receive(live, checked=True), await receive(live, checked=True)
        assert hello["type"] == "hello" and hello["protocol"] == 1 and len(hello["epoch"]) == 16
        assert snapshot["type"] == "snapshot" and snapshot["epoch"] == hello["epoch"]
        state, seq, seen = snapshot["state"], snapshot["seq"], set()
        async with connect() as other:
            assert (await receive(other, checked=True))["epoch"] == hello["epoch"]
            later = await receive(other, checked=True)
            while seq < later["seq"] or seen != {"delta", "heartbeat"}:
                message = await receive(live, checked=True)
                seen.add(message["type"])
                if message["type"] == "delta":
                    assert message["seq"] == seq + 1, (message["seq"], seq)
                    seq = message["seq"]
                    apply(state, message)
                    if seq == later["seq"]:
                        assert state == later["state"]
                else:
                    assert message["seq"] == seq and message["watermark_ms"] > 0


async def glance():
    """Hello and snapshot, within ten seconds."""
    async with connect() as live:
        assert (await receive(live))["type"] == "hello"
        assert (await receive(live))["type"] == "snapshot"


async def restart():
    """The server goes away and comes back: said as such, another epoch, a snapshot of its own."""
    async with connect() as live:
        before = (await receive(live))["epoch"]
        try:
            while True:
                await receive(live)
        except websockets.ConnectionClosed as error:
            assert error.rcvd and error.rcvd.code == 1001, error
    for _ in range(100):
        try:
            async with connect() as live:
                hello, snapshot = await receive(live), await receive(live)
                assert hello["epoch"] != before and snapshot["epoch"] == hello["epoch"]
                assert snapshot["type"] == "snapshot" and snapshot["state"]["header"]["now"]
                return
        except OSError:
            await asyncio.sleep(0.1)
    raise SystemExit("it did not come back")


async def refused():
    """Forged origins, tickets that are used, made up or missing, other paths, other protocols."""
    used = ticket()
    async with connect(used) as live:
        await receive(live)
    wrong = [
        (403, {"origin": "http://evil.example"}),
        (403, {"origin": "null"}),
        (403, {"origin": None}),
        (403, {"origin": ORIGIN + ".evil.example"}),
        (401, {"key": used}),
        (401, {"key": "A" * 43}),
        (401, {"protocols": ["payops.v1"]}),
        (400, {"protocols": ["ticket." + ticket()]}),
        (404, {"path": "/other"}),
    ]
    for status, options in wrong:
        try:
            async with connect(**options):
                raise SystemExit(f"{options} was let in")
        except websockets.InvalidStatusCode as error:
            assert error.status_code == status, (options, error.status_code)


async def removed():
    """Whose role is another one is closed, on every connection, and gets no further ticket."""
    async with connect() as one, connect() as other:
        for live in (one, other):
            try:
                while True:
                    await receive(live)
            except websockets.ConnectionClosed as error:
                assert error.rcvd and error.rcvd.code == 1008, error
    try:
        ticket()
        raise SystemExit("a ticket was given")
    except urllib.error.HTTPError as error:
        assert error.code == 401, error


async def closed(payload, codes):
    async with connect() as live:
        try:
            await payload(live)
            while True:
                await receive(live)
        except websockets.ConnectionClosed as error:
            code = error.rcvd.code if error.rcvd else None
            assert code in codes, (code, codes)


async def talk():
    """Whoever says anything is closed; so are frames too large and text that is not UTF-8."""
    await closed(lambda live: live.send("hello"), {1008})
    await closed(lambda live: live.send(b"\x00" * 10), {1008})
    await closed(lambda live: live.send("x" * (70 << 10)), {1009})
    await closed(lambda live: live.write_frame(True, 1, b"\xff\xfe"), {1007})


def lagged():
    with urllib.request.urlopen(f"http://127.0.0.1:{HTTP_PORT}/metrics") as page:
        for line in page.read().decode().splitlines():
            if line.startswith("payops_console_lagged_total "):
                return float(line.split()[1])
    raise SystemExit("no such metric")


async def slow():
    """Who reads slowly is given a snapshot instead of what was missed, and goes on from there."""
    raw = socket.socket()
    # Smaller than a segment of the loopback's, it would wait for the sender's timers to be drained.
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 128 << 10)
    raw.connect(("127.0.0.1", WS_PORT))
    raw.setblocking(False)
    async with connect(sock=raw, max_queue=1) as live:
        assert (await receive(live))["type"] == "hello"
        seq = (await receive(live))["seq"]
        while lagged() == 0:  # what is not read piles up
            await asyncio.sleep(0.1)
        for _ in range(100_000):
            message = await receive(live)
            if message["type"] == "snapshot":
                assert message["seq"] > seq + 1, "nothing was skipped"
                following = message["seq"]
                while (message := await receive(live))["type"] != "delta":
                    pass
                assert message["seq"] == following + 1
                return
            seq = message["seq"]
        raise SystemExit("no snapshot came")


asyncio.run({"follow": follow, "refused": refused, "talk": talk, "slow": slow,
             "secure": secure, "removed": removed, "restart": restart, "glance": glance}[CASE]())
