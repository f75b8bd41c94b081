#include "common/store/store.h"

#include <map>
#include <random>
#include <thread>
#include <utility>

#include "common/status/matchers.h"
#include "common/store/keys.h"
#include "gtest/gtest.h"
#include "tests/common/store/temporary_directory.h"

// The conformance suite: every back end behaves the same.

namespace sluis::common {
namespace {

using ::sluis::common::testing::StatusIs;
using ::sluis::common::testing::TemporaryDirectory;
using ::testing::ElementsAre;
using Entries = std::vector<std::pair<std::string, std::string>>;

class StoreConformance : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "memory") {
      store_ = MakeMemoryStore({"a", "b"});
    } else {
      RocksDbOptions options{.families = {"a", "b"}, .migrate = nullptr, .bulk = GetParam() == "rocksdb_bulk"};
      auto store = OpenRocksDb(directory_ / "db", options);
      SLUIS_ASSERT_OK(store);
      store_ = *std::move(store);
    }
  }
  void Put(const std::string& key, const std::string& value) {
    WriteBatch batch;
    batch.Put("a", key, value);
    SLUIS_ASSERT_OK(store_->Write(batch, true));
  }
  static Entries ScanAll(const StoreView& view, std::string_view prefix, std::string_view start = {},
                         std::string_view family = "a") {
    Entries entries;
    SLUIS_EXPECT_OK(view.Scan(family, prefix, start, [&](std::string_view key, std::string_view value) {
      entries.emplace_back(key, value);
      return true;
    }));
    return entries;
  }
  static std::vector<std::string> Keys(const StoreView& view, std::string_view prefix, std::string_view start = {}) {
    std::vector<std::string> keys;
    for (auto& [key, value] : ScanAll(view, prefix, start)) {
      keys.push_back(key);
    }
    return keys;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Store> store_;
};

TEST_P(StoreConformance, GetReturnsWhatWasPutAndNulloptElse) {
  Put("k", std::string("v\0w", 3));
  Put("", "empty key");
  Put("empty value", "");
  EXPECT_EQ(*store_->Get("a", "k"), std::string("v\0w", 3));
  EXPECT_EQ(*store_->Get("a", ""), "empty key");
  EXPECT_EQ(*store_->Get("a", "empty value"), "");
  EXPECT_EQ(*store_->Get("a", "K"), std::nullopt);
  EXPECT_EQ(*store_->Get("b", "k"), std::nullopt);
}

TEST_P(StoreConformance, UnknownFamilyIsRefusedAndNothingOfTheBatchApplied) {
  WriteBatch batch;
  batch.Put("a", "k", "v");
  batch.Put("c", "k", "v");
  EXPECT_THAT(store_->Write(batch, true), StatusIs(absl::StatusCode::kInvalidArgument, "unknown column family c"));
  EXPECT_EQ(*store_->Get("a", "k"), std::nullopt);
  EXPECT_THAT(store_->Get("c", "k"), StatusIs(absl::StatusCode::kInvalidArgument, "unknown column family c"));
  EXPECT_THAT(store_->Scan("c", "", "", [](auto, auto) { return true; }),
              StatusIs(absl::StatusCode::kInvalidArgument, "unknown column family c"));
  EXPECT_THAT(store_->Snapshot()->Get("c", "k"), StatusIs(absl::StatusCode::kInvalidArgument, "unknown"));
  EXPECT_THAT(store_->Get("default", "k"), StatusIs(absl::StatusCode::kInvalidArgument, "unknown"));
  WriteBatch to_default;
  to_default.Put("default", "k", "v");
  EXPECT_THAT(store_->Write(to_default, true), StatusIs(absl::StatusCode::kInvalidArgument, "unknown"));
}

TEST_P(StoreConformance, LongKeysAndEmptyPrefixesAreRefused) {
  WriteBatch fits;
  fits.Put("a", std::string(kMaxKeyBytes, 'k'), "v");
  SLUIS_EXPECT_OK(store_->Write(fits, true));
  WriteBatch too_long;
  too_long.Put("a", "first", "v");
  too_long.Put("a", std::string(kMaxKeyBytes + 1, 'k'), "v");
  EXPECT_THAT(store_->Write(too_long, true), StatusIs(absl::StatusCode::kInvalidArgument, "longer than 4096 bytes"));
  EXPECT_EQ(*store_->Get("a", "first"), std::nullopt);
  WriteBatch empty_prefix;
  empty_prefix.DeletePrefix("a", "");
  EXPECT_THAT(store_->Write(empty_prefix, true), StatusIs(absl::StatusCode::kInvalidArgument, "empty prefix"));
}

