#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include "sim/cli/commands.hpp"
#include "sim/cli/interrupted.hpp"
#include "sim/core/error.hpp"
#include "sim/core/version.hpp"
#include "sim/engine/engine.hpp"

namespace {

constexpr int kUserError = 2;
constexpr int kOurBug = 1;
constexpr int kInterrupted = 3;

std::string version_text() {
  const auto build = switchyard::build_info();
  return fmt::format("switchyard {} git={} {} simgrid={} cuda=no mpi=no", build.version,
                     build.git_hash, build.compiler, switchyard::has_simgrid() ? "yes" : "no");
}

/// Results that could not be written are no success.
int flush_results() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return 0;
  fmt::print(stderr, "standard output: could not be written: {}\n", std::strerror(errno));
  return kUserError;
}

}  // namespace

int main(int argc, char** argv) {
#ifdef SIGXFSZ
  std::signal(SIGXFSZ, SIG_IGN);  // writing past a limit on files fails, which is said
#endif
  spdlog::set_default_logger(spdlog::stderr_color_mt("switchyard"));
  CLI::App program{"What a Mixture-of-Experts model costs to train, before renting the machines.",
                   "switchyard"};
  program.set_version_flag("--version", version_text());
  program.get_formatter()->column_width(34);
  program.footer("Example: switchyard run experiments/table1.yaml --out out/table1");
  try {
    switchyard::add_run(program);
    switchyard::add_validate(program);
    switchyard::add_calibrate(program);
    switchyard::add_compare(program);
    switchyard::add_check(program);
    switchyard::add_show(program);
    switchyard::add_net(program);
    switchyard::add_fit(program);
    switchyard::add_execute(program);
    switchyard::add_import(program);
    switchyard::add_schema(program);
    program.parse(argc, argv);
    if (!program.get_subcommands().empty()) return flush_results();
    fmt::print(stderr, "{}", program.help());
    return kUserError;
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? 0 : kUserError;
  } catch (const switchyard::Interrupted& interrupted) {
    fmt::print(stderr, "{}\n", interrupted.what());
    return kInterrupted;
  } catch (const switchyard::ConfigError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return kUserError;
  } catch (const std::exception& error) {
    fmt::print(stderr, "switchyard: {}\n", error.what());
    return kOurBug;
  }
}
