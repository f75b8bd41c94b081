#include <array>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/app/exit_code.h"
#include "cli/attack/run.h"
#include "cli/protect/run.h"
#include "common/status/matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/tables/table_folder.h"

// From files to verdict: contributors as attackers, and sums of suppressed cells with too few contributors.

namespace sluis::cli {
namespace {

using ::testing::HasSubstr;
using testing::TableFolder;

constexpr int kSide = 5;

disclosure::ContributorRule Against(disclosure::ContributorProtection protection, std::int32_t coalition = 1) {
  return {.protection = protection, .coalition = coalition};
}

class ContributorsTest : public TableFolder {
 protected:
  // A table of kSide by kSide cells and their totals. One cell in four has one contributor, and is sensitive. `named`:
  // the column `who` names them, out of three.
  void PutTable(unsigned seed, bool named) {
    std::mt19937_64 random(seed);
    std::array<std::array<std::int64_t, kSide + 1>, kSide + 1> value{};
    std::array<std::array<std::int64_t, kSide + 1>, kSide + 1> n{};
    std::array<std::array<int, kSide + 1>, kSide + 1> who{};
    for (std::size_t i = 1; i <= kSide; ++i) {
      for (std::size_t j = 1; j <= kSide; ++j) {
        const std::int64_t people = random() % 4 == 0 ? 1 : 4 + static_cast<std::int64_t>(random() % 5);
        const std::int64_t amount = 10 + static_cast<std::int64_t>(random() % 30);
        who[i][j] = people == 1 ? 1 + static_cast<int>(random() % 3) : 0;
        for (const std::size_t a : {std::size_t{0}, i}) {
          for (const std::size_t b : {std::size_t{0}, j}) {
            value[a][b] += amount;
            n[a][b] += people;
          }
        }
      }
    }
    std::string text = "d1,d2,n,value,primary,lpl,upl,who\n";
    for (std::size_t i = 0; i <= kSide; ++i) {
      for (std::size_t j = 0; j <= kSide; ++j) {
        const bool primary = n[i][j] == 1;
        absl::StrAppend(&text, i == 0 ? std::string("T") : absl::StrCat("r", i), ",",
                        j == 0 ? std::string("T") : absl::StrCat("c", j), ",", n[i][j], ",", value[i][j],
                        primary ? ",1,4,4," : ",0,0,0,", who[i][j] == 0 ? std::string() : absl::StrCat("h", who[i][j]),
                        "\n");
      }
    }
    command_.table.cells = {Put("cells.csv", text)};
    command_.table.dimensions = {"d1", "d2"};
    if (named) command_.table.columns.contributor = {"who", true};
    command_.out = Path("pattern.csv");
    command_.certificate = Path("cert.bin");
  }

  int Protect() {
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const auto code = RunProtect(command_, false, true);
    ::testing::internal::GetCapturedStdout();
    errors_ = ::testing::internal::GetCapturedStderr();
    EXPECT_TRUE(code.ok()) << code.status();
    return code.value_or(-1);
  }
  int Attack(bool with_certificate) {
    AttackCommand attack;
    attack.table = command_.table;
    attack.rules = command_.rules;
    attack.pattern = command_.out;
    if (with_certificate) attack.certificate = command_.certificate;
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const auto code = RunAttack(attack, false, true);
    printed_ = ::testing::internal::GetCapturedStdout();
    errors_ = ::testing::internal::GetCapturedStderr();
    EXPECT_TRUE(code.ok()) << code.status();
    return code.value_or(-1);
  }

  // Without the rule somebody finds out; with it nobody does.
  void ExpectThatTheRuleMatters(disclosure::ContributorProtection protection, std::int32_t coalition, bool named) {
    int broken_without = 0;
    int solved = 0;
    for (unsigned seed = 0; seed < 8; ++seed) {
      PutTable(seed, named);
      command_.table.contributors.reset();
      ASSERT_EQ(Protect(), kExitOk) << errors_;
      EXPECT_EQ(Attack(true), kExitOk);
      command_.table.contributors = Against(protection, coalition);
      if (Attack(false) == kExitNotVerified) {
        ++broken_without;
        EXPECT_THAT(printed_, HasSubstr("found out by contributors"));
      }
      const int code = Protect();
      if (code == kExitRefused) continue;
      ASSERT_EQ(code, kExitOk) << errors_;
      EXPECT_EQ(Attack(true), kExitOk) << printed_;
      ++solved;
    }
    EXPECT_GT(broken_without, 2);
    EXPECT_GT(solved, 2);
  }

