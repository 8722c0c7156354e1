"""Clients other than OpenAI's: LiteLLM and LangChain (in .cache/clients), and curl."""

import json
import pathlib
import shutil
import subprocess

import foreign
import harness
import pytest
from harness import eventually

HERE = pathlib.Path(__file__).parent
PYTHON = harness.ROOT / ".cache/clients/bin/python"
SUITES = [
    foreign.Suite(name, HERE / f"{name}_suite.py", r"^def (test_\w+)\(")
    for name in ("litellm", "langchain")
]


@pytest.fixture(scope="module")
def begun(world, tmp_path_factory):
    """Both start at once: most of their time goes into importing."""
    assert PYTHON.exists(), "tools/install-deps.sh test"
    environment = world.server.environment(
        LITELLM_LOCAL_MODEL_COST_MAP="True", LANGSMITH_TRACING="false"
    )
    for suite in SUITES:
        report = tmp_path_factory.mktemp(suite.label) / "report.xml"
        suite.begin(foreign.pytest_of(PYTHON, report, environment))


@pytest.mark.parametrize("suite,name", **foreign.parameters(SUITES))
def test_client(suite, name, begun):
    suite.result(name)


@pytest.fixture
def curl(world, tmp_path):
    """curl with the lines of OpenAI's guide, the key and the address taken from the environment."""
    assert shutil.which("curl"), "tools/install-deps.sh test"

    def run(command):
        done = subprocess.run(
            ["sh", "-c", command],
            capture_output=True,
            cwd=tmp_path,
            env=world.server.environment(),
            timeout=30,
            check=True,
        )
        return done.stdout

    return lambda command: json.loads(run(command)) if "/content" not in command else run(command)


KEY = '-H "Authorization: Bearer $OPENAI_API_KEY"'
JSON = '-H "Content-Type: application/json"'


def curl_upload(curl, tmp_path, model="sim-model", count=2):
    (tmp_path / "batchinput.jsonl").write_bytes(harness.batch_rows(count, model=model))
    return curl(
        f'curl -s $OPENAI_BASE_URL/files {KEY} -F purpose="batch" -F file="@batchinput.jsonl"'
    )


def curl_create(curl, file_id, content_type=JSON):
    body = {"input_file_id": file_id, "endpoint": harness.CHAT, "completion_window": "24h"}
    return curl(f"curl -s $OPENAI_BASE_URL/batches {KEY} {content_type} -d '{json.dumps(body)}'")


def curl_ended(curl, batch_id):
    def ended():
        batch = curl(f"curl -s $OPENAI_BASE_URL/batches/{batch_id} {KEY} {JSON}")
        return batch if batch["status"] in harness.TERMINAL else None

    return eventually(ended)


def test_curl_a_batch(curl, tmp_path):
    file = curl_upload(curl, tmp_path)
    assert file["filename"] == "batchinput.jsonl" and file["purpose"] == "batch"
    batch = curl_ended(curl, curl_create(curl, file["id"])["id"])
    assert batch["status"] == "completed" and batch["request_counts"]["completed"] == 2
    path = f"$OPENAI_BASE_URL/files/{batch['output_file_id']}/content"
    curl(f"curl -s {path} {KEY} > batch_output.jsonl")
    assert len((tmp_path / "batch_output.jsonl").read_text().splitlines()) == 2


def test_curl_without_the_json_header(curl, tmp_path):
    """-d alone says form-urlencoded; OpenAI's own examples of the Uploads API do that."""
    file = curl_upload(curl, tmp_path)
    assert curl_create(curl, file["id"], "")["object"] == "batch"


def test_curl_cancel(curl, tmp_path):
    file = curl_upload(curl, tmp_path, "slow-model", 40)
    batch = curl_create(curl, file["id"])
    path = f"$OPENAI_BASE_URL/batches/{batch['id']}/cancel"
    cancelled = curl(f"curl -s {path} {KEY} {JSON} -X POST")
    assert cancelled["status"] in ("cancelling", "cancelled")
    assert curl_ended(curl, batch["id"])["status"] == "cancelled"


def test_curl_list(curl, tmp_path):
    batch = curl_create(curl, curl_upload(curl, tmp_path)["id"])
    listed = curl(f"curl -s '$OPENAI_BASE_URL/batches?limit=2' {KEY} {JSON}".replace("'", '"'))
    assert batch["id"] in [b["id"] for b in listed["data"]]


def test_curl_files(curl, tmp_path):
    file = curl_upload(curl, tmp_path)
    assert curl(f"curl -s $OPENAI_BASE_URL/files/{file['id']} {KEY}") == file
    listed = curl(f'curl -s "$OPENAI_BASE_URL/files?purpose=batch&limit=3" {KEY}')
    assert file["id"] in [f["id"] for f in listed["data"]]
    gone = curl(f"curl -s $OPENAI_BASE_URL/files/{file['id']} -X DELETE {KEY}")
    assert gone == {"id": file["id"], "object": "file", "deleted": True}


def test_curl_expires_after(curl, tmp_path):
    (tmp_path / "mydata.jsonl").write_bytes(harness.batch_rows(1))
    file = curl(
        f'curl -s $OPENAI_BASE_URL/files {KEY} -F purpose="fine-tune" -F file="@mydata.jsonl" '
        '-F expires_after[anchor]="created_at" -F expires_after[seconds]=2592000'
    )
    assert file["expires_at"] == file["created_at"] + 2592000


def test_curl_upload_in_parts(curl, tmp_path):
    data = harness.batch_rows(1)
    (tmp_path / "part").write_bytes(data)
    fields = {"purpose": "batch", "filename": "x.jsonl", "bytes": len(data), "mime_type": "a/b"}
    upload = curl(f"curl -s $OPENAI_BASE_URL/uploads {KEY} -d '{json.dumps(fields)}'")
    path = f"$OPENAI_BASE_URL/uploads/{upload['id']}"
    part = curl(f'curl -s {path}/parts {KEY} -F data="@part"')
    order = json.dumps({"part_ids": [part["id"]]})
    done = curl(f"curl -s {path}/complete {KEY} -d '{order}'")
    assert done["status"] == "completed" and done["file"]["bytes"] == len(data)


def test_curl_inference(curl):
    body = {"model": "stub-model", "messages": [{"role": "user", "content": "hi"}]}
    answer = curl(f"curl -s $OPENAI_BASE_URL/chat/completions {KEY} {JSON} -d '{json.dumps(body)}'")
    assert answer["choices"][0]["message"]["content"] == "Hello there"


def test_curl_an_error(curl):
    answer = curl(f"curl -s $OPENAI_BASE_URL/files/file-nope {KEY}")
    assert answer["error"]["message"] == "No such File object: file-nope"
