#include "common/rpc/service_log.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <thread>

#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"

namespace sluis::common {
namespace {

using ::sluis::common::testing::StatusIs;

constexpr char kState[] = "state";
constexpr char kOrigin[] = "log.example/service";

// A store in memory that counts what is read and can be stopped after a write, when its changes are there but the
// writer does not know yet.
class WatchedStore final : public Store {
 public:
  WatchedStore() {
    std::vector<std::string> families = LogFamilies();
    families.push_back(kState);
    store_ = MakeMemoryStore(families);
  }
  absl::StatusOr<std::optional<std::string>> Get(std::string_view family, std::string_view key) const override {
    ++reads;
    return store_->Get(family, key);
  }
  absl::Status Scan(std::string_view family, std::string_view prefix, std::string_view start,
                    const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    ++reads;
    return store_->Scan(family, prefix, start, visit);
  }
  absl::Status Write(const WriteBatch& batch, bool sync) override {
    SLUIS_RETURN_IF_ERROR(store_->Write(batch, sync));
    return after_write ? after_write() : absl::OkStatus();
  }
  std::unique_ptr<StoreView> Snapshot() const override { return store_->Snapshot(); }

  std::function<absl::Status()> after_write;
  mutable std::atomic<int> reads{0};

 private:
  std::unique_ptr<Store> store_;
};

class ServiceLogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SLUIS_ASSERT_OK(Metrics::Open("", metrics_));
    Reopen();
  }
  void Reopen() {
    log_.reset();
    auto writer = LogWriter::Open(store_, kOrigin, SigningKey::FromSeed(SecretBytes::CopyOf(seed_)), "");
    SLUIS_ASSERT_OK(writer);
    auto log = ServiceLog::Open(*std::move(writer), *metrics_);
    SLUIS_ASSERT_OK(log);
    log_ = *std::move(log);
  }
  std::string Append(const std::string& type, const EntryFields& fields) {
    const std::string entry = FormatEntry(type, ++time_, fields);
    SLUIS_EXPECT_OK(log_->Append(entry, WriteBatch()));
    return entry;
  }
  static EntryFields Delivery(const std::string& id) {
    return {{"project", "p"}, {"register", "jobs"}, {"delivery", id}};
  }
  void ExpectFound(const std::string& type, const EntryFields& fields, const std::optional<std::string>& entry) {
    const auto found = log_->Find(type, fields);
    SLUIS_ASSERT_OK(found);
    EXPECT_EQ(*found, entry);
  }

  const std::vector<std::uint8_t> seed_ = std::vector<std::uint8_t>(32, 7);
  WatchedStore store_;
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<ServiceLog> log_;
  std::int64_t time_ = 1'700'000'000;
};

TEST_F(ServiceLogTest, FindsTheNewestEntryThatHasAllFields) {
  const std::string first = Append(entry_type::kLinkSet, {{"project", "p"}, {"link_set", "1"}});
  const std::string second = Append(entry_type::kLinkSet, {{"project", "p"}, {"link_set", "2"}});
  Append(entry_type::kLinkSet, {{"project", "q"}, {"link_set", "3"}});
  const std::string delivery = Append(entry_type::kDelivery, Delivery("a"));
  const std::string withdrawal = Append(entry_type::kWithdrawal, Delivery("a"));
  for (int run = 0; run < 2; ++run) {  // the second time from an index made at the start
    ExpectFound(entry_type::kLinkSet, {{"project", "p"}}, second);
    ExpectFound(entry_type::kLinkSet, {{"project", "p"}, {"link_set", "1"}}, first);
    ExpectFound(entry_type::kLinkSet, {{"project", "p"}, {"link_set", "3"}}, std::nullopt);
    ExpectFound(entry_type::kLinkSet, {{"project", "r"}}, std::nullopt);
    ExpectFound(entry_type::kDelivery, Delivery("a"), delivery);
    ExpectFound(entry_type::kWithdrawal, Delivery("a"), withdrawal);
    ExpectFound(entry_type::kDelivery, Delivery("b"), std::nullopt);
    Reopen();
  }
}

TEST_F(ServiceLogTest, RefusesToLookForWhatIsNotIndexed) {
  EXPECT_THAT(log_->Find("dry-run", {{"project", "p"}}), StatusIs(absl::StatusCode::kInternal, "dry-run"));
  EXPECT_THAT(log_->Find(entry_type::kDelivery, {{"project", "p"}}), StatusIs(absl::StatusCode::kInternal, "delivery"));
}