TEST_P(StoreConformance, EmptyBatchIsAccepted) { SLUIS_EXPECT_OK(store_->Write(WriteBatch(), true)); }

TEST_P(StoreConformance, KeysOrderAsUnsignedBytes) {
  const std::vector<std::string> ordered = {
      "",        std::string(1, '\0'), std::string("\0a", 2), "A", "a", "aa", "b", "\x7f", "\x80", "\xfe\xff", "\xff",
      "\xff\xff"};
  for (std::size_t i = ordered.size(); i-- > 0;) {
    Put(ordered[i], "v");
  }
  EXPECT_EQ(Keys(*store_, ""), ordered);
}

TEST_P(StoreConformance, ScanKeepsToPrefixAndStart) {
  for (const char* key : {"a", "p", "p1", "p2", "p3", "q", "o\xff"}) {
    Put(key, "v");
  }
  EXPECT_THAT(Keys(*store_, "p"), ElementsAre("p", "p1", "p2", "p3"));
  EXPECT_THAT(Keys(*store_, "p", "p2"), ElementsAre("p2", "p3"));
  EXPECT_THAT(Keys(*store_, "p", "p1x"), ElementsAre("p2", "p3"));
  EXPECT_THAT(Keys(*store_, "p", "a"), ElementsAre("p", "p1", "p2", "p3"));
  EXPECT_THAT(Keys(*store_, "p", "q"), ElementsAre());
  EXPECT_THAT(Keys(*store_, "x"), ElementsAre());
  EXPECT_THAT(Keys(*store_, "", "p3"), ElementsAre("p3", "q"));
}

TEST_P(StoreConformance, ScanStopsWhenVisitReturnsFalse) {
  for (const char* key : {"1", "2", "3"}) {
    Put(key, "v");
  }
  int visited = 0;
  SLUIS_EXPECT_OK(store_->Scan("a", "", "", [&](auto, auto) { return ++visited < 2; }));
  EXPECT_EQ(visited, 2);
}

TEST_P(StoreConformance, VisitMayReadAndWriteTheStoreAndSeesTheBeginningOfTheScan) {
  for (const char* key : {"1", "2", "3"}) {
    Put(key, "v");
  }
  std::vector<std::string> visited;
  SLUIS_EXPECT_OK(store_->Scan("a", "", "", [&](std::string_view key, std::string_view) {
    visited.emplace_back(key);
    Put(std::string(key) + "+", "new");
    EXPECT_EQ(*store_->Get("a", std::string(key) + "+"), "new");
    return true;
  }));
  EXPECT_THAT(visited, ElementsAre("1", "2", "3"));
}

TEST_P(StoreConformance, LaterChangesOfABatchWin) {
  Put("p1", "old");
  Put("p2", "old");
  WriteBatch batch;
  batch.Put("a", "p2", "lost");
  batch.Put("a", "k", "1");
  batch.Put("a", "k", "2");
  batch.Put("a", "gone", "v");
  batch.Delete("a", "gone");
  batch.DeletePrefix("a", "p");
  batch.Put("a", "p1", "new");
  WriteBatch more;
  more.Put("a", "k", "3");
  batch.Append(more);
  SLUIS_ASSERT_OK(store_->Write(batch, true));
  EXPECT_EQ(ScanAll(*store_, ""), (Entries{{"k", "3"}, {"p1", "new"}}));
}

TEST_P(StoreConformance, BatchAppendedToItselfDoublesIt) {
  WriteBatch batch;
  batch.Put("a", "k", "1");
  batch.Delete("a", "l");
  batch.Append(batch);
  EXPECT_EQ(batch.changes().size(), 4u);
  SLUIS_ASSERT_OK(store_->Write(batch, true));
}

TEST_P(StoreConformance, DeletePrefixHandlesHighBytes) {
  const std::vector<std::string> keys = {"p\xfe", "p\xff", "p\xff\xff", "q", "\xff", "\xff\xff", "\xff\xff\x01"};
  const std::string longest(kMaxKeyBytes, '\xff');
  for (const std::string& key : keys) {
    Put(key, "v");
  }
  Put(longest, "v");
  WriteBatch high_end;
  high_end.DeletePrefix("a", "p\xff");
  SLUIS_ASSERT_OK(store_->Write(high_end, true));
  EXPECT_THAT(Keys(*store_, ""), ElementsAre("p\xfe", "q", "\xff", "\xff\xff", "\xff\xff\x01", longest));
  WriteBatch all_high;
  all_high.DeletePrefix("a", "\xff\xff");
  SLUIS_ASSERT_OK(store_->Write(all_high, true));
  EXPECT_THAT(Keys(*store_, ""), ElementsAre("p\xfe", "q", "\xff"));
}

