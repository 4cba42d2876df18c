#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "sim/core/version.hpp"
#include "sim/engine/engine.hpp"
#include "tests/cli/program_run.hpp"

namespace switchyard {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing::UnorderedElementsAre;
using Json = nlohmann::ordered_json;

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator{folder}) names.insert(entry.path().filename());
  return names;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

class Program : public ProgramTest {};

class ProgramWithEngine : public ProgramTest, public testing::WithParamInterface<std::string> {};

TEST_P(ProgramWithEngine, PrintsTheSameBytesWhateverTheJobs) {
  if (GetParam() == "simgrid" && !has_simgrid()) GTEST_SKIP() << "built without SimGrid";
  const auto json = [&](const std::string& jobs) {
    return switchyard({"run", "experiments/table2.yaml", "--engine", GetParam(), "--format", "json",
                       "--quiet", "--jobs", jobs});
  };
  const ProgramRun first = json("1");
  EXPECT_EQ(first.exit_code, 0);
  EXPECT_EQ(first.err, "");
  EXPECT_EQ(Json::parse(first.out)["cases"].size(), 3U);  // float32, bfloat16, selective
  EXPECT_EQ(Json::parse(first.out)["engine"], GetParam());
  EXPECT_EQ(json("1").out, first.out);
  EXPECT_EQ(json("2").out, first.out);
  EXPECT_EQ(json("16").out, first.out);  // more than there are cases
}

INSTANTIATE_TEST_SUITE_P(Engines, ProgramWithEngine, testing::Values("analytic", "simgrid"));

