#include "common/tlog/writer.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "common/file/atomic_file.h"
#include "common/status/matchers.h"
#include "common/tlog/proof.h"
#include "common/tlog/verifier.h"
#include "gtest/gtest.h"
#include "tests/common/store/temporary_directory.h"
#include "tests/common/tlog/log_fixtures.h"

namespace sluis::common {
namespace {

using namespace ::sluis::common::testing;  // NOLINT: fixtures and matchers

class LogWriterTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<LogWriter>> Open(const std::string& export_directory = "",
                                                  const std::string& origin = kOrigin, std::uint8_t seed = 7) {
    return LogWriter::Open(*store_, origin, TestKey(seed), export_directory);
  }
  std::unique_ptr<Store> store_ = MakeMemoryStore(LogTestFamilies());
  TemporaryDirectory directory_;
};

// A store that can fail a write, with or without applying it.
class FlakyStore : public Store {
 public:
  enum class Mode { kWork, kFail, kFailAfterApplying };
  explicit FlakyStore(Store& base) : base_(base) {}
  absl::StatusOr<std::optional<std::string>> Get(std::string_view family, std::string_view key) const override {
    return base_.Get(family, key);
  }
  absl::Status Scan(std::string_view family, std::string_view prefix, std::string_view start,
                    const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    return base_.Scan(family, prefix, start, visit);
  }
  absl::Status Write(const WriteBatch& batch, bool sync) override {
    if (mode == Mode::kFail) {
      return absl::UnavailableError("input-output fault");
    }
    const absl::Status written = base_.Write(batch, sync);
    return mode == Mode::kFailAfterApplying ? absl::UnavailableError("input-output fault") : written;
  }
  std::unique_ptr<StoreView> Snapshot() const override { return base_.Snapshot(); }
  Mode mode = Mode::kWork;

 private:
  Store& base_;
};

TEST_F(LogWriterTest, SignsTheEmptyLog) {
  const auto log = Open();
  SLUIS_ASSERT_OK(log);
  EXPECT_EQ((*log)->size(), 0u);
  const VerifierKey key = TestVerifierKey();
  const auto checkpoint = VerifyCheckpoint((*log)->Checkpoint(), {&key, 1});
  SLUIS_ASSERT_OK(checkpoint);
  EXPECT_EQ(checkpoint->root, Sha256(""));
}

TEST_F(LogWriterTest, SignsTheRootOfTheDefinitionAtEverySizeTo600) {
  auto log = Open();
  SLUIS_ASSERT_OK(log);
  const std::vector<std::string> entries = TestEntries(0, 600);
  const VerifierKey key = TestVerifierKey();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto appended = (*log)->Append({&entries[i], 1}, WriteBatch());
    SLUIS_ASSERT_OK(appended);
    EXPECT_EQ(appended->first_index, i);
    const auto checkpoint = VerifyCheckpoint(appended->checkpoint, {&key, 1});
    SLUIS_ASSERT_OK(checkpoint);
    EXPECT_EQ(checkpoint->size, i + 1);
    ASSERT_EQ(checkpoint->root, NaiveRoot(entries, 0, i + 1)) << i;
    if (i % 97 == 0) {
      log->reset();
      log = Open();
      SLUIS_ASSERT_OK(log);
      EXPECT_EQ((*log)->Checkpoint(), appended->checkpoint);
    }
  }
}

