#include "sim/cli/read_faults.hpp"

#include "sim/cli/message_text.hpp"

namespace switchyard {
namespace {

/// An item of `degraded`: a link or a switch.
struct Fault {
  std::optional<LinkFault> link;
  std::string failed_switch;
};

Fault read_fault(Section section) {
  Fault fault;
  const auto link =
      section.find("link", "Name of a link of `show topology --links`.", types::text());
  const auto node =
      section.find("switch", "Name of a switch, all links of which have failed.", types::text());
  const auto factor = section.find("bandwidth_factor", "Share of the bandwidth that is left.",
                                   types::number({.above = 0.0, .max = 1.0}));
  const bool failed = section.optional_boolean("failed", "Out of service.", false);
  const bool both = section.optional_choice<bool>(
      "direction", "Whether the opposite direction of the cable suffers too.", true,
      {{"both", true}, {"one", false}});
  if (section.ok() && link.has_value() == node.has_value())
    section.problem("expected either link or switch");
  if (section.ok() && factor.has_value() == failed)
    section.problem("expected either bandwidth_factor or failed: true");
  if (section.ok() && node && !failed)
    section.problem("bandwidth_factor", "a switch can only have failed: true");
  section.finish();
  if (link) fault.link = {.link = *link, .bandwidth_factor = factor, .both_directions = both};
  if (node) fault.failed_switch = *node;
  return fault;
}

/// The names a fault can have: of links, or of switches.
std::vector<std::string> names_in(const NetworkSpec& network, bool of_links) {
  std::vector<std::string> names;
  const Topology topology = build_topology(network);
  if (of_links) {
    for (const NetworkLink& link : topology.links) names.push_back(link.name);
  } else {
    for (const NodeId node : boost::make_iterator_range(boost::vertices(topology.graph)))
      if (topology.graph[node].kind == NodeKind::kRouter)
        names.push_back(topology.graph[node].name);
  }
  return names;
}

void report_faults(const DegradedSpec& spec, const std::vector<Fault>& faults, Section& section) {
  for (const SpecProblem& problem : problems(spec)) {
    // "links[1]" is the second of the faults that are links.
    const bool of_links = problem.key.starts_with("links");
    const std::size_t bracket = problem.key.find('[');
    if (bracket == std::string::npos) {
      section.problem("degraded", problem.text);
      continue;
    }
    std::size_t left = std::stoul(problem.key.substr(bracket + 1));
    for (std::size_t i = 0; i < faults.size(); ++i) {
      if (faults[i].link.has_value() != of_links || left-- > 0) continue;
      const std::string& name = of_links ? faults[i].link->link : faults[i].failed_switch;
      section.problem(fmt::format("degraded[{}].{}", i, of_links ? "link" : "switch"),
                      problem.text + did_you_mean(name, names_in(*spec.network, of_links)));
      break;
    }
  }
}

}  // namespace

NetworkSpec read_faults(Section& section, NetworkSpec network) {
  const std::vector<Fault> faults = section.optional_sections(
      "degraded", "Links and switches that are slow or have failed.", read_fault);
  if (faults.empty() || !section.ok()) return network;
  DegradedSpec degraded{.network = std::make_shared<const NetworkSpec>(std::move(network)),
                        .links = {},
                        .failed_switches = {}};
  for (const Fault& fault : faults) {
    if (fault.link)
      degraded.links.push_back(*fault.link);
    else
      degraded.failed_switches.push_back(fault.failed_switch);
  }
  report_faults(degraded, faults, section);
  return degraded;
}

}  // namespace switchyard
