#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "cli/app/exit_code.h"
#include "cli/attack/run.h"
#include "cli/generate/table.h"
#include "cli/protect/run.h"
#include "cli/round/run.h"
#include "common/status/matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/tables/table_folder.h"

// Input and circumstances that nobody wants, at the level of the commands over tables: what is said, with which exit
// code, and that nothing is written.

namespace sluis::cli {
namespace {

using common::testing::StatusIs;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::TableFolder;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

struct Outcome {
  int code = -1;
  std::string text;  // of the error
};

class BadTableTest : public TableFolder {
 protected:
  BadTableTest() { files_ = Small(); }

  ProtectCommand Protect() const {
    ProtectCommand command;
    command.table = files_;
    command.out = Path("out.csv");
    command.certificate = Path("cert.bin");
    command.summary = Path("summary.json");
    return command;
  }
  AttackCommand Attack() const {
    AttackCommand command;
    command.table = files_;
    command.out = Path("out.csv");
    command.summary = Path("summary.json");
    return command;
  }
  RoundCommand Round() const {
    RoundCommand command;
    command.table = files_;
    command.base = 5;
    command.out = Path("out.csv");
    command.summary = Path("summary.json");
    return command;
  }

  template <typename Command>
  static Outcome Run(const Command& command) {
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    absl::StatusOr<int> code = absl::UnknownError("");
    if constexpr (std::is_same_v<Command, ProtectCommand>) code = RunProtect(command, false, true);
    if constexpr (std::is_same_v<Command, AttackCommand>) code = RunAttack(command, false, true);
    if constexpr (std::is_same_v<Command, RoundCommand>) code = RunRound(command, false);
    ::testing::internal::GetCapturedStdout();
    Outcome outcome{.code = code.ok() ? *code : ToExitCode(code.status()),
                    .text = ::testing::internal::GetCapturedStderr()};
    if (!code.ok()) outcome.text += std::string(code.status().message());
    return outcome;
  }

  void ExpectNothingWritten() const {
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      const std::string name = entry.path().filename().string();
      EXPECT_TRUE(!name.starts_with(".") && name != "out.csv" && name != "cert.bin" && name != "summary.json") << name;
    }
  }

  // All three commands end with `code` and say `text`.
  void Fails(int code, const std::string& text) {
    for (const Outcome& outcome : {Run(Protect()), Run(Attack()), Run(Round())}) {
      EXPECT_EQ(outcome.code, code) << outcome.text;
      EXPECT_THAT(outcome.text, HasSubstr(text));
    }
    ExpectNothingWritten();
  }
  void FailsWith(const std::string& from, const std::string& to, const std::string& text) {
    Put("cells.csv", Replaced(SmallCells(), from, to));
    Fails(kExitBadData, text);
    Put("cells.csv", SmallCells());
  }
  void FailsWithHierarchy(const std::string& hierarchy, const std::string& text) {
    Put("regions.csv", hierarchy);
    Fails(kExitBadData, text);
    files_ = Small();
  }

