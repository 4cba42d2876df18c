#include "sim/cli/read_router.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sim/cli/data_folder.hpp"
#include "sim/core/error.hpp"

namespace switchyard {
namespace {

const NumberRange kSigma{.min = 0.0, .max = 3.0};
const NumberRange kTilt{.min = -1.0, .max = 1e6};
constexpr double kSumTolerance = 1e-6;

double read_sigma(Section& section, std::string_view key) {
  return section.number(key, "Standard deviation of the logarithm of an expert's popularity.",
                        kSigma);
}

RouterSpec read_given(Section& section) {
  const std::vector<double> shares =
      section.list("shares", "Share of the first choices by expert; they sum to 1.",
                   types::fraction(), {.min = 1, .max = 10'000'000});
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  if (section.ok() && std::abs(sum - 1.0) > kSumTolerance)
    section.problem("shares",
                    fmt::format("expected shares that sum to 1, got a sum of {:.6g}", sum));
  return FixedRouter{GivenPopularity{.weights = shares}};
}

/// The sigma of a log-normal popularity.
double sigma_of(const PopularitySpec& popularity) {
  if (const auto* quantiles = std::get_if<LognormalQuantilePopularity>(&popularity))
    return quantiles->sigma;
  return std::get<LognormalPopularity>(popularity).sigma;
}

std::optional<BiasBalancing> read_bias_balancing(Section& section) {
  auto balancing = section.optional_subsection(
      "bias_balancing", "Balancing by a bias per expert that only chooses (DeepSeek-V3).");
  if (!balancing) return std::nullopt;
  BiasBalancing bias;
  bias.update = balancing->optional_number("update", "Change of a bias in one step, in logits.",
                                           bias.update, {.above = 0.0, .max = 10.0});
  bias.steps = balancing->optional_count("steps", "Steps made before the draw.", bias.steps,
                                         {.min = 0, .max = 1'000'000});
  balancing->finish();
  return bias;
}

RouterSpec read_learned(Section& section) {
  LearnedRouter learned;
  if (auto imbalance = section.optional_subsection(
          "imbalance", "How uneven the popularity of experts is; fitted values when missing.")) {
    learned.lognormal_sigma = imbalance->optional_number(
        "lognormal_sigma", "Standard deviation of the logarithm of an expert's popularity.",
        learned.lognormal_sigma, kSigma);
    learned.layer_spread = imbalance->optional_number(
        "layer_spread", "Standard deviation of the logarithm of a layer's own sigma.", 0.0, kSigma);
    learned.drift_steps = imbalance->optional_number(
        "drift_steps", "Steps in which popularity forgets itself to 1/e; 0: draws are independent.",
        0.0, {.min = 0.0, .max = 1e12});
    learned.steps_between_draws = imbalance->optional_number(
        "steps_between_draws", "Training steps from one draw to the next.", 1.0,
        {.above = 0.0, .max = 1e12});
    imbalance->finish();
  }
  learned.bias_balancing = read_bias_balancing(section);
  return learned;
}

LayerMemory read_layer_memory(Section section) {
  LayerMemory memory;
  memory.layer = section.count("layer", "MoE layer of the stack, from 0.", {0, 100'000});
  const double sigma = read_sigma(section, "popularity_sigma");
  memory.popularity = LognormalQuantilePopularity{sigma};
  memory.first_tilt = section.number(
      "first_tilt", "The expert chosen first by the token before weighs 1 + this.", kTilt);
  memory.second_tilt = section.number(
      "second_tilt", "The expert chosen second by the token before weighs 1 + this.", kTilt);
  section.finish();
  return memory;
}

/// The chain that a profile has for a domain.
std::vector<LayerMemory> load_memory(Section& section, const std::string& profile,
                                     const std::string& domain) {
  const Catalog catalog = routing_catalog();
  const std::optional<YamlNode> node = catalog.load(profile);
  if (!node) {
    section.problem("profile", fmt::format("no routing profile is called {}; there are: {}",
                                           in_quotes(profile), fmt::join(catalog.names, ", ")));
    return {};
  }
  std::vector<LayerMemory> layers;
  std::vector<std::string> domains;
  for (const auto& entry : node->find("domains")->value.entries) domains.push_back(entry.key);
  if (std::ranges::find(domains, domain) == domains.end()) {
    section.problem("domain", fmt::format("expected one of {}, got {}{}", fmt::join(domains, ", "),
                                          in_quotes(domain), did_you_mean(domain, domains)));
    return {};
  }
  return read_document(*node, [&](Section file) {
    (void)file.count("experts", "Experts of the model that was measured.");
    Section all = file.subsection("domains", "Chains by domain of text.");
    for (const std::string& name : domains) {
      auto chain = all.sections(name, "By layer.", read_layer_memory, {.min = 1});
      if (name == domain) layers = std::move(chain);
    }
    all.finish();
    file.finish();
    return layers;
  });
}

RouterSpec read_temporal(Section& section) {
  TemporalRouter router;
  const bool in_place = section.has("layers");
  router.layers = section.optional_sections(
      "layers", "Memory by MoE layer; in between, tilts are interpolated.", read_layer_memory,
      {.min = 1});
  const std::string profile = section.optional_text(
      "profile", "Fitted memory of a model, a file of experiments/routing.", "mixtral-8x7b");
  const std::string domain =
      section.optional_text("domain", "Domain of text of the profile.", "all");
  if (in_place) {
    for (const char* key : {"profile", "domain"})
      if (section.has(key)) section.problem(key, "of no use beside layers; leave one of them out");
  } else {
    router.layers = load_memory(section, profile, domain);
  }
  if (section.ok() &&
      !std::ranges::is_sorted(router.layers, std::ranges::less_equal{}, &LayerMemory::layer))
    section.problem("layers", "expected layers in ascending order, each once");
  return router;
}

RouterSpec read_domains(Section& section) {
  DomainRouter router;
  router.domain_weights =
      section.list("weights", "How often a sequence is of each domain.",
                   types::number({.min = 0.0, .max = 1e9}), {.min = 1, .max = 100'000});
  if (section.ok() && std::ranges::all_of(router.domain_weights, [](double w) { return w == 0; }))
    section.problem("weights", "expected at least one weight above 0");
  router.of_domain = LognormalPopularity{section.number(
      "sigma", "Log-normal spread of popularity that each domain has of its own.", kSigma)};
  router.common = LognormalPopularity{section.optional_number(
      "common_sigma", "Log-normal spread of popularity that all domains share.", 0.0, kSigma)};
  router.sequence_tokens = section.optional_integer(
      "sequence_tokens", "Tokens after which a rank goes on with another sequence.",
      router.sequence_tokens, {1, 1'000'000'000});
  return router;
}

RouterSpec read_trace(Section& section) {
  TraceRouter router;
  router.file =
      section.text("file", "Recorded choices (.npy or .csv), beside the experiment file.");
  if (!section.ok()) return router;
  try {
    router.trace = std::make_shared<const RoutingTrace>(
        read_routing_trace(section.file_beside("file", router.file)));
  } catch (const ConfigError& error) {
    section.problem("file", error.what());
  }
  return router;
}

}  // namespace

RouterSpec read_router(Section& section) {
  return section.variant<RouterSpec>(
      "kind", "How tokens choose experts.",
      {{"uniform", [](Section&) -> RouterSpec { return FixedRouter{}; }},
       {"learned", read_learned},
       {"zipf",
        [](Section& zipf) -> RouterSpec {
          return FixedRouter{ZipfPopularity{
              zipf.number("exponent", "The r-th most popular expert weighs r^-exponent.",
                          {.min = 0.0, .max = 10.0})}};
        }},
       {"lognormal",
        [](Section& lognormal) -> RouterSpec {
          return FixedRouter{LognormalPopularity{read_sigma(lognormal, "sigma")}};
        }},
       {"dirichlet",
        [](Section& dirichlet) -> RouterSpec {
          return FixedRouter{DirichletPopularity{dirichlet.number(
              "concentration", "Of a symmetric Dirichlet distribution; large is even.",
              {.min = 1e-3, .max = 1e9})}};
        }},
       {"given", read_given},
       {"temporal", read_temporal},
       {"domains", read_domains},
       {"correlated",
        [](Section& layers) -> RouterSpec {
          LayerCorrelatedRouter router;
          router.popularity = LognormalPopularity{read_sigma(layers, "sigma")};
          router.affinity = layers.fraction(
              "affinity", "Probability that a choice follows that of the layer below.");
          return router;
        }},
       {"trace", read_trace}});
}

namespace {

Json json_of(const FixedRouter& router) {
  if (const auto* zipf = std::get_if<ZipfPopularity>(&router.popularity))
    return {{"kind", "zipf"}, {"exponent", zipf->exponent}};
  if (const auto* lognormal = std::get_if<LognormalPopularity>(&router.popularity))
    return {{"kind", "lognormal"}, {"sigma", lognormal->sigma}};
  if (const auto* dirichlet = std::get_if<DirichletPopularity>(&router.popularity))
    return {{"kind", "dirichlet"}, {"concentration", dirichlet->concentration}};
  if (const auto* given = std::get_if<GivenPopularity>(&router.popularity))
    return {{"kind", "given"}, {"shares", given->weights}};
  return {{"kind", "uniform"}};
}

Json json_of(const LearnedRouter& router) {
  Json json = {{"kind", "learned"},
               {"imbalance",
                {{"lognormal_sigma", router.lognormal_sigma},
                 {"layer_spread", router.layer_spread},
                 {"drift_steps", router.drift_steps},
                 {"steps_between_draws", router.steps_between_draws}}}};
  if (router.bias_balancing)
    json["bias_balancing"] = {{"update", router.bias_balancing->update},
                              {"steps", router.bias_balancing->steps}};
  return json;
}

Json json_of(const TemporalRouter& router) {
  Json layers = Json::array();
  for (const LayerMemory& memory : router.layers)
    layers.push_back({{"layer", memory.layer},
                      {"popularity_sigma", sigma_of(memory.popularity)},
                      {"first_tilt", memory.first_tilt},
                      {"second_tilt", memory.second_tilt}});
  return {{"kind", "temporal"}, {"layers", layers}};
}

Json json_of(const DomainRouter& router) {
  return {{"kind", "domains"},
          {"weights", router.domain_weights},
          {"sigma", sigma_of(router.of_domain)},
          {"common_sigma", sigma_of(router.common)},
          {"sequence_tokens", router.sequence_tokens}};
}

Json json_of(const LayerCorrelatedRouter& router) {
  return {{"kind", "correlated"},
          {"sigma", sigma_of(router.popularity)},
          {"affinity", router.affinity}};
}

Json json_of(const TraceRouter& router) { return {{"kind", "trace"}, {"file", router.file}}; }

void check_given(const GivenPopularity& given, int num_experts, int num_choices, Section& section) {
  if (std::ssize(given.weights) != num_experts) {
    section.problem("routing.shares",
                    fmt::format("expected a share for each of the {} experts, got {}", num_experts,
                                given.weights.size()));
    return;
  }
  const auto possible = std::ranges::count_if(given.weights, [](double w) { return w > 0.0; });
  if (possible < num_choices)
    section.problem("routing.shares",
                    fmt::format("expected at least {} shares above 0, for the experts that a token "
                                "may be sent to; got {}",
                                num_choices, possible));
}

void check_trace(const RoutingTrace& trace, int num_experts, int num_layers, int num_choices,
                 Section& section) {
  if (trace.num_experts > num_experts)
    section.problem("routing.file",
                    fmt::format("the trace uses expert {}, the model has {} (0 to {})",
                                trace.num_experts - 1, num_experts, num_experts - 1));
  if (trace.num_layers < num_layers)
    section.problem("routing.file",
                    fmt::format("the trace has {} MoE layers, a stack of the model {}",
                                trace.num_layers, num_layers));
  if (trace.num_choices < num_choices)
    section.problem("routing.file",
                    fmt::format("the trace has {} choices of each token, {} are needed",
                                trace.num_choices, num_choices));
}

}  // namespace

Json router_json(const RouterSpec& router) {
  return std::visit([](const auto& kind) { return json_of(kind); }, router);
}

void check_router(const RouterSpec& router, int num_experts, int num_layers, int num_choices,
                  Section& section) {
  if (const auto* fixed = std::get_if<FixedRouter>(&router))
    if (const auto* given = std::get_if<GivenPopularity>(&fixed->popularity))
      check_given(*given, num_experts, num_choices, section);
  if (const auto* trace = std::get_if<TraceRouter>(&router); trace != nullptr && trace->trace)
    check_trace(*trace->trace, num_experts, num_layers, num_choices, section);
}

}  // namespace switchyard
