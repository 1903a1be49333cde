"""A receiver of everything payops notify sends, that takes nothing which is not as documented:
Standard Webhooks 1.0, Slack's incoming webhooks, SMTP with STARTTLS and AUTH (RFC 5321, 3207, 4954)
and mails as RFC 5322 and MIME have them. It shares no code with what it checks.

    strict_server.py FOLDER

writes FOLDER/ca.pem and then FOLDER/ports.json, and serves until it is killed. Control, by HTTP:
GET /log      what was accepted and what was refused, and why
GET /broken   the last accepted request of each kind, with each part of it broken in turn, and how
              that was refused: null where it was not
GET /next?channel=webhook|slack|mail&status=503&retry_after=7   the next request gets this answer
"""

import base64
import binascii
import email
import email.policy
import email.utils
import hashlib
import hmac
import http.server
import json
import os
import re
import socketserver
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

FOLDER = sys.argv[1]
SECRET = base64.b64encode(b"thirty-two bytes of webhook key!").decode()
USER, PASSWORD = "pager@payops.example", "pass word \u00fc"
log = {"accepted": {"webhook": [], "slack": [], "mail": []}, "refused": []}
forced = {"webhook": [], "slack": [], "mail": []}
last = {}


class Refused(Exception):
    pass


def need(condition, why):
    if not condition:
        raise Refused(why)


# Standard Webhooks -------------------------------------------------------------------------------

def sign(request_id, timestamp, body, secret=SECRET):
    mac = hmac.new(base64.b64decode(secret), f"{request_id}.{timestamp}.".encode() + body,
                   hashlib.sha256)
    return "v1," + base64.b64encode(mac.digest()).decode()


def parsed(body):
    try:
        return json.loads(body.decode("utf-8"))
    except ValueError as problem:
        raise Refused(f"not JSON: {problem}") from problem


def check_webhook(headers, body):
    need(headers.get("content-type") == "application/json", "content-type")
    request_id = headers.get("webhook-id", "")
    need(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", request_id), "webhook-id")
    timestamp = headers.get("webhook-timestamp", "")
    need(re.fullmatch(r"[0-9]{10}", timestamp), "webhook-timestamp")
    need(abs(time.time() - int(timestamp)) < 300, "webhook-timestamp is too far from now")
    signatures = headers.get("webhook-signature", "").split(" ")
    need(any(hmac.compare_digest(s, sign(request_id, timestamp, body)) for s in signatures),
         "webhook-signature")
    event = parsed(body)
    need(isinstance(event, dict) and event.get("type") == "payops.incidents", "type")
    need(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(event.get("timestamp"))),
         "timestamp")
    data = event.get("data")
    need(isinstance(data, dict) and re.fullmatch("[A-Z]{3}", str(data.get("currency"))), "currency")
    need(isinstance(data.get("notices"), list) and data["notices"], "notices")
    for notice in data["notices"]:
        need(re.fullmatch("thing-[0-9a-f]{16}", str(notice.get("id"))), "notice id")
        need(notice.get("status") in ("started", "updated", "resolved"), "notice status")
        need(notice.get("severity") in ("low", "medium", "high"), "notice severity")
        need(isinstance(notice.get("summary"), str) and notice["summary"], "summary")
        need(isinstance(notice.get("incidents"), list) and notice["incidents"], "incidents")
        for incident in notice["incidents"]:
            check_incident(incident)


def check_incident(incident):
    need(re.fullmatch("inc-[0-9a-z-]+", str(incident.get("id"))), "incident id")
    need(incident.get("status") in ("started", "updated", "resolved"), "incident status")
    need(incident.get("severity") in ("low", "medium", "high"), "incident severity")
    need(incident.get("spread") in ("localized", "systemic"), "spread")
    instrument = incident.get("instrument")
    need(isinstance(instrument, dict) and set(instrument) == {"issuer", "method", "gateway"} and
         all(isinstance(v, str) and v for v in instrument.values()), "instrument")
    for name in ("begin_ts_ms", "updated_ts_ms", "end_ts_ms"):
        need(isinstance(incident.get(name), int), name)
    need((incident["end_ts_ms"] > 0) == (incident["status"] == "resolved"), "end_ts_ms")


