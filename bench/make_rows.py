#!/usr/bin/env python3
"""Writes a batch input file: N rows of /v1/chat/completions, deterministic.

bench/make_rows.py --rows 50000 --text-bytes 300 --shared-prefix-bytes 0 -o rows.jsonl
"""

import argparse
import json
import random
import sys

WORDS = (
    "the order parcel arrived late and box was damaged but support answered quickly after two "
    "calls refund promised within week customer asks where number can be found on invoice screen "
    "battery charger cable color size small large quality price value recommend friend again never"
).split()


def text_of(rng, size):
    words = []
    length = 0
    while length < size:
        word = rng.choice(WORDS)
        words.append(word)
        length += len(word) + 1
    return " ".join(words)[:size]


def write_rows(
    out, rows, text_bytes=300, shared_prefix_bytes=0, groups=1, model="sim-model", seed=1
):
    """`groups` different prefixes of `shared_prefix_bytes` bytes, as system messages."""
    rng = random.Random(seed)
    prefixes = (
        [text_of(rng, shared_prefix_bytes) for _ in range(groups)] if shared_prefix_bytes else []
    )
    for index in range(rows):
        messages = []
        if prefixes:
            messages.append({"role": "system", "content": prefixes[index % groups]})
        content = f"[{index}] " + text_of(rng, max(text_bytes - len(str(index)) - 3, 1))
        messages.append({"role": "user", "content": content})
        out.write(
            json.dumps(
                {
                    "custom_id": f"row-{index}",
                    "method": "POST",
                    "url": "/v1/chat/completions",
                    "body": {"model": model, "messages": messages, "max_tokens": 64},
                }
            )
        )
        out.write("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--text-bytes", type=int, default=300, help="user text of each row")
    parser.add_argument(
        "--shared-prefix-bytes", type=int, default=0, help="system message of each row"
    )
    parser.add_argument("--groups", type=int, default=1, help="how many different shared prefixes")
    parser.add_argument("--model", default="sim-model")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", default="-")
    args = parser.parse_args()
    options = (
        args.rows,
        args.text_bytes,
        args.shared_prefix_bytes,
        args.groups,
        args.model,
        args.seed,
    )
    if args.output == "-":
        write_rows(sys.stdout, *options)
    else:
        with open(args.output, "w", encoding="utf-8") as out:
            write_rows(out, *options)


if __name__ == "__main__":
    main()
