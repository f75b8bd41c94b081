#include "keys/custody/quota.h"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"
#include "keys/oprf/suite.h"

namespace sluis::keys {
namespace {

using absl::StatusCode;
using common::testing::StatusIs;

const QuotaAccount kAccount = {"spiffe://sluis.test/custodian/a", "integration", "identifiers"};

DebitRequest Request(std::uint32_t chunk, std::uint32_t count, std::uint8_t hash = 1) {
  DebitRequest request{.account = kAccount, .delivery_id = "d1", .chunk_number = chunk, .element_count = count};
  request.elements_sha256.fill(hash);
  return request;
}

// A budget that the delivery may use up alone.
QuotaBudget Both(std::uint64_t elements) { return {.account = elements, .delivery = elements}; }

class QuotaLedgerTest : public ::testing::Test {
 protected:
  void ExpectUsage(std::uint64_t elements, std::uint64_t chunks, const QuotaAccount& account = kAccount) {
    const auto usage = ledger_.Usage(account);
    SLUIS_ASSERT_OK(usage);
    EXPECT_EQ(usage->elements, elements);
    EXPECT_EQ(usage->chunks, chunks);
  }
  void ExpectDecision(const absl::StatusOr<DebitDecision>& decision, DebitDecision expected) {
    SLUIS_ASSERT_OK(decision);
    EXPECT_EQ(*decision, expected);
  }

