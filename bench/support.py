#!/usr/bin/env python3
"""The support agent under load: sessions at once, through HTTP and through Kafka.

    bench/support.py PAYOPS [--sessions 100 1000] [--messages 5] [--broker HOST:PORT]

PAYOPS is the program. Starts its development broker (or uses the one named), the agent with its
shipped model and articles, and for each count of sessions as many customers, each of whom writes
a message, waits for the reply, and writes the next. Over HTTP every customer has a connection of
their own, over Kafka one producer and one consumer (kcat) stand for all. Prints the time to the
reply, the times of the graph's nodes from the audit log, CPU seconds of the agent a reply, and its
memory an idle session. All of it shares one machine with the agent.
"""

import argparse
import asyncio
import http.client
import json
import os
import re
import subprocess
import tempfile
import time
import urllib.parse
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXTS = ["how long does a refund take", "why did my upi payment fail", "i was charged twice Rs 500",
         "what is the fee for an international transfer", "hello", "where is my new card",
         "my payment through HDFC is stuck, what now?", "how do i raise my limit"]


def text_of(user, turn):
    return TEXTS[(zlib.crc32(user.encode()) + turn) % len(TEXTS)]


def share(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else float("nan")


class Agent:
    def __init__(self, program, folder, bootstrap):
        self.program, self.folder = program, folder
        users, password = folder / "users.json", "correct horse"
        subprocess.run([program, "users", "add", "bench", "--role", "channel", "--file", users],
                       input=password + "\n", text=True, check=True, capture_output=True)
        config = folder / "support.yaml"
        text = (ROOT / "config/support.yaml").read_text()
        text = text.replace(".payops_users.json", str(users)).replace("port: 8081", "port: 0")
        text = text.replace("follow_payments: true", "follow_payments: false")
        config.write_text(text)
        self.audit = folder / "audit"
        self.log = open(folder / "log", "w+")
        self.process = subprocess.Popen(
            [program, "support", "--config", config, "--bootstrap", bootstrap, "--state",
             folder / "state", "--audit", self.audit], cwd=ROOT, stdout=self.log, stderr=self.log)
        self.port = self.await_port()
        form = urllib.parse.urlencode({"grant_type": "password", "username": "bench",
                                       "password": password})
        self.token = json.loads(self.call("POST", "/oauth2/token", form, {
            "Content-Type": "application/x-www-form-urlencoded"}))["access_token"]

    def await_port(self):
        for _ in range(1800):
            found = re.search(r"http://localhost:(\d+)", (self.folder / "log").read_text())
            if found:
                port = int(found[1])
                try:
                    connection = http.client.HTTPConnection("localhost", port, timeout=5)
                    connection.request("GET", "/readyz")
                    if connection.getresponse().status == 200:
                        return port
                except OSError:
                    pass
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise SystemExit("the agent did not start:\n" + (self.folder / "log").read_text())

    def call(self, method, path, body, headers):
        connection = http.client.HTTPConnection("localhost", self.port, timeout=30)
        connection.request(method, path, body, headers)
        return connection.getresponse().read()

    def cpu_s(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_kb(self):
        return int(re.search(r"VmRSS:\s+(\d+)",
                             Path(f"/proc/{self.process.pid}/status").read_text())[1])

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


async def customer_http(agent, user, messages, taken):
    reader, writer = await asyncio.open_connection("localhost", agent.port)
    for i in range(messages):
        body = json.dumps({"user_id": user, "text": text_of(user, i)}).encode()
        head = (f"POST /chat/message HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
                f"{agent.token}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
                f"\r\nConnection: keep-alive\r\n\r\n")
        begun = time.monotonic()
        writer.write(head.encode() + body)
        try:
            answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
            length = int(re.search(rb"[Cc]ontent-[Ll]ength: (\d+)", answer)[1])
            await reader.readexactly(length)
        except (asyncio.IncompleteReadError, asyncio.TimeoutError, ConnectionError):
            taken.append(None)
            reader, writer = await asyncio.open_connection("localhost", agent.port)
            continue
        good = b" 200 " in answer.split(b"\r\n", 1)[0]
        taken.append(1000 * (time.monotonic() - begun) if good else None)
        if b"onnection: close" in answer:
            writer.close()
            reader, writer = await asyncio.open_connection("localhost", agent.port)
    writer.close()


async def crowd_http(agent, sessions, messages):
    taken = []
    await asyncio.gather(*(customer_http(agent, f"h{sessions}-{n}", messages, taken)
                           for n in range(sessions)))
    return taken


async def crowd_kafka(bootstrap, sessions, messages):
    """Each customer's next message goes out when the reply to the last has come in."""
    listen = await asyncio.create_subprocess_exec(
        "kcat", "-C", "-b", bootstrap, "-t", "chat.outbound", "-o", "beginning", "-u", "-q", "-X",
        "isolation.level=read_committed", "-X", "fetch.wait.max.ms=5", limit=1 << 20,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL)
    write = await asyncio.create_subprocess_exec(
        "kcat", "-P", "-b", bootstrap, "-t", "chat.inbound", "-K", "\t", "-X", "linger.ms=1",
        stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL)
    await asyncio.sleep(3)  # both have joined
    stamp, begun, count, taken = time.monotonic_ns(), {}, {}, []

    def say(user):
        count[user] = count.get(user, 0) + 1
        begun[user] = time.monotonic()
        message = {"message_id": f"{stamp}-{user}-{count[user]}", "user_id": user,
                   "channel": "bench", "text": text_of(user, count[user])}
        write.stdin.write(f"{user}\t{json.dumps(message)}\n".encode())

    for n in range(sessions):
        say(f"k{sessions}-{n}")
    left = sessions * messages
    while left > 0:
        try:
            line = await asyncio.wait_for(listen.stdout.readline(), 60)
        except asyncio.TimeoutError:
            taken += [None] * left
            break
        reply = json.loads(line or b"{}")
        user = reply.get("user_id", "")
        if user not in begun or not reply["in_reply_to"].startswith(str(stamp)):
            continue
        taken.append(1000 * (time.monotonic() - begun[user]))
        left -= 1
        if count[user] < messages:
            say(user)
    for process in (listen, write):
        process.kill()
        await process.wait()
    return taken


def node_times(audit, since):
    """Microseconds by node, of the audit lines after the first `since`; and how many lines."""
    times, lines = {}, 0
    for file in sorted(audit.glob("audit-*.jsonl")):
        for line in open(file):
            lines += 1
            if lines <= since or '"kind":"chat"' not in line:
                continue
            for node in json.loads(line)["nodes"]:
                times.setdefault(node["node"], []).append(node["us"])
    return times, lines


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=Path)
    parser.add_argument("--sessions", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--messages", type=int, default=5)
    parser.add_argument("--broker")
    options = parser.parse_args()
    program = options.program.resolve()
    with tempfile.TemporaryDirectory() as name:
        folder, broker = Path(name), None
        bootstrap = options.broker
        if not bootstrap:
            broker = subprocess.Popen([program, "broker", "--port-file", folder / "broker"],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while not (folder / "broker").exists() or not (folder / "broker").read_text().strip():
                time.sleep(0.05)
            bootstrap = (folder / "broker").read_text().strip()
        else:
            subprocess.run([program, "topics", "create", "--bootstrap", bootstrap], check=True,
                           capture_output=True)
        agent = Agent(program, folder, bootstrap)
        try:
            seen = node_times(agent.audit, 0)[1]
            for way, crowd in (("HTTP", lambda n: crowd_http(agent, n, options.messages)),
                               ("Kafka", lambda n: crowd_kafka(bootstrap, n, options.messages))):
                for sessions in options.sessions:
                    memory, cpu, begun = agent.memory_kb(), agent.cpu_s(), time.monotonic()
                    taken = asyncio.run(crowd(sessions))
                    good = [t for t in taken if t is not None]
                    spent = time.monotonic() - begun
                    cpu_ms = 1000 * (agent.cpu_s() - cpu) / max(1, len(good))
                    memory_kb = (agent.memory_kb() - memory) / sessions
                    print(f"{way}, {sessions} sessions: {len(good)} replies, "
                          f"{len(taken) - len(good)} without, p50 {share(good, .5):.1f} ms, "
                          f"p99 {share(good, .99):.1f} ms, {len(good) / spent:.0f} replies/s, "
                          f"{cpu_ms:.2f} ms of CPU a reply, {memory_kb:.1f} kB a session",
                          flush=True)
                    times, seen = node_times(agent.audit, seen)
                    for node, values in sorted(times.items(), key=lambda item: -share(item[1], .5)):
                        print(f"  {node}: p50 {share(values, .5)} us, p99 {share(values, .99)} us")
        finally:
            agent.stop()
            if broker:
                broker.terminate()


if __name__ == "__main__":
    main()