  TableFiles files_;
};

TEST_F(BadTableTest, EveryErrorOfACellNamesIt) {
  FailsWith("C,m,17,17", "C,m,17,16", "region=T, sex=m");
  FailsWith("C,m,17,17", "C,m,17,-17", "cells.csv line 12 (region=C, sex=m), column value: negative");
  FailsWith("C,m,17,17", "C,m,17,1125899906842625", "line 12 (region=C, sex=m), column value: above 2^50");
  FailsWith("C,m,17,17", "C,m,17,99999999999999999999", "line 12 (region=C, sex=m), column value: above 2^50");
  FailsWith("C,m,17,17", "C,m,17,1.5", "line 12 (region=C, sex=m), column value: a whole number is expected");
  FailsWith("C,m,17,17", "C,m,17,1e3", "line 12 (region=C, sex=m), column value: a whole number is expected");
  FailsWith("C,m,17,17,0,0,0\n", "", "the cell region=C, sex=m is missing");
  FailsWith("C,m,17,17", "C,f,17,17", "line 13: the cell region=C, sex=f is there twice, first on line 12");
  FailsWith("C,m,17,17", "D,m,17,17", "line 12 (region=D, sex=m), column region: the code is in no hierarchy");
  FailsWith("C,m,17,17", ",m,17,17", "line 12 (region=, sex=m), column region: a code is expected");
  FailsWith("C,m,17,17,0,0,0", "C,m,17,17,0", "line 12: the record has another number of fields than the header");
  FailsWith("C,m", "\"C,m", "a quoted field is not closed");
  FailsWith("C,m", "\xFF,m", "line 12: the record is not valid UTF-8 text");
}

TEST_F(BadTableTest, FilesThatAreNoTables) {
  FailsWith(SmallCells(), "", "the file is empty");
  FailsWith(SmallCells(), "region,sex,value\n", "there is no cell in it");
  FailsWith("region,", "place,", "the column region is missing");
  FailsWith("n,value", "value,value", "the column value is there twice");
  FailsWith(SmallCells(), std::string("\x1f\x8b\x08\x00", 4) + "no more", "cells.csv");
  FailsWith(SmallCells(), std::string("region\0,", 8), "NUL");
  files_.cells = {Put("cells.csv.gz", SmallCells())};
  Fails(kExitBadData, "cells.csv.gz: the file is not valid gzip");
  files_.cells = {folder_};
  Fails(kExitUsage, "not a regular file");
  files_.cells = {Path("absent.csv")};
  Fails(kExitUsage, "absent.csv");
  if (geteuid() != 0) {  // root reads everything
    std::filesystem::permissions(Path("cells.csv"), std::filesystem::perms::none);
    files_.cells = {Path("cells.csv")};
    Fails(kExitRefused, "cells.csv");
  }
}

TEST_F(BadTableTest, HierarchiesThatAreNone) {
  FailsWithHierarchy("", "the file is empty");
  FailsWithHierarchy("parent,child\nT,A\nA,B\nB,C\nC,T\n", "is a part of itself");
  FailsWithHierarchy("parent,child\nA,A\n", "the code A is a part of itself");
  FailsWithHierarchy("@;T\n@@;A\n@@;B\n@@@;A\n@@;C\n", "line 4: the code A stands in two places, first on line 2");
  FailsWithHierarchy("parent,child\nT,A\nT,B\nT,C\nB,A\n", "line 5: the code A stands in two places, first on line 2");
  FailsWithHierarchy("@;T\n@@@;A\n", "line 2: the depth leaps");
  FailsWithHierarchy("@;T\n@@;A\n@;U\n", "line 3: a second total");
  FailsWithHierarchy("@;T\n@@;A\n@@;B\n", "line 11 (region=C, sex=T), column region: the code is in no hierarchy");
  FailsWithHierarchy("@;T\n@@;A\n@@;B\n@@;C\n@@;D\n", "region=D");
  files_.hierarchies.push_back({"region", Put("more.csv", "parent,child\nA,T\n")});
  Fails(kExitBadData, "together with the other hierarchies of dimension region a code is a part of itself");
}

TEST_F(BadTableTest, FilesThatContradictEachOtherNameTheCell) {
  files_.cells.push_back(Put("linked.csv",
                             "region,n,value,primary,lpl,upl\nT,60,60,0,0,0\nA,12,13,0,0,0\n"
                             "B,23,22,0,0,0\nC,25,25,0,0,0\n"));
  Fails(kExitBadData, "linked.csv line 3: says something else about the cell region=A, sex=T than");
  Put("linked.csv", "region,value\nT,60\nA,12\nB,23\nC,25\n");
  Fails(kExitBadData, "linked.csv: has other columns beside the value");
}

TEST_F(BadTableTest, WhatIsWrongWithTheCommandLineIsSaidBeforeAnythingIsRead) {
  files_.cells = {Path("absent.csv")};
  const TableFiles good = files_;
  const auto fails = [&](auto change, const char* text) {
    files_ = good;
    change(files_);
    Fails(kExitUsage, text);
  };
  fails([](TableFiles& files) { files.dimensions.clear(); }, "--dims is needed");
  fails([](TableFiles& files) { files.dimensions = {"region", "region"}; }, "--dims: names");
  fails([](TableFiles& files) { files.dimensions = {"region", ""}; }, "--dims: names");
  fails([](TableFiles& files) { files.dimensions.assign(17, "d"); }, "16 dimensions at most");
  fails([](TableFiles& files) { files.dimensions = {"sex"}; }, "--dims does not name this dimension");
  fails([](TableFiles& files) { files.cells.clear(); }, "one of --cells, --microdata and --system is needed");
  fails([](TableFiles& files) { files.system = "x.jj"; }, "one of --cells, --microdata and --system is needed");
  fails(
      [](TableFiles& files) {
        files.cells.clear();
        files.system = "x.jj";
      },
      "leave --dims and --hierarchy out");
  files_ = good;
  for (const double limit : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    ProtectCommand command = Protect();
    command.time_limit_seconds = limit;
    EXPECT_THAT(RunProtect(command, false, true), StatusIs(kInvalid, "--time-limit must be above 0 seconds"));
  }
}

TEST_F(BadTableTest, NoInputIsOverwritten) {
  files_.rules = Put("rules.yaml", "");
  std::filesystem::create_symlink(Path("cells.csv"), Path("link.csv"));
  std::filesystem::create_hard_link(Path("cells.csv"), Path("hard.csv"));
  for (const std::string& out : {Path("cells.csv"), folder_ + "/./cells.csv", Path("link.csv"), Path("hard.csv"),
                                 Path("regions.csv"), Path("rules.yaml")}) {
    ProtectCommand protect = Protect();
    protect.out = out;
    EXPECT_THAT(RunProtect(protect, false, true), StatusIs(kInvalid, "is an input")) << out;
    RoundCommand round = Round();
    round.summary = out;
    EXPECT_THAT(RunRound(round, false), StatusIs(kInvalid, "is an input")) << out;
    AttackCommand attack = Attack();
    attack.out = out;
    EXPECT_THAT(RunAttack(attack, false, true), StatusIs(kInvalid, "is an input")) << out;
  }
  ProtectCommand command = Protect();
  command.summary = folder_ + "/./out.csv";  // neither is there yet
  EXPECT_THAT(RunProtect(command, false, true), StatusIs(kInvalid, "two outputs"));
  EXPECT_EQ(Get("cells.csv"), SmallCells());
}

TEST_F(BadTableTest, MarksQuotesAndWindowsLineEndsChangeNothing) {
  ASSERT_EQ(Run(Protect()).code, kExitOk);
  const std::string pattern = Get("out.csv");
  std::string windows = "\xEF\xBB\xBF";
  for (const char c : SmallCells()) windows += c == ',' ? "\";\"" : (c == '\n' ? "\"\r\n\"" : std::string(1, c));
  windows.insert(3, "\"");
  windows.pop_back();
  Put("cells.csv", windows);
  Put("regions.csv", "\xEF\xBB\xBF@;T\r\n@@;A\r\n@@;B\r\n@@;C\r\n");
  EXPECT_EQ(Run(Protect()).code, kExitOk);
  EXPECT_EQ(Get("out.csv"), pattern);
}

// A code is shown so that it steers no terminal and fills no screen.
TEST_F(BadTableTest, CodesAreShownAsText) {
  Put("cells.csv", Replaced(SmallCells(), "C,m", "C\x1b[2J\xC2\x9B" + std::string(3000, 'x') + ",m"));
  const Outcome outcome = Run(Protect());
  EXPECT_EQ(outcome.code, kExitBadData);
  EXPECT_THAT(outcome.text, HasSubstr("region=C?[2J?xxx"));
  EXPECT_THAT(outcome.text, HasSubstr("..., sex=m"));
  EXPECT_THAT(outcome.text, Not(HasSubstr("\x1b")));
  EXPECT_LT(outcome.text.size(), 1000u);
}

TEST_F(BadTableTest, AbsurdSizesAreRefusedAtOnce) {
  std::string hierarchy = "parent,child\n";
  std::string cells = "a,b,value\n";
  for (int i = 0; i < 50'000; ++i) {
    hierarchy += "T," + std::to_string(i) + "\n";
    cells += std::to_string(i) + "," + std::to_string(i) + ",1\n";
  }
  files_.dimensions = {"a", "b"};
  files_.hierarchies = {{"a", Put("h.csv", hierarchy)}, {"b", Path("h.csv")}};
  files_.cells = {Put("large.csv", cells)};
  Fails(kExitBadData, "the tables are too large");
  files_ = Small();
  Put("cells.csv", Replaced(SmallCells(), "C,m", std::string(70'000, 'C') + ",m"));
  Fails(kExitBadData, "cells.csv line 12");
}

// Secondary cells with no room of their own: their totals are published, and each moves by half a unit at most while
// the sensitive cell reaches its levels, so that one whole number is left for them. Nothing sensitive is known by that.
TEST_F(BadTableTest, WhatCannotBeHiddenAndIsNotSensitiveIsAWarning) {
  const std::string path = Put("halves.jj",
                               "0\n13\n"
                               "0 1 1 u 0 1000 1 1 0\n"                        // the sensitive cell p
                               "1 5 1 s 0 1000 0 0 0\n2 5 1 s 0 1000 0 0 0\n"  // s1, s2
                               "3 2 1 s 0 1000 0 0 0\n"                        // x
                               "4 3 1 s 0 1000 0 0 0\n5 3 1 s 0 1000 0 0 0\n"  // qa, qb
                               "6 1 1 s 0 1000 0 0 0\n"                        // r
                               "7 11 1 z 0 1000 0 0 0\n8 7 1 z 0 1000 0 0 0\n9 7 1 z 0 1000 0 0 0\n"
                               "10 8 1 z 0 1000 0 0 0\n11 8 1 z 0 1000 0 0 0\n12 7 1 z 0 1000 0 0 0\n"
                               "6\n"
                               "0 4 : 7 (-1) 0 (1) 1 (1) 2 (1)\n"  // p + s1 + s2
                               "0 3 : 8 (-1) 1 (1) 3 (1)\n0 3 : 9 (-1) 2 (1) 3 (1)\n"
                               "0 3 : 10 (-1) 1 (1) 4 (1)\n0 3 : 11 (-1) 2 (1) 5 (1)\n"
                               "0 4 : 12 (-1) 4 (1) 5 (1) 6 (1)\n");
  files_ = {};
  files_.system = path;
  const Outcome outcome = Run(Protect());
  EXPECT_EQ(outcome.code, kExitOk) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("warning: 5 suppressed cells can be recomputed exactly"));
  const auto summary = nlohmann::json::parse(Get("summary.json"));
  EXPECT_EQ(summary["audit"]["verdict"], "holds");
  EXPECT_EQ(summary["audit"]["exact_cells"], 5);
  EXPECT_EQ(summary["audit"]["exact_conceded"], true);
  EXPECT_EQ(summary["audit"]["cells_short"], 0);
  // The judge, who does not know how the pattern came about, still says so.
  AttackCommand attack = Attack();
  attack.pattern = Path("out.csv");
  attack.out.clear();
  EXPECT_EQ(Run(attack).code, kExitNotVerified);
}

class DisturbedTest : public BadTableTest {
 protected:
  // Runs `sluis protect` in a process of its own, which `before` prepares and `disturb` is given; returns its status.
  template <typename Before, typename Disturb>
  int RunDisturbed(Before before, Disturb disturb) {
    const ProtectCommand command = Protect();
    const pid_t child = fork();
    EXPECT_GE(child, 0);
    if (child == 0) {
      close(STDOUT_FILENO);
      close(STDERR_FILENO);
      before();
      const absl::StatusOr<int> code = RunProtect(command, false, true);
      _exit(code.ok() ? *code : ToExitCode(code.status()));
    }
    disturb(child);
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return status;
  }
};

// A limit on the size of files stands in for a disk that is full: writing fails in the middle.
TEST_F(DisturbedTest, ADiskThatIsFullLeavesWhatWasThere) {
  Put("out.csv", "old");
  const int status = RunDisturbed(
      [] {
        signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{64, 64};
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(100);
      },
      [](pid_t) {});
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_THAT(WEXITSTATUS(status), AnyOf(kExitUnavailable, kExitLimit));
  EXPECT_EQ(Get("out.csv"), "old");
  std::filesystem::remove(Path("out.csv"));
  std::filesystem::remove(Path("cert.bin"));  // whole, if it is smaller than the limit
  ExpectNothingWritten();
}

TEST_F(DisturbedTest, CtrlCEndsWithItsCodeAndWithoutAFile) {
  SLUIS_ASSERT_OK(GenerateTable({.shape = "10x12x14", .records = 20'000, .seed = 5, .output_directory = folder_}, {}));
  files_ = {};
  files_.cells = {Path("table.csv")};
  files_.dimensions = {"d1", "d2", "d3"};
  for (const char* d : {"d1", "d2", "d3"}) {
    files_.hierarchies.push_back({d, Path(std::string("hier_") + d + ".csv")});
  }
  const int status = RunDisturbed([] {},
                                  [](pid_t child) {
                                    // Not before it listens: the signal would kill a process that has only begun.
                                    std::this_thread::sleep_for(std::chrono::milliseconds(300));
                                    kill(child, SIGINT);
                                  });
  ASSERT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), kExitCancelled);
  ExpectNothingWritten();
}

}  // namespace
}  // namespace sluis::cli
