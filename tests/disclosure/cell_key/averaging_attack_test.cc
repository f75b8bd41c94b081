#include <cmath>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "common/status/matchers.h"
#include "disclosure/cell_key/perturb.h"
#include "gtest/gtest.h"

// The attack of Asghar and Kaafar (Averaging attacks on bounded noise-based disclosure control algorithms, PoPETs
// 2020): ask for the same number in many ways, and average.

namespace sluis::disclosure {
namespace {

constexpr int kPersons = 60;
constexpr int kVariants = 400;

class AveragingAttack : public ::testing::Test {
 protected:
  AveragingAttack() {
    const std::string text(32, 's');
    secret_ = common::SecretBytes::CopyOf(common::AsBytes(text));
    const auto table = DesignTable({.max_change = 5, .variance_milli = 4000});
    EXPECT_THAT(table, common::testing::IsOk());
    table_ = *table;
  }

  // One answer to one query, whose records have these keys.
  [[nodiscard]] int64_t Answer(const std::vector<uint64_t>& record_keys) const {
    uint64_t key = 0;
    for (const uint64_t k : record_keys) key += k;
    const std::vector<int64_t> count = {static_cast<int64_t>(record_keys.size())};
    const auto result = PerturbCounts(count, std::vector<uint64_t>{key}, table_, CellDraws(secret_, "count"));
    EXPECT_THAT(result, common::testing::IsOk());
    return result->front();
  }

  common::SecretBytes secret_;
  PerturbationTable table_;
};

// The control: keys drawn anew for every query. The mean of 400 answers has a standard error of 2 / sqrt(400) = 0.1:
// rounded, it is the true count unless it is off by 5 standard errors.
TEST_F(AveragingAttack, FindsTheCountWhereKeysAreDrawnPerQuery) {
  std::mt19937_64 random(1);
  double sum = 0;
  for (int q = 0; q < kVariants; ++q) {
    std::vector<uint64_t> keys(kPersons);
    for (uint64_t& k : keys) k = random();
    sum += static_cast<double>(Answer(keys));
  }
  EXPECT_EQ(std::lround(sum / kVariants), kPersons);
}

// The same set, asked for in other orders, by other variables that describe the same persons, in other years: one and
// the same answer, so that there is nothing to average.
TEST_F(AveragingAttack, LearnsNothingFromVariantsOfOneSet) {
  const RecordKeyMaker maker(secret_);
  std::mt19937_64 random(2);
  int wrong = 0;
  for (int set = 0; set < 50; ++set) {
    std::vector<uint64_t> keys;
    for (int i = 0; i < kPersons; ++i) keys.push_back(maker.KeyOf(std::to_string(set * kPersons + i)));
    const int64_t first = Answer(keys);
    for (int q = 0; q < 20; ++q) {
      std::shuffle(keys.begin(), keys.end(), random);
      ASSERT_EQ(Answer(keys), first);
    }
    wrong += first != kPersons ? 1 : 0;
  }
  // A change of 0 has a probability of some 0.2: 50 sets, and the attacker is right about few.
  EXPECT_GE(wrong, 30);
}

// What remains, and what no rule about keys can mend: the set split in two, in many ways. Each part is another set with
// noise of its own, and sums of parts average to the count. It takes a query system that lets such splits be chosen
// freely; the permit's fixed dimensions are what stands in the way.
TEST_F(AveragingAttack, StillSucceedsOnManySplitsOfOneSet) {
  const RecordKeyMaker maker(secret_);
  std::mt19937_64 random(3);
  double sum = 0;
  for (int q = 0; q < kVariants; ++q) {
    std::vector<uint64_t> left, right;
    for (int i = 0; i < kPersons; ++i) {
      ((random() & 1) != 0 ? left : right).push_back(maker.KeyOf(std::to_string(i)));
    }
    sum += static_cast<double>(Answer(left) + Answer(right));
  }
  EXPECT_EQ(std::lround(sum / kVariants), kPersons);
}

}  // namespace
}  // namespace sluis::disclosure
