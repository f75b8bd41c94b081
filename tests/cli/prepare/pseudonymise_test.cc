#include "cli/prepare/pseudonymise.h"

#include <gtest/gtest.h>

#include <set>

#include "linker/encode/match_key.h"
#include "tests/cli/prepare/fixture.h"

namespace sluis::cli {
namespace {

using common::testing::StatusIs;
using testing::AmountBytes;
using testing::KeyHolder;

class PseudonymiseTest : public testing::PrepareTest {
 protected:
  std::string InputOf(const std::string& key, const std::vector<std::string_view>& values) const {
    return **linker::MatchKeyInput(*permit_.FindMatchKey(key), values);
  }
  // The pseudonym that the cache holds for a person's bsn, or "".
  std::string Cached(int person) const {
    const std::string input = InputOf("bsn", {"person-" + std::to_string(person)});
    const auto found = cache_->Find(cache_->LookupOf("identifiers", input));
    EXPECT_THAT(found, common::testing::IsOk());
    return found.ok() && found->has_value() ? **found : "";
  }
};

TEST_F(PseudonymiseTest, GivesOnePersonOnePseudonymInEveryRegister) {
  const auto persons = Run("persons", "p1", Persons(0, 50));
  SLUIS_ASSERT_OK(persons);
  EXPECT_EQ(persons->count, 50u);
  EXPECT_EQ(persons->absent, (std::vector<std::uint64_t>{0, 5}));
  std::set<std::string> distinct;
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(Cached(i), PseudonymOf("identifiers", InputOf("bsn", {"person-" + std::to_string(i)})));
    distinct.insert(Cached(i));
  }
  EXPECT_EQ(distinct.size(), 50u);
  const auto birth =
      cache_->Find(cache_->LookupOf("match-keys", InputOf("birth_name", {"1980-01-11", "van der Berg" + Letters(1)})));
  SLUIS_ASSERT_OK(birth);
  EXPECT_EQ(*birth, PseudonymOf("match-keys", InputOf("birth_name", {"1980-01-11", "Berg" + Letters(1)})));
  // The other register, in another cache: evaluated anew, to the same elements.
  std::vector<std::string> before;
  for (int i = 0; i < 50; ++i) {
    before.push_back(Cached(i));
  }
  ResetCache();
  SLUIS_ASSERT_OK(Run("jobs", "j1", Jobs(0, 50)));
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(Cached(i), before[static_cast<std::size_t>(i)]);
  }
}

TEST_F(PseudonymiseTest, SendsEachDistinctIdentifierOnceInChunksAndFromTheCacheLater) {
  std::vector<testing::Row> rows = Jobs(0, 40);
  for (int repeat = 0; repeat < 3; ++repeat) {
    const auto more = Jobs(0, 40);
    rows.insert(rows.end(), more.begin(), more.end());
  }
  const auto first = Run("jobs", "j1", rows, /*batch=*/7);
  SLUIS_ASSERT_OK(first);
  EXPECT_EQ(first->count, 160u);
  EXPECT_EQ(first->evaluated, 40u);
  EXPECT_EQ(holder_.debited, 40u);
  ASSERT_EQ(holder_.calls.size(), 6u);
  // Two chunks are under way at a time, so the last may be asked before the one before it.
  std::multiset<std::size_t> sizes;
  for (const auto& call : holder_.calls) {
    sizes.insert(call.blinded.size());
  }
  EXPECT_EQ(sizes, (std::multiset<std::size_t>{5 * 32, 7 * 32, 7 * 32, 7 * 32, 7 * 32, 7 * 32}));
  std::set<std::uint32_t> numbers;
  for (const auto& call : holder_.calls) {
    numbers.insert(call.chunk);
  }
  EXPECT_EQ(numbers, (std::set<std::uint32_t>{0, 1, 2, 3, 4, 5}));
  // A corrected delivery with two persons more costs two evaluations.
  const auto second = Run("jobs", "j2", Jobs(0, 42));
  SLUIS_ASSERT_OK(second);
  EXPECT_EQ(second->evaluated, 2u);
  EXPECT_EQ(holder_.debited, 42u);
}