def broken_webhook(headers, body):
    for name in ("content-type", "webhook-id", "webhook-timestamp", "webhook-signature"):
        yield f"no {name}", {k: v for k, v in headers.items() if k != name}, body
    yield "another id", {**headers, "webhook-id": headers["webhook-id"] + "1"}, body
    later = str(int(headers["webhook-timestamp"]) + 1)
    yield "another time", {**headers, "webhook-timestamp": later}, body
    yield "another body", headers, body.replace(b"payops", b"papops", 1)
    yield "cut body", headers, body[:-1]

    def signed(altered, at=headers["webhook-timestamp"], secret=SECRET):
        return {**headers, "webhook-timestamp": at,
                "webhook-signature": sign(headers["webhook-id"], at, altered, secret)}
    yield "an old time", signed(body, str(int(time.time()) - 600)), body
    yield "another key", signed(body, secret=base64.b64encode(b"x" * 32).decode()), body
    event = json.loads(body)
    for path in (("type",), ("timestamp",), ("data",), ("data", "currency"), ("data", "notices")):
        yield from without(event, path, signed)
    for name in ("id", "status", "severity", "summary", "incidents"):
        yield from without(event, ("data", "notices", 0, name), signed)
    for name in ("id", "status", "severity", "spread", "instrument", "begin_ts_ms",
                 "updated_ts_ms", "end_ts_ms"):
        yield from without(event, ("data", "notices", 0, "incidents", 0, name), signed)


def without(event, path, signed):
    copy = json.loads(json.dumps(event))
    at = copy
    for step in path[:-1]:
        at = at[step]
    del at[path[-1]]
    body = json.dumps(copy).encode()
    yield "no " + ".".join(map(str, path)), signed(body), body


# Slack -------------------------------------------------------------------------------------------

def check_slack(headers, body):
    need(headers.get("content-type", "").split(";")[0] == "application/json", "content-type")
    payload = parsed(body)
    need(isinstance(payload, dict), "invalid_payload")
    need(isinstance(payload.get("text"), str) and 0 < len(payload["text"]) <= 40_000, "no_text")
    blocks = payload.get("blocks")
    need(isinstance(blocks, list) and 0 < len(blocks) <= 50, "invalid_blocks")
    for block in blocks:
        text = block.get("text")
        need(block.get("type") in ("header", "section") and isinstance(text, dict),
             "invalid_blocks")
        kind, most = {"header": ("plain_text", 150), "section": ("mrkdwn", 3000)}[block["type"]]
        need(text.get("type") == kind, "invalid_blocks")
        need(isinstance(text.get("text"), str) and 0 < len(text["text"]) <= most, "invalid_blocks")
        if kind == "mrkdwn":
            need(not re.search(r"[<>]|&(?!amp;|lt;|gt;)", text["text"]), "not escaped")


def broken_slack(headers, body):
    yield "no content-type", {}, body
    yield "a form", {**headers, "content-type": "application/x-www-form-urlencoded"}, body
    yield "cut body", headers, body[:-1]
    for path in (("text",), ("blocks",), ("blocks", 0, "type"), ("blocks", 0, "text"),
                 ("blocks", 1, "text", "type"), ("blocks", 1, "text", "text")):
        yield from without(json.loads(body), path, lambda _: headers)
    payload = json.loads(body)
    payload["blocks"][0]["text"]["text"] = "x" * 151
    yield "a long header", headers, json.dumps(payload).encode()
    payload = json.loads(body)
    payload["blocks"][1]["text"]["text"] = "<!channel>"
    yield "markup", headers, json.dumps(payload).encode()


# Mail --------------------------------------------------------------------------------------------

