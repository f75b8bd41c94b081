#include <atomic>
#include <random>
#include <vector>

#include "common/status/matchers.h"
#include "disclosure/suppress/suppress.h"
#include "gtest/gtest.h"
#include "tests/disclosure/bound/patterns.h"
#include "tests/disclosure/suppress/random_problem.h"

// What SuppressOptions do: starts, guides, threads, stops, progress.

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;
using testing::IsSafe;
using testing::MakePrimary;
using testing::MakeSmallTable;
using testing::RandomProblem;
using testing::SmallTable;

TEST(Suppress, StartsFromAnotherPatternAndRepairsIt) {
  std::mt19937_64 random(29);
  int repaired = 0;
  for (int trial = 0; trial < 20; ++trial) {
    const SmallTable table = RandomProblem({3, 4, 4}, random, 40);
    const auto free = Suppress(table.system, {});
    if (!free.ok()) continue;
    // Any start, also one with cells that cannot be suppressed, ends in a safe pattern.
    SuppressOptions options;
    options.start.assign(free->pattern.size(), 0);
    for (uint8_t& suppressed : options.start) suppressed = random() % 3 == 0;
    const auto result = Suppress(table.system, options);
    SLUIS_ASSERT_OK(result);
    EXPECT_TRUE(IsSafe(table.system, result->pattern));
    for (size_t i = 0; i < result->pattern.size(); ++i) {
      EXPECT_LE(result->pattern[i], table.system.suppressible[i]);
      repaired += result->pattern[i] > options.start[i] && !table.system.IsPrimary(static_cast<int32_t>(i));
    }
  }
  EXPECT_GT(repaired, 20);
}

TEST(Suppress, AddsNothingToAStartThatIsSafe) {
  std::mt19937_64 random(31);
  int64_t saved = 0;
  int tried = 0;
  for (int trial = 0; trial < 20; ++trial) {
    const SmallTable table = RandomProblem({3, 4, 4}, random, 40);
    SuppressOptions options;
    options.max_cleanup_lps = 0;
    const auto rough = Suppress(table.system, options);
    if (!rough.ok() || rough->recomputable > 0) continue;
    options.start = rough->pattern;
    options.max_cleanup_lps = 1'000;
    const auto result = Suppress(table.system, options);
    SLUIS_ASSERT_OK(result);
    if (result->conceal_lps > 0) continue;
    ++tried;
    EXPECT_TRUE(IsSafe(table.system, result->pattern));
    for (size_t i = 0; i < result->pattern.size(); ++i) EXPECT_LE(result->pattern[i], rough->pattern[i]);
    saved += rough->secondary_cost - result->secondary_cost;
  }
  EXPECT_GT(tried, 8);
  EXPECT_GT(saved, 0);
}

TEST(Suppress, GivesTheSameResultOnAnyNumberOfThreads) {
  std::mt19937_64 random(32);
  for (const std::vector<int32_t>& sizes : {std::vector<int32_t>{12, 15}, {6, 7, 8}, {3, 4, 4, 5}}) {
    const SmallTable table = RandomProblem(sizes, random, 300);
    const auto alone = Suppress(table.system, {});
    SLUIS_ASSERT_OK(alone);
    EXPECT_TRUE(IsSafe(table.system, alone->pattern));
    for (const int threads : {2, 4}) {
      SuppressOptions options;
      options.threads = threads;
      const auto result = Suppress(table.system, options);
      SLUIS_ASSERT_OK(result);
      EXPECT_EQ(result->pattern, alone->pattern);
      EXPECT_EQ(EncodeCertificate(result->certificate), EncodeCertificate(alone->certificate));
      EXPECT_EQ(result->cleanup_iterations, alone->cleanup_iterations);
    }
  }
}

TEST(Suppress, IsSafeWheneverItIsStopped) {
  std::mt19937_64 random(33);
  const SmallTable table = RandomProblem({6, 7, 8}, random, 300);
  const auto whole = Suppress(table.system, {});
  SLUIS_ASSERT_OK(whole);
  EXPECT_FALSE(whole->stopped);
  for (const int after : {0, 3, 40}) {
    SuppressOptions options;
    options.stop = [asked = 0, after]() mutable { return asked++ >= after; };
    const auto result = Suppress(table.system, options);
    SLUIS_ASSERT_OK(result);
    EXPECT_TRUE(result->stopped);
    EXPECT_FALSE(result->cleanup_complete);
    EXPECT_TRUE(IsSafe(table.system, result->pattern));
    EXPECT_GE(result->secondary_cost, whole->secondary_cost);
  }
}

