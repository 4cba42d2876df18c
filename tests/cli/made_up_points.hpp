#pragma once

#include <cmath>
#include <string>

#include <fmt/format.h>

#include "tests/cost_models/synthetic_points.hpp"

namespace switchyard {

/// What a file of points of a made-up core begins with.
inline constexpr const char* kPointsHead =
    "# switchyard points 1\n# backend: cpu\n# device: Made-up core\n"
    "# software: made-up kernels, avx512\n# cores: 2\n# last_level_cache_bytes: 1000000\n"
    "# memory_bytes: 1000000000\n# started: 2026-01-01T00:00:00Z\n"
    "operator,precision,shape,transport,ranks,busy_ranks,threads,role,pass,repeats,median_s,p10_s,"
    "p90_s,reference_s\n";

/// One line of it.
inline std::string point_row(const std::string& name, const std::string& shape,
                             const std::string& role, double time, double reference = 0.01) {
  return fmt::format("{},float32,{},{},{},1,1,{},0,20,{:.9g},{:.9g},{:.9g},{}\n", name, shape,
                     name.starts_with("all_") ? "loopback" : "none",
                     name.starts_with("all_") ? 2 : 1, role, time, 0.99 * time, 1.01 * time,
                     reference);
}

/// Products by the form, and an all-to-all of 5 us and 2 GB/s.
inline std::string made_up_points() {
  std::string text = kPointsHead;
  for (const KernelPoint& point : made_up_products(30, 0.01, 2))
    text += point_row("gemm", shape_text(point.call),
                      point.role == PointRole::kFit ? "fit" : "held_out", point.time.base());
  for (int i = 0; i < 9; ++i) {
    const double bytes = std::exp2(10 + 2 * i);
    text += point_row("all_to_all", fmt::format("bytes={:.0f}", bytes),
                      i % 3 == 1 ? "held_out" : "fit", 5e-6 + bytes / 2e9);
  }
  return text;
}

}  // namespace switchyard
