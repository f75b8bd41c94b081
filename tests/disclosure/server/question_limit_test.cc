#include "disclosure/server/question_limit.h"

#include <atomic>
#include <thread>

#include "tests/disclosure/server/gate_records.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;

class QuestionLimitTest : public testing::GateRecords {
 protected:
  void Log(const std::string& type, std::int64_t time, const std::string& requester) {
    SLUIS_ASSERT_OK(log_->Append(common::FormatEntry(type, time, {{"requester", requester}}), common::WriteBatch()));
  }
  // How many questions are left to `requester`, which uses them up.
  static int Left(QuestionLimit& limit, const std::string& requester, common::Day day) {
    int left = 0;
    while (limit.Take(requester, day).ok()) ++left;
    return left;
  }
};

TEST_F(QuestionLimitTest, EndsAfterAsManyAsItSaysForEachRequesterAndDay) {
  QuestionLimit limit(3);
  for (int i = 0; i < 3; ++i) {
    SLUIS_EXPECT_OK(limit.CheckLeft("a", 100));
    SLUIS_EXPECT_OK(limit.Take("a", 100));
  }
  for (const absl::Status& ended : {limit.CheckLeft("a", 100), limit.Take("a", 100)}) {
    EXPECT_THAT(ended, StatusIs(absl::StatusCode::kResourceExhausted, "3 questions today"));
    EXPECT_EQ(common::ReasonOf(ended), "TOO_MANY_QUESTIONS");
  }
  EXPECT_EQ(Left(limit, "b", 100), 3);
  EXPECT_EQ(Left(limit, "a", 101), 3);
}

TEST_F(QuestionLimitTest, ARestartForgivesNothingOfToday) {
  constexpr std::int64_t kDay = 86'400;
  Log("refusal", 99 * kDay, "a");
  Log("dry-run", 100 * kDay - 1, "a");
  Log("refusal", 100 * kDay, "a");
  Log("dry-run", 100 * kDay + 5, "a");
  Log("release", 100 * kDay + 6, "a");
  Log("refusal", 100 * kDay + 7, "b");
  QuestionLimit limit(5);
  SLUIS_ASSERT_OK(limit.Load(log_->writer(), 100));
  EXPECT_EQ(Left(limit, "a", 100), 3);
  EXPECT_EQ(Left(limit, "b", 100), 4);
  EXPECT_EQ(Left(limit, "c", 100), 5);
}

TEST_F(QuestionLimitTest, HoldsForManyAtOnce) {
  QuestionLimit limit(1000);
  std::atomic<int> taken = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { taken += Left(limit, "a", 100); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, 1000);
}

}  // namespace
}  // namespace sluis::disclosure
