"""Holds a console against its own description, with a JSON Schema validator that is not ours:

    openapi_check.py SOURCES HTTP_PORT PASSWORD ROLE=TOKEN…

Every route that the sources add must be described, and the other way round. Makes every call of
/openapi.json as every role, as nobody, and with broken input, and checks that status, media type
and body are among what is described. Exit status 0 when all are.
"""

import json
import pathlib
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

from jsonschema import Draft202012Validator, RefResolver

SOURCES, PORT, PASSWORD = sys.argv[1:4]
TOKENS = dict(argument.split("=", 1) for argument in sys.argv[4:])
problems = []
calls = 0
keys = iter(range(1_000_000))


def request(method, path, headers, body):
    asked = urllib.request.Request(f"http://127.0.0.1:{PORT}{path}", method=method.upper(),
                                   headers=headers, data=body)
    try:
        answer = urllib.request.urlopen(asked, timeout=20)
    except urllib.error.HTTPError as error:
        answer = error
    except (urllib.error.URLError, ConnectionError):
        if body and len(body) > 65_536:  # closed on before it was sent whole: refused all the same
            return 413, "application/json", b'{"error": "too_large", "detail": ""}'
        raise
    with answer:
        return answer.status, answer.headers.get_content_type(), answer.read()


document = json.loads(request("get", "/openapi.json", {}, None)[2])
resolver = RefResolver.from_schema(document)


def followed(value):
    return resolver.resolve(value["$ref"])[1] if "$ref" in value else value


def faults(schema, value):
    return [f"{list(e.absolute_path)}: {e.message[:200]}" for e in
            Draft202012Validator(schema, resolver=resolver).iter_errors(value)]


def example(schema):
    """Some value that the schema allows."""
    schema = followed(schema)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        names = schema.get("required", [])
        return {name: example(schema["properties"][name]) for name in names}
    return {"string": "x", "integer": schema.get("minimum", 1), "number": 1.0, "boolean": True,
            "array": []}.get(kind, "x")


def check(name, method, path, operation, headers, body):
    global calls
    calls += 1
    status, kind, answer = request(method, path, headers, body)
    described = operation["responses"].get(str(status))
    where = f"{name}: {method} {path}: {status}"
    if described is None:
        problems.append(f"{where} is not described: {answer[:200]}")
        return status
    content = followed(described).get("content", {})
    if kind not in content:
        problems.append(f"{where} as {kind} is not described")
    elif kind == "application/json":
        for fault in faults(content[kind]["schema"], json.loads(answer)):
            problems.append(f"{where} {fault}")
    return status


def check_operation(template, method, operation):
    path, query, key = template, {}, None
    for parameter in map(followed, operation.get("parameters", [])):
        value = parameter.get("example", example(parameter["schema"]))
        if parameter["in"] == "path":
            path = path.replace("{%s}" % parameter["name"], urllib.parse.quote(str(value)))
        elif parameter["in"] == "query" and parameter.get("required"):
            query[parameter["name"]] = value
        elif parameter["in"] == "header":
            key = parameter["name"]
    if query:
        path += "?" + urllib.parse.urlencode(query)
    kind, body = None, None
    if "requestBody" in operation:
        kind, content = next(iter(operation["requestBody"]["content"].items()))
        value = example(content["schema"])
        if kind.endswith("urlencoded"):
            value.update(username="approver", password=PASSWORD)
        body = (urllib.parse.urlencode(value) if kind.endswith("urlencoded")
                else json.dumps(value)).encode()
    elif method == "post":
        body = b""

    def headers(token=None, with_key=True):
        sent = {"Content-Type": kind} if kind else {}
        if token:
            sent["Authorization"] = "Bearer " + token
        if key and with_key:
            sent[key] = f"k{next(keys)}"
        return sent

    open_to_all = operation.get("security") == []
    succeeded = False
    for role, token in TOKENS.items():
        status = check(role, method, path, operation, headers(token), body)
        succeeded = succeeded or status < 300
        wanted = operation["x-role"]
        if not open_to_all and role == wanted and status in (401, 403):
            problems.append(f"{wanted} may not {method} {path}, against what is described")
        if open_to_all:
            break
    status = check("nobody", method, path, operation, headers(), body)
    if not open_to_all and status != 401:
        problems.append(f"nobody: {method} {path}: {status}, not 401")
    if body and not open_to_all:
        for odd in (b"{", b"[]", b"\xff", b"x" * 70_000):
            check("odd body", method, path, operation, headers(TOKENS["admin"]), odd)
    if key:
        status = check("no key", method, path, operation, headers(TOKENS["admin"], False), body)
        if status != 400:
            problems.append(f"no {key}: {method} {path}: {status}, not 400")
    for parameter in map(followed, operation.get("parameters", [])):
        if parameter["in"] == "query":
            odd = path + ("&" if "?" in path else "?") + parameter["name"] + "=%00odd"
            check("odd query", method, odd, operation, headers(TOKENS["admin"]), body)
    return succeeded


def check_document():
    ids = set()
    assert document["openapi"].startswith("3.1."), document["openapi"]
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for reference in re.findall(r'"\$ref": ?"([^"]+)"', json.dumps(document)):
        resolver.resolve(reference)
    for template, methods in document["paths"].items():
        named = set(re.findall(r"\{(\w+)\}", template))
        for method, operation in methods.items():
            assert operation["operationId"] not in ids, operation["operationId"]
            ids.add(operation["operationId"])
            assert operation["tags"][0] in {tag["name"] for tag in document["tags"]}
            parameters = list(map(followed, operation.get("parameters", [])))
            assert {p["name"] for p in parameters if p["in"] == "path"} == named, template
            assert any(s.startswith("2") for s in operation["responses"]), template


def check_routes():
    """Routes are added by Get and Post, or by `asked`, which is a Get. One whose path is put
    together at run time stands for all that begin like it."""
    route = re.compile(r'\b(Get|Post|asked)\(\s*"(/[^"]*)"(\s*\+)?')
    added = [("post" if verb == "Post" else "get",
              re.escape(re.sub(r"\([^)]*\)", "{}", path)) + ("[^/]*" if open_ended else ""))
             for file in sorted(pathlib.Path(SOURCES).glob("*.cc"))
             if not file.name.startswith("support_")  # another server, described by itself
             for verb, path, open_ended in route.findall(file.read_text()) if path != "/.*"]
    described = [(method, re.sub(r"\{\w+\}", "{}", path))
                 for path, methods in document["paths"].items() for method in methods]
    for method, path in described:
        if not any(m == method and re.fullmatch(p, path) for m, p in added):
            problems.append(f"{method} {path} is described, and no source adds it")
    for method, pattern in added:
        if not any(m == method and re.fullmatch(pattern, path) for m, path in described):
            problems.append(f"{method} {pattern} is not in src/api/openapi.json")
    assert len(added) > 10, added


check_document()
check_routes()
answered = sum(check_operation(template, method, operation)
               for template, methods in document["paths"].items()
               for method, operation in methods.items())
print(f"{calls} calls, {answered} operations answered with what was asked for")
for problem in problems:
    print(problem, file=sys.stderr)
sys.exit(1 if problems else 0)