  ProtectCommand command_;
  std::string printed_, errors_;
};

TEST_F(ContributorsTest, LevelsHoldAgainstThoseWhoKnowTheirOwnCells) {
  ExpectThatTheRuleMatters(disclosure::ContributorProtection::kLevel, 1, false);
}

TEST_F(ContributorsTest, NobodyComputesACellExactly) {
  ExpectThatTheRuleMatters(disclosure::ContributorProtection::kExact, 1, false);
}

TEST_F(ContributorsTest, OneContributorMayBeAloneInSeveralCells) {
  ExpectThatTheRuleMatters(disclosure::ContributorProtection::kLevel, 1, true);
}

TEST_F(ContributorsTest, TwoMayTellEachOther) {
  ExpectThatTheRuleMatters(disclosure::ContributorProtection::kLevel, 2, false);
}

TEST_F(ContributorsTest, NamesThatContradictNumbersAreRefusedWithTheCell) {
  PutTable(1, true);
  command_.table.contributors = Against(disclosure::ContributorProtection::kLevel);
  const std::string text = Get("cells.csv");
  const std::size_t at = text.find(",1,4,4,h");
  ASSERT_NE(at, std::string::npos);
  Put("cells.csv", std::string(text).replace(at, 9, ",1,4,4,h1|h2"));
  EXPECT_EQ(Protect(), kExitBadData);
  EXPECT_THAT(errors_, HasSubstr("more contributors are named than it has"));
  EXPECT_THAT(errors_, HasSubstr("d1=r"));
}

TEST_F(ContributorsTest, NeedsTheNumberOfContributors) {
  PutTable(1, false);
  command_.table.contributors = Against(disclosure::ContributorProtection::kLevel);
  command_.table.columns.contributors.name = "none";
  EXPECT_EQ(Protect(), kExitBadData);
  EXPECT_THAT(errors_, HasSubstr("a column n"));
}

TEST_F(ContributorsTest, SumsOfSuppressedCellsObeyTheMinimumFrequency) {
  int broken_without = 0;
  for (unsigned seed = 0; seed < 6; ++seed) {
    PutTable(seed, false);
    disclosure::RuleSet rules;
    rules.minimum_frequency = disclosure::MinimumFrequencyRule{
        .threshold = 3, .count_range = 1, .amount_range_percent = 10, .amount_range = 1};
    command_.rules = rules;
    ASSERT_EQ(Protect(), kExitOk) << errors_;
    command_.rules->suppressed_sum = disclosure::MinimumFrequencyRule{
        .threshold = 10, .count_range = 1, .amount_range_percent = 10, .amount_range = 1};
    if (Attack(false) == kExitNotVerified) {
      ++broken_without;
      EXPECT_THAT(printed_, HasSubstr("too few contributors"));
    }
    ASSERT_EQ(Protect(), kExitOk) << errors_;
    EXPECT_EQ(Attack(true), kExitOk) << printed_;
  }
  EXPECT_GT(broken_without, 1);
}

TEST_F(ContributorsTest, RecordsTellWhoIsAloneAndWhoHoldsMuch) {
  std::mt19937_64 random(4);
  std::string text = "d1,d2,firm,value\n";
  for (int k = 0; k < 160; ++k) {
    absl::StrAppend(&text, "r", 1 + random() % 5, ",c", 1 + random() % 5, ",f", random() % 60, ",",
                    random() % 9 == 0 ? 100 + random() % 300 : 1 + random() % 40, "\n");
  }
  command_.table.microdata = Put("micro.csv", text);
  command_.table.dimensions = {"d1", "d2"};
  command_.table.holding_column = "firm";
  command_.out = Path("pattern.csv");
  command_.certificate = Path("cert.bin");
  disclosure::RuleSet rules;
  rules.p_percent = disclosure::PPercentRule{.p = 10};
  command_.rules = rules;
  ASSERT_EQ(Protect(), kExitOk) << errors_;
  command_.rules->contributors = disclosure::ContributorRule{
      .protection = disclosure::ContributorProtection::kLevel, .coalition = 2, .share_percent = 20};
  command_.table.contributors = command_.rules->contributors;
  EXPECT_EQ(Attack(false), kExitNotVerified);
  ASSERT_EQ(Protect(), kExitOk) << errors_;
  EXPECT_EQ(Attack(true), kExitOk) << printed_;
}

}  // namespace
}  // namespace sluis::cli
