#include "linker/encode/token_seeds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "common/status/matchers.h"

namespace sluis::linker {
namespace {

using common::SecretBytes;
using common::testing::StatusIs;
using std::string_literals::operator""s;

SecretBytes Key(char fill) { return SecretBytes::CopyOf(common::AsBytes(std::string(32, fill))); }

EncodingPlan Plan() {
  const FieldDescription fields[] = {{"name", FeatureKind::kName},
                                     {"born", FeatureKind::kDate},
                                     {"postcode", FeatureKind::kDigits},
                                     {"sex", FeatureKind::kCategory}};
  return DefaultPlan(fields);
}

TEST(TokenInput, HasTheDocumentedBytes) {
  EXPECT_EQ(TokenInput("sex", "", "cm"), "\0\0\0\x0esluis-token-v1\0\0\0\3sex\0\0\0\0\0\0\0\2cm"s);
}

TEST(TokenInput, IsInjective) {
  std::set<std::string> inputs = {LayoutInput()};
  const std::string parts[] = {"", "a", "ab", "b", "\0\0\0\1a"s};
  for (const auto& feature : parts) {
    for (const auto& salt : parts) {
      for (const auto& token : parts) EXPECT_TRUE(inputs.insert(TokenInput(feature, salt, token)).second);
    }
  }
}

TEST(TokenSeeds, FromKeyIsHmacOfTheInput) {
  const auto seeds = TokenSeeds::FromKey(Key('k'));
  SLUIS_ASSERT_OK(seeds);
  EXPECT_EQ(*seeds->Seed(TokenInput("a", "", "b")), common::HmacSha256(Key('k')).Compute(TokenInput("a", "", "b")));
  EXPECT_NE(*seeds->Seed(LayoutInput()), *TokenSeeds::FromKey(Key('l'))->Seed(LayoutInput()));
  EXPECT_THAT(TokenSeeds::FromKey(SecretBytes(15)), StatusIs(absl::StatusCode::kInvalidArgument, "16 bytes"));
}

TEST(TokenSeeds, FromEvaluationsKnowsWhatWasEvaluatedOnly) {
  const std::vector<std::string> inputs = {TokenInput("a", "", "x"), TokenInput("a", "", "y")};
  const std::string elements = std::string(32, '1') + std::string(32, '2');
  const auto seeds = TokenSeeds::FromEvaluations(inputs, elements);
  SLUIS_ASSERT_OK(seeds);
  EXPECT_EQ(*seeds->Seed(inputs[1]),
            common::Sha256("sluis-token-seed-v1\0\0\0\x20"s + inputs[1] + std::string(32, '2')));
  EXPECT_NE(*seeds->Seed(inputs[0]), *seeds->Seed(inputs[1]));
  EXPECT_THAT(seeds->Seed(TokenInput("a", "", "z")),
              StatusIs(absl::StatusCode::kFailedPrecondition, "a token has not been evaluated"));
}

TEST(TokenSeeds, FromEvaluationsRefusesWhatDoesNotFit) {
  const std::vector<std::string> inputs = {"x", "x"};
  EXPECT_THAT(TokenSeeds::FromEvaluations(inputs, std::string(63, '1')),
              StatusIs(absl::StatusCode::kInvalidArgument, "63 bytes for 2 inputs"));
  EXPECT_THAT(TokenSeeds::FromEvaluations(inputs, std::string(64, '1')),
              StatusIs(absl::StatusCode::kInvalidArgument, "input 1 occurs twice"));
}

TEST(CollectTokens, GivesEachInputOnceInOrder) {
  auto collect = CollectTokens::Make(Plan());
  SLUIS_ASSERT_OK(collect);
  const std::vector<std::string_view> first = {"Bos", "", "1234AB", "m"}, second = {"Bos", "1980-01-02", "", "m"};
  SLUIS_ASSERT_OK(collect->Add(first));
  SLUIS_ASSERT_OK(collect->Add(second));
  SLUIS_ASSERT_OK(collect->Add(first));
  std::set<std::string> expected = {LayoutInput()};
  for (std::size_t i = 0; i < 4; ++i) {
    for (const auto& values : {first, second}) {
      const auto tokens = *Tokenise(Plan().features[i].kind, values[i]);
      for (const auto& token : tokens) {
        expected.insert(TokenInput(Plan().features[i].name, "", token));
      }
    }
  }
  EXPECT_EQ(collect->Inputs(), std::vector<std::string>(expected.begin(), expected.end()));
}

TEST(CollectTokens, SaltsAndLeavesOutWhatCannotBeSalted) {
  EncodingPlan plan = Plan();
  plan.hardening.salt_feature = "born";
  auto collect = CollectTokens::Make(plan);
  SLUIS_ASSERT_OK(collect);
  const std::vector<std::string_view> unsalted = {"Bos", "", "", "m"}, salted = {"", "1980-01-02", "", "m"};
  SLUIS_ASSERT_OK(collect->Add(unsalted));
  EXPECT_EQ(collect->Inputs(), std::vector<std::string>{LayoutInput()});
  SLUIS_ASSERT_OK(collect->Add(salted));
  EXPECT_TRUE(std::ranges::count(collect->Inputs(), TokenInput("sex", "1980", "cm")) == 1);
}

TEST(CollectTokens, IsBoundedAndNamesTheFeature) {
  auto collect = CollectTokens::Make(Plan(), {}, 3);
  SLUIS_ASSERT_OK(collect);
  const std::vector<std::string_view> values = {"Bos", "", "", ""}, bad = {"", "", "\xff", ""}, few = {"Bos"};
  EXPECT_THAT(collect->Add(values), StatusIs(absl::StatusCode::kResourceExhausted, "more than 3 distinct tokens"));
  EXPECT_THAT(collect->Add(bad), StatusIs(absl::StatusCode::kInvalidArgument, "feature postcode"));
  EXPECT_THAT(collect->Add(few), StatusIs(absl::StatusCode::kInvalidArgument, "1 values for 4 features"));
  EXPECT_THAT(CollectTokens::Make(Plan(), {DateOrder::kDayFirst}),
              StatusIs(absl::StatusCode::kInvalidArgument, "1 date orders for 4 features"));
}

}  // namespace
}  // namespace sluis::linker