def check_mail(envelope, raw):
    need(b"\n" not in raw.replace(b"\r\n", b"") and b"\r" not in raw.replace(b"\r\n", b""),
         "a line end that is not CRLF")
    need(all(len(line) <= 998 for line in raw.split(b"\r\n")), "a line too long")
    need(all(byte < 128 for byte in raw), "not 7 bit")
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    for name in ("Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type",
                 "Content-Transfer-Encoding"):
        need(len(mail.get_all(name, [])) == 1, f"{name} not once")
        need(not mail[name].defects, f"{name}: {mail[name].defects}")
    need(not mail.defects, f"{mail.defects}")
    need(abs(time.time() - email.utils.parsedate_to_datetime(mail["Date"]).timestamp()) < 300,
         "Date")
    need([a.addr_spec for a in mail["From"].addresses] == [envelope["from"]], "From")
    need([a.addr_spec for a in mail["To"].addresses] == envelope["to"], "To")
    need(re.fullmatch(r"<[\w.-]+@[\w.-]+>", mail["Message-ID"]), "Message-ID")
    need(mail["MIME-Version"] == "1.0", "MIME-Version")
    need(mail.get_content_type() == "text/plain" and mail.get_content_charset() == "utf-8",
         "Content-Type")
    need(mail["Content-Transfer-Encoding"] == "base64", "Content-Transfer-Encoding")
    try:
        lines = mail.get_payload().split("\r\n" if "\r\n" in mail.get_payload() else "\n")
        need(all(len(line) <= 76 for line in lines), "a base64 line too long")
        text = base64.b64decode("".join(lines), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError) as problem:
        raise Refused(f"body: {problem}") from problem
    need(text.strip(), "no text")
    return {"subject": mail["Subject"], "id": mail["Message-ID"], "text": text,
            "references": mail["References"], **envelope}


def broken_mail(envelope, raw):
    head, body = raw.split(b"\r\n\r\n", 1)
    fields = re.split(rb"\r\n(?![ \t])", head)
    for i, one in enumerate(fields):
        name = one.split(b":")[0].decode()
        if name in ("References", "Auto-Submitted"):
            continue
        rest = fields[:i] + fields[i + 1:]
        yield f"no {name}", envelope, b"\r\n".join(rest) + b"\r\n\r\n" + body
        yield f"two {name}", envelope, b"\r\n".join(fields + [one]) + b"\r\n\r\n" + body
    yield "another sender", {**envelope, "from": "someone@else.example"}, raw
    yield "another recipient", {**envelope, "to": ["someone@else.example"]}, raw
    yield "bare line ends", envelope, raw.replace(b"\r\n", b"\n")
    yield "8 bit", envelope, head + b"\r\nX-Odd: \xc3\xbc\r\n\r\n" + body
    yield "cut body", envelope, head + b"\r\n\r\n" + body.rstrip()[:-3] + b"\r\n"


class Smtp(socketserver.StreamRequestHandler):
    """One session, in the order that the RFCs ask for."""
    timeout = 10

    def say(self, code, *lines):
        for i, line in enumerate(lines):
            mark = " " if i == len(lines) - 1 else "-"
            self.wfile.write(f"{code}{mark}{line}\r\n".encode())
        self.wfile.flush()

    def handle(self):
        self.secure, self.greeted, self.known = self.server.implicit, False, False
        self.envelope = {}
        if self.secure:
            self.wrap()
        self.say(220, "strict.example ESMTP")
        while True:
            line = self.rfile.readline(1000)
            if not line:
                return
            if not line.endswith(b"\r\n"):
                self.say(500, "lines end in CRLF")
                return
            verb, _, rest = line[:-2].decode("utf-8", "replace").partition(" ")
            act = getattr(self, "do_" + verb.upper(), None)
            if act is None:
                self.say(500, "no such command")
            elif act(rest) == "over":
                return

    def wrap(self):
        self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb")

    def do_EHLO(self, name):
        if not name:
            return self.say(501, "say who you are")
        self.greeted, self.envelope = True, {}
        offers = ["AUTH PLAIN LOGIN"] if self.secure else ["STARTTLS"]
        return self.say(250, "strict.example", *offers, "8BITMIME", "SIZE 1000000")

    def do_STARTTLS(self, rest):
        if rest or self.secure or not self.greeted:
            return self.say(503, "not now")
        self.say(220, "go on")
        self.wrap()
        self.secure, self.greeted = True, False
        return None

    def do_AUTH(self, rest):
        if not self.secure or not self.greeted or self.known:
            return self.say(530, "not now")
        kind, _, first = rest.partition(" ")
        if kind.upper() == "PLAIN":
            if not first:
                self.say(334, "")
                first = self.rfile.readline(1000).decode().strip()
            parts = base64.b64decode(first).decode("utf-8").split("\0")
            given = parts[1:]
        elif kind.upper() == "LOGIN":
            given = []
            for question in ("VXNlcm5hbWU6", "UGFzc3dvcmQ6"):
                if not (first and not given):
                    self.say(334, question)
                    first = self.rfile.readline(1000).decode().strip()
                given.append(base64.b64decode(first).decode("utf-8"))
        else:
            return self.say(504, "no such mechanism")
        if given != [USER, PASSWORD]:
            refuse("mail", "wrong password")
            return self.say(535, "authentication failed")
        self.known = True
        return self.say(235, "welcome")

    def do_MAIL(self, rest):
        match = re.fullmatch(r"FROM:<([^<>@ ]+@[^<>@ ]+)>( SIZE=\d+)?( BODY=\w+)?", rest)
        if not self.known:
            refuse("mail", "no authentication")
            return self.say(530, "authentication required")
        if self.envelope or not match:
            return self.say(503 if self.envelope else 501, "not so")
        if forced["mail"]:
            return self.say(forced["mail"].pop(0)[0], "told to")
        self.envelope = {"from": match[1], "to": []}
        return self.say(250, "ok")

    def do_RCPT(self, rest):
        match = re.fullmatch(r"TO:<([^<>@ ]+@[^<>@ ]+)>", rest)
        if not self.envelope or not match:
            return self.say(503, "not so")
        if match[1].startswith("gone@"):
            return self.say(550, "no such mailbox")
        self.envelope["to"].append(match[1])
        return self.say(250, "ok")

    def do_DATA(self, rest):
        if rest or not self.envelope.get("to"):
            return self.say(503, "to whom?")
        self.say(354, "go on")
        raw = b""
        while True:
            line = self.rfile.readline(1001)
            if line == b".\r\n":
                break
            if not line or len(raw) > 1_000_000:
                return "over"
            raw += line[1:] if line.startswith(b".") else line
        envelope, self.envelope = self.envelope, {}
        try:
            accept("mail", check_mail(envelope, raw), (envelope, raw))
        except Refused as why:
            refuse("mail", str(why))
            return self.say(554, str(why))
        return self.say(250, "queued")

    def do_QUIT(self, _):
        self.say(221, "bye")
        return "over"


