#include "sim/cli/net_request.hpp"

#include <charconv>
#include <cmath>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "sim/cli/message_text.hpp"
#include "sim/core/error.hpp"
#include "sim/core/parse_units.hpp"

namespace switchyard {
namespace {

Bytes parse_size(std::string_view text) {
  const std::optional<Bytes> size = parse_bytes(text);
  constexpr Bytes kLargest{0x1p60};
  if (!size || *size < Bytes{1} || *size > kLargest)
    throw ConfigError(
        fmt::format("--bytes: expected a size from 1 B to 1048576 TiB with its unit (B, kB, MB, "
                    "GB, TB, KiB, MiB, "
                    "GiB, TiB), such as \"64 MiB\", or a range \"1 KiB..1 GiB\", got {}",
                    in_quotes(text)));
  return *size;
}

std::optional<int> parse_rank(std::string_view text) {
  int rank = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rank);
  if (error != std::errc{} || end != text.data() + text.size() || rank < 0) return std::nullopt;
  return rank;
}

/// "0,2,4-7"
std::vector<int> parse_ranks(std::string_view text, int num_ranks) {
  const auto refuse = [&](const std::string& why) {
    throw ConfigError(fmt::format("--ranks: {}, got {}", why, in_quotes(text)));
  };
  std::vector<int> ranks;
  std::set<int> seen;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view part = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    const std::size_t dash = part.find('-');
    const std::optional<int> first = parse_rank(part.substr(0, dash));
    const std::optional<int> last =
        dash == std::string_view::npos ? first : parse_rank(part.substr(dash + 1));
    if (!first || !last || *first > *last) refuse("expected ranks such as \"0-15\" or \"0,2,4-7\"");
    if (*last >= num_ranks) refuse(fmt::format("the system has ranks 0 to {}", num_ranks - 1));
    for (int rank = *first; rank <= *last; ++rank) {
      if (!seen.insert(rank).second) refuse(fmt::format("rank {} is there twice", rank));
      ranks.push_back(rank);
    }
  }
  return ranks;
}

}  // namespace

std::vector<Bytes> parse_sizes(std::span<const std::string> texts) {
  std::vector<Bytes> sizes;
  for (const std::string& text : texts) {
    const std::size_t dots = text.find("..");
    if (dots == std::string::npos) {
      sizes.push_back(parse_size(text));
      continue;
    }
    const Bytes first = parse_size(std::string_view{text}.substr(0, dots));
    const Bytes last = parse_size(std::string_view{text}.substr(dots + 2));
    if (first < Bytes{1} || last < first)
      throw ConfigError(fmt::format(
          "--bytes: expected a range from a smaller size of at least 1 B to a larger, got {}",
          in_quotes(text)));
    for (Bytes size = first; size <= last; size = 2 * size) sizes.push_back(size);
  }
  return sizes;
}

std::vector<CollectiveAlgorithm> parse_algorithms(CollectiveKind kind,
                                                  std::span<const std::string> names) {
  std::vector<std::string> known = {"auto"};
  for (const CollectiveAlgorithm algorithm : algorithms_of(kind))
    known.emplace_back(algorithm_name(algorithm));
  std::vector<CollectiveAlgorithm> algorithms;
  for (const std::string& name : names) {
    if (std::ranges::find(known, name) == known.end()) {
      const std::string near = did_you_mean(name, known);
      throw ConfigError(fmt::format(
          "--algorithm: {} is none of {}{}", in_quotes(name), kind_name(kind),
          near.empty() ? fmt::format("; there are: {}", fmt::join(known, ", ")) : near));
    }
    algorithms.push_back(*find_algorithm(name));
  }
  return algorithms;
}

std::vector<EngineKind> parse_engines(std::span<const std::string> names) {
  std::vector<EngineKind> engines;
  for (const std::string& name : names) {
    if (name == "fluid")
      engines.push_back(EngineKind::kFluid);
    else if (name == "analytic")
      engines.push_back(EngineKind::kAnalytic);
    else if (name == "simgrid" && has_simgrid())
      engines.push_back(EngineKind::kSimGrid);
    else if (name == "simgrid")
      throw ConfigError(
          "--engine: this build has no SimGrid; install libsimgrid-dev and build again, or use "
          "fluid, which gives the same times");
    else
      throw ConfigError(
          fmt::format("--engine: expected fluid, analytic or simgrid, got {}", in_quotes(name)));
  }
  return engines;
}

std::vector<RankGroup> parse_groups(std::string_view ranks, int group_size, int stride,
                                    int num_ranks) {
  if (ranks.empty() && group_size == 0 && stride == 1) return {};  // one group of all ranks
  std::vector<int> members;
  if (ranks.empty())
    for (int rank = 0; rank < num_ranks; ++rank) members.push_back(rank);
  else
    members = parse_ranks(ranks, num_ranks);
  const int count = static_cast<int>(members.size());
  const int size = group_size == 0 ? count / stride : group_size;
  const std::int64_t block = std::int64_t{size} * stride;
  if (size == 0 || count % block != 0)
    throw ConfigError(fmt::format(
        "--group-size: {} ranks cannot be cut into groups of {} at a stride of {}; {} must be a "
        "multiple of {}",
        count, group_size, stride, count, std::max<std::int64_t>(block, 1)));
  if (size < 2)
    throw ConfigError(fmt::format(
        "--group-size: expected at least two ranks in a group, got {}; one rank sends nothing",
        size));
  std::vector<RankGroup> groups;
  for (int base = 0; base < count; base += static_cast<int>(block)) {
    for (int offset = 0; offset < stride; ++offset) {
      RankGroup group;
      for (int place = 0; place < size; ++place)
        group.emplace_back(members[static_cast<std::size_t>(base + offset + place * stride)]);
      groups.push_back(std::move(group));
    }
  }
  return groups;
}

}  // namespace switchyard
