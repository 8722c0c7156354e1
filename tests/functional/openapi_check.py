"""Checks answers against the server's own /openapi.json (OpenAPI 3.1, so plain JSON Schema)."""

import functools
import http.client
import json
import re
import urllib.parse

import jsonschema
import referencing

METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
URI = "urn:openapi"


def pointer(*keys):
    escaped = (str(k).replace("~", "~0").replace("/", "~1") for k in keys)
    return "#/" + "/".join(urllib.parse.quote(k, safe="~!$&'()*+,;=:@-._") for k in escaped)


def fetch(port):
    """The document's text, or None where the server has none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/openapi.json")
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return data if answer.status == 200 else None


@functools.cache
def parse(text):
    return text and Document(json.loads(text))


def document_at(port):
    return parse(fetch(port))


class Document:
    def __init__(self, document):
        self.document = document
        self.prefix = self.server_prefix()
        resource = referencing.Resource.from_contents(
            document, default_specification=referencing.jsonschema.DRAFT202012
        )
        self.registry = referencing.Registry().with_resource(URI, resource)
        self.templates = sorted((self.pattern(path), path) for path in document["paths"])
        self.validators = {}

    def server_prefix(self):
        servers = self.document.get("servers") or [{"url": "/"}]
        return urllib.parse.urlsplit(servers[0]["url"]).path.rstrip("/")

    def pattern(self, path):
        literal = re.split(r"\{[^}]*\}", self.prefix + path)
        return "[^/]+".join(re.escape(part) for part in literal)

    def routes(self):
        """(method, path as requested, operation) of everything listed."""
        for path, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    yield method.upper(), self.prefix + path, item[method]

    def template(self, path):
        exact = self.prefix and path.removeprefix(self.prefix) or path
        if exact in self.document["paths"]:
            return exact
        found = (t for pattern, t in self.templates if re.fullmatch(pattern, path))
        return next(found, None)

    def resolve(self, node, where):
        """Follows `$ref` of a response object; (object, where it lies)."""
        while "$ref" in node:
            where = [k.replace("~1", "/").replace("~0", "~") for k in node["$ref"][2:].split("/")]
            node = self.document
            for key in where:
                node = node[key]
        return node, where

    def response_of(self, method, path, status):
        """(media types of the answer, where they lie), or None where no such route is listed."""
        template = self.template(path)
        operation = self.document["paths"].get(template, {}).get(method.lower())
        if operation is None:
            return None
        for key in (str(status), f"{status // 100}XX", "default"):
            if key in operation["responses"]:
                where = ["paths", template, method.lower(), "responses", key]
                return self.resolve(operation["responses"][key], where)
        raise AssertionError(f"{method} {template} answers {status}, which is not documented")

    def check(self, method, target, status, content_type, data):
        """Raises AssertionError when a JSON answer is not as documented."""
        media = content_type.partition(";")[0].strip().lower()
        path = urllib.parse.urlsplit(target).path
        if media != "application/json" or not data:
            return
        found = self.response_of(method, path, status)
        if found is None:
            return
        response, where = found
        content = response.get("content", {})
        found = next((m for m in (media, "application/*", "*/*") if m in content), None)
        assert found, f"{method} {path} {status}: {media} is not documented: {response}"
        if "schema" in content[found]:
            key = pointer(*where, "content", found, "schema")
            self.validate(key, json.loads(data), f"{method} {path} {status}")

    def validate(self, key, value, what):
        if key not in self.validators:
            self.validators[key] = jsonschema.Draft202012Validator(
                {"$ref": URI + key}, registry=self.registry
            )
        errors = [
            f"{'/'.join(map(str, e.absolute_path))}: {e.message}"
            for e in self.validators[key].iter_errors(value)
        ]
        assert not errors, f"{what} is not as in /openapi.json: {errors[:5]}"