TEST_P(StoreConformance, SnapshotIsUntouchedByLaterWrites) {
  Put("kept", "old");
  Put("deleted", "old");
  const auto before = store_->Snapshot();
  WriteBatch batch;
  batch.Put("a", "kept", "new");
  batch.Put("a", "added", "new");
  batch.Put("b", "added", "new");
  batch.DeletePrefix("a", "del");
  SLUIS_ASSERT_OK(store_->Write(batch, true));
  EXPECT_EQ(ScanAll(*before, ""), (Entries{{"deleted", "old"}, {"kept", "old"}}));
  EXPECT_EQ(ScanAll(*before, "", "", "b"), Entries());
  EXPECT_EQ(*before->Get("a", "kept"), "old");
  EXPECT_EQ(*before->Get("a", "added"), std::nullopt);
  EXPECT_EQ(ScanAll(*store_, ""), (Entries{{"added", "new"}, {"kept", "new"}}));
}

TEST_P(StoreConformance, ReadersNeverSeePartOfABatch) {
  constexpr int kRounds = 300;
  std::thread writer([&] {
    for (int i = 1; i <= kRounds; ++i) {
      WriteBatch batch;
      batch.Put("a", "x", std::to_string(i));
      batch.Put("b", "x", std::to_string(i));
      SLUIS_EXPECT_OK(store_->Write(batch, false));
    }
  });
  std::string seen;
  while (seen != std::to_string(kRounds)) {
    const auto view = store_->Snapshot();
    const auto a = *view->Get("a", "x");
    const auto b = *view->Get("b", "x");
    EXPECT_EQ(a, b);
    seen = a.value_or("");
  }
  writer.join();
}

// Random operations against a plain map.
TEST_P(StoreConformance, AgreesWithAMapOverRandomBatches) {
  std::mt19937 random(20240517);
  std::map<std::string, std::string> oracle;
  const auto random_key = [&] {
    std::string key(1 + random() % 3, '\0');
    for (char& c : key) {
      c = "\x01\x02\xfe\xff"[random() % 4];
    }
    return key;
  };
  for (int round = 0; round < 200; ++round) {
    WriteBatch batch;
    for (unsigned change = 0; change < 1 + random() % 6; ++change) {
      const std::string key = random_key();
      switch (random() % 6) {
        case 0:
          batch.DeletePrefix("a", key);
          std::erase_if(oracle, [&](const auto& entry) { return entry.first.starts_with(key); });
          break;
        case 1:
          batch.Delete("a", key);
          oracle.erase(key);
          break;
        default:
          batch.Put("a", key, std::to_string(round));
          oracle[key] = std::to_string(round);
      }
    }
    SLUIS_ASSERT_OK(store_->Write(batch, false));
    const std::string prefix = random_key();
    const std::string start = random_key();
    Entries expected;
    for (const auto& entry : oracle) {
      if (entry.first.starts_with(prefix) && entry.first >= start) {
        expected.push_back(entry);
      }
    }
    ASSERT_EQ(ScanAll(*store_, prefix, start), expected) << "round " << round;
  }
  EXPECT_EQ(ScanAll(*store_, ""), Entries(oracle.begin(), oracle.end()));
}

INSTANTIATE_TEST_SUITE_P(BackEnds, StoreConformance, ::testing::Values("memory", "rocksdb", "rocksdb_bulk"),
                         [](const auto& info) { return info.param; });

TEST(PrefixEnd, IsTheSmallestStringAfterAllKeysWithThePrefix) {
  EXPECT_EQ(PrefixEnd("a"), "b");
  EXPECT_EQ(PrefixEnd("a\xff"), "b");
  EXPECT_EQ(PrefixEnd("a\xfe\xff\xff"), "a\xff");
  EXPECT_EQ(PrefixEnd("\xff"), std::string(kMaxKeyBytes + 1, '\xff'));
  EXPECT_EQ(PrefixEnd(""), std::string(kMaxKeyBytes + 1, '\xff'));
}

}  // namespace
}  // namespace sluis::common
