#include "linker/encode/match_key.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

#include "common/status/matchers.h"

namespace sluis::linker {
namespace {

using common::MatchKey;
using common::Normaliser;
using common::testing::StatusIs;

MatchKey PersonKey() {
  return {"birth_sex_name",
          "match-keys",
          {{"birth_date", Normaliser::kDate}, {"sex", Normaliser::kSex}, {"surname", Normaliser::kPhoneticName}}};
}

std::optional<std::string> InputOf(const MatchKey& key, const std::vector<std::string>& values) {
  const std::vector<std::string_view> views(values.begin(), values.end());
  const auto input = MatchKeyInput(key, views);
  EXPECT_THAT(input, common::testing::IsOk());
  return input.ok() ? *input : std::nullopt;
}

TEST(MatchKeyInput, HasTheDocumentedBytes) {
  using std::string_literals::operator""s;
  const MatchKey key{"bsn", "identifiers", {{"bsn", Normaliser::kBsn}}};
  EXPECT_EQ(InputOf(key, {"111222333"}),
            "\0\0\0\x12sluis-match-key-v1\0\0\0\x03"
            "bsn\0\0\0\x01\0\0\0\x09"
            "111222333"s);
}

TEST(MatchKeyInput, AgreesForRegistersThatWriteThePersonDifferently) {
  EXPECT_EQ(InputOf(PersonKey(), {"1980-02-29", "V", "van der Kuijpers"}),
            InputOf(PersonKey(), {"19800229", "2", "Kuypers"}));
}

TEST(MatchKeyInput, IsAbsentIfAnyComponentIs) {
  const std::vector<std::string> whole = {"1980-02-29", "V", "Kuijpers"};
  ASSERT_TRUE(InputOf(PersonKey(), whole).has_value());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::vector<std::string> values = whole;
    values[i] = "";
    EXPECT_EQ(InputOf(PersonKey(), values), std::nullopt) << i;
  }
  EXPECT_EQ(InputOf(PersonKey(), {"1980-00-00", "V", "Kuijpers"}), std::nullopt);
}

TEST(MatchKeyInput, IsInjectiveOverComponentsAndKeys) {
  const MatchKey two{"two", "p", {{"a", Normaliser::kText}, {"b", Normaliser::kText}}};
  const MatchKey other{"tw", "p", two.components};
  std::mt19937_64 random(7);
  std::set<std::vector<std::string>> seen;
  std::set<std::string> inputs;
  // Short strings over two letters, one of them the length prefix of the other's neighbourhood, collide at once under
  // plain concatenation.
  while (seen.size() < 200) {
    std::vector<std::string> values(2);
    for (std::string& value : values) {
      value.resize(1 + random() % 4);
      for (char& c : value) {
        c = random() % 2 == 0 ? 'a' : 'b';
      }
    }
    if (seen.insert(values).second) {
      EXPECT_TRUE(inputs.insert(*InputOf(two, values)).second);
      EXPECT_TRUE(inputs.insert(*InputOf(other, values)).second);
    }
  }
}

TEST(MatchKeyInput, FailsIfTheNumberOfValuesDiffers) {
  const std::vector<std::string_view> values = {"1980-02-29"};
  EXPECT_THAT(MatchKeyInput(PersonKey(), values),
              StatusIs(absl::StatusCode::kInvalidArgument, "birth_sex_name: 1 values for 3 components"));
}

TEST(MatchKeyInput, NamesTheFieldOfAMalformedValue) {
  const std::vector<std::string_view> values = {"1980-02-29", "V", "J\xfcrgen"};
  EXPECT_THAT(MatchKeyInput(PersonKey(), values),
              StatusIs(absl::StatusCode::kInvalidArgument, "field surname: value is not valid UTF-8"));
}

}  // namespace
}  // namespace sluis::linker
