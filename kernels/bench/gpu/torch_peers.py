"""Time PyTorch's grouped product and attention and transformers' Mixtral block.

Writes {"versions": ..., "points": [...], "errors": [...]} to the path given. Points have the fields
of switchyard_gpu_bench. A part that fails is recorded and the next one runs.
"""

import json
import statistics
import sys
import time

import torch

SHAPES = {  # experts, rows of each, (n, k) of the two products
    "mixtral_8192": (8, 2048, ((28672, 4096), (4096, 14336))),
    "switch_c_32k": (16, 2048, ((6144, 2080), (2080, 6144))),
    "switch_base_64k": (128, 512, ((4096, 768), (768, 2048))),
    "switch_base_8k": (128, 64, ((4096, 768), (768, 2048))),
}
ROTATED_BYTES = 200e6  # more than three times any L2


def time_calls(call, calls, limit_s=0.25):
    """Microseconds of one call: [p10, median, p90, repeats]; launches of a graph of `calls`."""
    for i in range(calls):
        call(i)
    torch.cuda.synchronize()
    launch = None
    try:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            for i in range(calls):
                call(i)
        launch = graph.replay
    except RuntimeError:
        torch.cuda.synchronize()

        def launch():
            for i in range(calls):
                call(i)

    warm = time.monotonic()
    while time.monotonic() - warm < 0.025:
        launch()
        torch.cuda.synchronize()
    times = []
    start = time.monotonic()
    while len(times) < 20 or (len(times) < 200 and time.monotonic() - start < limit_s):
        begin = torch.cuda.Event(enable_timing=True)
        end = torch.cuda.Event(enable_timing=True)
        begin.record()
        launch()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end) * 1e3 / calls)
    deciles = statistics.quantiles(times, n=10)
    return deciles[0], statistics.median(times), deciles[-1], len(times)


class Report:
    def __init__(self, path):
        self.path = path
        self.points = []
        self.errors = []

    def measure(self, shape, product, implementation, flop, calls, call):
        name = dict(section="peers", shape=shape, product=product, implementation=implementation)
        try:
            p10, median, p90, repeats = time_calls(call, calls)
            self.points.append(name | dict(median_us=median, p10_us=p10, p90_us=p90, flop=flop,
                                           tflop_per_s=flop / median * 1e-6, repeats=repeats,
                                           calls=calls))
            print(f"{shape:16} {product:18} {implementation:16} {median:10.1f} us "
                  f"{flop / median * 1e-6:7.1f} TFLOP/s", flush=True)
        except Exception as error:  # recorded: the next part may still run
            self.fail(name, error)

    def fail(self, name, error):
        self.errors.append(name | dict(error=str(error).splitlines()[0][:300]))
        print(f"{name} FAILED: {error}", flush=True)
        self.write()

    def write(self):
        versions = dict(torch=torch.__version__, cuda=torch.version.cuda,
                        device=torch.cuda.get_device_name())
        with open(self.path, "w") as out:
            json.dump(dict(versions=versions, points=self.points, errors=self.errors), out, indent=1)


def normal(*size):
    return torch.randn(*size, device="cuda", dtype=torch.bfloat16)


def bench_grouped_mm(report, shape):
    experts, rows_each, products = SHAPES[shape]
    rows = experts * rows_each
    offsets = torch.arange(1, experts + 1, device="cuda", dtype=torch.int32) * rows_each
    grouped_mm = getattr(torch.nn.functional, "grouped_mm", None) or torch._grouped_mm
    for number, (n, k) in enumerate(products, 1):
        flop = 2.0 * rows * n * k
        sets = min(10, int(ROTATED_BYTES / (2.0 * (rows * k + experts * n * k))) + 1)
        x = [normal(rows, k) for _ in range(sets)]
        w = [normal(experts, n, k) for _ in range(sets)]
        dy = [normal(rows, n) for _ in range(sets)]
        report.measure(shape, f"forward{number}", "torch_grouped_mm", flop, sets,
                       lambda i: grouped_mm(x[i], w[i].transpose(1, 2), offs=offsets))
        report.measure(shape, f"dgrad{number}", "torch_grouped_mm", flop, sets,
                       lambda i: grouped_mm(dy[i], w[i], offs=offsets))
        report.measure(shape, f"wgrad{number}", "torch_grouped_mm", flop, sets,
                       lambda i: grouped_mm(dy[i].t(), x[i], offs=offsets))
        del x, w, dy
        torch.cuda.empty_cache()