TEST_F(LogWriterTest, BatchesOfAnySizeGiveTheSameLog) {
  const std::vector<std::string> entries = TestEntries(0, 70'000);
  std::string expected;
  for (const std::size_t batch : {70'000u, 777u, 256u}) {
    auto store = MakeMemoryStore(LogTestFamilies());
    auto log = LogWriter::Open(*store, kOrigin, TestKey(), "");
    SLUIS_ASSERT_OK(log);
    for (std::size_t begin = 0; begin < entries.size(); begin += batch) {
      const std::size_t count = std::min(batch, entries.size() - begin);
      SLUIS_ASSERT_OK((*log)->Append(std::span(entries).subspan(begin, count), WriteBatch()));
    }
    // The example of the specification: 273 full tiles at level 0 and a partial one of 112; 1 and 17; 1.
    SLUIS_EXPECT_OK((*log)->ReadResource("tile/0/273.p/112"));
    SLUIS_EXPECT_OK((*log)->ReadResource("tile/1/001.p/17"));
    SLUIS_EXPECT_OK((*log)->ReadResource("tile/2/000.p/1"));
    EXPECT_THAT((*log)->ReadResource("tile/2/000.p/2"), StatusIs(absl::StatusCode::kNotFound, "no resource"));
    const std::string text = (*log)->Checkpoint();
    EXPECT_TRUE(expected.empty() || text == expected);
    expected = text;
    const auto reopened = LogWriter::Open(*store, kOrigin, TestKey(), "");
    SLUIS_ASSERT_OK(reopened);
    EXPECT_EQ((*reopened)->Checkpoint(), expected);
    for (const std::uint64_t index : {0u, 255u, 256u, 65'535u, 65'536u, 69'999u}) {
      const auto proof = (*reopened)->ProveInclusion(index);
      SLUIS_ASSERT_OK(proof);
      SLUIS_EXPECT_OK(VerifyTlogProof(*proof, entries[index], TestVerifierKey()));
    }
  }
}

TEST_F(LogWriterTest, WritesByteForByteTheVectorLog) {
  const std::string vectors = TestData("vectors/own-tlog-vectors");
  if (vectors.empty()) {
    GTEST_SKIP() << "test data not found; set SLUIS_TEST_DATA";
  }
  auto log = Open(directory_ / "log", "sdc.example.org/release-audit/2026");
  SLUIS_ASSERT_OK(log);
  EXPECT_EQ(FormatVerifierKey((*log)->verifier_key()), *ReadFileBounded(vectors + "/vkey", 1000));
  const std::vector<std::string> entries = TestEntries(0, 700);
  SLUIS_ASSERT_OK((*log)->Append(std::span(entries).first(300), WriteBatch()));
  const auto appended = (*log)->Append(std::span(entries).subspan(300), WriteBatch());
  SLUIS_ASSERT_OK(appended);
  SLUIS_EXPECT_OK(appended->export_status);
  int files = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(vectors + "/log")) {
    if (file.is_regular_file()) {
      const std::string name = std::filesystem::relative(file.path(), vectors + "/log").string();
      const std::string expected = *ReadFileBounded(file.path().string(), 1 << 20);
      EXPECT_EQ(*ReadFileBounded(directory_ / ("log/" + name), 1 << 20), expected) << name;
      EXPECT_EQ(*(*log)->ReadResource(name), expected) << name;
      ++files;
    }
  }
  EXPECT_EQ(files, 8);
}

TEST_F(LogWriterTest, WritesByteForByteTheTilesOfTessera) {
  const std::string vectors = TestData("vectors/tessera-testlog/testdata/log");
  if (vectors.empty()) {
    GTEST_SKIP() << "test data not found; set SLUIS_TEST_DATA";
  }
  const std::string bundle = *ReadFileBounded(vectors + "/tile/entries/000.p/15", 1 << 20);
  auto log = Open();
  SLUIS_ASSERT_OK(log);
  for (std::size_t at = 0, size = 1; at < bundle.size(); ++size) {
    const std::size_t length =
        static_cast<unsigned char>(bundle[at]) * 256u + static_cast<unsigned char>(bundle[at + 1]);
    const std::string entry = bundle.substr(at + 2, length);
    at += 2 + length;
    SLUIS_ASSERT_OK((*log)->Append({&entry, 1}, WriteBatch()));
    const std::string width = std::to_string(size);
    EXPECT_EQ(*(*log)->ReadResource("tile/0/000.p/" + width),
              *ReadFileBounded(vectors + "/tile/0/000.p/" + width, 1 << 20));
    const auto theirs = ParseCheckpoint(ParseNote(*ReadFileBounded(vectors + "/checkpoint." + width, 1 << 20))->text);
    SLUIS_ASSERT_OK(theirs);
    EXPECT_EQ(ParseCheckpoint(ParseNote((*log)->Checkpoint())->text)->root, theirs->root);
  }
  EXPECT_EQ((*log)->size(), 15u);
}

TEST_F(LogWriterTest, RefusesWhatCannotBeLogged) {
  auto log = Open();
  SLUIS_ASSERT_OK(log);
  EXPECT_THAT((*log)->Append({}, WriteBatch()), StatusIs(absl::StatusCode::kInvalidArgument, "nothing to append"));
  const std::vector<std::string> too_long = {"fits", std::string(kMaxEntryBytes + 1, 'x')};
  EXPECT_THAT((*log)->Append(too_long, WriteBatch()),
              StatusIs(absl::StatusCode::kInvalidArgument, "entry 1 of the batch is longer than 65535"));
  const std::vector<std::string> entry = {std::string(kMaxEntryBytes, 'x')};
  WriteBatch forged;
  forged.Put(kLogHeadFamily, kLogHeadKey, "forged");
  EXPECT_THAT((*log)->Append(entry, forged), StatusIs(absl::StatusCode::kInvalidArgument, "log_head"));
  EXPECT_EQ((*log)->size(), 0u);
  SLUIS_EXPECT_OK((*log)->Append(entry, WriteBatch()));
  EXPECT_EQ((*log)->Entry(0)->size(), kMaxEntryBytes);
  EXPECT_THAT((*log)->Entry(1), StatusIs(absl::StatusCode::kInvalidArgument, "not below the log's size 1"));
  EXPECT_THAT((*log)->ProveInclusion(1), StatusIs(absl::StatusCode::kInvalidArgument, "not below"));
  EXPECT_THAT((*log)->ProveConsistency(0), StatusIs(absl::StatusCode::kInvalidArgument, "0 < old size"));
  EXPECT_THAT((*log)->ReadResource("../checkpoint"), StatusIs(absl::StatusCode::kInvalidArgument, "a log resource"));
}

TEST_F(LogWriterTest, BusinessChangesGoWithTheEntries) {
  FlakyStore flaky(*store_);
  auto log = LogWriter::Open(flaky, kOrigin, TestKey(), "");
  SLUIS_ASSERT_OK(log);
  WriteBatch change;
  change.Put("business", "released", "yes");
  const std::vector<std::string> entry = {"entry"};
  flaky.mode = FlakyStore::Mode::kFail;
  EXPECT_THAT((*log)->Append(entry, change), StatusIs(absl::StatusCode::kUnavailable, "fault"));
  EXPECT_EQ(*store_->Get("business", "released"), std::nullopt);
  EXPECT_EQ((*log)->size(), 0u);
  flaky.mode = FlakyStore::Mode::kWork;
  SLUIS_EXPECT_OK((*log)->Append(entry, change));
  EXPECT_EQ(*store_->Get("business", "released"), "yes");
}

TEST_F(LogWriterTest, AWriteOfUnknownOutcomeIsFoundOutBeforeTheNext) {
  FlakyStore flaky(*store_);
  auto log = LogWriter::Open(flaky, kOrigin, TestKey(), directory_ / "log");
  SLUIS_ASSERT_OK(log);
  const std::vector<std::string> entries = TestEntries(0, 3);
  flaky.mode = FlakyStore::Mode::kFailAfterApplying;
  EXPECT_THAT((*log)->Append(std::span(entries).first(2), WriteBatch()),
              StatusIs(absl::StatusCode::kUnavailable, "fault"));
  EXPECT_EQ((*log)->size(), 0u);  // nothing was signed about entries that may not be there
  flaky.mode = FlakyStore::Mode::kWork;
  const auto appended = (*log)->Append(std::span(entries).subspan(2), WriteBatch());
  SLUIS_ASSERT_OK(appended);
  EXPECT_EQ(appended->first_index, 2u);
  const auto verified = VerifyLogDirectory(directory_ / "log", {TestVerifierKey(), std::nullopt, nullptr});
  SLUIS_ASSERT_OK(verified);
  EXPECT_EQ(verified->size, 3u);
}

TEST_F(LogWriterTest, AFailedExportIsReportedAndMadeUpFor) {
  auto log = Open(directory_ / "log");
  SLUIS_ASSERT_OK(log);
  const std::vector<std::string> entries = TestEntries(0, 4);
  std::ofstream(directory_ / "log/tile") << "in the way";
  const auto blocked = (*log)->Append(std::span(entries).first(2), WriteBatch());
  SLUIS_ASSERT_OK(blocked);
  EXPECT_FALSE(blocked->export_status.ok());
  const VerifierKey key = TestVerifierKey();
  // The old checkpoint stays: it must not speak of files that are not there.
  EXPECT_EQ(VerifyCheckpoint(*ReadFileBounded(directory_ / "log/checkpoint", 1000), {&key, 1})->size, 0u);
  std::filesystem::remove(directory_ / "log/tile");
  const auto appended = (*log)->Append(std::span(entries).subspan(2), WriteBatch());
  SLUIS_ASSERT_OK(appended);
  SLUIS_EXPECT_OK(appended->export_status);
  EXPECT_EQ(VerifyLogDirectory(directory_ / "log", {key, blocked->checkpoint, nullptr})->size, 4u);
}

TEST_F(LogWriterTest, OpenExportsWhatIsMissing) {
  const std::vector<std::string> entries = TestEntries(0, 300);
  {
    auto log = Open();
    SLUIS_ASSERT_OK(log);
    SLUIS_ASSERT_OK((*log)->Append(entries, WriteBatch()));
  }
  SLUIS_ASSERT_OK(Open(directory_ / "log"));
  EXPECT_EQ(VerifyLogDirectory(directory_ / "log", {TestVerifierKey(), std::nullopt, nullptr})->size, 300u);
  EXPECT_FALSE(std::filesystem::exists(directory_ / "log/tile/0/000.p"));
}

TEST_F(LogWriterTest, RefusesTheLogOfAnotherOriginOrKey) {
  SLUIS_ASSERT_OK(Open(directory_ / "log"));
  EXPECT_THAT(Open("", "log.example/other"), StatusIs(absl::StatusCode::kFailedPrecondition, "another origin or key"));
  EXPECT_THAT(Open("", kOrigin, 8), StatusIs(absl::StatusCode::kFailedPrecondition, "another origin or key"));
  EXPECT_THAT(Open("", "has spaces"), StatusIs(absl::StatusCode::kInvalidArgument, "must be a key name"));
  store_ = MakeMemoryStore(LogTestFamilies());
  EXPECT_THAT(Open(directory_ / "log", "log.example/other"),
              StatusIs(absl::StatusCode::kFailedPrecondition, "export directory belongs to a log with another"));
  store_ = MakeMemoryStore({"business"});
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kInvalidArgument, "unknown column family"));
}