TEST_F(ServiceLogTest, AgreesWithAScanOfTheWholeLog) {
  // The oracle: all entries, newest first.
  std::vector<std::string> all;
  const auto scan = [&](const std::string& type, const EntryFields& fields) -> std::optional<std::string> {
    for (auto it = all.rbegin(); it != all.rend(); ++it) {
      const auto entry = ParseEntry(*it);
      bool same = entry.ok() && entry->type == type;
      for (const auto& [name, value] : fields)
        same = same && entry->fields.count(name) && entry->fields.at(name) == value;
      if (same) return *it;
    }
    return std::nullopt;
  };
  for (int i = 0; i < 300; ++i) {
    const EntryFields fields = {{"project", std::string(1, "pq"[i % 2])},
                                {"register", "r" + std::to_string(i % 3)},
                                {"delivery", "d" + std::to_string(i % 7)},
                                {"records", std::int64_t{i % 5}}};
    all.push_back(Append(i % 11 == 0 ? entry_type::kWithdrawal : entry_type::kDelivery, fields));
  }
  for (int i = 0; i < 300; ++i) {
    for (const char* type : {entry_type::kWithdrawal, entry_type::kDelivery}) {
      EntryFields fields = {{"project", std::string(1, "pq"[i % 2])},
                            {"register", "r" + std::to_string(i % 3)},
                            {"delivery", "d" + std::to_string(i % 8)}};
      if (i % 4 != 0) fields["records"] = std::int64_t{i % 6};
      ExpectFound(type, fields, scan(type, fields));
    }
  }
}

TEST_F(ServiceLogTest, ALookUpReadsAsMuchInALongLogAsInAShortOne) {
  Append(entry_type::kDelivery, Delivery("first"));
  const auto cost = [this] {
    const int before = store_.reads;
    SLUIS_EXPECT_OK(log_->Find(entry_type::kDelivery, Delivery("first")));
    SLUIS_EXPECT_OK(log_->Find(entry_type::kDelivery, Delivery("none")));
    return store_.reads - before;
  };
  const int in_short_log = cost();
  EXPECT_GT(in_short_log, 0);
  for (int i = 0; i < 200; ++i) Append(entry_type::kDelivery, Delivery(std::to_string(i)));
  EXPECT_EQ(cost(), in_short_log);
}

TEST_F(ServiceLogTest, ProvesExactlyTheEntriesThatItHas) {
  const std::string entry = Append(entry_type::kRelease, {{"project", "p"}, {"release", "work"}});
  const auto logged = log_->Prove(entry);
  SLUIS_ASSERT_OK(logged);
  EXPECT_EQ(logged->entry, entry);
  EXPECT_NE(logged->proof.find(kOrigin), std::string::npos);
  EXPECT_THAT(log_->Prove(entry + " "), StatusIs(absl::StatusCode::kNotFound, "no such entry"));
}

// Between the write of an append and its end others see its changes: they must get the entry all the same.
TEST_F(ServiceLogTest, WhoSeesTheChangesOfAnAppendUnderWayGetsItsEntry) {
  std::promise<void> written, go_on;
  bool first = true;
  store_.after_write = [&]() -> absl::Status {
    if (first) {
      first = false;
      written.set_value();
      go_on.get_future().wait();
    }
    return absl::OkStatus();
  };
  const std::string entry = FormatEntry(entry_type::kDelivery, 1, Delivery("a"));
  WriteBatch changes;
  changes.Put(kState, "a", "committed");
  auto appended = std::async(std::launch::async, [&] { return log_->Append(entry, changes).status(); });
  written.get_future().wait();
  ASSERT_EQ(*store_.Get(kState, "a"), std::optional<std::string>("committed"));
  auto proved = std::async(std::launch::async, [&] { return log_->Prove(entry); });
  auto found = std::async(std::launch::async, [&] { return log_->Find(entry_type::kDelivery, Delivery("a")); });
  EXPECT_EQ(proved.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  EXPECT_EQ(found.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  go_on.set_value();
  SLUIS_EXPECT_OK(appended.get());
  const auto proof = proved.get();
  SLUIS_ASSERT_OK(proof);
  EXPECT_EQ(proof->entry, entry);
  const auto newest = found.get();
  SLUIS_ASSERT_OK(newest);
  EXPECT_EQ(*newest, std::optional<std::string>(entry));
}

// A write that failed after all may have reached the disk: the writer finds out with the next append.
TEST_F(ServiceLogTest, FindsTheEntryOfAnAppendThatFailedAfterItsWrite) {
  store_.after_write = [this]() -> absl::Status {
    store_.after_write = nullptr;
    return absl::UnavailableError("a fault of the disk");
  };
  const std::string entry = FormatEntry(entry_type::kDelivery, 1, Delivery("a"));
  EXPECT_THAT(log_->Append(entry, WriteBatch()), StatusIs(absl::StatusCode::kUnavailable, ""));
  const std::string next = Append(entry_type::kDelivery, Delivery("b"));
  ExpectFound(entry_type::kDelivery, Delivery("a"), entry);
  ExpectFound(entry_type::kDelivery, Delivery("b"), next);
  SLUIS_EXPECT_OK(log_->Prove(entry));
}

}  // namespace
}  // namespace sluis::common