TEST_F(Program, RefusesSimgridWhereItIsNotBuiltIn) {
  if (has_simgrid()) GTEST_SKIP() << "built with SimGrid";
  const ProgramRun run = switchyard({"run", "experiments/table2.yaml", "--engine", "simgrid"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("--engine analytic"));
}

TEST_F(Program, RefusesAChangeThatEveryCaseOrTheSweepUndoes) {
  // Every case of table 2 sets its precision.
  const ProgramRun run =
      switchyard({"check", "experiments/table2.yaml", "--set", "precision=float32"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_EQ(run.err,
            "--set precision=float32: has no effect: every case of the file sets this again; "
            "change it there\n");
}

TEST_F(Program, SaysThatResultsCouldNotBeWritten) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  const ProgramRun run =
      run_program("/bin/sh", {"-c", SWITCHYARD_PROGRAM " show model switch-base >/dev/full"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_EQ(run.err, "standard output: could not be written: No space left on device\n");
}

TEST_F(Program, PrintsCsvWithALinePerCase) {
  const ProgramRun run = switchyard(
      {"run", "experiments/table2.yaml", "--engine", "analytic", "--format", "csv", "--seed", "5"});
  EXPECT_EQ(run.exit_code, 0);
  const std::vector<std::string> lines = lines_of(run.out);
  ASSERT_EQ(lines.size(), 5U);  // a comment, the header, three cases
  EXPECT_EQ(lines[0], fmt::format("# switchyard {} git={} seed=5 experiment=table2 engine=analytic",
                                  build_info().version, build_info().git_hash));
  EXPECT_THAT(lines[1], StartsWith("case,examples_per_s,published_examples_per_s,"));
  EXPECT_THAT(lines[2], StartsWith("float32,"));
  EXPECT_THAT(lines[3], StartsWith("bfloat16,"));
  EXPECT_THAT(lines[4], StartsWith("selective,"));
}

TEST_F(Program, PrintsTheSameWhereOneRankStandsForAll) {
  const std::vector<std::string> run{
      "run", "experiments/table1.yaml", "--engine", "analytic", "--format", "json"};
  std::vector<std::string> folded = run;
  folded.emplace_back("--folded");
  EXPECT_EQ(switchyard(folded).out, switchyard(run).out);
  const ProgramRun refused =
      switchyard({"run", "experiments/table1.yaml", "--engine", "fluid", "--folded"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.err.find("--engine analytic"), std::string::npos) << refused.err;
}

TEST_F(Program, WritesExactlyThreeFiles) {
  const fs::path out = folder() / "deep" / "out";
  const std::vector<std::string> run{"run", "experiments/table2.yaml", "--engine", "analytic"};
  const auto with = [&run](std::vector<std::string> more) {
    more.insert(more.begin(), run.begin(), run.end());
    return more;
  };
  const ProgramRun written = switchyard(with({"--out", out.string()}));
  EXPECT_EQ(written.exit_code, 0);
  EXPECT_THAT(written.err, AllOf(StartsWith("wrote results.json, results.csv and timeline.json"),
                                 HasSubstr(out.string())));
  EXPECT_THAT(names_in(out), UnorderedElementsAre("results.json", "results.csv", "timeline.json"));
  EXPECT_EQ(file_text(out / "results.json"), switchyard(with({"--format", "json"})).out);
  EXPECT_EQ(file_text(out / "results.csv"), switchyard(with({"--format", "csv"})).out);
  EXPECT_TRUE(Json::accept(file_text(out / "timeline.json")));
}

TEST_F(Program, SaysNothingWhenQuiet) {
  const ProgramRun run = switchyard({"run", "experiments/table2.yaml", "--engine", "analytic",
                                     "--quiet", "--out", (folder() / "out").string()});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.err, "");
}

TEST_F(Program, WritesTheTimelineOfTheCaseThatIsAskedFor) {
  const auto timeline = [&](const std::string& name) {
    const fs::path out = folder() / name;
    EXPECT_EQ(switchyard({"run", "experiments/table2.yaml", "--engine", "analytic", "--out",
                          out.string(), "--trace", name})
                  .exit_code,
              0);
    return file_text(out / "timeline.json");
  };
  EXPECT_NE(timeline("float32"), timeline("bfloat16"));  // other formats, other times
  const ProgramRun typo = switchyard({"run", "experiments/table2.yaml", "--trace", "floot32"});
  EXPECT_EQ(typo.exit_code, 2);
  EXPECT_EQ(typo.err,
            "--trace: expected the name of a case, got \"floot32\"; did you mean \"float32\"?\n");
}

TEST_F(Program, SaysWhyItCannotWrite) {
  std::ofstream(folder() / "file") << "in the way";
  const std::string below = (folder() / "file" / "out").string();
  const ProgramRun run =
      switchyard({"run", "experiments/table2.yaml", "--engine", "analytic", "--out", below});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_EQ(run.err, below + ": cannot create this folder: Not a directory\n");
}

TEST_F(Program, SaysThatItMayNotWrite) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  const fs::path locked = folder() / "locked";
  fs::create_directory(locked);
  fs::permissions(locked, fs::perms::owner_read | fs::perms::owner_exec);
  const ProgramRun run = switchyard(
      {"run", "experiments/table2.yaml", "--engine", "analytic", "--out", locked.string()});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("Permission denied"));
}

TEST_F(Program, NamesItsBuild) {
  const ProgramRun run = switchyard({"--version"});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.err, "");
  EXPECT_THAT(run.out, AllOf(StartsWith(fmt::format("switchyard {} git=", build_info().version)),
                             HasSubstr(has_simgrid() ? " simgrid=yes" : " simgrid=no"),
                             HasSubstr(" cuda="), HasSubstr(" mpi=")));
}

class ProgramHelp : public ProgramTest,
                    public testing::WithParamInterface<std::vector<std::string>> {};

TEST_P(ProgramHelp, HasAnExample) {
  std::vector<std::string> arguments = GetParam();
  arguments.emplace_back("--help");
  const ProgramRun run = switchyard(arguments);
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.err, "");
  EXPECT_THAT(run.out, HasSubstr("Example: switchyard "));
}

INSTANTIATE_TEST_SUITE_P(
    Subcommands, ProgramHelp,
    testing::Values(std::vector<std::string>{}, std::vector<std::string>{"run"},
                    std::vector<std::string>{"check"}, std::vector<std::string>{"show"},
                    std::vector<std::string>{"show", "model"},
                    std::vector<std::string>{"show", "system"}, std::vector<std::string>{"fit"},
                    std::vector<std::string>{"execute"}, std::vector<std::string>{"import"},
                    std::vector<std::string>{"schema"}));

/// Arguments that are refused, and what the message has to name.
struct Refusal {
  std::vector<std::string> arguments;
  std::string named;
};

std::ostream& operator<<(std::ostream& out, const Refusal& refusal) {
  return out << fmt::format("{}", fmt::join(refusal.arguments, " "));
}

class ProgramRefuses : public ProgramTest, public testing::WithParamInterface<Refusal> {};

TEST_P(ProgramRefuses, ArgumentsThatItDoesNotKnow) {
  const ProgramRun run = switchyard(GetParam().arguments);
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_EQ(run.out, "");
  EXPECT_THAT(run.err, HasSubstr(GetParam().named));
}

