#!/usr/bin/env python3
"""Runs examples/demo.jsonl through the release build and its local engine; says how it went."""

import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
OFFPEAK = ROOT / "build/release/offpeak"
DEMO = ROOT / ".demo"
DATA = DEMO / "data"
LOG = DEMO / "server.log"
STATE = DEMO / "server.json"
INPUT = ROOT / "examples/demo.jsonl"
EXPECTED = ROOT / "examples/demo.expected.json"
OUTPUT, ERRORS = DEMO / "out.jsonl", DEMO / "errors.jsonl"
SHOWN = ("review-01", "review-02", "ticket-01", "language-01", "language-02")

# List prices of gpt-4o-mini, US dollars per million tokens (input, output); a batch costs half.
PRICE_MODEL, PRICE_INPUT, PRICE_OUTPUT = "gpt-4o-mini", 0.15, 0.60


def answers(url):
    try:
        with urllib.request.urlopen(url + "/readyz", timeout=2) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False


def running_server():
    try:
        state = json.loads(STATE.read_text())
        os.kill(state["pid"], 0)
    except (OSError, ValueError, KeyError):
        return None
    return state if answers(state["url"]) else None


def start_server():
    with LOG.open("wb") as log:
        child = subprocess.Popen(
            [OFFPEAK, "serve", "--data-dir", DATA, "--listen", "127.0.0.1:0"],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and child.poll() is None:
        for line in LOG.read_text(errors="replace").splitlines():
            if line.startswith("ready ") and "http://" in line:
                url = "http://" + line.split("http://", 1)[1].split()[0].split("/")[0]
                state = {"pid": child.pid, "url": url}
                STATE.write_text(json.dumps(state))
                return state
        time.sleep(0.05)
    sys.exit(
        f"the server did not start; its log, {LOG}:\n{LOG.read_text(errors='replace')[-3000:]}"
    )


def run_batch(url):
    """The finished batch object; the progress bar is offpeak's own."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "OFFPEAK_"))}
    done = subprocess.run(
        [
            OFFPEAK,
            "run",
            "-i",
            INPUT,
            "-o",
            OUTPUT,
            "--errors",
            ERRORS,
            "--json",
            "--base-url",
            url,
            "--data-dir",
            DATA,
        ],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode not in (0, 3):
        sys.exit(f"the batch did not finish (exit status {done.returncode}); server log: {LOG}")
    return json.loads(done.stdout)


def read_results():
    results = {}
    for line in OUTPUT.read_text().splitlines():
        row = json.loads(line)
        message = row["response"]["body"]["choices"][0]["message"]
        results[row["custom_id"]] = message["content"].strip()
    return results


def read_questions():
    rows = map(json.loads, INPUT.read_text().splitlines())
    return {row["custom_id"]: row["body"]["messages"][-1]["content"] for row in rows}


def same(answer, label):
    return answer.rstrip(".").lower() == label.lower()


def show_results(results, expected):
    questions = read_questions()
    print("\nFive of the results:")
    for custom_id in SHOWN:
        answer, label = results.get(custom_id, "(no result)"), expected[custom_id]
        mark = "right" if same(answer, label) else "wrong"
        print(f"  {custom_id:12} {questions[custom_id]}")
        print(f"  {'':12} answer {answer!r}, expected {label!r}: {mark}")
    right = sum(same(results.get(c, ""), label) for c, label in expected.items())
    print(f"\n{right} of {len(expected)} answers are right.")


def show_bill(batch, seconds):
    counts, usage = batch["request_counts"], batch["usage"]
    tokens_in, tokens_out = usage["input_tokens"], usage["output_tokens"]
    price = (tokens_in * PRICE_INPUT + tokens_out * PRICE_OUTPUT) / 1e6
    print(
        f"{counts['completed']} of {counts['total']} rows completed, {counts['failed']} failed, "
        f"in {seconds:.1f} s; {tokens_in:,} input and {tokens_out:,} output tokens."
    )
    print(
        f"At the list prices of {PRICE_MODEL} ({PRICE_INPUT:.2f} and {PRICE_OUTPUT:.2f} USD per "
        f"million tokens; your own server has none yet):\n"
        f"  on demand {price:.6f} USD, as a batch {price / 2:.6f} USD."
    )


def show_next_steps(state, batch):
    offpeak = OFFPEAK.relative_to(ROOT)
    print(f"""
The model that answered ({batch["model"]}) is tiny: it labels and copies when the prompt shows
examples, and fails at free questions. For better answers write one of these into a file and start
`{offpeak} serve --config FILE`:
  engine: {{model: /path/to/a/better.gguf}}
  upstreams: [{{name: mine, base_url: "http://127.0.0.1:8000/v1"}}]

Results: {OUTPUT.relative_to(ROOT)}    server log: {LOG.relative_to(ROOT)}
Go on:   {offpeak} batch list --base-url {state["url"]} --data-dir {DATA.relative_to(ROOT)}
Scripts: export OPENAI_BASE_URL={state["url"]}/v1
         export OPENAI_API_KEY="$(cat {DATA.relative_to(ROOT)}/default.key)"
Stop:    kill {state["pid"]}""")


def main():
    if not OFFPEAK.exists():
        sys.exit("build/release/offpeak is missing: run `make demo` (or `make build`)")
    DEMO.mkdir(exist_ok=True)
    state = running_server()
    if state:
        print(f"The demo's server runs already at {state['url']}.", flush=True)
    else:
        print(
            "Starting a server with its data in .demo/ and a small model on this machine ...",
            flush=True,
        )
        state = start_server()
        print(f"Ready at {state['url']} (process {state['pid']}).", flush=True)
    start = time.monotonic()
    batch = run_batch(state["url"])
    seconds = time.monotonic() - start
    expected = json.loads(EXPECTED.read_text())
    show_results(read_results(), expected)
    show_bill(batch, seconds)
    show_next_steps(state, batch)


if __name__ == "__main__":
    main()
