"""Runs llama.cpp's HTTP server from the xllamacpp wheel until stdin closes or SIGTERM arrives."""

import argparse
import os
import signal
import sys
import threading


def watch_parent():
    while os.read(0, 4096):
        pass
    os._exit(0)


def main():
    cli = argparse.ArgumentParser(prog="engine")
    cli.add_argument("--model", required=True)
    cli.add_argument("--port", type=int, required=True)
    cli.add_argument("--slots", type=int, default=4)
    cli.add_argument("--ctx-per-slot", type=int, default=2048)
    cli.add_argument("--threads", type=int, default=0)
    cli.add_argument("--alias", default="local")
    arg = cli.parse_args()
    if not os.path.isfile(arg.model):
        sys.exit(f"engine: no model file at {arg.model}")

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=watch_parent, daemon=True).start()
    # Threads that spin while they wait starve each other where cores are shared.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import xllamacpp as llama

    p = llama.CommonParams()
    p.model.path = arg.model
    p.model_alias = {arg.alias}
    p.hostnames, p.port = ["127.0.0.1"], arg.port
    p.n_parallel, p.n_ctx = arg.slots, arg.slots * arg.ctx_per_slot
    p.cpuparams.n_threads = p.cpuparams_batch.n_threads = arg.threads or os.cpu_count()
    p.cont_batching = p.cache_prompt = p.endpoint_metrics = p.endpoint_slots = True
    p.cache_ram_mib = 512
    p.embedding, p.pooling_type = True, llama.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    p.ui, p.warmup, p.offline = False, True, True
    try:
        server = llama.Server(p)
    except Exception as error:
        sys.exit(f"engine: {error}")
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    print(f"engine: listening on {server.listening_address}", file=sys.stderr, flush=True)
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
