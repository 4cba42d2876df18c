#include "sim/cli/calibration/import/read_operator_csv.hpp"

#include <map>

#include "sim/cli/calibration/point_shape.hpp"
#include "sim/cli/csv_reader.hpp"
#include "sim/cli/message_text.hpp"

namespace switchyard {
namespace {

constexpr double kLongest_us = 1e12;

/// The field; empty where there is no such column.
std::string text_or_empty(const CsvReader& csv, const std::string& column) {
  return csv.has(column) ? csv.text(column) : "";
}

double microseconds(CsvReader& csv, const std::string& column) {
  const double time = csv.positive(column);
  if (time > kLongest_us)
    csv.problem(fmt::format("{}: expected at most 1e12 microseconds", column));
  return time / 1e6;
}

void read_type(CsvReader& csv, ImportedPoint& point) {
  static const std::map<std::string, std::string> kTypes{
      {"float32", "float32"}, {"bfloat16", "bfloat16"}, {"float16", "bfloat16"}};
  const auto type = kTypes.find(csv.text("type"));
  if (type != kTypes.end())
    point.type = type->second;
  else
    csv.problem(fmt::format("type: expected one of float32, bfloat16, float16, got {}",
                            in_quotes(csv.text("type"))));
}

void read_operator(CsvReader& csv, ImportedPoint& point) {
  std::string problem;
  if (collective_of_name(point.name)) {
    CollectivePoint collective;
    problem = read_shape(point.shape, collective);
    point.type = "float32";
    point.ranks = csv.has("ranks") ? csv.count("ranks", 2) : 1;
    if (!csv.has("ranks")) csv.problem("ranks: expected a column, of how many ranks");
    point.transport = text_or_empty(csv, "transport");
    if (point.transport.empty()) point.transport = "nccl";
    if (point.transport != "nccl" && point.transport != "mpi" && point.transport != "loopback")
      csv.problem(fmt::format("transport: expected one of nccl, mpi, loopback, got {}",
                              in_quotes(point.transport)));
  } else if (const auto kind = kernel_of_name(point.name)) {
    KernelCall call{.kind = *kind};
    problem = read_shape(point.shape, call);
  } else {
    problem =
        fmt::format("operator: {} is none of those of docs/calibrating.md", in_quotes(point.name));
  }
  if (!problem.empty()) csv.problem(problem);
}

void read_times(CsvReader& csv, ImportedPoint& point) {
  point.median_s = microseconds(csv, "time_us");
  const auto quantile = [&](const char* column) {
    return text_or_empty(csv, column).empty() ? point.median_s : microseconds(csv, column);
  };
  point.p10_s = quantile("p10_us");
  point.p90_s = quantile("p90_us");
  if (point.p10_s > point.median_s || point.median_s > point.p90_s)
    csv.problem("expected p10_us <= time_us <= p90_us");
  if (!text_or_empty(csv, "repeats").empty()) point.repeats = csv.count("repeats");
  point.role = text_or_empty(csv, "role");
  if (!point.role.empty() && point.role != "fit" && point.role != "held_out")
    csv.problem(
        fmt::format("role: expected fit, held_out or nothing, got {}", in_quotes(point.role)));
}

void read_heads(const std::vector<std::string>& comments, ImportedFile& result) {
  for (const std::string& line : comments)
    for (const auto& [head, value] :
         {std::pair{"# software: ", &result.software}, std::pair{"# device: ", &result.device},
          std::pair{"# backend: ", &result.backend}})
      if (line.starts_with(head)) {
        std::string text = line.substr(std::string_view{head}.size());
        *value = plain_words(std::move(text));
      }
}

}  // namespace

ImportedFile read_operator_csv(const std::string& text, const std::string& file) {
  CsvReader csv{file, text};
  csv.require({"operator", "shape", "type", "time_us"});
  ImportedFile result;
  while (csv.next_row()) {
    ImportedPoint point{.name = csv.text("operator"), .shape = csv.text("shape")};
    point.file = file;
    read_type(csv, point);
    read_operator(csv, point);
    read_times(csv, point);
    result.points.push_back(std::move(point));
  }
  csv.throw_if_any();
  read_heads(csv.comments(), result);
  return result;
}

}  // namespace switchyard