TEST(Suppress, GivesUpIfStoppedBeforeThePatternIsSafeAndAskedTo) {
  std::mt19937_64 random(33);
  const SmallTable table = RandomProblem({6, 7, 8}, random, 300);
  const auto whole = Suppress(table.system, {});
  SLUIS_ASSERT_OK(whole);
  SuppressOptions options;
  options.give_up = true;
  options.start = whole->pattern;
  options.stop = [] { return true; };
  EXPECT_THAT(Suppress(table.system, options).status(),
              StatusIs(absl::StatusCode::kCancelled, "before the pattern was safe"));
  options.stop = nullptr;
  SLUIS_EXPECT_OK(Suppress(table.system, options));
}

TEST(Suppress, IsSafeInSystemsThatAreSaidToBeDense) {
  std::mt19937_64 random(35);
  for (int k = 0; k < 5; ++k) {
    const SmallTable table = RandomProblem({4, 5, 6}, random, 300);
    SuppressOptions options;
    options.dense = true;
    const auto result = Suppress(table.system, options);
    SLUIS_ASSERT_OK(result);
    EXPECT_TRUE(result->dense);
    EXPECT_TRUE(IsSafe(table.system, result->pattern));
  }
}

TEST(Suppress, GuideSteersWithoutChangingWhatACellCosts) {
  // One primary cell; whichever other row and column the guide makes free is taken.
  SmallTable table = MakeSmallTable({3, 3}, {"value"}, [](size_t) { return 10; });
  MakePrimary(table.system, 0, table.inner[0], 3);
  SetUpperBounds(table.system);
  for (const size_t other : {4u, 5u, 7u, 8u}) {
    SuppressOptions options;
    options.guide.assign(static_cast<size_t>(table.system.num_cells), 1);
    const size_t row = other / 3;
    const size_t column = other % 3;
    for (const size_t k : {column, 3 * row, other}) options.guide[static_cast<size_t>(table.inner[k])] = 0;
    const auto result = Suppress(table.system, options);
    SLUIS_ASSERT_OK(result);
    EXPECT_EQ(result->secondary_cost, 30);
    for (const size_t k : {column, 3 * row, other}) {
      EXPECT_EQ(result->pattern[static_cast<size_t>(table.inner[k])], 1);
    }
  }
}

TEST(Suppress, RefusesGuideAndStartThatDoNotFit) {
  const SmallTable table = MakeSmallTable({2, 2}, {"value"}, [](size_t) { return 10; });
  SuppressOptions options;
  options.start.assign(8, 1);
  EXPECT_THAT(Suppress(table.system, options), StatusIs(absl::StatusCode::kInvalidArgument, "one entry per cell"));
  options.start.clear();
  options.guide.assign(9, 1);
  options.guide[4] = -1;
  EXPECT_THAT(Suppress(table.system, options), StatusIs(absl::StatusCode::kInvalidArgument, "cell 4"));
  options.guide.clear();
  options.threads = 0;
  EXPECT_THAT(Suppress(table.system, options), StatusIs(absl::StatusCode::kInvalidArgument, "one thread"));
}

TEST(Suppress, ReportsProgressAndCanBeCancelled) {
  std::mt19937_64 random(28);
  const SmallTable table = RandomProblem({4, 5}, random, 40);
  std::atomic<bool> cancelled = false;
  SuppressOptions options;
  options.cancelled = &cancelled;
  bool cleanup_seen = false;
  options.progress = [&](SuppressPhase phase, int64_t done, int64_t total) {
    EXPECT_LE(done, total);
    cleanup_seen = cleanup_seen || phase == SuppressPhase::kCleanup;
    cancelled = cleanup_seen;
  };
  EXPECT_THAT(Suppress(table.system, options), StatusIs(absl::StatusCode::kCancelled, "cancelled"));
  EXPECT_TRUE(cleanup_seen);
}

}  // namespace
}  // namespace sluis::disclosure