def bench_mixtral(report):
    from transformers.models.mixtral import modeling_mixtral
    from transformers.models.mixtral.configuration_mixtral import MixtralConfig

    for kind in ("grouped_mm", "batched_mm", "eager"):
        config = MixtralConfig()  # 4096 * 14336, 8 experts, top 2
        config._experts_implementation = kind
        with torch.device("cuda"):
            block = modeling_mixtral.MixtralSparseMoeBlock(config).to(torch.bfloat16).eval()
        with torch.no_grad():
            for parameter in block.parameters():
                parameter.normal_(std=0.02)
        for tokens in (8192, 64, 8, 1):
            if kind == "batched_mm" and tokens > 64:
                continue  # it gathers a copy of the weights for each row
            x = normal(1, tokens, 4096)
            name = f"mixtral_{tokens}" if tokens == 8192 else f"decode_{tokens}"
            flop = 2.0 * tokens * 2 * 4096 * 3 * 14336
            with torch.no_grad():
                report.measure(name, "layer_forward", f"transformers_{kind}", flop, 1,
                               lambda i: block(x))
        del block
        torch.cuda.empty_cache()


ATTENTION = {  # sequences, queries and keys of each; Mixtral's heads
    "prefill_1x8192": (1, 8192, 8192),
    "prefill_4x2048": (4, 2048, 2048),
    "decode_1": (1, 1, 4096),
    "decode_8": (8, 1, 4096),
    "decode_64": (64, 1, 4096),
}
QUERY_HEADS, KV_HEADS, HEAD_WIDTH = 32, 8, 128


def bench_attention(report, shape):
    """Each backend that PyTorch offers; one that refuses the shape is among the errors."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    sequences, queries, keys = ATTENTION[shape]
    seen = queries * (keys - queries) + queries * (queries + 1) // 2
    flop = 4.0 * sequences * QUERY_HEADS * HEAD_WIDTH * seen
    sets = min(10, int(ROTATED_BYTES / (4.0 * sequences * KV_HEADS * keys * HEAD_WIDTH)) + 1)
    q = [normal(sequences, QUERY_HEADS, queries, HEAD_WIDTH) for _ in range(sets)]
    k = [normal(sequences, KV_HEADS, keys, HEAD_WIDTH) for _ in range(sets)]
    v = [normal(sequences, KV_HEADS, keys, HEAD_WIDTH) for _ in range(sets)]

    def attend(i):
        # A single query sees all keys; is_causal would leave it the first alone.
        torch.nn.functional.scaled_dot_product_attention(q[i], k[i], v[i], is_causal=queries > 1,
                                                         enable_gqa=True)

    for backend in ("CUDNN_ATTENTION", "FLASH_ATTENTION", "EFFICIENT_ATTENTION"):
        if not hasattr(SDPBackend, backend):
            continue
        with sdpa_kernel([getattr(SDPBackend, backend)]):
            report.measure(shape, "attention", "torch_sdpa_" + backend.lower(), flop, sets, attend)
    del q, k, v
    torch.cuda.empty_cache()


def main():
    report = Report(sys.argv[1])
    for shape in SHAPES:
        try:
            bench_grouped_mm(report, shape)
        except Exception as error:
            report.fail(dict(section="peers", shape=shape), error)
        report.write()
    for shape in ATTENTION:
        try:
            bench_attention(report, shape)
        except Exception as error:
            report.fail(dict(section="peers", shape=shape), error)
        report.write()
    try:
        bench_mixtral(report)
    except Exception as error:
        report.fail(dict(section="peers", shape="mixtral block"), error)
    report.write()


if __name__ == "__main__":
    main()
