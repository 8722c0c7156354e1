"""Labels a list of records with the Batch API. Usage: batch_labels.py [MODEL]

Reads OPENAI_BASE_URL and OPENAI_API_KEY as every OpenAI script does.
"""

import json
import os
import sys
import time

from openai import OpenAI

MODEL = sys.argv[1] if len(sys.argv) > 1 else "gpt-4o-mini"
POLL_SECONDS = float(os.environ.get("POLL_SECONDS", "10"))

records = [
    {"sku": "A-100", "review": "The kettle boils in two minutes and looks lovely."},
    {"sku": "A-101", "review": "It leaks everywhere, a complete waste of money."},
    {"sku": "A-102", "review": "Best pair of running shoes I have ever owned."},
    {"sku": "A-103", "review": "Stopped working after a week and nobody answers my emails."},
    {"sku": "A-104", "review": "Schöne Lampe, très jolie — ¡me encanta! ✨"},
]

EXAMPLES = []
for review, label in [
    ("I hate this phone, it is slow and ugly.", "negative"),
    ("The pen writes smoothly and feels great.", "positive"),
    ("The wheel fell off after one day, very poor quality.", "negative"),
    ("These gloves are warm and fit perfectly.", "positive"),
    ("The cup had a crack and the tea ran out.", "negative"),
    ("Delicious chocolate, my whole family enjoyed it.", "positive"),
]:
    EXAMPLES.append({"role": "user", "content": review})
    EXAMPLES.append({"role": "assistant", "content": label})

tasks = []
for index, record in enumerate(records):
    tasks.append(
        {
            "custom_id": f"task-{index}",
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {
                "model": MODEL,
                "temperature": 0,
                "max_tokens": 4,
                "messages": [
                    {"role": "system", "content": "Label each review as positive or negative."},
                    *EXAMPLES,
                    {"role": "user", "content": record["review"]},
                ],
            },
        }
    )

client = OpenAI()

jsonl = "\n".join(json.dumps(task) for task in tasks).encode()
batch_file = client.files.create(file=("reviews.jsonl", jsonl), purpose="batch")

batch = client.batches.create(
    input_file_id=batch_file.id,
    endpoint="/v1/chat/completions",
    completion_window="24h",
)
print("created", batch.id, batch.status)

while batch.status not in ("completed", "failed", "expired", "cancelled"):
    time.sleep(POLL_SECONDS)
    batch = client.batches.retrieve(batch.id)
    counts = batch.request_counts
    print(batch.status, f"{counts.completed}/{counts.total}")

if batch.status != "completed":
    sys.exit(f"batch {batch.id} is {batch.status}: {batch.errors}")

content = client.files.content(batch.output_file_id).content
results = {}
for line in content.decode().splitlines():
    row = json.loads(line)
    results[row["custom_id"]] = row["response"]["body"]["choices"][0]["message"]["content"]

for index, record in enumerate(records):
    record["label"] = results[f"task-{index}"].strip()
    print(record["sku"], record["label"])
print(f"labelled {len(results)} of {len(records)}, {batch.usage.total_tokens} tokens")
