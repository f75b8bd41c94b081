#include "cli/prepare/prepare.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <set>

#include "tests/cli/prepare/fixture.h"

namespace sluis::cli {
namespace {

using common::testing::StatusIs;
using testing::AmountBytes;

std::string Slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class PrepareDeliveryTest : public testing::PrepareTest {
 protected:
  PrepareDeliveryTest() { OpenState(); }

  // The cache on disk, as a custodian has it.
  void OpenState() {
    cache_.reset();
    store_.reset();
    common::RocksDbOptions options;
    options.families = PseudonymCache::Families();
    auto store = common::OpenRocksDb(root_ + "/cache", options);
    EXPECT_THAT(store, common::testing::IsOk());
    store_ = *std::move(store);
    cache_ = std::make_unique<PseudonymCache>(*store_, local_key_, permit_);
    states_ = std::make_unique<DeliveryStates>(*DeliveryStates::Open(root_ + "/deliveries", local_key_));
  }
  void CloseState() {
    cache_.reset();
    store_.reset();
    spill_.reset();
  }

  DeliveryJob Job(const std::string& reg, const std::string& delivery) const {
    DeliveryJob job;
    job.permit = &permit_;
    job.register_name = reg;
    job.delivery_id = delivery;
    job.input_sha256[0] = 42;
    return job;
  }
  absl::StatusOr<DeliveryState> Prepare(const DeliveryJob& job, RowSource& source, const SealOptions& options = {}) {
    return PrepareDelivery(job, source, holder_, {*cache_, *states_, *spill_, random_}, {}, options);
  }

  SystemRandom random_;
  std::unique_ptr<DeliveryStates> states_;
};

TEST_F(PrepareDeliveryTest, RunAgainGivesTheIdenticalSpoolWithoutReadingTheExtract) {
  testing::VectorSource source(Persons(0, 60));
  const auto first = Prepare(Job("persons", "p1"), source);
  SLUIS_ASSERT_OK(first);
  EXPECT_EQ(first->stage, DeliveryStage::kPrepared);
  EXPECT_EQ(first->header.record_count, 60u);
  const std::string spool = Slurp(states_->SpoolPath("persons", "p1"));
  const std::size_t calls = holder_.calls.size();
  OpenState();
  testing::VectorSource again(Persons(0, 60));
  const auto second = Prepare(Job("persons", "p1"), again);
  SLUIS_ASSERT_OK(second);
  EXPECT_EQ(*second, *first);
  EXPECT_EQ(Slurp(states_->SpoolPath("persons", "p1")), spool);
  EXPECT_EQ(again.read(), 0u);
  EXPECT_EQ(holder_.calls.size(), calls);
}

TEST_F(PrepareDeliveryTest, AfterACrashWhileSealingNothingIsEvaluatedAgain) {
  CloseState();
  const pid_t child = fork();
  if (child == 0) {
    spill_ = std::make_unique<common::SpillDirectory>(*common::SpillDirectory::Open(root_ + "/tmp"));
    OpenState();
    testing::VectorSource source(Jobs(0, 60));
    SealOptions options;
    options.progress = [](std::uint64_t) { _exit(77); };  // the spool is written, the state is not
    (void)Prepare(Job("jobs", "j1"), source, options);
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(WEXITSTATUS(status), 77);
  spill_ = std::make_unique<common::SpillDirectory>(*common::SpillDirectory::Open(root_ + "/tmp"));
  OpenState();
  ASSERT_EQ((*states_->Load("jobs", "j1"))->stage, DeliveryStage::kStarted);
  testing::VectorSource source(Jobs(0, 60));
  const auto state = Prepare(Job("jobs", "j1"), source);
  SLUIS_ASSERT_OK(state);
  EXPECT_EQ(state->header.record_count, 60u);
  EXPECT_TRUE(holder_.calls.empty());
  const auto reader = SpoolReader::Open(states_->SpoolPath("jobs", "j1"), states_->spool_key(), state->header);
  SLUIS_ASSERT_OK(reader);
  SpoolChunk chunk;
  EXPECT_TRUE(*(*reader)->Next(chunk));
}

TEST_F(PrepareDeliveryTest, RefusesADeliveryIdThatStandsForSomethingElse) {
  testing::VectorSource source(Jobs(0, 3));
  const DeliveryJob job = Job("jobs", "j1");
  SLUIS_ASSERT_OK(Prepare(job, source));
  for (int change = 0; change < 2; ++change) {
    DeliveryJob other = job;
    other.input_sha256[0] ^= change == 0 ? 1 : 0;
    other.schema_sha256[0] ^= change == 1 ? 1 : 0;
    testing::VectorSource again(Jobs(0, 3));
    EXPECT_THAT(Prepare(other, again), StatusIs(absl::StatusCode::kFailedPrecondition, "j1 was used for another"));
  }
  std::filesystem::remove(states_->SpoolPath("jobs", "j1"));
  testing::VectorSource again(Jobs(0, 3));
  EXPECT_THAT(Prepare(job, again), StatusIs(absl::StatusCode::kFailedPrecondition, "is gone"));
}

TEST_F(PrepareDeliveryTest, TakesACorrectedPredecessorUntilTheDeliveryIsCommitted) {
  testing::VectorSource source(Jobs(0, 30));
  DeliveryJob job = Job("jobs", "j1");
  const auto forgotten = Prepare(job, source);
  SLUIS_ASSERT_OK(forgotten);
  const std::string spool = Slurp(states_->SpoolPath("jobs", "j1"));
  const std::size_t calls = holder_.calls.size();
  job.replaces = "j0";
  OpenState();
  testing::VectorSource again(Jobs(0, 30));
  auto corrected = Prepare(job, again);
  SLUIS_ASSERT_OK(corrected);
  EXPECT_EQ(corrected->header.replaces, "j0");
  EXPECT_EQ((*states_->Load("jobs", "j1"))->header.replaces, "j0");
  corrected->header.replaces.clear();
  EXPECT_EQ(*corrected, *forgotten);  // and nothing else changed
  EXPECT_EQ(Slurp(states_->SpoolPath("jobs", "j1")), spool);
  EXPECT_EQ(holder_.calls.size(), calls);

  corrected->header.replaces = "j0";
  corrected->stage = DeliveryStage::kCommitted;
  SLUIS_ASSERT_OK(states_->Save(*corrected));
  SLUIS_EXPECT_OK(Prepare(job, again));
  job.replaces = "";
  EXPECT_THAT(Prepare(job, again),
              StatusIs(absl::StatusCode::kFailedPrecondition, "delivered already, in place of j0"));
}

TEST_F(PrepareDeliveryTest, LeavesNothingReadableOnDisk) {
  testing::VectorSource source(Persons(1000, 200));
  std::vector<std::string> secrets = {"person-1", "Berg", "BERG", "1980-01", "198001", "sluis-match-key"};
  SealOptions options;
  options.memory_bytes = 16u << 10;
  std::set<std::string> files;
  const auto search = [&] {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root_)) {
      struct stat info {};
      ASSERT_EQ(stat(entry.path().c_str(), &info), 0);
      if (entry.is_directory()) {
        EXPECT_EQ(info.st_mode & 0777, 0700u) << entry.path();
        continue;
      }
      // RocksDB leaves the modes of its files to the umask; its directory is private.
      if (entry.path().parent_path().filename() != "cache") {
        EXPECT_EQ(info.st_mode & 0777, 0600u) << entry.path();
      }
      const std::string bytes = Slurp(entry.path());
      files.insert(entry.path().extension());
      for (const std::string& secret : secrets) {
        EXPECT_EQ(bytes.find(secret), std::string::npos) << secret << " in " << entry.path();
      }
    }
  };
  for (std::uint64_t i = 1000; i < 1200; ++i) {
    secrets.push_back(AmountBytes(i));
  }
  // While the temporary files are there, and at the end with the pseudonyms as well.
  options.progress = [&](std::uint64_t) { search(); };
  const auto state = Prepare(Job("persons", "p1"), source, options);
  SLUIS_ASSERT_OK(state);
  const auto reader = SpoolReader::Open(states_->SpoolPath("persons", "p1"), states_->spool_key(), state->header);
  SLUIS_ASSERT_OK(reader);
  SpoolChunk chunk;
  ASSERT_TRUE(*(*reader)->Next(chunk));
  for (std::size_t i = 0; i < 64; ++i) {
    if (const std::string pseudonym = chunk.pseudonyms.substr(i * 32, 32); pseudonym != std::string(32, '\0')) {
      secrets.push_back(pseudonym);
    }
  }
  for (std::size_t i = 0; i < 20; ++i) {
    secrets.push_back(holder_.calls[0].blinded.substr(i * 32, 32));
  }
  cache_.reset();
  store_.reset();
  search();
  EXPECT_TRUE(files.contains(".spool"));
  EXPECT_TRUE(files.contains(".state"));
  EXPECT_TRUE(files.contains(".log")) << "RocksDB's log holds the cache";
}

TEST_F(PrepareDeliveryTest, DryRunCountsExactlyAndChangesNothing) {
  testing::VectorSource earlier(Jobs(0, 30));
  SLUIS_ASSERT_OK(Prepare(Job("jobs", "j1"), earlier));
  const std::size_t calls = holder_.calls.size();
  std::vector<testing::Row> rows = Persons(10, 100);
  const auto more = Persons(50, 100);
  rows.insert(rows.end(), more.begin(), more.end());
  std::set<std::string> numbers, names;
  std::uint64_t with_names = 0;
  for (const testing::Row& row : rows) {
    numbers.insert(row.components[0][0]);
    if (!row.components[1][0].empty()) {
      names.insert(row.components[1][0] + row.components[1][1]);
      ++with_names;
    }
  }
  testing::VectorSource source(rows);
  const auto report = DryRun(permit_, "persons", source, *cache_, *spill_);
  SLUIS_ASSERT_OK(report);
  EXPECT_EQ(report->records, 200u);
  ASSERT_EQ(report->purposes.size(), 2u);
  EXPECT_EQ(report->purposes[0].name, "identifiers");
  EXPECT_EQ(report->purposes[0].distinct, numbers.size());
  EXPECT_EQ(report->purposes[0].cached, 20u);  // persons 10 to 29
  EXPECT_EQ(report->purposes[1].distinct, names.size());
  EXPECT_EQ(report->purposes[1].cached, 0u);
  EXPECT_EQ(report->keys[0].records, 200u);
  EXPECT_EQ(report->keys[1].records, with_names);
  EXPECT_EQ(report->row_bytes, 48u);
  EXPECT_EQ(report->bytes_to_key_holder, (numbers.size() - 20 + names.size()) * 32);
  EXPECT_EQ(report->bytes_to_linker, 200u * (64 + 48));
  ASSERT_EQ(report->fields.size(), 1u);
  EXPECT_EQ(report->fields[0].granularity, "exact amount, EUR/month");
  EXPECT_EQ(holder_.calls.size(), calls);
  EXPECT_EQ(states_->List()->size(), 1u);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// Spells of 500 persons, made as they are read.
class SpellSource : public RowSource {
 public:
  SpellSource(std::uint64_t count, std::size_t width) : count_(count), attributes_(width, 'A') {}
  absl::StatusOr<bool> Next(SourceRow& row) override {
    if (next_ == count_) {
      return false;
    }
    person_ = "person-" + std::to_string(next_++ % 500);
    row.components = {{person_}};
    row.attributes = attributes_;
    return true;
  }

 private:
  std::uint64_t count_;
  std::uint64_t next_ = 0;
  std::string person_;
  std::string attributes_;
};

// The delivery of 200,000 rows takes 86 MB sealed; held in memory at any point it would show.
TEST_F(PrepareDeliveryTest, MemoryDoesNotGrowWithTheDelivery) {
  permit_.registers[1].fields.resize(40, permit_.registers[1].fields[0]);
  CloseState();
  std::vector<long> peak_kib;
  for (const std::uint64_t rows : {20'000u, 200'000u}) {
    const pid_t child = fork();
    if (child == 0) {
      spill_ = std::make_unique<common::SpillDirectory>(*common::SpillDirectory::Open(root_ + "/tmp"));
      OpenState();
      SpellSource source(rows, permit_.registers[1].RowWidth());
      SealOptions options;
      options.memory_bytes = 8u << 20;
      _exit(Prepare(Job("jobs", "j" + std::to_string(rows)), source, options).ok() ? 0 : 1);
    }
    int status = 0;
    rusage usage{};
    ASSERT_EQ(wait4(child, &status, 0, &usage), child);
    ASSERT_EQ(status, 0);
    peak_kib.push_back(usage.ru_maxrss);
  }
  RecordProperty("peak_kib_20k", static_cast<int>(peak_kib[0]));
  RecordProperty("peak_kib_200k", static_cast<int>(peak_kib[1]));
  EXPECT_LT(peak_kib[1], peak_kib[0] + 16 * 1024);
}
#endif

}  // namespace
}  // namespace sluis::cli
