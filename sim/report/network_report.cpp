#include "sim/report/network_report.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "sim/core/units_format.hpp"
#include "sim/core/version.hpp"
#include "sim/report/text_table.hpp"

namespace switchyard {
namespace {

constexpr std::size_t kTerminalWidth = 140;

/// time / bound; nothing where nothing had to be sent.
std::optional<double> bound_ratio(const NetworkRow& row) {
  if (row.result.bound == Seconds{0}) return std::nullopt;
  return row.result.time / row.result.bound;
}

bool has_cpu_time(const NetworkReport& report) {
  return std::ranges::any_of(report.rows,
                             [](const NetworkRow& row) { return row.cpu_time.has_value(); });
}

std::string algorithm_text(const NetworkRow& row) {
  return fmt::format("{}{}", row.chosen_by_auto ? "auto: " : "",
                     algorithm_name(row.result.algorithm));
}

/// Four significant digits without an exponent.
std::string significant(double value) {
  if (value == 0.0) return "0";
  const int digits = 3 - static_cast<int>(std::floor(std::log10(std::abs(value))));
  return fmt::format("{:.{}f}", value, std::clamp(digits, 0, 9));
}

/// "64 MiB" where it is a whole number of binary units, else decimal.
std::string size_text(Bytes size) {
  const double bytes = size.base();
  for (const auto& [unit, name] : {std::pair{0x1p30, "GiB"}, {0x1p20, "MiB"}, {0x1p10, "KiB"}})
    if (bytes >= unit && std::fmod(bytes, unit) == 0.0)
      return fmt::format("{} {}", bytes / unit, name);
  return fmt::format("{}", size);
}

/// "fitted +-9 %": where startup and efficiency come from, and how far nine of ten held-out rows
/// were off at most.
std::string library_text(const CollectiveResult& result) {
  if (result.error_band == 0) return "-";
  return fmt::format("{} +-{:.0f} %", provenance_name(result.provenance), 100 * result.error_band);
}

/// "fluid (symmetry)"; of grouped flows also how far the time is above the busiest link's, which no
/// sharing on these paths can beat: what grouping can have added at most, latency included.
std::string engine_text(const NetworkRow& row) {
  std::string text{engine_name(row.engine)};
  const CollectiveResult& result = row.result;
  if (result.method.empty()) return text;
  text += fmt::format(" ({}", result.method);
  if (result.method == "grouped")
    text += fmt::format(", link load {:+.2f} %", 100 * (result.time / result.link_load - 1));
  return text + ")";
}

std::string groups_text(const NetworkRow& row) {
  return row.num_groups == 1 ? fmt::format("{}", row.group_size)
                             : fmt::format("{} x {}", row.num_groups, row.group_size);
}

/// Columns that are the same in all rows are said once, above.
std::string heading(const NetworkReport& report) {
  const NetworkRow& row = report.rows.front();
  std::string text =
      fmt::format("{}, engine time of one collective alone in the network\n", kind_name(row.kind));
  if (row.lognormal_sigma > 0)
    text += fmt::format(
        "bytes of each pair: log-normal, sigma {}, mean S / n, seed {}; S is the mean of a rank\n",
        row.lognormal_sigma, report.seed);
  return text;
}

}  // namespace

std::string format_table(const NetworkReport& report) {
  if (report.rows.empty()) return "nothing was asked for\n";
  const bool cpu = has_cpu_time(report);
  TextTable table;
  table.columns = {{"system", Alignment::kLeft},
                   {"ranks"},
                   {"size S"},
                   {"algorithm", Alignment::kLeft},
                   {"engine", Alignment::kLeft},
                   {"time\nus"},
                   {"bound\nus"},
                   {"time /\nbound"},
                   {"algbw\nGB/s"},
                   {"busbw\nGB/s"}};
  const bool band = std::ranges::any_of(
      report.rows, [](const NetworkRow& row) { return row.result.error_band > 0; });
  if (band) table.columns.push_back({"library", Alignment::kLeft});
  if (cpu) table.columns.push_back({"CPU\nms"});
  for (const NetworkRow& row : report.rows) {
    const CollectiveResult& result = row.result;
    const std::optional<double> ratio = bound_ratio(row);
    std::vector<std::string> cells = {
        row.system,
        groups_text(row),
        size_text(row.size),
        algorithm_text(row),
        engine_text(row),
        significant(result.time.base() * 1e6),
        significant(result.bound.base() * 1e6),
        ratio ? fmt::format("{:.{}f}", *ratio, *ratio < 100 ? 3 : 0) : "-",
        significant(algorithm_bandwidth(row.size, result.time).base() / 1e9),
        significant(bus_bandwidth(row.kind, row.group_size, row.size, result.time).base() / 1e9)};
    if (band) cells.push_back(library_text(result));
    if (cpu) cells.push_back(row.cpu_time ? significant(row.cpu_time->base() * 1e3) : "-");
    table.rows.push_back(std::move(cells));
  }
  std::string text = heading(report) + "\n" + format(table, kTerminalWidth);
  text +=
      "\nbound: what ports and cuts allow any algorithm (latency not counted). busbw: as "
      "nccl-tests.\n";
  if (band)
    text += "library: where startup and efficiency come from; 9 of 10 held-out rows were within.\n";
  return text;
}

std::string to_csv(const NetworkReport& report) {
  const BuildInfo build = build_info();
  const bool cpu = has_cpu_time(report);
  std::string text =
      fmt::format("# switchyard {} git={} seed={}\n", build.version, build.git_hash, report.seed);
  text +=
      "system,num_ranks,num_groups,group_size,collective,size_bytes,lognormal_sigma,algorithm,"
      "chosen_by_auto,engine,method,time_s,bound_s,bound_ratio,link_load_s,algbw_bytes_per_s,"
      "busbw_bytes_per_s,busiest_link_bytes,provenance,error_band_fraction";
  text += cpu ? ",cpu_s\n" : "\n";
  for (const NetworkRow& row : report.rows) {
    const CollectiveResult& result = row.result;
    const std::optional<double> ratio = bound_ratio(row);
    text += fmt::format(
        "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}", row.system, row.num_ranks,
        row.num_groups, row.group_size, kind_name(row.kind), row.size.base(), row.lognormal_sigma,
        algorithm_name(result.algorithm), row.chosen_by_auto ? "yes" : "no",
        engine_name(row.engine), result.method, result.time.base(), result.bound.base(),
        ratio ? fmt::format("{}", *ratio) : "", result.link_load.base(),
        algorithm_bandwidth(row.size, result.time).base(),
        bus_bandwidth(row.kind, row.group_size, row.size, result.time).base(),
        result.busiest_link.base(), provenance_name(result.provenance), result.error_band);
    if (cpu) text += fmt::format(",{}", row.cpu_time ? row.cpu_time->base() : 0.0);
    text += "\n";
  }
  return text;
}

nlohmann::ordered_json to_json(const NetworkReport& report) {
  using Json = nlohmann::ordered_json;
  const BuildInfo build = build_info();
  Json rows = Json::array();
  for (const NetworkRow& row : report.rows) {
    const CollectiveResult& result = row.result;
    const std::optional<double> ratio = bound_ratio(row);
    Json json = {{"system", row.system},
                 {"num_ranks", row.num_ranks},
                 {"num_groups", row.num_groups},
                 {"group_size", row.group_size},
                 {"collective", kind_name(row.kind)},
                 {"size_bytes", row.size.base()},
                 {"lognormal_sigma", row.lognormal_sigma},
                 {"algorithm", algorithm_name(result.algorithm)},
                 {"chosen_by_auto", row.chosen_by_auto},
                 {"engine", engine_name(row.engine)},
                 {"method", result.method},
                 {"time_s", result.time.base()},
                 {"bound_s", result.bound.base()},
                 {"bound_ratio", ratio ? Json(*ratio) : Json(nullptr)},
                 {"link_load_s", result.link_load.base()},
                 {"algbw_bytes_per_s", algorithm_bandwidth(row.size, result.time).base()},
                 {"busbw_bytes_per_s",
                  bus_bandwidth(row.kind, row.group_size, row.size, result.time).base()},
                 {"busiest_link_bytes", result.busiest_link.base()},
                 {"provenance", provenance_name(result.provenance)},
                 {"error_band_fraction", result.error_band}};
    if (row.cpu_time) json["cpu_s"] = row.cpu_time->base();
    rows.push_back(std::move(json));
  }
  return {
      {"switchyard",
       {{"version", build.version}, {"git_hash", build.git_hash}, {"compiler", build.compiler}}},
      {"seed", report.seed},
      {"rows", rows}};
}

}  // namespace switchyard