  std::unique_ptr<common::Store> store_ = common::MakeMemoryStore({kQuotaFamily});
  QuotaLedger ledger_{*store_};
};

TEST_F(QuotaLedgerTest, DebitsEachChunkOnce) {
  ExpectUsage(0, 0);
  ExpectDecision(ledger_.Debit(Request(0, 100), Both(1000)), DebitDecision::kGranted);
  ExpectDecision(ledger_.Debit(Request(1, 50), Both(1000)), DebitDecision::kGranted);
  ExpectUsage(150, 2);
  ExpectDecision(ledger_.Debit(Request(0, 100), Both(1000)), DebitDecision::kReplay);
  ExpectUsage(150, 2);
}

TEST_F(QuotaLedgerTest, GrantsTheBudgetToTheLastElement) {
  ExpectDecision(ledger_.Debit(Request(0, 100), Both(150)), DebitDecision::kGranted);
  const auto refused = ledger_.Debit(Request(1, 51), Both(150));
  EXPECT_THAT(refused, StatusIs(StatusCode::kResourceExhausted, "of the budget of 150"));
  EXPECT_THAT(refused, StatusIs(StatusCode::kResourceExhausted, "have max_records in the permit raised"));
  EXPECT_EQ(common::ReasonOf(refused.status()), "QUOTA_EXHAUSTED");
  ExpectUsage(100, 1);
  ExpectDecision(ledger_.Debit(Request(1, 50), Both(150)), DebitDecision::kGranted);
  EXPECT_THAT(ledger_.Debit(Request(2, 1), Both(150)), StatusIs(StatusCode::kResourceExhausted, "150 are used"));
  ExpectUsage(150, 2);
}

TEST_F(QuotaLedgerTest, AnswersReplaysWhenTheBudgetIsUsedUpOrLowered) {
  ExpectDecision(ledger_.Debit(Request(0, 100), Both(100)), DebitDecision::kGranted);
  ExpectDecision(ledger_.Debit(Request(0, 100), Both(100)), DebitDecision::kReplay);
  ExpectDecision(ledger_.Debit(Request(0, 100), Both(10)), DebitDecision::kReplay);
  EXPECT_THAT(ledger_.Debit(Request(1, 1), Both(10)), StatusIs(StatusCode::kResourceExhausted, "budget of 10"));
}

TEST_F(QuotaLedgerTest, RefusesAChunkThatChanged) {
  ExpectDecision(ledger_.Debit(Request(0, 100, 1), Both(1000)), DebitDecision::kGranted);
  const auto refused = ledger_.Debit(Request(0, 100, 2), Both(1000));
  EXPECT_THAT(refused, StatusIs(StatusCode::kInvalidArgument, "chunk 0 of this delivery was sent before"));
  EXPECT_EQ(common::ReasonOf(refused.status()), "CHUNK_CHANGED");
  EXPECT_THAT(ledger_.Debit(Request(0, 99, 1), Both(1000)), StatusIs(StatusCode::kInvalidArgument, "other elements"));
  ExpectUsage(100, 1);
}

TEST_F(QuotaLedgerTest, CheckDecidesAlikeAndDebitsNothing) {
  ExpectDecision(ledger_.Check(Request(0, 100), Both(100)), DebitDecision::kGranted);
  ExpectUsage(0, 0);
  ExpectDecision(ledger_.Debit(Request(0, 100), Both(100)), DebitDecision::kGranted);
  ExpectDecision(ledger_.Check(Request(0, 100), Both(100)), DebitDecision::kReplay);
  EXPECT_THAT(ledger_.Check(Request(1, 1), Both(100)), StatusIs(StatusCode::kResourceExhausted, "budget of 100"));
}

TEST_F(QuotaLedgerTest, KeepsAccountsAndDeliveriesApart) {
  ExpectDecision(ledger_.Debit(Request(0, 10), Both(10)), DebitDecision::kGranted);
  for (const QuotaAccount& other : {QuotaAccount{"spiffe://sluis.test/custodian/b", "integration", "identifiers"},
                                    QuotaAccount{kAccount.custodian, "other", "identifiers"},
                                    QuotaAccount{kAccount.custodian, "integration", "match-keys"},
                                    // The same bytes, cut elsewhere.
                                    QuotaAccount{kAccount.custodian, "integrationi", "dentifiers"}}) {
    ExpectUsage(0, 0, other);
    DebitRequest request = Request(0, 10, 7);
    request.account = other;
    ExpectDecision(ledger_.Debit(request, Both(10)), DebitDecision::kGranted);
    ExpectUsage(10, 1, other);
  }
  DebitRequest second = Request(0, 10, 9);
  second.delivery_id = "d2";
  ExpectDecision(ledger_.Debit(second, Both(20)), DebitDecision::kGranted);
  ExpectUsage(20, 2);
}

TEST_F(QuotaLedgerTest, RefusesBadRequests) {
  EXPECT_THAT(ledger_.Debit(Request(3, 0), Both(10)), StatusIs(StatusCode::kInvalidArgument, "chunk 3 has 0 elements"));
  EXPECT_THAT(ledger_.Debit(Request(3, kMaxBatch + 1), Both(1'000'000)),
              StatusIs(StatusCode::kInvalidArgument, "32769 elements"));
  DebitRequest request = Request(0, 1);
  request.delivery_id = "";
  EXPECT_THAT(ledger_.Debit(request, Both(10)), StatusIs(StatusCode::kInvalidArgument, "delivery id has 0 bytes"));
  request = Request(0, 1);
  request.account.custodian = std::string(513, 'x');
  EXPECT_THAT(ledger_.Debit(request, Both(10)), StatusIs(StatusCode::kInvalidArgument, "custodian has 513 bytes"));
  EXPECT_THAT(ledger_.Usage({"a", "", "c"}), StatusIs(StatusCode::kInvalidArgument, "project has 0 bytes"));
  EXPECT_THAT(ledger_.Usage({"a", "b", ""}), StatusIs(StatusCode::kInvalidArgument, "purpose has 0 bytes"));
}

TEST_F(QuotaLedgerTest, TakesTheLongestNames) {
  const std::string longest(512, 'x');
  DebitRequest request = Request(0, 1);
  request.account = {longest, longest, longest};
  request.delivery_id = longest;
  ExpectDecision(ledger_.Debit(request, Both(1)), DebitDecision::kGranted);
}

TEST_F(QuotaLedgerTest, GivesEachDeliveryABudgetWithinThatOfTheAccount) {
  const QuotaBudget budget{.account = 250, .delivery = 100};
  const auto in = [](const std::string& delivery, std::uint32_t chunk, std::uint32_t count) {
    DebitRequest request = Request(chunk, count);
    request.delivery_id = delivery;
    return request;
  };
  ExpectDecision(ledger_.Debit(in("d1", 0, 60), budget), DebitDecision::kGranted);
  const auto refused = ledger_.Debit(in("d1", 1, 41), budget);
  EXPECT_THAT(refused, StatusIs(StatusCode::kResourceExhausted, "budget of 100 for one delivery"));
  EXPECT_THAT(refused, StatusIs(StatusCode::kResourceExhausted, "60 are used"));
  EXPECT_EQ(common::ReasonOf(refused.status()), "QUOTA_EXHAUSTED");
  ExpectDecision(ledger_.Debit(in("d1", 1, 40), budget), DebitDecision::kGranted);
  ExpectDecision(ledger_.Debit(in("d1", 0, 60), budget), DebitDecision::kReplay);
  ExpectDecision(ledger_.Debit(in("d2", 0, 100), budget), DebitDecision::kGranted);
  // The third delivery has a budget of its own, but the account has only 50 left.
  EXPECT_THAT(ledger_.Debit(in("d3", 0, 51), budget),
              StatusIs(StatusCode::kResourceExhausted, "budget of 250 for this custodian"));
  ExpectDecision(ledger_.Debit(in("d3", 0, 50), budget), DebitDecision::kGranted);
  ExpectUsage(250, 4);
  EXPECT_EQ(ledger_.DeliveryUsage(kAccount, "d1")->elements, 100u);
  EXPECT_EQ(ledger_.DeliveryUsage(kAccount, "d1")->chunks, 2u);
  EXPECT_EQ(ledger_.DeliveryUsage(kAccount, "d3")->elements, 50u);
  EXPECT_EQ(ledger_.DeliveryUsage(kAccount, "d")->elements, 0u);  // a name that begins like others
  EXPECT_THAT(ledger_.DeliveryUsage(kAccount, ""), StatusIs(StatusCode::kInvalidArgument, "delivery id has 0 bytes"));
}

// A delivery that did not get what it asked for has used nothing: neither sum moves alone.
TEST_F(QuotaLedgerTest, DebitsBothBudgetsOrNeither) {
  const QuotaBudget account_short{.account = 10, .delivery = 100};
  const QuotaBudget delivery_short{.account = 100, .delivery = 10};
  EXPECT_FALSE(ledger_.Debit(Request(0, 11), account_short).ok());
  EXPECT_FALSE(ledger_.Debit(Request(0, 11), delivery_short).ok());
  ExpectUsage(0, 0);
  EXPECT_EQ(ledger_.DeliveryUsage(kAccount, "d1")->elements, 0u);
}

TEST_F(QuotaLedgerTest, AnswersAChunkAgainOnlySoOften) {
  ExpectDecision(ledger_.Debit(Request(0, 10), Both(20)), DebitDecision::kGranted);
  for (std::uint32_t i = 0; i < kMaxReplays; ++i) {
    ExpectDecision(ledger_.Check(Request(0, 10), Both(20)), DebitDecision::kReplay);  // looking does not count
    ExpectDecision(ledger_.Debit(Request(0, 10), Both(20)), DebitDecision::kReplay);
  }
  const auto refused = ledger_.Debit(Request(0, 10), Both(20));
  EXPECT_THAT(refused,
              StatusIs(StatusCode::kResourceExhausted, "chunk 0 of this delivery was answered again 32 times"));
  EXPECT_EQ(common::ReasonOf(refused.status()), "REPLAY_LIMIT");
  EXPECT_THAT(ledger_.Check(Request(0, 10), Both(20)), StatusIs(StatusCode::kResourceExhausted, "32 times"));
  // A restart does not begin the count anew, and other chunks go on.
  QuotaLedger reopened(*store_);
  EXPECT_THAT(reopened.Debit(Request(0, 10), Both(20)), StatusIs(StatusCode::kResourceExhausted, "32 times"));
  ExpectDecision(reopened.Debit(Request(1, 10), Both(20)), DebitDecision::kGranted);
  ExpectUsage(20, 2);
}

// A store as the first version wrote it: chunks without a count of repetitions, no sum of a delivery.
TEST_F(QuotaLedgerTest, ReadsAStoreOfFormatOne) {
  std::string account;
  for (const std::string& name : {kAccount.custodian, kAccount.project, kAccount.purpose}) {
    AppendLengthPrefixed(account, name);
  }
  common::WriteBatch batch;
  std::string usage(1, 1);
  common::AppendBigEndian64(usage, 70);
  common::AppendBigEndian64(usage, 2);
  batch.Put(kQuotaFamily, "u" + account, usage);
  for (std::uint32_t number = 0; number < 2; ++number) {
    std::string key = "c" + account;
    AppendLengthPrefixed(key, "d1");
    common::AppendBigEndian32(key, number);
    std::string chunk(1, 1);
    common::AppendBigEndian32(chunk, number == 0 ? 40 : 30);
    batch.Put(kQuotaFamily, key, chunk + std::string(32, '\1'));
  }
  SLUIS_ASSERT_OK(store_->Write(batch, true));
  const QuotaBudget budget{.account = 1000, .delivery = 100};
  EXPECT_EQ(ledger_.DeliveryUsage(kAccount, "d1")->elements, 70u);
  ExpectDecision(ledger_.Debit(Request(0, 40), budget), DebitDecision::kReplay);
  EXPECT_THAT(ledger_.Debit(Request(2, 31), budget), StatusIs(StatusCode::kResourceExhausted, "70 are used"));
  ExpectDecision(ledger_.Debit(Request(2, 30), budget), DebitDecision::kGranted);
  EXPECT_EQ(ledger_.DeliveryUsage(kAccount, "d1")->elements, 100u);
  EXPECT_EQ(ledger_.DeliveryUsage(kAccount, "d1")->chunks, 3u);
  ExpectUsage(100, 3);
}

TEST_F(QuotaLedgerTest, ForgetsAProjectAndNoOther) {
  DebitRequest other = Request(0, 10);
  other.account.project = "integration-2";
  DebitRequest colleague = Request(0, 10);
  colleague.account.custodian = "spiffe://sluis.test/custodian/b";
  for (const DebitRequest& request : {Request(0, 10), Request(1, 10), other, colleague}) {
    ExpectDecision(ledger_.Debit(request, Both(100)), DebitDecision::kGranted);
  }
  SLUIS_ASSERT_OK(ledger_.Forget("integration"));
  SLUIS_ASSERT_OK(ledger_.Forget("integration"));
  ExpectUsage(0, 0);
  ExpectUsage(0, 0, colleague.account);
  ExpectUsage(10, 1, other.account);
  int left = 0;
  SLUIS_ASSERT_OK(store_->Scan(kQuotaFamily, "", "", [&left](std::string_view, std::string_view) { return ++left; }));
  EXPECT_EQ(left, 3);  // what the other project has
}

TEST_F(QuotaLedgerTest, StopsOnADamagedRecord) {
  ExpectDecision(ledger_.Debit(Request(0, 10), Both(100)), DebitDecision::kGranted);
  std::vector<std::string> keys;
  SLUIS_ASSERT_OK(store_->Scan(kQuotaFamily, "", "", [&keys](std::string_view key, std::string_view) {
    keys.emplace_back(key);
    return true;
  }));
  ASSERT_EQ(keys.size(), 3u);
  for (const std::string& key : keys) {
    const auto before = store_->Get(kQuotaFamily, key);
    SLUIS_ASSERT_OK(before);
    common::WriteBatch batch;
    batch.Put(kQuotaFamily, key, "short");
    SLUIS_ASSERT_OK(store_->Write(batch, true));
    EXPECT_THAT(ledger_.Debit(Request(0, 10), Both(100)), StatusIs(StatusCode::kDataLoss, "damaged"));
    common::WriteBatch repair;
    repair.Put(kQuotaFamily, key, **before);
    SLUIS_ASSERT_OK(store_->Write(repair, true));
  }
}

// A store whose writes fail, as on a full disk.
class FullStore : public common::Store {
 public:
  explicit FullStore(common::Store& inner) : inner_(inner) {}
  absl::StatusOr<std::optional<std::string>> Get(std::string_view family, std::string_view key) const override {
    return inner_.Get(family, key);
  }
  absl::Status Scan(std::string_view family, std::string_view prefix, std::string_view start,
                    const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    return inner_.Scan(family, prefix, start, visit);
  }
  absl::Status Write(const common::WriteBatch&, bool sync) override {
    EXPECT_TRUE(sync);
    return absl::ResourceExhaustedError("disk full");
  }
  std::unique_ptr<common::StoreView> Snapshot() const override { return inner_.Snapshot(); }

 private:
  common::Store& inner_;
};

TEST_F(QuotaLedgerTest, GrantsNothingThatCannotBeWritten) {
  FullStore full(*store_);
  QuotaLedger ledger(full);
  EXPECT_THAT(ledger.Debit(Request(0, 10), Both(100)), StatusIs(StatusCode::kResourceExhausted, "disk full"));
  ExpectUsage(0, 0);
}

// Four threads ask for twice the budget between them, each chunk twice: every element of the budget is granted once.
TEST_F(QuotaLedgerTest, NeverOverspendsUnderConcurrency) {
  constexpr std::uint64_t kBudget = 1000;
  std::atomic<std::uint64_t> granted = 0;
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint32_t i = 0; i < 100; ++i) {
        const auto decision = ledger_.Debit(Request((t / 2) * 100 + i, 10), Both(kBudget));
        if (!decision.ok()) {
          ++refused;
        } else if (*decision == DebitDecision::kGranted) {
          granted += 10;
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(granted, kBudget);
  EXPECT_GT(refused, 0);
  ExpectUsage(kBudget, 100);
}

}  // namespace
}  // namespace sluis::keys
