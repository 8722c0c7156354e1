"""/openapi.json: a valid document, equal to the routes that answer. Answers are checked against it
in every test, by harness.Server."""

import http.client
import json
import re

import openapi_check
import openapi_spec_validator
import pytest

# What the contract names, whatever the document says.
EXPECTED = """
POST /v1/files; GET /v1/files; GET /v1/files/{}; DELETE /v1/files/{}; GET /v1/files/{}/content;
POST /v1/uploads; POST /v1/uploads/{}/parts;
POST /v1/uploads/{}/complete; POST /v1/uploads/{}/cancel;
POST /v1/batches; GET /v1/batches; GET /v1/batches/{}; POST /v1/batches/{}/cancel;
GET /v1/models; GET /v1/models/{};
POST /v1/webhook_endpoints; GET /v1/webhook_endpoints; GET /v1/webhook_endpoints/{};
POST /v1/webhook_endpoints/{}; DELETE /v1/webhook_endpoints/{};
POST /v1/webhook_endpoints/{}/rotate_secret; POST /v1/webhook_endpoints/{}/test;
GET /v1/webhook_event_types;
POST /v1/chat/completions; POST /v1/completions; POST /v1/embeddings; POST /v1/responses;
POST /v1/moderations; POST /v1/images/generations; POST /v1/images/edits; POST /v1/videos;
GET /openapi.json; GET /livez; GET /readyz; GET /healthz
"""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@pytest.fixture(scope="module")
def document(world):
    found = openapi_check.document_at(world.server.port)
    assert found, "no /openapi.json"
    return found


def test_it_is_valid(document):
    assert re.fullmatch(r"3\.1\.\d", document.document["openapi"])
    openapi_spec_validator.validate(document.document)


def test_operations_have_names_and_answers(document):
    names = [operation["operationId"] for _, _, operation in document.routes()]
    assert len(names) == len(set(names))
    assert all(operation["responses"] for _, _, operation in document.routes())


def test_path_parameters_are_declared(document):
    for _, path, operation in document.routes():
        item = document.document["paths"][path.removeprefix(document.prefix)]
        declared = set()
        for parameter in item.get("parameters", []) + operation.get("parameters", []):
            found = document.resolve(parameter, [])[0]
            if found["in"] == "path":
                declared.add(found["name"])
        assert declared == set(re.findall(r"{([^}]*)}", path)), path


def test_every_route_of_the_contract_is_listed(document):
    listed = {f"{method} {re.sub('{[^}]*}', '{}', path)}" for method, path, _ in document.routes()}
    wanted = {" ".join(line.split()) for line in EXPECTED.split(";")}
    assert wanted <= listed, wanted - listed


def status_of(server, method, path):
    """The status alone, with a key and an empty JSON body."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    body = b"{}" if method != "GET" else None
    headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "application/json"}
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, {k.lower(): v for k, v in answer.getheaders()}, data


def concrete(path):
    return re.sub(r"{[^}]*}", "x", path)


def test_the_listed_methods_answer_and_no_others(document, world):
    routes = {}
    for method, path, _ in document.routes():
        routes.setdefault(path, set()).add(method)
    # A concrete path may also be matched by another template.
    for path, methods in routes.items():
        for method in METHODS:
            status, headers, data = status_of(world.server, method, concrete(path))
            if method in methods:
                assert status != 405 and b"Invalid URL" not in data, (method, path, status, data)
            else:
                assert status == 405, (method, path, status, data)
                allowed = set(re.split(r",\s*", headers["allow"])) - {"HEAD", "OPTIONS"}
                assert allowed == methods - {"HEAD", "OPTIONS"}, (method, path)
                assert json.loads(data)["error"]["code"] == "method_not_supported"


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/", "/v1/fine_tuning/jobs", "/v1/files/x/y"])
def test_what_is_not_listed_is_not_there(document, world, path):
    assert document.template(path) is None
    status, _, data = status_of(world.server, "GET", path)
    assert status == 404 and json.loads(data)["error"]["message"] == f"Invalid URL (GET {path})"


def test_the_check_can_fail(document):
    """A wrong answer is seen by what harness.Server does with every answer."""
    file = {"id": "file-x", "object": "file"}
    with pytest.raises(AssertionError, match="not as in /openapi.json"):
        data = json.dumps(file).encode()
        document.check("GET", "/v1/files/file-x", 200, "application/json", data)


def test_answers_are_checked(document, world):
    assert world.server.document.document == document.document
