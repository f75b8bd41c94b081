#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include "cli/match/run.h"
#include "cli/match/work_directory.h"
#include "tests/cli/match/run_fixture.h"

namespace sluis::cli {
namespace {

using common::testing::StatusIs;
using ::testing::HasSubstr;
using testing::PeopleCsv;

class WorkTest : public testing::RunMatchTest {
 protected:
  void SetUp() override {
    RunMatchTest::SetUp();
    Put("a.csv", PeopleCsv({.first = 0, .end = 400}));
    Put("b.csv", PeopleCsv({.first = 200, .end = 600, .errors_seed = 7, .id_prefix = "q"}));
    Put("c.csv", PeopleCsv({.first = 300, .end = 700, .errors_seed = 9, .id_prefix = "r"}));
  }

  MatchCommand Work(const std::vector<std::string>& inputs, const std::string& directory = "work") const {
    MatchCommand command = Command(inputs);
    command.work = Path(directory);
    return command;
  }

  std::vector<std::filesystem::path> Kept(const std::string& ending) const {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "work" / "comparisons")) {
      if (entry.path().string().ends_with(ending)) files.push_back(entry.path());
    }
    return files;
  }
};

TEST_F(WorkTest, ANewOrChangedFileLinksAsFromScratchWithoutTheOldComparisons) {
  Run(Work({"a.csv", "b.csv"}));
  EXPECT_EQ(Report()["reused_comparisons"], 0);
  Run(Command({"a.csv", "b.csv", "c.csv"}));
  const std::string scratch = Get("links.csv");
  const nlohmann::json estimate = Report()["estimate"];
  EXPECT_GE(CountPairs().second, 600) << printed_;
  Run(Work({"a.csv", "b.csv", "c.csv"}));
  EXPECT_EQ(Get("links.csv"), scratch);
  EXPECT_EQ(Report()["estimate"], estimate);
  EXPECT_EQ(Report()["reused_comparisons"], 1);
  EXPECT_TRUE(Report()["passes"][1]["reused"].get<bool>());
  EXPECT_FALSE(Report()["passes"][2]["reused"].get<bool>());
  EXPECT_THAT(printed_, HasSubstr("1 of 3 comparisons were taken from an earlier run"));
  Put("b.csv", PeopleCsv({.first = 200, .end = 601, .errors_seed = 7, .id_prefix = "q"}));
  Run(Command({"a.csv", "b.csv", "c.csv"}));
  const std::string changed = Get("links.csv");
  EXPECT_NE(changed, scratch);
  Run(Work({"a.csv", "b.csv", "c.csv"}));
  EXPECT_EQ(Get("links.csv"), changed);
  EXPECT_EQ(Report()["reused_comparisons"], 1);  // of a with c
}

TEST_F(WorkTest, GoesOnAfterBeingKilledAtAnyMoment) {
  MatchCommand command = Work({"a.csv", "b.csv", "c.csv"});
  command.seed.reset();  // the key then is the directory's
  std::mt19937 random(20261122);
  int killed = 0;
  for (int run = 0; run < 10; ++run) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(STDOUT_FILENO);
      _exit(RunMatch(command, false, true).ok() ? 0 : 1);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 1500));
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    killed += WIFSIGNALED(status) ? 1 : 0;
  }
  EXPECT_GE(killed, 2) << "the kills came too late to try anything";
  SLUIS_ASSERT_OK(WorkDirectory::Open(command.work).status());
  const std::size_t kept = Kept(".0").size();
  Run(command);
  EXPECT_EQ(Report()["reused_comparisons"], kept);
  EXPECT_TRUE(Report()["seed"].is_null());
  EXPECT_GE(CountPairs().second, 600) << printed_;
  const std::string links = Get("links.csv");
  // From scratch under the same key.
  std::filesystem::remove_all(folder_ / "work" / "comparisons");
  Run(command);
  EXPECT_EQ(Report()["reused_comparisons"], 0);
  EXPECT_EQ(Get("links.csv"), links);
}

