#pragma once

#include <cmath>
#include <string>

#include <fmt/format.h>

namespace switchyard {

/// A log of a program of nccl-tests on made-up GPUs: 12 us and 200 GB/s, from 1 KiB to 512 KiB.
inline std::string made_up_log(const std::string& program, int ranks,
                               const std::string& wrong = "0", const std::string& host = "node1") {
  std::string text = fmt::format(
      "# nccl-tests version 2.13.13 nccl-headers=22203 nccl-library=22203\n"
      "# Collective test starting: {}\n"
      "# nThread 1 nGpus {} minBytes 1024 maxBytes 524288 step: 2(factor) warmup iters: 5 iters: "
      "20\n"
      "#\n# Using devices\n",
      program, ranks);
  for (int rank = 0; rank < ranks; ++rank)
    text +=
        fmt::format("#  Rank {:2} Group  0 Pid   {} on {:>8} device {:2} [0x{:02x}] Made-up GPU\n",
                    rank, 100 + rank, rank == 0 ? "node1" : host, rank, rank);
  text +=
      "#\n#                                  out-of-place                       in-place\n"
      "#       size         count      type   redop    root     time   algbw   busbw #wrong     "
      "time"
      "   algbw   busbw #wrong\n"
      "#        (B)    (elements)                               (us)  (GB/s)  (GB/s)            "
      "(us)"
      "  (GB/s)  (GB/s)\n";
  for (int i = 0; i < 10; ++i) {
    const double bytes = std::exp2(10 + i);
    const double us = 12 + bytes / 200e3;
    text += fmt::format("  {:10.0f} {:10.0f} float sum -1 {:8.4f} 1 1 {} {:8.4f} 1 1 N/A\n", bytes,
                        bytes / 4, us, wrong, 2 * us);
  }
  return text + "# Out of bounds values : 0 OK\n# Avg bus bandwidth    : 20\n";
}

/// An event of a trace; `args` are its insides.
inline std::string made_up_event(const std::string& kind, const std::string& name, double start_us,
                                 double duration_us, const std::string& args) {
  return fmt::format(
      R"({{"ph": "X", "cat": "{}", "name": "{}", "pid": 0, "tid": 7, "ts": {}, "dur": {}, "args": {{{}}}}})",
      kind, name, start_us, duration_us, args);
}

/// A product of PyTorch with its kernel: aten::mm of (rows, k) and (k, n) in bfloat16.
inline std::string made_up_product(int id, int rows, int n, int k, double start_us,
                                   double duration_us) {
  return made_up_event("cpu_op", "aten::mm", start_us - 5, 3,
                       fmt::format(R"("External id": {}, "Input Dims": [[{}, {}], [{}, {}]], )"
                                   R"("Input type": ["c10::BFloat16", "c10::BFloat16"])",
                                   id, rows, k, k, n)) +
         ",\n" +
         made_up_event("cuda_runtime", "cudaLaunchKernel", start_us - 4, 1,
                       fmt::format(R"("External id": {}, "correlation": {})", id, 1000 + id)) +
         ",\n" +
         made_up_event(
             "kernel", "nvjet_tst_128x256_64x4", start_us, duration_us,
             fmt::format(R"("External id": {}, "correlation": {}, "device": 0)", id, 1000 + id));
}

inline std::string made_up_trace(const std::string& events) {
  return R"({"schemaVersion": 1, "deviceProperties": [{"id": 0, "name": "Made-up GPU", "numSms": 100}],)"
         "\n\"traceEvents\": [\n" +
         events + "\n]}\n";
}

}  // namespace switchyard