def accept(channel, what, request):
    log["accepted"][channel].append(what)
    last[channel] = request


def refuse(channel, why):
    log["refused"].append(f"{channel}: {why}")


KINDS = {"webhook": (check_webhook, broken_webhook), "slack": (check_slack, broken_slack),
         "mail": (check_mail, broken_mail)}


def broken():
    found = {}
    for channel, (check, breaks) in KINDS.items():
        if channel not in last:
            continue
        for name, *request in breaks(*last[channel]):
            try:
                check(*request)
                found[f"{channel}: {name}"] = None
            except Refused as why:
                found[f"{channel}: {name}"] = str(why)
    return found


class Http(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, kind="text/plain", **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body.encode())))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body.encode())

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if url.path == "/next":
            forced[query["channel"]].append((int(query["status"]), query.get("retry_after")))
        if url.path not in ("/next", "/log", "/broken"):
            return self.answer(404, "nothing")
        what = broken() if url.path == "/broken" else log
        return self.answer(200, json.dumps(what), "application/json")

    def do_POST(self):
        channel = {"/webhook": "webhook", "/services/T0/B0/secret": "slack"}.get(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if channel is None:
            return self.answer(404, "no_service")
        if forced[channel]:
            status, after = forced[channel].pop(0)
            return self.answer(status, "told to", **({"Retry_After": after} if after else {}))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            KINDS[channel][0](headers, body)
        except Refused as why:
            refuse(channel, str(why))
            return self.answer(400, str(why))
        what = {"id": headers.get("webhook-id"), "body": json.loads(body)}
        accept(channel, what, (headers, body))
        return self.answer(200, "ok")


def make_tls():
    key, certificate = FOLDER + "/key.pem", FOLDER + "/ca.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key,
                    "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


class Threads(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    implicit = False


def main():
    tls = make_tls()
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Http)
    ports = {"http": web.server_port}
    servers = [web]
    for name, implicit in (("smtp", False), ("smtps", True)):
        server = Threads(("127.0.0.1", 0), Smtp)
        server.tls, server.implicit = tls, implicit
        ports[name] = server.server_address[1]
        servers.append(server)
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    with open(FOLDER + "/ports.new", "w") as out:
        json.dump(ports, out)
    os.rename(FOLDER + "/ports.new", FOLDER + "/ports.json")
    threading.Event().wait()


main()