TEST_F(PseudonymiseTest, ReportsProgress) {
  testing::VectorSource source(Jobs(0, 30));
  std::vector<PseudonymiseProgress> reports;
  PseudonymiseOptions options;
  options.progress = [&](const PseudonymiseProgress& progress) { reports.push_back(progress); };
  SLUIS_ASSERT_OK(Pseudonymise(permit_, Name("jobs", "j1"), source, holder_, *cache_, *spill_, options));
  ASSERT_FALSE(reports.empty());
  EXPECT_EQ(reports.back().rows, 30u);
  EXPECT_EQ(reports.back().distinct, 30u);
  EXPECT_EQ(reports.back().evaluated, 30u);
}

TEST_F(PseudonymiseTest, RefusesAKeyHolderWithAnotherKey) {
  permit_.oprf_public_keys["identifiers"] = keys::KeyPair::Generate().public_key();
  ResetCache();
  const auto rows = Run("jobs", "j1", Jobs(0, 3));
  EXPECT_THAT(rows, StatusIs(absl::StatusCode::kFailedPrecondition, "identifiers"));
  EXPECT_EQ(common::ReasonOf(rows.status()), "OPRF_PROOF_INVALID");
  EXPECT_EQ(Cached(0), "");
}

TEST_F(PseudonymiseTest, DetectsALyingKeyHolderAndStoresNothingOfItsAnswer) {
  for (const auto fault :
       {KeyHolder::Fault::kAnotherKeyForTheLast, KeyHolder::Fault::kSwapsTwo, KeyHolder::Fault::kDropsTheLast}) {
    holder_.fault = fault;
    EXPECT_FALSE(Run("jobs", "j1", Jobs(0, 5)).ok());
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(Cached(i), "");
    }
  }
  holder_.fault = KeyHolder::Fault::kNone;
  SLUIS_EXPECT_OK(Run("jobs", "j1", Jobs(0, 5)));
}

// What the key holder debited before the connection broke is asked again under the same number with the same bytes.
TEST_F(PseudonymiseTest, RepeatsTheSameChunksAfterALostAnswer) {
  for (std::size_t lost = 1; lost <= 4; ++lost) {
    const std::string delivery = "j" + std::to_string(lost);
    const int first = static_cast<int>(lost) * 100;
    holder_.fault = KeyHolder::Fault::kLosesTheAnswer;
    holder_.calls.clear();
    holder_.fail_at_call = lost;
    EXPECT_THAT(Run("jobs", delivery, Jobs(first, 12), /*batch=*/3), StatusIs(absl::StatusCode::kUnavailable, "lost"));
    holder_.fault = KeyHolder::Fault::kNone;
    const std::uint64_t debited_by_then = holder_.debited;
    const KeyHolder::Call lost_call = holder_.calls[lost - 1];
    holder_.calls.clear();
    SLUIS_ASSERT_OK(Run("jobs", delivery, Jobs(first, 12), /*batch=*/3));
    EXPECT_NE(std::ranges::find(holder_.calls, lost_call), holder_.calls.end()) << lost;
    EXPECT_GE(debited_by_then, lost * 3 + (lost - 1) * 12);
    EXPECT_EQ(holder_.debited, lost * 12) << "a retry was debited twice";
  }
}

// Between the failure and the retry another delivery fills the cache, so the chunks are composed anew: they must not
// reuse a number that the key holder knows with other elements.
TEST_F(PseudonymiseTest, GivesChunksOfOtherElementsNewNumbers) {
  holder_.fault = KeyHolder::Fault::kLosesTheAnswer;
  holder_.fail_at_call = 1;
  EXPECT_FALSE(Run("jobs", "j1", Jobs(0, 6), /*batch=*/3).ok());
  holder_.fault = KeyHolder::Fault::kNone;
  SLUIS_ASSERT_OK(Run("jobs", "j2", Jobs(0, 1)));
  SLUIS_ASSERT_OK(Run("jobs", "j1", Jobs(0, 6), /*batch=*/3));
  EXPECT_EQ(Cached(5).size(), 32u);
}

