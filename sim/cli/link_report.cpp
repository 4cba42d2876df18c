#include "sim/cli/link_report.hpp"

#include <algorithm>
#include <array>
#include <ostream>

#include <fmt/format.h>
#include <fmt/ostream.h>

#include "sim/core/version.hpp"
#include "sim/report/text_table.hpp"

namespace switchyard {
namespace {

using Mode = ExpertParallelModeKind;
using Direction = TransferDirection;
constexpr std::size_t kWidth = 100;
constexpr std::array kDirections{Direction::kDispatch, Direction::kCombine};

std::string percent(double fraction) { return fmt::format("{:.1f} %", 100 * fraction); }
std::string signed_percent(double fraction) { return fmt::format("{:+.1f} %", 100 * fraction); }

const char* mode_name(Mode mode) { return mode == Mode::kNormal ? "normal" : "low_latency"; }
const char* direction_name(Direction direction) {
  return direction == Direction::kDispatch ? "dispatch" : "combine";
}

std::vector<TableColumn> error_columns(std::vector<TableColumn> columns) {
  for (const char* heading : {"rows", "median", "p90", "largest"})
    columns.push_back({.heading = heading});
  return columns;
}

void add_errors(std::vector<std::string>& row, const HeldOutError& error) {
  row.push_back(fmt::format("{}", error.rows));
  for (const double value : {error.median, error.p90, error.largest}) row.push_back(percent(value));
}

TableColumn left(const char* heading) {
  return {.heading = heading, .alignment = Alignment::kLeft};
}

std::string collective_tables(const CollectiveFit& fit) {
  TextTable bands{.columns = error_columns({left("collective"), left("size")}), .rows = {}};
  for (const char* heading : {"with second\nmode: median", "p90", "each row\nonce: median", "p90"})
    bands.columns.push_back({.heading = heading});
  int second_modes = 0;
  for (const CollectiveRow& row : fit.rows) second_modes += row.is_second_mode ? 1 : 0;
  for (const CollectiveTimes& times : fit.profile.collectives)
    for (std::size_t i = 0; i < kNumSizeBands; ++i) {
      const auto band = static_cast<SizeBand>(i);
      std::vector<std::string> row{collective_kind_name(times.kind), size_band_name(band)};
      add_errors(row, held_out_error(fit.rows, times.kind, band, false));
      const HeldOutError all = held_out_error(fit.rows, times.kind, band, true);
      const HeldOutError thirds = held_out_error(fit.each_held_out_once, times.kind, band, false);
      for (const double value : {all.median, all.p90, thirds.median, thirds.p90})
        row.push_back(percent(value));
      bands.rows.push_back(std::move(row));
    }
  std::string text =
      fmt::format("{}, {}: rows held out (every third size), {} of a second mode left out\n{}",
                  fit.profile.name, fit.profile.library, second_modes, format(bands, kWidth));

  const std::vector<CollectiveRow> transferred = transfer_to_fewer_ranks(fit);
  if (transferred.empty()) return text;
  TextTable transfer{.columns = error_columns({left("collective"), left("size")}), .rows = {}};
  for (const CollectiveTimes& times : fit.profile.collectives)
    for (std::size_t i = 0; i < kNumSizeBands; ++i) {
      const auto band = static_cast<SizeBand>(i);
      std::vector<std::string> row{collective_kind_name(times.kind), size_band_name(band)};
      add_errors(row, held_out_error(transferred, times.kind, band, false));
      transfer.rows.push_back(std::move(row));
    }
  return text + fmt::format("\n{}: fewer GPUs from the constants of the most, no target\n{}",
                            fit.profile.name, format(transfer, kWidth));
}

std::string expert_parallel_tables(const ExpertParallelFit& fit,
                                   const std::vector<ExpertParallelRow>& each_shape_held_out_once) {
  TextTable table{.columns = error_columns({left("mode"), left("direction"), left("held out")}),
                  .rows = {}};
  const auto add_from = [&](const std::vector<ExpertParallelRow>& rows, Mode mode,
                            Direction direction, const std::string& what, auto&& is_of) {
    std::vector<double> errors;
    for (const ExpertParallelRow& row : rows)
      if (row.is_held_out && row.measurement.mode == mode && row.direction == direction &&
          is_of(row.measurement.shape))
        errors.push_back(row.error());
    if (errors.empty()) return;
    std::vector<std::string> cells{mode_name(mode), direction_name(direction), what};
    add_errors(cells, summarize(errors));
    table.rows.push_back(std::move(cells));
  };
  const auto add = [&](Mode mode, Direction direction, const std::string& what, auto&& is_of) {
    add_from(fit.rows, mode, direction, what, is_of);
  };
  for (const Mode mode : {Mode::kNormal, Mode::kLowLatency})
    for (const Direction direction : kDirections) {
      std::vector<std::pair<int, int>> shapes;  // d_model and experts name those held out
      for (const ExpertParallelRow& row : fit.rows) {
        const auto& shape = row.measurement.shape;
        const std::pair key{shape.d_model, shape.num_experts};
        if (row.measurement.mode == mode && row.is_held_out && shape.ranks == 8 &&
            std::ranges::find(shapes, key) == shapes.end())
          shapes.push_back(key);
      }
      add(mode, direction, "8 ranks, whole shapes",
          [](const ExpertParallelShape& shape) { return shape.ranks == 8; });
      for (const auto& [d_model, experts] : shapes)
        add(mode, direction, fmt::format("  {} wide, {} experts", d_model, experts),
            [&](const ExpertParallelShape& shape) {
              return shape.ranks == 8 && shape.d_model == d_model && shape.num_experts == experts;
            });
      add_from(each_shape_held_out_once, mode, direction, "8 ranks, each shape once",
               [](const ExpertParallelShape&) { return true; });
      add(mode, direction, "16 ranks, 256 experts", [](const ExpertParallelShape& shape) {
        return shape.ranks == 16 && shape.num_experts == 256;
      });
      add(mode, direction, "16 ranks, 288 experts", [](const ExpertParallelShape& shape) {
        return shape.ranks == 16 && shape.num_experts == 288;
      });
    }
  return fmt::format("{}, {}: rows held out\n{}", fit.profile.name, fit.profile.library,
                     format(table, kWidth));
}

std::string published_table(const std::vector<PublishedRow>& rows) {
  TextTable table{.columns = {left("published"),
                              left("direction"),
                              {.heading = "published"},
                              {.heading = "predicted"},
                              {.heading = "error"},
                              {.heading = "band"},
                              left("provenance"),
                              {.heading = "time /\nlower bound"}},
                  .rows = {}};
  for (const PublishedRow& row : rows) {
    const char* unit = row.published.is_bandwidth ? "GB/s" : "us";
    const bool is_dispatch = row.direction == Direction::kDispatch;
    table.rows.push_back(
        {row.published.id, direction_name(row.direction),
         fmt::format("{:.0f} {}", is_dispatch ? row.published.dispatch : row.published.combine,
                     unit),
         fmt::format("{:.1f} {}", row.predicted, unit), signed_percent(row.error()),
         fmt::format("+-{:.0f} %", 100 * row.time.error_band), provenance_name(row.time.provenance),
         fmt::format("{:.2f}", row.time.transmit / row.time.lower_bound)});
  }
  return fmt::format("H800, never fitted to: the constants of the H100 rows and its own links\n{}",
                     format(table, kWidth));
}

void write_row(std::ostream& out, const std::string& identity, Seconds measured, Seconds predicted,
               const std::string& role) {
  fmt::print(out, "{},{},{},{},{}\n", identity, measured.base() * 1e6, predicted.base() * 1e6,
             predicted / measured - 1, role);
}

}  // namespace

double PublishedRow::error() const {
  const double measured =
      direction == Direction::kDispatch ? published.dispatch : published.combine;
  return predicted / measured - 1.0;
}

std::vector<PublishedRow> predict_published(const ExpertParallelProfile& profile,
                                            const std::vector<PublishedTransfer>& published) {
  std::vector<PublishedRow> rows;
  for (const PublishedTransfer& figure : published)
    for (const Direction direction : kDirections) {
      PublishedRow row{.published = figure, .direction = direction, .time = {}};
      row.time = predict(profile, figure.links, figure.mode, figure.shape, direction);
      const ExpectedDestinations to = expected_destinations(figure.shape);
      const double copies = figure.shape.ranks > figure.shape.ranks_per_node ? to.nodes : to.ranks;
      const double element_bytes = direction == Direction::kDispatch
                                       ? figure.shape.dispatch_bytes_per_element
                                       : figure.shape.combine_bytes_per_element;
      const Bytes counted{copies * figure.shape.tokens_per_rank * figure.shape.d_model *
                          element_bytes};
      row.predicted = figure.is_bandwidth ? (counted / row.time.transmit).base() / 1e9
                                          : row.time.total().base() * 1e6;
      rows.push_back(row);
    }
  return rows;
}

std::string calibration_tables(const LinkCalibration& calibration) {
  std::vector<std::string> tables;
  for (const CollectiveFit& fit : calibration.collectives) tables.push_back(collective_tables(fit));
  for (const ExpertParallelFit& fit : calibration.expert_parallel)
    tables.push_back(expert_parallel_tables(fit, calibration.each_shape_held_out_once));
  if (!calibration.published.empty()) tables.push_back(published_table(calibration.published));
  return fmt::format("{}", fmt::join(tables, "\n"));
}

void write_calibration_csv(std::ostream& out, const LinkCalibration& calibration) {
  const auto build = build_info();
  fmt::print(out, "# switchyard {} git={} fit links\n", build.version, build.git_hash);
  fmt::print(out,
             "family,system,name,ranks,shape,sms,size_bytes,tokens_per_rank,measured_us,"
             "predicted_us,error_fraction,role\n");
  for (const CollectiveFit& fit : calibration.collectives) {
    const auto write = [&](const CollectiveRow& row, const char* role) {
      write_row(out,
                fmt::format("collective,{},{},{},,,{:.0f},", row.measured.system,
                            collective_kind_name(row.measured.kind), row.measured.ranks,
                            row.measured.size.base()),
                row.measured.time, row.predicted, role);
    };
    for (const CollectiveRow& row : fit.rows)
      write(row, row.is_second_mode ? "second_mode" : row.is_held_out ? "held_out" : "fit");
    for (const CollectiveRow& row : transfer_to_fewer_ranks(fit)) write(row, "transfer");
  }
  for (const ExpertParallelFit& fit : calibration.expert_parallel)
    for (const ExpertParallelRow& row : fit.rows) {
      const ExpertParallelShape& shape = row.measurement.shape;
      const bool is_normal = row.measurement.mode == Mode::kNormal;
      write_row(
          out,
          fmt::format("expert_parallel,{},{} {},{},{}x{} of {},{},,{:.0f}", row.measurement.system,
                      mode_name(row.measurement.mode), direction_name(row.direction), shape.ranks,
                      shape.d_model, shape.top_k, shape.num_experts,
                      is_normal ? fmt::format("{}", shape.communication_sms) : "",
                      shape.tokens_per_rank),
          row.measured, row.predicted, row.is_held_out ? "held_out" : "fit");
    }
  for (const PublishedRow& row : calibration.published) {
    const ExpertParallelShape& shape = row.published.shape;
    // A bandwidth is turned into the time that it means for the bytes it counts.
    const Seconds predicted = row.published.is_bandwidth ? row.time.transmit : row.time.total();
    const Seconds measured =
        row.published.is_bandwidth ? predicted * (1 + row.error()) : predicted / (1 + row.error());
    write_row(out,
              fmt::format("published,{},{} {},{},{}x{} of {},,,{:.0f}", row.published.system,
                          mode_name(row.published.mode), direction_name(row.direction), shape.ranks,
                          shape.d_model, shape.top_k, shape.num_experts, shape.tokens_per_rank),
              measured, predicted, "published");
  }
}

}  // namespace switchyard
