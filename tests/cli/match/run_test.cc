#include "cli/match/run.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "cli/app/exit_code.h"
#include "common/status/matchers.h"
#include "tests/cli/match/people.h"
#include "tests/cli/match/run_fixture.h"

namespace sluis::cli {
namespace {

using common::testing::StatusIs;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using testing::Link;
using testing::PeopleCsv;
using testing::RunMatchTest;

TEST_F(RunMatchTest, LinksTwoFilesWithErrorsAndReports) {
  Put("a.csv", PeopleCsv({.first = 0, .end = 1000}));
  Put("b.csv", PeopleCsv({.first = 500, .end = 1500, .errors_seed = 7, .id_prefix = "q"}));
  Run(Command({"a.csv", "b.csv"}));
  EXPECT_EQ(Links().size(), 2000u);
  const auto [pairs, right] = CountPairs();
  EXPECT_GE(right, 490);
  EXPECT_LE(pairs - right, 3);
  const nlohmann::json report = Report();
  EXPECT_EQ(report["mode"], "link");
  EXPECT_EQ(report["seed"], 1);
  EXPECT_EQ(report["links"]["records"], 2000);
  EXPECT_EQ(report["links"]["pairs"], pairs);
  EXPECT_EQ(report["passes"].size(), 2u);
  EXPECT_EQ(report["passes"][0]["kind"], "exact");
  EXPECT_EQ(report["passes"][1]["kind"], "probabilistic");
  EXPECT_TRUE(report["passes"][1]["exhaustive"].get<bool>());
  EXPECT_EQ(report["passes"][1]["pairs_compared"], 1'000'000);
  ASSERT_TRUE(report["estimate"]["available"].get<bool>()) << printed_;
  EXPECT_NEAR(report["estimate"]["precision"]["value"].get<double>(), static_cast<double>(right) / pairs, 0.03);
  EXPECT_NEAR(report["estimate"]["recall"]["value"].get<double>(), right / 500.0, 0.05);
  EXPECT_GT(report["peak_memory_bytes"].get<std::uint64_t>(), 1u << 20);
  EXPECT_THAT(printed_, HasSubstr("estimated without truth"));
}

TEST_F(RunMatchTest, FindsDuplicatesWithinAFile) {
  const std::string copies = PeopleCsv({.first = 50, .end = 250, .errors_seed = 3, .id_prefix = "q"});
  Put("a.csv", PeopleCsv({.first = 0, .end = 400}) + copies.substr(copies.find('\n') + 1));
  Run(Command({"a.csv"}));
  EXPECT_EQ(Report()["mode"], "dedupe");
  const auto [pairs, right] = CountPairs();
  EXPECT_GE(right, 190);
  EXPECT_LE(pairs - right, 5);
}

TEST_F(RunMatchTest, LinksByFieldsAtFieldLevel) {
  Put("a.csv", PeopleCsv({.first = 0, .end = 400}));
  Put("b.csv", PeopleCsv({.first = 200, .end = 600, .errors_seed = 7, .id_prefix = "q"}));
  MatchCommand command = Command({"a.csv", "b.csv"});
  for (const char* document : {"profile: FIELD_LEVEL", "{profile: FIELD_LEVEL, exhaustive_pairs: 1000}"}) {
    command.plan = Put("plan.yaml", document);
    command.threads = 1;
    Run(command);
    const auto [pairs, right] = CountPairs();
    EXPECT_GE(right, 195) << document << "\n" << printed_;
    EXPECT_LE(pairs - right, 3) << document;
    EXPECT_EQ(Report()["passes"][1]["model"]["fields"].size(), 6u);
    EXPECT_NEAR(Report()["estimate"]["precision"]["value"].get<double>(), static_cast<double>(right) / pairs, 0.03);
    const std::string links = Get("links.csv");
    command.threads = 3;
    Run(command);
    EXPECT_EQ(Get("links.csv"), links) << document;
  }
}

TEST_F(RunMatchTest, IsTheSameForTheSameSeedWhateverTheThreads) {
  Put("a.csv", PeopleCsv({.first = 0, .end = 400}));
  Put("b.csv", PeopleCsv({.first = 200, .end = 600, .errors_seed = 7, .id_prefix = "q"}));
  MatchCommand command = Command({"a.csv", "b.csv"});
  Run(command);
  const std::string links = Get("links.csv");
  EXPECT_GE(CountPairs().second, 190) << printed_;
  command.threads = 3;
  Run(command);
  EXPECT_EQ(Get("links.csv"), links);
}

TEST_F(RunMatchTest, BlocksWhereAllPairsAreTooMany) {
  Put("a.csv", PeopleCsv({.first = 0, .end = 1500}));
  Put("b.csv", PeopleCsv({.first = 500, .end = 2000, .errors_seed = 7, .id_prefix = "q"}));
  MatchCommand command = Command({"a.csv", "b.csv"});
  command.plan = Put("plan.yaml", "exhaustive_pairs: 1000");
  Run(command);
  const nlohmann::json pass = Report()["passes"][1];
  EXPECT_FALSE(pass["exhaustive"].get<bool>());
  EXPECT_LE(pass["blocking_recall"].get<double>(), 1);
  EXPECT_GT(pass["blocking_recall"].get<double>(), 0.9);
  const auto [pairs, right] = CountPairs();
  EXPECT_GE(right, 950) << printed_;
  EXPECT_LE(pairs - right, 10);
}

// Persons of [first, end) as PeopleCsv has them, with `bsn` for each record whose position is among its keys.
std::string WithIdentifiers(const testing::People& people, const std::map<std::size_t, std::string>& identifiers) {
  std::istringstream in(PeopleCsv(people));
  std::string line, out;
  for (std::size_t i = 0; std::getline(in, line); ++i) {
    const auto identifier = i == 0 ? identifiers.end() : identifiers.find(i - 1);
    if (identifier != identifiers.end()) line.insert(line.find(',') + 1, identifier->second);
    out += line + "\n";
  }
  return out;
}

TEST_F(RunMatchTest, LinksByIdentifierFirstAndReportsWhatContradictsIt) {
  // Person 100 has another's identifier in b: the identifier links, not the likeness. The second is in a twice: a
  // contradiction, so it links nothing. The third differs between records that are plainly one person.
  Put("a.csv", WithIdentifiers({.first = 0, .end = 300}, {{0, "A1"}, {5, "TWICE"}, {6, "TWICE"}, {150, "X"}}));
  Put("b.csv", WithIdentifiers({.first = 100, .end = 400, .errors_seed = 7, .id_prefix = "q"},
                               {{299, "a1 "}, {5, "TWICE"}, {50, "Y"}}));
  Run(Command({"a.csv", "b.csv"}));
  std::map<std::string, Link> links;
  for (const Link& link : Links()) links[link.record_id] = link;
  EXPECT_EQ(links["p0"].entity, links["q399"].entity);
  EXPECT_EQ(links["p0"].status, "linked");
  EXPECT_EQ(links["p5"].status, "conflict");
  EXPECT_EQ(links["p6"].status, "conflict");
  EXPECT_EQ(links["q105"].status, "conflict");
  EXPECT_NE(links["p5"].entity, links["p6"].entity);
  EXPECT_EQ(links["p105"].entity, links["q105"].entity) << "what a contradiction leaves open, likeness may link";
  EXPECT_EQ(links["p150"].entity, links["q150"].entity);
  const nlohmann::json pass = Report()["passes"][0];
  EXPECT_EQ(pass["records"], 7);
  EXPECT_EQ(pass["groups"], 2);
  EXPECT_EQ(pass["pairs"], 3);
  EXPECT_EQ(pass["conflicts"], 2);
  EXPECT_EQ(pass["contradicted_links"], 1);
  EXPECT_THAT(printed_, HasSubstr("linked pairs have different values of it"));
}

TEST_F(RunMatchTest, EvaluatesAgainstATruth) {
  Put("a.csv", PeopleCsv({.first = 0, .end = 300}));
  Put("b.csv", PeopleCsv({.first = 100, .end = 400, .errors_seed = 7, .id_prefix = "q"}));
  std::string truth = "entity,source,record_id\n";
  for (int i = 0; i < 300; ++i) truth += std::to_string(i) + ",a,p" + std::to_string(i) + "\n";
  for (int i = 100; i < 400; ++i) truth += std::to_string(i) + ",b,q" + std::to_string(i) + "\n";
  MatchCommand command = Command({"a.csv", "b.csv"});
  command.truth = Put("truth.csv", truth);
  Run(command);
  const nlohmann::json evaluation = Report()["evaluation"];
  EXPECT_EQ(evaluation["true_pairs"], 200);
  const auto [pairs, right] = CountPairs();
  EXPECT_EQ(evaluation["found_pairs"], pairs);
  EXPECT_EQ(evaluation["correct_pairs"], right);
  EXPECT_THAT(printed_, AllOf(HasSubstr("pairwise"), HasSubstr("B-cubed")));

  MatchCommand again;
  again.links = Path("links.csv");
  again.truth = command.truth;
  Run(again);
  EXPECT_THAT(printed_, HasSubstr(std::to_string(right) + " in both"));
}

TEST_F(RunMatchTest, KeepsEveryRecordOfInputsWithoutAnythingToLink) {
  const std::string header = "nr,bsn,given,surname,born,street,postcode,phone\n";
  Put("empty.csv", header);
  Put("one.csv", PeopleCsv({.first = 0, .end = 1}));
  Put("nulls.csv", header + "n1,,,,,,,\nn2,,,,,,,\n");
  Run(Command({"empty.csv", "one.csv", "nulls.csv"}));
  ASSERT_EQ(Links().size(), 3u);
  for (const Link& link : Links()) EXPECT_EQ(link.status, "single");
  EXPECT_FALSE(Report()["estimate"]["available"].get<bool>());
  EXPECT_THAT(printed_, AllOf(HasSubstr("no credible estimate"), HasSubstr("empty: the file has no records"),
                              HasSubstr("nulls: field `surname` has no value in any record")));
  Run(Command({"one.csv"}));
  EXPECT_EQ(Links().size(), 1u);
  Run(Command({"empty.csv"}));
  EXPECT_EQ(Links().size(), 0u);
}

TEST_F(RunMatchTest, LinksNothingWhereAllRecordsAreAlike) {
  std::string csv = "nr,bsn,given,surname,born,street,postcode,phone\n";
  for (int i = 0; i < 100; ++i) csv += std::to_string(i) + ",,Jan,Jansen,1980-01-01,Kerkstraat,1000,0612345678\n";
  Put("a.csv", csv);
  Put("b.csv", csv);
  Run(Command({"a.csv", "b.csv"}));
  EXPECT_EQ(Links().size(), 200u);
  EXPECT_EQ(Report()["links"]["pairs"], 0) << printed_;
  EXPECT_FALSE(Report()["estimate"]["available"].get<bool>());
  EXPECT_THAT(printed_, HasSubstr("has the same value wherever it has one"));
}

// The key names records and is not compared, so that it need not have another role.
TEST_F(RunMatchTest, TakesAKeyThatIsIgnoredOtherwise) {
  std::string schema = testing::PeopleSchema();
  const std::string role = "nr, type: string, x-role: attribute";
  schema.replace(schema.find(role), role.size(), "nr, type: string, x-role: ignore");
  Put("people.schema.yaml", schema);
  Put("a.csv", PeopleCsv({.first = 0, .end = 100}));
  Put("b.csv", PeopleCsv({.first = 50, .end = 150, .id_prefix = "q"}));
  Run(Command({"a.csv", "b.csv"}));
  EXPECT_GE(CountPairs().second, 49) << printed_;
}

TEST_F(RunMatchTest, LinksInSpiteOfAFieldWithOneValueOrNone) {
  const auto spoil = [](std::string csv) {
    std::istringstream in(csv);
    std::string line, out;
    std::getline(in, out);
    out += "\n";
    while (std::getline(in, line)) {
      line = line.substr(0, line.rfind(','));               // without phone
      line = line.substr(0, line.rfind(',')) + ",1000,\n";  // one postcode for all
      out += line;
    }
    return out;
  };
  Put("a.csv", spoil(PeopleCsv({.first = 0, .end = 400})));
  Put("b.csv", spoil(PeopleCsv({.first = 200, .end = 600, .errors_seed = 7, .id_prefix = "q"})));
  Run(Command({"a.csv", "b.csv"}));
  const auto [pairs, right] = CountPairs();
  EXPECT_GE(right, 185) << printed_;
  EXPECT_LE(pairs - right, 6);
}

TEST_F(RunMatchTest, RefusesFilesWithErrorsAndTellsAllOfThem) {
  Put("a.csv", PeopleCsv({.first = 0, .end = 3}) + "p1,,x,y,1980-01-01,z,1,2\n");
  Put("b.csv", "");
  Run(Command({"a.csv", "b.csv"}), kExitBadData);
  EXPECT_THAT(printed_, HasSubstr("row 5 (line 5), column `nr`: PRIMARY_KEY"));
  EXPECT_THAT(printed_, HasSubstr("FILE_EMPTY"));
  EXPECT_FALSE(std::filesystem::exists(Path("links.csv")));
}

TEST_F(RunMatchTest, RefusesACommandThatCannotWork) {
  Put("a.csv", PeopleCsv({.first = 0, .end = 3}));
  std::filesystem::create_directories(folder_ / "other");
  Put("other/a.csv", PeopleCsv({.first = 0, .end = 3}));
  const auto refused = [](const MatchCommand& command, const std::string& fragment) {
    EXPECT_THAT(RunMatch(command, false, true), StatusIs(absl::StatusCode::kInvalidArgument, fragment));
  };
  refused(Command({"a.csv", "other/a.csv"}), "two inputs are called a");
  refused(Command({}), "--input is needed");
  MatchCommand command = Command({"a.csv"});
  command.mode = "link";
  refused(command, "--mode link needs two inputs");
  command.mode = "join";
  refused(command, "--mode must be");
  command = Command({"a.csv"});
  command.out.clear();
  refused(command, "--out is needed");
  command = Command({"a.csv"});
  command.schemas.push_back(command.schemas[0]);
  refused(command, "there are 1 inputs and 2 schemas");
  command = Command({"a.csv"});
  command.plan = Put("plan.yaml", "threshold: 0.8");
  refused(command, "threshold");
  command = Command({"a.csv"});
  command.links = Path("links.csv");
  refused(command, "--links is for --evaluate");
  command = MatchCommand();
  command.links = command.truth = Put("truth.csv", "entity,source,record_id\n1,a,p1\n");
  command.mode = "join";
  refused(command, "--mode must be");
  command = Command({"a.csv"});
  command.threads = 100'000;
  refused(command, "--threads must be 0 to 1024");
  command = Command({"a.csv"});
  command.truth = Path("no-truth.csv");
  EXPECT_THAT(RunMatch(command, false, true), StatusIs(absl::StatusCode::kNotFound, "no-truth.csv"));
  EXPECT_FALSE(std::filesystem::exists(Path("links.csv")));  // found out before the run
  EXPECT_THAT(RunMatch(Command({"absent.csv"}), false, true), StatusIs(absl::StatusCode::kNotFound, "absent.csv"));
}

TEST_F(RunMatchTest, RefusesSchemasWithoutACommonField) {
  Put("a.csv", PeopleCsv({.first = 0, .end = 3}));
  Put("b.csv", "id,colour\n1,red\n");
  MatchCommand command = Command({"a.csv", "b.csv"});
  command.schemas.push_back(Put("b.schema.yaml",
                                "fields: [{name: id, type: string, x-role: attribute}, {name: colour, type: string, "
                                "x-role: quasi}]\nprimaryKey: id\n"));
  EXPECT_THAT(RunMatch(command, false, true), StatusIs(absl::StatusCode::kInvalidArgument, "no field in common"));
}

TEST_F(RunMatchTest, PrintsAPlanThatGivesTheSameLinks) {
  Put("a.csv", PeopleCsv({.first = 0, .end = 400}));
  Put("b.csv", PeopleCsv({.first = 200, .end = 600, .errors_seed = 7, .id_prefix = "q"}));
  MatchCommand command = Command({"a.csv", "b.csv"});
  Run(command);
  const std::string links = Get("links.csv");
  EXPECT_GE(CountPairs().second, 190) << printed_;
  command.print_plan = true;
  Run(command);
  command.print_plan = false;
  command.plan = Put("plan.yaml", printed_);
  Run(command);
  EXPECT_EQ(Get("links.csv"), links);
}

TEST_F(RunMatchTest, LeavesTheOldLinksOrTheNewOnesWhenKilled) {
  Put("a.csv", PeopleCsv({.first = 0, .end = 3000}));
  Put("b.csv", PeopleCsv({.first = 1000, .end = 4000, .errors_seed = 7, .id_prefix = "q"}));
  const MatchCommand command = Command({"a.csv", "b.csv"});
  const std::string old = "entity,source,record_id,status\r\n";
  int killed = 0;
  for (int delay_ms = 5; delay_ms <= 400; delay_ms = delay_ms * 3 / 2 + 1) {
    Put("links.csv", old);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(STDOUT_FILENO);
      _exit(RunMatch(command, false, true).ok() ? 0 : 1);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(delay_ms));
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    killed += WIFSIGNALED(status) ? 1 : 0;
    const std::size_t records = Links().size();
    EXPECT_THAT(records, AnyOf(0u, 6000u)) << "after " << delay_ms << " ms";
  }
  EXPECT_GE(killed, 3) << "the kills came too late to try anything";
  Run(command);  // nothing of the killed runs is in the way
  EXPECT_EQ(Links().size(), 6000u);
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    EXPECT_THAT(entry.path().filename().string(),
                AnyOf("a.csv", "b.csv", "links.csv", "report.json", "people.schema.yaml"));
  }
}

}  // namespace
}  // namespace sluis::cli
