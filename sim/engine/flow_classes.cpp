#include "sim/engine/flow_classes.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <map>
#include <unordered_map>
#include <utility>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kEqual = 1 + 1e-12;  // shares that differ by rounding only

class ClassRun {
 public:
  explicit ClassRun(const FlowClasses& classes);

  std::vector<Seconds> run();

 private:
  enum class State : char { kWaiting, kUnderWay, kFixed, kEnded };

  bool begin_classes();
  void fill();
  bool end_classes();

  template <class Visit>
  void for_each_link(std::size_t c, const Visit& visit) const {
    for (std::uint32_t k = classes_->first_link[c]; k < classes_->first_link[c + 1]; ++k)
      visit(classes_->link_class[k], classes_->weight[k]);
  }

  const FlowClasses* classes_;
  std::vector<State> state_;  ///< kFixed while filling only
  std::vector<double> left_;
  std::vector<double> rate_;
  std::vector<double> rest_;   ///< capacity, by link class
  std::vector<double> users_;  ///< flows not fixed yet
  std::vector<Seconds> finish_;
  double now_ = 0;
};

ClassRun::ClassRun(const FlowClasses& classes)
    : classes_{&classes},
      state_(classes.bytes.size(), State::kWaiting),
      rate_(classes.bytes.size()),
      rest_(classes.capacity.size()),
      users_(classes.capacity.size()),
      finish_(classes.bytes.size()) {
  for (const Bytes bytes : classes.bytes) left_.push_back(bytes.base());
}

std::vector<Seconds> ClassRun::run() {
  while (begin_classes()) {
    fill();
    double next = kInfinity;
    for (std::size_t c = 0; c < state_.size(); ++c) {
      if (state_[c] == State::kWaiting) next = std::min(next, classes_->start[c].base());
      if (state_[c] == State::kFixed) next = std::min(next, now_ + left_[c] / rate_[c]);
    }
    SWITCHYARD_CHECK(next < kInfinity, "{} classes do not end", state_.size());
    for (std::size_t c = 0; c < state_.size(); ++c) {
      if (state_[c] != State::kFixed) continue;
      left_[c] -= rate_[c] * (next - now_);
      state_[c] = left_[c] <= (kEqual - 1) * rate_[c] * next ? State::kEnded : State::kUnderWay;
      if (state_[c] == State::kEnded) finish_[c] = Seconds{next};
    }
    now_ = next;
  }
  return finish_;
}

/// False when all have ended.
bool ClassRun::begin_classes() {
  bool any_left = false;
  for (std::size_t c = 0; c < state_.size(); ++c) {
    if (state_[c] == State::kWaiting && classes_->start[c].base() <= now_)
      state_[c] = State::kUnderWay;
    any_left = any_left || state_[c] != State::kEnded;
  }
  return any_left;
}

void ClassRun::fill() {
  for (std::size_t o = 0; o < rest_.size(); ++o) rest_[o] = classes_->capacity[o].base();
  std::ranges::fill(users_, 0.0);
  std::vector<std::uint32_t> open;
  for (std::uint32_t c = 0; c < state_.size(); ++c) {
    if (state_[c] != State::kUnderWay) continue;
    open.push_back(c);
    for_each_link(c, [&](std::uint32_t o, double weight) { users_[o] += weight; });
  }
  constexpr double kNobody = 1e-9;  // what rounding leaves of a sum of weights
  while (!open.empty()) {
    double lowest = kInfinity;
    for (std::size_t o = 0; o < rest_.size(); ++o)
      if (users_[o] > kNobody) lowest = std::min(lowest, rest_[o] / users_[o]);
    std::vector<char> is_lowest(rest_.size());
    for (std::size_t o = 0; o < rest_.size(); ++o)
      is_lowest[o] = users_[o] > kNobody && rest_[o] / users_[o] <= lowest * kEqual ? 1 : 0;
    std::size_t kept = 0;
    for (const std::uint32_t c : open) {
      bool fixes = false;
      for_each_link(c, [&](std::uint32_t o, double) { fixes = fixes || is_lowest[o] != 0; });
      if (!fixes) {
        open[kept++] = c;
        continue;
      }
      state_[c] = State::kFixed;
      rate_[c] = lowest;
      for_each_link(c, [&](std::uint32_t o, double weight) {
        rest_[o] -= weight * lowest;
        users_[o] -= weight;
      });
    }
    SWITCHYARD_CHECK(kept < open.size(), "no class of {} is held back", open.size());
    open.resize(kept);
  }
}

/// Classes that cross the same links at the same date with the same size are one; the class of
/// each.
std::vector<std::uint32_t> merge(const FlowClasses& classes, FlowClasses& merged) {
  using Key = std::pair<std::pair<double, double>, std::vector<std::pair<std::uint32_t, double>>>;
  std::map<Key, std::uint32_t> numbers;
  std::vector<std::uint32_t> number(classes.bytes.size());
  merged.capacity = classes.capacity;
  for (std::size_t c = 0; c < classes.bytes.size(); ++c) {
    Key key{{classes.bytes[c].base(), classes.start[c].base()}, {}};
    for (std::uint32_t k = classes.first_link[c]; k < classes.first_link[c + 1]; ++k)
      key.second.emplace_back(classes.link_class[k], classes.weight[k]);
    std::ranges::sort(key.second);
    const auto [place, is_new] =
        numbers.try_emplace(std::move(key), static_cast<std::uint32_t>(merged.bytes.size()));
    number[c] = place->second;
    if (is_new) {
      merged.bytes.push_back(classes.bytes[c]);
      merged.start.push_back(classes.start[c]);
      for (const auto& [link, weight] : place->first.second) {
        merged.link_class.push_back(link);
        merged.weight.push_back(weight);
      }
      merged.first_link.push_back(static_cast<std::uint32_t>(merged.link_class.size()));
    } else {
      for (std::uint32_t k = merged.first_link[number[c]]; k < merged.first_link[number[c] + 1];
           ++k)
        merged.weight[k] += place->first.second[k - merged.first_link[number[c]]].second;
    }
  }
  return number;
}