TEST_F(PseudonymiseTest, BlindsDifferentlyInEveryDelivery) {
  SLUIS_ASSERT_OK(Run("jobs", "j1", Jobs(0, 4)));
  ResetCache();
  SLUIS_ASSERT_OK(Run("jobs", "j2", Jobs(0, 4)));
  ASSERT_EQ(holder_.calls.size(), 2u);
  EXPECT_NE(holder_.calls[0].blinded, holder_.calls[1].blinded);
}

TEST_F(PseudonymiseTest, KeepsKeysApartInTheCache) {
  SLUIS_ASSERT_OK(Run("jobs", "j1", Jobs(0, 4)));
  const std::string before = Cached(0);
  KeyHolder other;
  common::Permit rotated = permit_;
  rotated.oprf_public_keys["identifiers"] = other.key("identifiers").public_key();
  PseudonymCache cache(*store_, local_key_, rotated);
  testing::VectorSource source(Jobs(0, 4));
  const auto rows = Pseudonymise(rotated, Name("jobs", "j2"), source, other, cache, *spill_, {});
  SLUIS_ASSERT_OK(rows);
  EXPECT_EQ(rows->evaluated, 4u);
  EXPECT_EQ(Cached(0), before);
  common::Permit second_project = permit_;
  second_project.id = "another-project";
  EXPECT_EQ(**PseudonymCache(*store_, local_key_, permit_)
                  .Find(cache_->LookupOf("identifiers", InputOf("bsn", {"person-0"}))),
            before);
  const PseudonymCache of_second(*store_, local_key_, second_project);
  EXPECT_EQ(*of_second.Find(of_second.LookupOf("identifiers", InputOf("bsn", {"person-0"}))), std::nullopt);
}

TEST_F(PseudonymiseTest, ReportsADamagedCache) {
  SLUIS_ASSERT_OK(Run("jobs", "j1", Jobs(0, 1)));
  const std::string lookup = cache_->LookupOf("identifiers", InputOf("bsn", {"person-0"}));
  std::string value = **store_->Get("pseudonyms", lookup);
  value[40] ^= 1;
  common::WriteBatch batch;
  batch.Put("pseudonyms", lookup, value);
  SLUIS_ASSERT_OK(store_->Write(batch, true));
  EXPECT_THAT(cache_->Find(lookup), StatusIs(absl::StatusCode::kDataLoss, "cache of pseudonyms"));
}

TEST_F(PseudonymiseTest, RefusesWhatThePermitDoesNotAllow) {
  EXPECT_THAT(Run("benefits", "b1", {}), StatusIs(absl::StatusCode::kPermissionDenied, "no register benefits"));
  permit_.registers[1].max_records = 5;
  SLUIS_EXPECT_OK(Run("jobs", "j1", Jobs(0, 5)));
  EXPECT_THAT(Run("jobs", "j2", Jobs(0, 6)), StatusIs(absl::StatusCode::kResourceExhausted, "more than the 5 records"));
  permit_.oprf_public_keys.erase("identifiers");
  EXPECT_THAT(Run("jobs", "j3", {}), StatusIs(absl::StatusCode::kPermissionDenied, "public key"));
}

TEST_F(PseudonymiseTest, NamesRowAndFieldOfABadValueAndNeverTheValue) {
  auto rows = Jobs(0, 3);
  rows[2].components[0][0] = "secret\xff";
  const auto malformed = Run("jobs", "j1", rows);
  EXPECT_THAT(malformed, StatusIs(absl::StatusCode::kInvalidArgument, "row 3: field bsn"));
  EXPECT_EQ(std::string(malformed.status().message()).find("secret"), std::string::npos);
  rows = Jobs(0, 3);
  rows[1].attributes += "x";
  EXPECT_THAT(Run("jobs", "j2", rows), StatusIs(absl::StatusCode::kInvalidArgument, "row 2: 9 bytes of attributes"));
}

}  // namespace
}  // namespace sluis::cli