TEST_F(LogWriterTest, NoticesThatTheStoreWasRolledBack) {
  const std::vector<std::string> entries = TestEntries(0, 5);
  {
    auto log = Open(directory_ / "log");
    SLUIS_ASSERT_OK(log);
    SLUIS_ASSERT_OK((*log)->Append(entries, WriteBatch()));
  }
  store_ = MakeMemoryStore(LogTestFamilies());
  EXPECT_THAT(Open(directory_ / "log"), StatusIs(absl::StatusCode::kDataLoss, "an old backup was restored"));
  {
    auto log = Open();
    const std::vector<std::string> others = TestEntries(10, 20);
    SLUIS_ASSERT_OK((*log)->Append(others, WriteBatch()));
  }
  EXPECT_THAT(Open(directory_ / "log"), StatusIs(absl::StatusCode::kDataLoss, "not the one that was signed"));
}

TEST_F(LogWriterTest, NoticesDamageOfTheRightEdge) {
  {
    auto log = Open();
    SLUIS_ASSERT_OK(log);
    SLUIS_ASSERT_OK((*log)->Append(TestEntries(0, 600), WriteBatch()));
  }
  struct Damage {
    std::string family;
    std::string key;
    std::string message;
  };
  for (const Damage& damage :
       {Damage{kLogEntriesFamily, LogEntryKey(599), "tile/0/002.p/88"},
        Damage{kLogEntriesFamily, LogEntryKey(512), "tile/0/002.p/88"},
        Damage{kLogTilesFamily, LogTileKey(0, 2), "tile/0/002.p/88"},
        Damage{kLogTilesFamily, LogTileKey(0, 1), "tile/1/000.p/2"},
        Damage{kLogTilesFamily, LogTileKey(1, 0), "tile/1/000.p/2"}, Damage{kLogHeadFamily, kLogHeadKey, "head"},
        Damage{kLogHeadFamily, kLogSignedKey, "store"}}) {
    const std::string before = **store_->Get(damage.family, damage.key);
    std::string after = before;
    after.back() = static_cast<char>(after.back() ^ 1);
    WriteBatch batch;
    batch.Put(damage.family, damage.key, after);
    SLUIS_ASSERT_OK(store_->Write(batch, true));
    EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kDataLoss, damage.message)) << damage.family;
    WriteBatch gone;
    gone.Delete(damage.family, damage.key);
    SLUIS_ASSERT_OK(store_->Write(gone, true));
    if (damage.key != kLogSignedKey) {  // without it the head, which was synced, still stands
      EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kDataLoss, "missing")) << damage.family;
    }
    WriteBatch restore;
    restore.Put(damage.family, damage.key, before);
    SLUIS_ASSERT_OK(store_->Write(restore, true));
    SLUIS_EXPECT_OK(Open());
  }
}

TEST_F(LogWriterTest, ManyThreadsAppendAndReadTogether) {
  auto log = Open(directory_ / "log");
  SLUIS_ASSERT_OK(log);
  const VerifierKey key = TestVerifierKey();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        const std::vector<std::string> entry = {std::to_string(t) + "/" + std::to_string(i)};
        const auto appended = (*log)->Append(entry, WriteBatch());
        SLUIS_ASSERT_OK(appended);
        EXPECT_EQ(*(*log)->Entry(appended->first_index), entry[0]);
        const auto proof = (*log)->ProveInclusion(appended->first_index);
        SLUIS_ASSERT_OK(proof);
        SLUIS_EXPECT_OK(VerifyTlogProof(*proof, entry[0], key));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(VerifyLogDirectory(directory_ / "log", {key, std::nullopt, nullptr})->size, 80u);
}

}  // namespace
}  // namespace sluis::common