std::uint64_t mix(std::uint64_t bits) {  // SplitMix64
  bits += 0x9e3779b97f4a7c15U;
  bits = (bits ^ (bits >> 30U)) * 0xbf58476d1ce4e5b9U;
  bits = (bits ^ (bits >> 27U)) * 0x94d049bb133111ebU;
  return bits ^ (bits >> 31U);
}

/// Numbers equal colours alike, in the order of their first appearance; returns how many there are.
std::size_t number_colours(const std::vector<std::uint64_t>& colours,
                           std::vector<std::uint32_t>& numbers) {
  std::unordered_map<std::uint64_t, std::uint32_t> known;
  numbers.resize(colours.size());
  for (std::size_t i = 0; i < colours.size(); ++i) {
    if (i > 0 && colours[i] == colours[i - 1])
      numbers[i] = numbers[i - 1];
    else
      numbers[i] =
          known.try_emplace(colours[i], static_cast<std::uint32_t>(known.size())).first->second;
  }
  return known.size();
}

/// Writes down one flow of each class and how many flows of it a link of each class carries.
FlowClasses describe(const FlowSet& set, const std::vector<std::uint32_t>& flow_class,
                     std::size_t num_classes, const std::vector<std::uint32_t>& link_class,
                     std::size_t num_link_classes) {
  FlowClasses classes;
  std::vector<double> links(num_link_classes);
  classes.capacity.resize(num_link_classes);
  for (std::size_t link = 0; link < link_class.size(); ++link) {
    links[link_class[link]] += 1.0;
    classes.capacity[link_class[link]] = set.capacity[link];
  }
  std::vector<double> flows(num_classes);
  for (const std::uint32_t c : flow_class) flows[c] += 1.0;
  for (std::size_t flow = 0; flow < num_flows(set); ++flow) {
    const std::uint32_t c = flow_class[flow];
    if (c != classes.bytes.size()) continue;  // numbered in the order of their first appearance
    classes.bytes.push_back(set.bytes[flow]);
    classes.start.push_back(set.start.empty() ? Seconds{} : set.start[flow]);
    std::map<std::uint32_t, double> crossed;
    for (const LinkId link : links_of(set, flow)) crossed[link_class[link.index()]] += 1.0;
    for (const auto& [o, crossings] : crossed) {
      classes.link_class.push_back(o);
      classes.weight.push_back(crossings * flows[c] / links[o]);
    }
    classes.first_link.push_back(static_cast<std::uint32_t>(classes.link_class.size()));
  }
  return classes;
}

}  // namespace

std::vector<Seconds> class_times(const FlowClasses& classes) {
  constexpr std::size_t kFew = 16;
  const bool at_once =
      std::ranges::adjacent_find(classes.start, std::ranges::not_equal_to{}) == classes.start.end();
  if (classes.bytes.size() <= kFew || at_once) return ClassRun{classes}.run();
  FlowClasses merged;
  const std::vector<std::uint32_t> number = merge(classes, merged);
  const std::vector<Seconds> times = ClassRun{merged}.run();
  std::vector<Seconds> finish;
  for (const std::uint32_t n : number) finish.push_back(times[n]);
  return finish;
}

Refinement refine(const FlowSet& set) {
  const std::size_t flows = num_flows(set);
  std::vector<std::uint64_t> flow_colour(flows);
  std::vector<std::uint64_t> link_colour;
  for (const BytesPerSecond rate : set.capacity)
    link_colour.push_back(mix(std::bit_cast<std::uint64_t>(rate.base())));
  for (std::size_t f = 0; f < flows; ++f)
    flow_colour[f] =
        mix(std::bit_cast<std::uint64_t>(set.bytes[f].base()) ^
            mix(set.start.empty() ? 0 : std::bit_cast<std::uint64_t>(set.start[f].base())));
  Refinement refinement;
  std::vector<std::uint32_t> link_class;
  std::size_t num_classes = number_colours(flow_colour, refinement.flow_class);
  std::size_t num_link_classes = number_colours(link_colour, link_class);
  std::vector<std::uint64_t> carried(link_colour.size());
  while (true) {
    std::ranges::fill(carried, 0);
    for (std::size_t f = 0; f < flows; ++f) {
      std::uint64_t crossed = 0;
      for (const LinkId link : links_of(set, f)) crossed += link_colour[link.index()];
      flow_colour[f] = mix(flow_colour[f] ^ mix(crossed));
      for (const LinkId link : links_of(set, f)) carried[link.index()] += flow_colour[f];
    }
    for (std::size_t l = 0; l < link_colour.size(); ++l)
      link_colour[l] = mix(link_colour[l] ^ mix(carried[l]));
    const std::size_t more = number_colours(flow_colour, refinement.flow_class);
    const std::size_t more_links = number_colours(link_colour, link_class);
    if (more == num_classes && more_links == num_link_classes) break;
    num_classes = more;
    num_link_classes = more_links;
  }
  refinement.classes =
      describe(set, refinement.flow_class, num_classes, link_class, num_link_classes);
  return refinement;
}

}  // namespace switchyard