INSTANTIATE_TEST_SUITE_P(
    Arguments, ProgramRefuses,
    testing::Values(
        Refusal{{}, "Usage: switchyard"}, Refusal{{"frobnicate"}, "frobnicate"},
        Refusal{{"--frobnicate"}, "--frobnicate"}, Refusal{{"run"}, "file"},
        Refusal{{"run", "experiments/table2.yaml", "--frobnicate"}, "--frobnicate"},
        Refusal{{"run", "experiments/table2.yaml", "--engine", "steam"}, "steam"},
        Refusal{{"run", "experiments/table2.yaml", "--format", "xml"}, "xml"},
        Refusal{{"run", "experiments/table2.yaml", "--jobs", "0"}, "--jobs"},
        Refusal{{"run", "experiments/table2.yaml", "--seed", "-1"}, "\"-1\""},
        Refusal{{"run", "experiments/table2.yaml", "--seed", "99999999999999999999"},
                "the largest possible is 9223372036854775807"},
        Refusal{{"run", "experiments/table2.yaml", "--set", "seed"}, "expected path=value"},
        Refusal{{"run", "experiments/no_such.yaml"},
                "experiments/no_such.yaml: there is no such file"},
        Refusal{{"check", "experiments/no_such.yaml"},
                "experiments/no_such.yaml: there is no such file"},
        Refusal{{"fit", "experiments/no_such.yaml"},
                "experiments/no_such.yaml: there is no such file"},
        Refusal{{"run", "experiments"}, "experiments: expected a YAML file, got a directory"},
        Refusal{{"fit", "experiments/table2.yaml"}, "nothing to fit to"},
        Refusal{{"run", "experiments/table2.yaml", "--refit"}, "--refit"},
        Refusal{{"execute"}, "an experiment file or --train with a file of keys, got neither"},
        Refusal{{"execute", "experiments/execute.yaml", "--train", "experiments/train.txt"},
                "got both"},
        Refusal{{"execute", "--train", "experiments/execute.yaml"}, "expected key = value"},
        Refusal{{"execute", "--train", "no_such.txt"}, "no_such.txt: cannot be read"},
        Refusal{{"execute", "--train", "experiments/train.txt", "--case", "data"}, "--case"},
        Refusal{{"execute", "experiments/execute.yaml", "--trace", "a.npy"}, "--train"},
        Refusal{{"show", "model", "swich-base"}, "did you mean \"switch-base\"?"},
        Refusal{{"show", "system", "tpu-v3-33"}, "did you mean \"tpu-v3-32\"?"}));

TEST_F(Program, RefusesDataFoldersWithoutCatalogs) {
  const ProgramRun run = switchyard({"check", "experiments/table2.yaml"}, folder().string());
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_EQ(run.err,
            fmt::format("SWITCHYARD_DATA: expected a folder with topologies/catalog in it, got "
                        "\"{}\"\n",
                        folder().string()));
}

TEST_F(Program, ChecksWhatIsShipped) {
  for (const auto& entry :
       fs::directory_iterator{fs::path{SWITCHYARD_SOURCE_DIR} / "experiments"}) {
    if (entry.path().extension() != ".yaml") continue;
    const ProgramRun run = switchyard({"check", entry.path().string()});
    EXPECT_EQ(run.exit_code, 0) << entry.path();
    EXPECT_EQ(run.err, "") << entry.path();
    EXPECT_THAT(run.out, StartsWith(entry.path().stem().string() + ": ")) << entry.path();
    if (entry.path().stem() != "partitioning") {  // it asks what does not fit
      EXPECT_THAT(run.out, Not(HasSubstr("DOES NOT FIT"))) << entry.path();
    }
  }
}

TEST_F(Program, ShowsEveryModelAndSystem) {
  for (const std::string kind : {"model", "system"}) {
    const ProgramRun list = switchyard({"show", kind});
    EXPECT_EQ(list.exit_code, 0);
    for (const std::string& name : lines_of(list.out)) {
      if (name == "tpu-v3-2048") continue;  // all 2048^2 distances: seconds
      const ProgramRun run = switchyard({"show", kind, name});
      EXPECT_EQ(run.exit_code, 0) << name << ": " << run.err;
      EXPECT_THAT(run.out, StartsWith(name + ": "));
    }
  }
}

TEST_F(Program, PrintsASchemaWithTheKeysOfExperiments) {
  const ProgramRun run = switchyard({"schema"});
  EXPECT_EQ(run.exit_code, 0);
  ASSERT_TRUE(Json::accept(run.out));
  const Json schema = Json::parse(run.out);
  // The keys of table1.yaml: what is left of the first colon where a line starts with a letter.
  std::set<std::string> keys;
  for (const std::string& line :
       lines_of(file_text(fs::path{SWITCHYARD_SOURCE_DIR} / "experiments" / "table1.yaml")))
    if (!line.empty() && line[0] >= 'a' && line[0] <= 'z')
      keys.insert(line.substr(0, line.find(':')));
  EXPECT_GE(keys.size(), 10U);  // name, title, model, system, partition, batch, ..., leave_one_out
  for (const std::string& key : keys) EXPECT_TRUE(schema["properties"].contains(key)) << key;
}