TEST_F(WorkTest, NeverGivesWrongLinksFromDamagedOrForeignFiles) {
  Run(Work({"a.csv", "b.csv"}));
  const std::string links = Get("links.csv");
  const std::vector<std::filesystem::path> files = Kept("");
  ASSERT_EQ(files.size(), 2u);
  for (const std::filesystem::path& file : files) {
    const std::string name = "work/comparisons/" + file.filename().string();
    const std::string whole = Get(name);
    std::string flipped = whole;
    flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 1);
    const std::string other = Get("work/comparisons/" + files[file == files[0] ? 1 : 0].filename().string());
    for (const std::string& bytes : {flipped, whole.substr(0, whole.size() / 2), std::string(), other}) {
      Put(name, bytes);
      Run(Work({"a.csv", "b.csv"}));
      EXPECT_EQ(Get("links.csv"), links);
      EXPECT_EQ(Report()["reused_comparisons"], 0);
      EXPECT_THAT(printed_, HasSubstr("done again, since what an earlier run kept cannot be used"));
      EXPECT_EQ(Get(name), whole);
    }
  }
  // Comparisons of another key are no hindrance, and no help.
  MatchCommand other = Work({"a.csv", "b.csv"});
  other.seed = 2;
  Run(other);
  EXPECT_EQ(Report()["reused_comparisons"], 0);
}

TEST_F(WorkTest, KeepsItsFilesPrivate) {
  MatchCommand command = Work({"a.csv", "b.csv"});
  command.seed.reset();
  Run(command);
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ / "work")) {
    struct stat info {};
    ASSERT_EQ(stat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, entry.is_directory() ? 0700u : 0600u) << entry.path();
    files += entry.is_directory() ? 0 : 1;
  }
  EXPECT_EQ(files, 5);  // .lock, FORMAT, key, and a comparison of two parts
  // What is kept holds no value: none of a's names or streets, nor a record id.
  std::istringstream rows(Get("a.csv"));
  std::string row;
  std::getline(rows, row);
  std::getline(rows, row);
  const std::string surname = row.substr(0, row.find(",19")).substr(row.substr(0, row.find(",19")).rfind(',') + 1);
  ASSERT_GE(surname.size(), 4u);
  for (const std::filesystem::path& file : Kept("")) {
    EXPECT_THAT(Get("work/comparisons/" + file.filename().string()), Not(HasSubstr(surname)));
  }
}

TEST_F(WorkTest, RefusesADirectoryThatIsNotItsOwn) {
  const MatchCommand command = Work({"a.csv", "b.csv"});
  const auto refused = [&](absl::StatusCode code, const std::string& fragment) {
    EXPECT_THAT(RunMatch(command, false, true), StatusIs(code, fragment));
    EXPECT_FALSE(std::filesystem::exists(Path("links.csv")));
  };
  std::filesystem::create_directories(Path("work"));
  std::filesystem::permissions(Path("work"), std::filesystem::perms::all);
  refused(absl::StatusCode::kFailedPrecondition, "chmod 700");
  std::filesystem::permissions(Path("work"), std::filesystem::perms::owner_all);
  Put("work/mail", "");
  refused(absl::StatusCode::kFailedPrecondition, "no work directory of sluis match");
  std::filesystem::remove(Path("work/mail"));
  Put("work/FORMAT", "sluis-match-work 2\n");
  refused(absl::StatusCode::kFailedPrecondition, "another version");
  std::filesystem::remove(Path("work/FORMAT"));
  {
    const auto open = WorkDirectory::Open(command.work);
    SLUIS_ASSERT_OK(open);
    refused(absl::StatusCode::kFailedPrecondition, "another run uses the work directory");
    const absl::StatusOr<common::SecretBytes> key = (*open)->Key(), again = (*open)->Key();
    SLUIS_ASSERT_OK(key);
    SLUIS_ASSERT_OK(again);
    EXPECT_TRUE(std::ranges::equal(key->ExposeForUse(), again->ExposeForUse()));
  }
  MatchCommand drawn = command;
  drawn.seed.reset();
  Put("work/key", Get("work/key").substr(1) + "x");
  EXPECT_THAT(RunMatch(drawn, false, true), StatusIs(absl::StatusCode::kDataLoss, "is damaged"));
  Run(command);  // a seed needs no key
}

}  // namespace
}  // namespace sluis::cli
