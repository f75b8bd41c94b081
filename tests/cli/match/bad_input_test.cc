#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <map>
#include <random>
#include <thread>

#include "cli/match/run.h"
#include "tests/cli/match/run_fixture.h"

// Input and circumstances that nobody wants, at the level of the command.

namespace sluis::cli {
namespace {

using common::testing::StatusIs;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using testing::Link;
using testing::PeopleCsv;

class BadInputTest : public testing::RunMatchTest {
 protected:
  std::map<std::string, Link> LinksById() const {
    std::map<std::string, Link> links;
    for (const Link& link : Links()) links[link.record_id] = link;
    return links;
  }

  // Runs the command in a process of its own, which `disturb` is given; returns its wait status.
  template <typename Disturb>
  int RunDisturbed(const MatchCommand& command, Disturb disturb) {
    const pid_t child = fork();
    EXPECT_GE(child, 0);
    if (child == 0) {
      close(STDOUT_FILENO);
      const absl::StatusOr<int> code = RunMatch(command, false, true);
      _exit(code.ok() ? *code : ToExitCode(code.status()));
    }
    disturb(child);
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return status;
  }

  void ExpectNoTraceOfOutputs() const {
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      const std::string name = entry.path().filename().string();
      EXPECT_TRUE(!name.starts_with(".") && name != "links.csv" && name != "report.json") << name;
    }
  }
};

TEST_F(BadInputTest, SchemasWithoutRolesAreMatchedByAllFieldsWithAWarning) {
  Put("people.schema.yaml",
      "fields: [{name: nr}, {name: bsn}, {name: given}, {name: surname}, {name: born, type: date}, {name: street},\n"
      "  {name: postcode}, {name: phone, type: number}]\nprimaryKey: nr\n");
  Put("a.csv", PeopleCsv({.first = 0, .end = 400}));
  Put("b.csv", PeopleCsv({.first = 200, .end = 600, .errors_seed = 7, .id_prefix = "q"}));
  Run(Command({"a.csv", "b.csv"}));
  const auto [pairs, right] = CountPairs();
  EXPECT_GE(right, 190) << printed_;
  EXPECT_LE(pairs - right, 3);
  EXPECT_THAT(printed_, HasSubstr("no field but the primary key has an x-role: all others are compared"));
  EXPECT_THAT(printed_, Not(HasSubstr("x-scale")));
}

TEST_F(BadInputTest, DuplicatesWithinAFileAreLinkedOnceUnderLinkAndFoundByDedupe) {
  const std::string twice = PeopleCsv({.first = 100, .end = 160, .errors_seed = 3, .id_prefix = "d"});
  Put("a.csv", PeopleCsv({.first = 0, .end = 400}) + twice.substr(twice.find('\n') + 1));
  Put("b.csv", PeopleCsv({.first = 0, .end = 400, .errors_seed = 7, .id_prefix = "q"}));
  Run(Command({"a.csv", "b.csv"}));
  ASSERT_EQ(Links().size(), 860u);
  std::map<std::string, int> of_a;
  for (const Link& link : Links()) of_a[link.entity] += link.source == "a" ? 1 : 0;
  for (const auto& [entity, records] : of_a) EXPECT_LE(records, 1);
  EXPECT_GE(CountPairs().second, 370) << printed_;
  // Each file by itself: the 60 of a.
  MatchCommand command = Command({"a.csv"});
  Run(command);
  const auto [pairs, right] = CountPairs();
  EXPECT_GE(right, 55) << printed_;
  EXPECT_LE(pairs - right, 3);
}

TEST_F(BadInputTest, TheSameFileTwiceLinksEachRecordWithItself) {
  Put("a.csv", PeopleCsv({.first = 0, .end = 400}));
  Put("copy.csv", Get("a.csv"));
  Run(Command({"a.csv", "copy.csv"}));
  const auto [pairs, right] = CountPairs();
  EXPECT_EQ(right, 400) << printed_;
  EXPECT_EQ(pairs, 400);
  EXPECT_THAT(RunMatch(Command({"a.csv", "a.csv"}), false, true),
              StatusIs(absl::StatusCode::kInvalidArgument, "two inputs are called a"));
}

// As LinksByIdentifierFirst, with two identifiers that contradict each other.
TEST_F(BadInputTest, OfContradictoryKeysTheEarlierPassPrevailsAndTheRestIsConflict) {
  Put("people.schema.yaml",
      "fields:\n  - {name: nr, type: string, x-role: attribute}\n  - {name: bsn, type: string, x-role: identifier}\n"
      "  - {name: passport, type: string, x-role: identifier}\nprimaryKey: nr\n");
  Put("a.csv", "nr,bsn,passport\na1,1,P1\na2,2,P2\na3,,P3\n");
  Put("b.csv", "nr,bsn,passport\nb1,1,P2\nb2,2,P1\nb3,,P3\n");
  Run(Command({"a.csv", "b.csv"}));
  std::map<std::string, Link> links = LinksById();
  EXPECT_EQ(links["a1"].entity, links["b1"].entity);
  EXPECT_EQ(links["a2"].entity, links["b2"].entity);
  EXPECT_EQ(links["a3"].entity, links["b3"].entity);
  EXPECT_EQ(links["a1"].status, "conflict");
  EXPECT_EQ(links["a3"].status, "linked");
  EXPECT_EQ(Report()["passes"][0]["conflicts"], 0);
  EXPECT_EQ(Report()["passes"][1]["conflicts"], 2);
  EXPECT_EQ(Report()["passes"][1]["contradicted_links"], 2);
  EXPECT_THAT(printed_, HasSubstr("exact pass on `passport`: 2 pairs contradict"));
}

// All equal: each pass has one block of everything. 2 * 10^10 pairs within, and as many between, cannot be compared.
TEST_F(BadInputTest, AFileOfEqualRecordsEndsSoonWithAWarning) {
  constexpr int kRecords = 200'000;
  std::string csv = "nr,bsn,given,surname,born,street,postcode,phone\n";
  for (int i = 0; i < kRecords; ++i) {
    csv += std::to_string(i) + ",,Jan,Jansen,1980-01-01,Kerkstraat,1000,0612345678\n";
  }
  Put("a.csv", csv);
  Put("b.csv", csv);
  for (const char* document : {"profile: RECORD_LEVEL", "profile: FIELD_LEVEL"}) {
    for (const std::vector<std::string>& inputs : {std::vector<std::string>{"a.csv"}, {"a.csv", "b.csv"}}) {
      MatchCommand command = Command(inputs);
      command.plan = Put("plan.yaml", document);
      const std::clock_t start = std::clock();
      Run(command);
      EXPECT_LT((std::clock() - start) / CLOCKS_PER_SEC, 60) << "seconds of processor time";
      EXPECT_LT(Report()["peak_memory_bytes"].get<std::uint64_t>(), std::uint64_t{2} << 30);
      EXPECT_EQ(Report()["links"]["records"], kRecords * static_cast<int>(inputs.size()));
      EXPECT_EQ(Report()["links"]["pairs"], 0) << document;
      EXPECT_THAT(printed_, HasSubstr("warning: ")) << document;
      EXPECT_THAT(printed_, HasSubstr("has the same value wherever it has one"));
      EXPECT_FALSE(Report()["estimate"]["available"].get<bool>());
    }
  }
}

TEST_F(BadInputTest, OneIdentifierInAllRecordsLinksNothing) {
  constexpr int kRecords = 200'000;
  Put("people.schema.yaml",
      "fields:\n  - {name: nr, type: string, x-role: attribute}\n  - {name: bsn, type: string, x-role: identifier}\n"
      "primaryKey: nr\n");
  for (const char* name : {"a", "b"}) {
    std::string csv = "nr,bsn\n";
    for (int i = 0; i < kRecords; ++i) csv += name + std::to_string(i) + ",999999990\n";
    Put(std::string(name) + ".csv", csv);
  }
  Run(Command({"a.csv", "b.csv"}));
  EXPECT_EQ(Report()["links"]["conflict"], 2 * kRecords);
  EXPECT_EQ(Report()["links"]["pairs"], 0);
}

TEST_F(BadInputTest, AnInterruptedRunEndsWithItsCodeAndNoHalfFile) {
  Put("a.csv", PeopleCsv({.first = 0, .end = 4000}));
  Put("b.csv", PeopleCsv({.first = 1000, .end = 5000, .errors_seed = 7, .id_prefix = "q"}));
  Put("c.csv", PeopleCsv({.first = 2000, .end = 6000, .errors_seed = 9, .id_prefix = "r"}));
  MatchCommand command = Command({"a.csv", "b.csv", "c.csv"});
  command.work = Path("work");
  int interrupted = 0;
  std::mt19937 random(7);
  for (int run = 0; run < 6; ++run) {
    const int status = RunDisturbed(command, [&](pid_t child) {
      // Not before it listens: the signal would kill a process that has only begun.
      std::this_thread::sleep_for(std::chrono::milliseconds(100 + random() % 1200));
      kill(child, SIGINT);
    });
    ASSERT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
    EXPECT_THAT(WEXITSTATUS(status), AnyOf(kExitCancelled, kExitOk));
    if (WEXITSTATUS(status) != kExitCancelled) break;
    ++interrupted;
    ExpectNoTraceOfOutputs();
  }
  EXPECT_GE(interrupted, 1) << "the signals came too late to try anything";
  Run(command);
  EXPECT_EQ(Links().size(), 12'000u);
}

TEST_F(BadInputTest, OutputsThatCannotBeWrittenAreRefusedBeforeTheWork) {
  Put("a.csv", PeopleCsv({.first = 0, .end = 40}));
  const auto refused = [&](const std::string& out, const std::string& report, absl::StatusCode code,
                           const std::string& fragment) {
    MatchCommand command = Command({"a.csv"});
    command.out = out;
    command.report = report;
    EXPECT_THAT(RunMatch(command, false, true), StatusIs(code, fragment));
  };
  const std::string links = Path("links.csv");
  refused(Path("absent/links.csv"), "", absl::StatusCode::kFailedPrecondition, "its directory does not exist");
  refused(links, Path("absent/report.json"), absl::StatusCode::kFailedPrecondition, "its directory does not exist");
  refused(Path("a.csv"), "", absl::StatusCode::kInvalidArgument, "must not name an input");
  refused(links, Path("./a.csv"), absl::StatusCode::kInvalidArgument, "must not name an input");
  refused(links, links, absl::StatusCode::kInvalidArgument, "the same file");
  std::filesystem::create_directories(folder_ / "folder");
  refused(Path("folder"), "", absl::StatusCode::kFailedPrecondition, "something else than a regular file");
  std::filesystem::create_symlink("elsewhere", folder_ / "symlink");
  refused(Path("symlink"), "", absl::StatusCode::kFailedPrecondition, "something else than a regular file");
  if (geteuid() != 0) {  // root may write anywhere
    std::filesystem::permissions(folder_ / "folder", std::filesystem::perms::owner_read);
    refused(Path("folder/links.csv"), "", absl::StatusCode::kPermissionDenied, "cannot write into");
    std::filesystem::permissions(folder_ / "folder", std::filesystem::perms::owner_all);
  }
  EXPECT_FALSE(std::filesystem::exists(links));
}

TEST_F(BadInputTest, AnUnreadableInputIsAnError) {
  std::filesystem::create_directories(folder_ / "folder.csv");
  const absl::StatusOr<int> code = RunMatch(Command({"folder.csv"}), false, true);
  EXPECT_TRUE(!code.ok() || *code == kExitBadData);
  EXPECT_FALSE(std::filesystem::exists(Path("links.csv")));
}

// A limit on the size of files stands in for a disk that is full: writing fails in the middle.
TEST_F(BadInputTest, ADiskThatIsFullLeavesTheOldLinks) {
  Put("a.csv", PeopleCsv({.first = 0, .end = 400}));
  Put("links.csv", "old");
  const MatchCommand command = Command({"a.csv"});
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    close(STDOUT_FILENO);
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{4096, 4096};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(100);
    const absl::StatusOr<int> code = RunMatch(command, false, true);
    _exit(code.ok() ? *code : ToExitCode(code.status()));
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_THAT(WEXITSTATUS(status), AnyOf(kExitUnavailable, kExitLimit));
  EXPECT_EQ(Get("links.csv"), "old");
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    EXPECT_FALSE(entry.path().filename().string().starts_with(".")) << "a temporary file is left";
  }
}

// Bytes that a register's owner may well send: none stops the program, none is echoed.
TEST_F(BadInputTest, FilesThatAreNoneAreToldByRowOrRead) {
  const std::string header = "nr,bsn,given,surname,born,street,postcode,phone\n";
  const std::string row = ",,Jan,Jansen,1980-01-01,Kerkstraat,1000,0612345678\n";
  const auto run = [&](const std::string& csv, int code) {
    Put("a.csv", csv);
    std::filesystem::remove(Path("links.csv"));
    Run(Command({"a.csv"}), code);
    EXPECT_EQ(std::filesystem::exists(Path("links.csv")), code == kExitOk);
    EXPECT_THAT(printed_, Not(HasSubstr("Jansen")));
  };
  run("", kExitBadData);
  run(header, kExitOk);
  EXPECT_TRUE(Links().empty());
  run(header + "1" + row, kExitOk);
  EXPECT_EQ(Links().at(0).status, "single");
  run(header + "1" + row + "1" + row, kExitBadData);
  EXPECT_THAT(printed_, HasSubstr("an earlier row has the same record id"));
  run(header + row, kExitBadData);
  run("bsn,given,surname,born,street,postcode,phone\n,Jan,Jansen,1980-01-01,Kerkstraat,1000,06\n", kExitBadData);
  run("nr;bsn;given;surname;born;street;postcode;phone\n1;;Jan;Jansen;1980-01-01;Kerkstraat;1000;06\n", kExitOk);
  run(header + "1,,Jos\xe9" + row.substr(5), kExitBadData);                        // latin-1
  run(header + "1,,\"Jan" + row.substr(5), kExitBadData);                          // a quote that never ends
  run(header + "1,," + std::string(10 << 20, 'x') + row.substr(5), kExitBadData);  // 10 MiB in a field
  std::string crlf = "\xef\xbb\xbf" + header + "1" + row;
  for (std::size_t at = 0; (at = crlf.find('\n', at)) != std::string::npos; at += 2) crlf.insert(at, "\r");
  run(crlf, kExitOk);
  EXPECT_EQ(Links().at(0).record_id, "1");
}

TEST_F(BadInputTest, TwoFilesAreDeduplicatedEachByItself) {
  Put("a.csv", PeopleCsv({.first = 0, .end = 100}));
  Put("b.csv", PeopleCsv({.first = 0, .end = 100}));
  MatchCommand command = Command({"a.csv", "b.csv"});
  command.mode = "dedupe";
  Run(command);
  EXPECT_EQ(Report()["links"]["pairs"], 0);
  EXPECT_EQ(Links().size(), 200u);
}

}  // namespace
}  // namespace sluis::cli
