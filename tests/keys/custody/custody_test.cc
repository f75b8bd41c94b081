#include "keys/custody/custody.h"

#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"
#include "keys/oprf/client.h"
#include "keys/oprf/dleq.h"

namespace sluis::keys {
namespace {

using absl::StatusCode;
using common::testing::StatusIs;

constexpr QuotaBudget kBudget{.account = 10, .delivery = 10};

class KeyCustodyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SLUIS_ASSERT_OK(custody_.AddKey("integration", kPurposeIdentifiers, KeyPair::Generate()));
    SLUIS_ASSERT_OK(custody_.AddKey("integration", kPurposeMatchKeys, KeyPair::Generate()));
  }
  ChunkRequest Request(const BlindedBatch& batch, std::uint32_t chunk, const std::string& purpose = "identifiers") {
    return {.account = {"spiffe://sluis.test/custodian/a", "integration", purpose},
            .delivery_id = "delivery",
            .chunk_number = chunk,
            .blinded = batch.elements()};
  }
  std::uint64_t Used(const std::string& purpose = "identifiers") {
    return ledger_.Usage({"spiffe://sluis.test/custodian/a", "integration", purpose})->elements;
  }

  std::unique_ptr<common::Store> store_ = common::MakeMemoryStore({kQuotaFamily});
  QuotaLedger ledger_{*store_};
  KeyCustody custody_{ledger_};
  const std::vector<std::string> inputs_ = {"a", "b", "c"};
};

TEST_F(KeyCustodyTest, AnswersWithAProofUnderTheProjectsKey) {
  const auto batch = Blind(inputs_);
  SLUIS_ASSERT_OK(batch);
  const auto answer = custody_.EvaluateChunk(Request(*batch, 0), kBudget);
  SLUIS_ASSERT_OK(answer);
  EXPECT_EQ(answer->decision, DebitDecision::kGranted);
  EXPECT_EQ(Used(), 3u);
  const auto key = custody_.PublicKey("integration", kPurposeIdentifiers);
  SLUIS_ASSERT_OK(key);
  SLUIS_EXPECT_OK(Unblind(*batch, answer->evaluated, answer->proof, *key));
  const auto other_key = custody_.PublicKey("integration", kPurposeMatchKeys);
  SLUIS_ASSERT_OK(other_key);
  EXPECT_NE(*other_key, *key);
  EXPECT_THAT(Unblind(*batch, answer->evaluated, answer->proof, *other_key),
              StatusIs(StatusCode::kFailedPrecondition, "another key"));
}

TEST_F(KeyCustodyTest, RepeatsAChunkWithoutASecondDebit) {
  const auto batch = Blind(inputs_);
  SLUIS_ASSERT_OK(batch);
  const auto first = custody_.EvaluateChunk(Request(*batch, 0), kBudget);
  const auto second = custody_.EvaluateChunk(Request(*batch, 0), kBudget);
  SLUIS_ASSERT_OK(first);
  SLUIS_ASSERT_OK(second);
  EXPECT_EQ(second->decision, DebitDecision::kReplay);
  EXPECT_EQ(second->evaluated, first->evaluated);
  EXPECT_NE(second->proof, first->proof);  // a fresh nonce
  SLUIS_EXPECT_OK(Unblind(*batch, second->evaluated, second->proof, *custody_.PublicKey("integration", "identifiers")));
  EXPECT_EQ(Used(), 3u);
}

TEST_F(KeyCustodyTest, RefusesAChunkOfOtherElementsUnderAUsedNumber) {
  const auto batch = Blind(inputs_);
  const auto again = Blind(inputs_);  // same inputs, other blinds
  SLUIS_ASSERT_OK(custody_.EvaluateChunk(Request(*batch, 0), kBudget));
  EXPECT_THAT(custody_.EvaluateChunk(Request(*again, 0), kBudget),
              StatusIs(StatusCode::kInvalidArgument, "chunk 0 of this delivery was sent before"));
  EXPECT_EQ(Used(), 3u);
}

TEST_F(KeyCustodyTest, StopsAtTheBudgetOfEachPurpose) {
  const auto batch = Blind(inputs_);
  for (std::uint32_t chunk = 0; chunk < 3; ++chunk) {
    SLUIS_ASSERT_OK(custody_.EvaluateChunk(Request(*batch, chunk), kBudget));
  }
  const auto refused = custody_.EvaluateChunk(Request(*batch, 3), kBudget);
  EXPECT_THAT(refused, StatusIs(StatusCode::kResourceExhausted, "budget of 10"));
  EXPECT_EQ(Used(), 9u);
  // The budget is looked at before the elements: an exhausted account cannot make the server compute.
  const std::string malformed(3 * kElementSize, '\xff');
  ChunkRequest costly = Request(*batch, 4);
  costly.blinded = malformed;
  EXPECT_THAT(custody_.EvaluateChunk(costly, kBudget), StatusIs(StatusCode::kResourceExhausted, "budget of 10"));
  SLUIS_EXPECT_OK(custody_.EvaluateChunk(Request(*batch, 3, kPurposeMatchKeys), kBudget));
}

TEST_F(KeyCustodyTest, DebitsNothingForAMalformedChunk) {
  const auto batch = Blind(inputs_);
  std::string elements = batch->elements();
  elements.replace(kElementSize, kElementSize, std::string(kElementSize, '\xff'));
  ChunkRequest request = Request(*batch, 0);
  request.blinded = elements;
  EXPECT_THAT(custody_.EvaluateChunk(request, kBudget), StatusIs(StatusCode::kInvalidArgument, "blinded element 1"));
  request.blinded = "";
  EXPECT_THAT(custody_.EvaluateChunk(request, kBudget), StatusIs(StatusCode::kInvalidArgument, "empty"));
  const std::string too_many((kMaxBatch + 1) * kElementSize, '\x01');
  request.blinded = too_many;
  EXPECT_THAT(custody_.EvaluateChunk(request, {.account = 1'000'000, .delivery = 1'000'000}),
              StatusIs(StatusCode::kInvalidArgument, "over the limit"));
  EXPECT_EQ(Used(), 0u);
  SLUIS_EXPECT_OK(custody_.EvaluateChunk(Request(*batch, 0), kBudget));
}