TEST_F(Program, PrintsASchemaThatShippedExperimentsFollow) {
  constexpr const char* kValidate = R"(
import json, sys
try:
    import jsonschema, yaml
except ImportError as error:
    print(error)
    sys.exit(77)
schema = json.load(open(sys.argv[1]))
validator = jsonschema.Draft202012Validator(schema)
validator.check_schema(schema)
problems = [f"{name}: {problem.json_path}: {problem.message}" for name in sys.argv[2:]
            for problem in validator.iter_errors(yaml.safe_load(open(name)))]
print("\n".join(problems))
sys.exit(1 if problems else 0)
)";
  const fs::path schema = folder() / "schema.json";
  std::ofstream(schema) << switchyard({"schema"}).out;
  const auto validate = [&](const std::vector<std::string>& files) {
    std::vector<std::string> arguments{"-c", kValidate, schema.string()};
    arguments.insert(arguments.end(), files.begin(), files.end());
    return run_program(SWITCHYARD_PYTHON, arguments);
  };
  const ProgramRun good =
      validate({"experiments/table1.yaml", "experiments/table1_top2_readings.yaml",
                "experiments/table2.yaml", "tests/cli/bad/expert_ranks.yaml"});
  if (good.exit_code == 77 || good.exit_code == 127)
    GTEST_SKIP() << "no Python with jsonschema and yaml: " << good.out;
  EXPECT_EQ(good.exit_code, 0) << good.out << good.err;
  // What a schema can see of the bad ones, editors underline.
  for (const std::string name :
       {"unknown_key", "unknown_top_level_key", "missing_key", "number_without_unit", "wrong_type",
        "text_for_mapping", "capacity_factor_zero", "unknown_choice", "unknown_routing_kind",
        "imbalance_of_uniform", "no_cases"})
    EXPECT_EQ(validate({"tests/cli/bad/" + name + ".yaml"}).exit_code, 1) << name;
}

/// A copy of the shipped catalogs, whose profile may be written.
class ProgramFit : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    for (const std::string part :
         {"experiments/models", "topologies/catalog", "cost_models/profiles"}) {
      fs::create_directories(data() / part);
      fs::copy(fs::path{SWITCHYARD_SOURCE_DIR} / part, data() / part);
    }
  }
  [[nodiscard]] fs::path data() const { return folder() / "data"; }
  [[nodiscard]] fs::path profile() const {
    return data() / "cost_models" / "profiles" / "tpu-v3-core.yaml";
  }
  [[nodiscard]] ProgramRun fit() const {
    return switchyard({"fit", "experiments/table1.yaml", "--write", profile().string()},
                      data().string());
  }
};

TEST_F(ProgramFit, WritesTheSameTwice) {
  const std::string shipped = file_text(profile());
  const ProgramRun first = fit();
  EXPECT_EQ(first.exit_code, 0);
  EXPECT_EQ(first.err, "wrote " + profile().string() + "\n");
  const std::string once = file_text(profile());
  const ProgramRun second = fit();
  EXPECT_EQ(second.out, first.out);
  EXPECT_EQ(file_text(profile()), once);
  // A regression test: the shipped constants are those that the shipped rows give.
  EXPECT_EQ(once, shipped);
}

TEST_F(ProgramFit, ChangesNothingButTheFittedValues) {
  const std::string shipped = file_text(profile());
  std::string other = shipped;
  const std::string key = "matmul_efficiency: {value: ";
  const std::size_t value = other.find(key) + key.size();
  ASSERT_LT(value, other.size());
  other.replace(value, other.find(',', value) - value, "0.41");
  std::ofstream(profile()) << other;
  EXPECT_EQ(fit().exit_code, 0);
  EXPECT_EQ(file_text(profile()), shipped);  // back from 0.41, and every other byte as it was
  EXPECT_THAT(names_in(profile().parent_path()), Not(testing::Contains(StartsWith("."))));
}

TEST_F(ProgramFit, RefusesAProfileWithoutTheConstants) {
  std::ofstream(profile()) << "peak_bfloat16: 61.5 TFLOP/s\n";
  // The catalog is the shipped one here: only the file to write is broken.
  const ProgramRun run =
      switchyard({"fit", "experiments/table1.yaml", "--write", profile().string()});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("matmul_efficiency"));
  EXPECT_EQ(file_text(profile()), "peak_bfloat16: 61.5 TFLOP/s\n");
}

}  // namespace
}  // namespace switchyard