TEST_F(KeyCustodyTest, RefusesUnknownProjectsAndPurposes) {
  const auto batch = Blind(inputs_);
  ChunkRequest request = Request(*batch, 0);
  request.account.project = "elsewhere";
  const auto refused = custody_.EvaluateChunk(request, kBudget);
  EXPECT_THAT(refused, StatusIs(StatusCode::kFailedPrecondition, "no key for identifiers of project elsewhere"));
  EXPECT_EQ(common::ReasonOf(refused.status()), "KEY_ABSENT");
  request = Request(*batch, 0, "attributes");
  EXPECT_THAT(custody_.EvaluateChunk(request, kBudget), StatusIs(StatusCode::kInvalidArgument, "purpose must be"));
  for (const char* const bad : {"", "Upper", "1st", "a_b", "a b", "-a"}) {
    EXPECT_THAT(custody_.PublicKey(bad, kPurposeIdentifiers), StatusIs(StatusCode::kInvalidArgument, "project must"));
    EXPECT_THAT(custody_.AddKey(bad, kPurposeIdentifiers, KeyPair::Generate()),
                StatusIs(StatusCode::kInvalidArgument, "project must"));
  }
  SLUIS_EXPECT_OK(CheckProjectAndPurpose(std::string(63, 'a'), kPurposeMatchKeys));
  EXPECT_THAT(CheckProjectAndPurpose(std::string(64, 'a'), kPurposeMatchKeys),
              StatusIs(StatusCode::kInvalidArgument, "at most 63"));
}

TEST_F(KeyCustodyTest, NeverReplacesAKey) {
  const auto before = custody_.PublicKey("integration", kPurposeIdentifiers);
  EXPECT_THAT(custody_.AddKey("integration", kPurposeIdentifiers, KeyPair::Generate()),
              StatusIs(StatusCode::kFailedPrecondition, "has a key for identifiers already"));
  EXPECT_EQ(*custody_.PublicKey("integration", kPurposeIdentifiers), *before);
}

// What a custodian has evaluated for one purpose serves no other: each has a key and a budget of its own.
TEST_F(KeyCustodyTest, KeepsPurposesApart) {
  const auto batch = Blind(inputs_);
  std::set<std::string> evaluated;
  for (const char* const purpose : kPurposes) {
    if (!custody_.PublicKey("integration", purpose).ok()) {
      SLUIS_ASSERT_OK(custody_.AddKey("integration", purpose, KeyPair::Generate()));
    }
    const auto answer = custody_.EvaluateChunk(Request(*batch, 0, purpose), kBudget);
    SLUIS_ASSERT_OK(answer);
    evaluated.insert(answer->evaluated);
    SLUIS_EXPECT_OK(Unblind(*batch, answer->evaluated, answer->proof, *custody_.PublicKey("integration", purpose)));
    for (const char* const other : kPurposes) {
      const auto key = custody_.PublicKey("integration", other);
      if (key.ok() && other != purpose) {
        EXPECT_FALSE(Unblind(*batch, answer->evaluated, answer->proof, *key).ok()) << purpose << " as " << other;
      }
    }
    EXPECT_EQ(Used(purpose), inputs_.size());
  }
  EXPECT_EQ(evaluated.size(), kPurposes.size());
}

TEST_F(KeyCustodyTest, EvaluatesNothingOnceTheKeysAreDestroyed) {
  const auto batch = Blind(inputs_);
  SLUIS_ASSERT_OK(custody_.AddKey("elsewhere", kPurposeIdentifiers, KeyPair::Generate()));
  SLUIS_ASSERT_OK(custody_.EvaluateChunk(Request(*batch, 0), kBudget));
  custody_.Destroy("integration");
  custody_.Destroy("integration");
  for (const char* const purpose : kPurposes) {
    // Also a chunk that was answered before.
    const auto refused = custody_.EvaluateChunk(Request(*batch, 0, purpose), kBudget);
    EXPECT_THAT(refused, StatusIs(StatusCode::kFailedPrecondition, "keys of project integration were destroyed"));
    EXPECT_EQ(common::ReasonOf(refused.status()), "KEY_DESTROYED");
  }
  EXPECT_THAT(custody_.AddKey("integration", kPurposeIdentifiers, KeyPair::Generate()),
              StatusIs(StatusCode::kFailedPrecondition, "were destroyed"));
  EXPECT_EQ(Used(), 3u);
  SLUIS_EXPECT_OK(custody_.PublicKey("elsewhere", kPurposeIdentifiers));
}

TEST_F(KeyCustodyTest, EvaluatesSideBySideWhileKeysAreAdded) {
  const auto batch = Blind(inputs_);
  std::vector<std::thread> threads;
  std::vector<absl::Status> results(4);
  for (std::uint32_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint32_t i = 0; i < 5 && results[t].ok(); ++i) {
        results[t] = custody_.EvaluateChunk(Request(*batch, t * 5 + i), {.account = 60, .delivery = 60}).status();
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    SLUIS_EXPECT_OK(custody_.AddKey("project-" + std::to_string(i), kPurposeIdentifiers, KeyPair::Generate()));
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const absl::Status& result : results) {
    SLUIS_EXPECT_OK(result);
  }
  EXPECT_EQ(Used(), 60u);
}

}  // namespace
}  // namespace sluis::keys
