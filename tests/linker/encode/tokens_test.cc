#include "linker/encode/tokens.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "common/status/matchers.h"

namespace sluis::linker {
namespace {

using common::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Tokens = std::vector<std::string>;

constexpr FeatureKind kKinds[] = {FeatureKind::kName, FeatureKind::kText,   FeatureKind::kCategory,
                                  FeatureKind::kDate, FeatureKind::kDigits, FeatureKind::kNumber};

Tokens TokensOf(FeatureKind kind, std::string_view value, DateOrder order = DateOrder::kYearFirst) {
  auto tokens = Tokenise(kind, value, order);
  EXPECT_THAT(tokens, common::testing::IsOk());
  return tokens.ok() ? *std::move(tokens) : Tokens();
}

// The share of tokens that two values have in common, by Dice.
double Similarity(FeatureKind kind, std::string_view a, std::string_view b) {
  Tokens first = TokensOf(kind, a), second = TokensOf(kind, b), common;
  std::ranges::sort(first);
  std::ranges::sort(second);
  std::ranges::set_intersection(first, second, std::back_inserter(common));
  return 2.0 * static_cast<double>(common.size()) / static_cast<double>(first.size() + second.size());
}

TEST(Tokenise, GivesNoTokenForMissingValues) {
  for (const FeatureKind kind : kKinds) {
    for (const char* value : {"", " ", "\t \n", "---", "?", "'"}) {
      EXPECT_THAT(TokensOf(kind, value), IsEmpty()) << value;
    }
  }
  EXPECT_THAT(TokensOf(FeatureKind::kDate, "unknown"), IsEmpty());
  EXPECT_THAT(TokensOf(FeatureKind::kNumber, "n/a"), IsEmpty());
}

TEST(Tokenise, TextGivesPaddedBigramsWithNumberedRepeats) {
  EXPECT_THAT(TokensOf(FeatureKind::kText, "Anana"), ElementsAre("b a", "ban", "bna",
                                                                 "ban\x1f"
                                                                 "2",
                                                                 "bna\x1f"
                                                                 "2",
                                                                 "ba "));
  EXPECT_THAT(TokensOf(FeatureKind::kText, "  ab-C "), ElementsAre("b a", "bab", "bb ", "b c", "bc "));
}

TEST(Tokenise, FoldsCaseMarksAndSpelling) {
  const Tokens plain = TokensOf(FeatureKind::kText, "strasse oslo muller");
  EXPECT_EQ(TokensOf(FeatureKind::kText, "STRAßE  Øslo, Müller"), plain);
  EXPECT_EQ(TokensOf(FeatureKind::kText, "straſse osl\u00f3 mu\u0308ller"), plain);
  EXPECT_EQ(TokensOf(FeatureKind::kDigits, "\u0663\u0664"), TokensOf(FeatureKind::kDigits, "34"));
  EXPECT_EQ(TokensOf(FeatureKind::kText, "O\u2019Brien"), TokensOf(FeatureKind::kText, "obrien"));
}

TEST(Tokenise, PairsCharactersNotBytes) {
  EXPECT_THAT(TokensOf(FeatureKind::kText, "\u0416\u0434"), ElementsAre("b \u0436", "b\u0436\u0434", "b\u0434 "));
}

TEST(Tokenise, NamePrefixesCountLittle) {
  const Tokens berg = TokensOf(FeatureKind::kName, "Berg");
  EXPECT_THAT(berg, ElementsAre("b b", "bbe", "ber", "brg", "bg ", "pBERG"));
  Tokens with_prefix = TokensOf(FeatureKind::kName, "van den Berg");
  EXPECT_THAT(with_prefix, UnorderedElementsAre("b b", "bbe", "ber", "brg", "bg ", "pBERG", "wvan", "wden"));
  EXPECT_GT(Similarity(FeatureKind::kName, "van den Berg", "Berg"), 0.8);
  EXPECT_LT(Similarity(FeatureKind::kName, "van den Berg", "van den Hout"), 0.4);
  // A name of nothing but prefixes keeps its last.
  EXPECT_THAT(TokensOf(FeatureKind::kName, "De"), ElementsAre("b d", "bde", "be ", "pDE"));
}

TEST(Tokenise, NamesThatSoundAlikeShareThePhoneticToken) {
  EXPECT_GT(Similarity(FeatureKind::kName, "Kuijpers", "Cuypers"),
            Similarity(FeatureKind::kText, "Kuijpers", "Cuypers"));
  EXPECT_DOUBLE_EQ(Similarity(FeatureKind::kName, "Anna Maria", "Maria Anna") > 0.85, true);
}

TEST(Tokenise, DatesAreReadInTheSchemasOrder) {
  const Tokens iso = TokensOf(FeatureKind::kDate, "1941-08-27");
  EXPECT_EQ(iso.size(), 8u + 7u + 6u + 1u);
  for (const DateOrder order : {DateOrder::kYearFirst, DateOrder::kDayFirst, DateOrder::kMonthFirst}) {
    EXPECT_EQ(TokensOf(FeatureKind::kDate, "1941/8/27", order), iso);
  }
  EXPECT_EQ(TokensOf(FeatureKind::kDate, "19410827"), iso);
  EXPECT_EQ(TokensOf(FeatureKind::kDate, "27-08-1941"), iso);
  EXPECT_EQ(TokensOf(FeatureKind::kDate, "27.8.1941", DateOrder::kDayFirst), iso);
  EXPECT_EQ(TokensOf(FeatureKind::kDate, "27081941", DateOrder::kDayFirst), iso);
  EXPECT_EQ(TokensOf(FeatureKind::kDate, "08/27/1941", DateOrder::kMonthFirst), iso);
  EXPECT_EQ(TokensOf(FeatureKind::kDate, "08271941", DateOrder::kMonthFirst), iso);
}

TEST(Tokenise, DatesHaveTheDocumentedTokens) {
  EXPECT_THAT(
      TokensOf(FeatureKind::kDate, "1980-02-13"),
      UnorderedElementsAre("dA1", "dB9", "dC8", "dD0", "dE0", "dF2", "dG1", "dH3", "eA19", "eB98", "eC80", "eD00",
                           "eE02", "eF21", "eG13", "y+1979", "y+1980", "y+1981", "t+12", "t+13", "t+14", "s+213"));
}

TEST(Tokenise, DatesWithASlipStaySimilar) {
  EXPECT_GT(Similarity(FeatureKind::kDate, "1980-02-13", "1981-02-13"), 0.7);
  EXPECT_GT(Similarity(FeatureKind::kDate, "1980-02-09", "1980-09-02"),
            Similarity(FeatureKind::kDate, "1980-02-09", "1980-11-30"));
  EXPECT_LT(Similarity(FeatureKind::kDate, "1980-02-13", "1957-11-30"), 0.25);
}

TEST(Tokenise, DirtyDatesKeepTheirDigits) {
  EXPECT_THAT(TokensOf(FeatureKind::kDate, "198o-2"), ElementsAre("dA1", "dB9", "dC8", "dD2", "eA19", "eB98", "eC82"));
  EXPECT_GT(Similarity(FeatureKind::kDate, "1980-02-1x3", "1980-02-13"), 0.5);
  EXPECT_EQ(TokensOf(FeatureKind::kDate, "22-12-2972").size(), 22u);
  EXPECT_LE(TokensOf(FeatureKind::kDate, std::string(1000, '7')).size(), 32u);
}

TEST(Tokenise, DigitsGiveBigramsAndPlaces) {
  EXPECT_THAT(TokensOf(FeatureKind::kDigits, "12 A"), ElementsAre("b 1", "b12", "b2a", "ba ", "dA1", "dB2", "dCa"));
  EXPECT_EQ(TokensOf(FeatureKind::kDigits, "1234 AB"), TokensOf(FeatureKind::kDigits, "1234ab"));
  EXPECT_GT(Similarity(FeatureKind::kDigits, "+31 6 12345678", "0612345678"), 0.3);
}

TEST(Tokenise, NumbersThatAreCloseShareBuckets) {
  const auto similarity = [](const char* a, const char* b) { return Similarity(FeatureKind::kNumber, a, b); };
  EXPECT_GT(similarity("84052.973", "84100"), 0.6);
  EXPECT_GT(similarity("99.99", "100.01"), 0.4);
  EXPECT_LT(similarity("84052.973", "12.5"), 0.1);
  EXPECT_LT(similarity("-7", "7"), 0.5);
  EXPECT_EQ(TokensOf(FeatureKind::kNumber, "007.50"), TokensOf(FeatureKind::kNumber, "7,5"));
  EXPECT_EQ(TokensOf(FeatureKind::kNumber, "-0"), TokensOf(FeatureKind::kNumber, "0"));
  EXPECT_THAT(TokensOf(FeatureKind::kNumber, "1.0.3"), ElementsAre("b 1", "b10", "b03", "b3 "));
  EXPECT_EQ(TokensOf(FeatureKind::kNumber, "999999999999999").size(), 8u + 16u);
  EXPECT_EQ(TokensOf(FeatureKind::kNumber, std::string(16, '9')).size(), 17u);
}

// Consecutive numbers fall into the same bucket or the next, so no number is far from its neighbour.
TEST(Tokenise, NumberBucketsHaveNoGap) {
  for (int i = 1; i < 3000; ++i) {
    const std::string a = "0." + std::to_string(1000 + i).substr(1), b = "0." + std::to_string(1001 + i).substr(1);
    if (i >= 999) break;
    Tokens first = TokensOf(FeatureKind::kNumber, a), second = TokensOf(FeatureKind::kNumber, b);
    const auto buckets = [](const Tokens& tokens) { return std::set<std::string>(tokens.begin(), tokens.begin() + 5); };
    std::vector<std::string> common;
    std::ranges::set_intersection(buckets(first), buckets(second), std::back_inserter(common));
    EXPECT_GE(common.size(), 4u) << a;
  }
}

TEST(Tokenise, CategoriesAreOneToken) {
  EXPECT_THAT(TokensOf(FeatureKind::kCategory, "Female"), ElementsAre("cfemale"));
}

TEST(Tokenise, GivesDistinctTokensWithinTheBoundForAnyText) {
  std::mt19937_64 random(11);
  const char* pieces[] = {"a", "ab", " ", "van ", "1", "9", "-", ".", "\u00e9", "\ufdfa", "\u0416", "\u00df", "\x1f"};
  for (int round = 0; round < 3000; ++round) {
    std::string value;
    for (std::size_t i = random() % 40; i > 0; --i) value += pieces[random() % std::size(pieces)];
    for (const FeatureKind kind : kKinds) {
      const Tokens tokens = TokensOf(kind, value);
      EXPECT_EQ(std::set<std::string>(tokens.begin(), tokens.end()).size(), tokens.size());
      EXPECT_LE(tokens.size(), 7 * value.size() + 64);
      EXPECT_TRUE(std::ranges::none_of(tokens, &std::string::empty));
    }
  }
}

TEST(Tokenise, RefusesLongAndMalformedValues) {
  for (const FeatureKind kind : kKinds) {
    EXPECT_THAT(Tokenise(kind, std::string(1025, 'a')), StatusIs(absl::StatusCode::kInvalidArgument, "1024 bytes"));
    EXPECT_THAT(Tokenise(kind, "J\xfcrgen"), StatusIs(absl::StatusCode::kInvalidArgument, "UTF-8"));
    SLUIS_EXPECT_OK(Tokenise(kind, std::string(1024, 'a')));
  }
}

TEST(SaltOf, IsTheYearOfADateAndTheFoldedRest) {
  EXPECT_EQ(*SaltOf(FeatureKind::kDate, "27-08-1941", DateOrder::kDayFirst), "1941");
  EXPECT_EQ(*SaltOf(FeatureKind::kDate, "1941"), "");
  EXPECT_EQ(*SaltOf(FeatureKind::kCategory, " Female"), "female");
  EXPECT_EQ(*SaltOf(FeatureKind::kName, ""), "");
  EXPECT_THAT(SaltOf(FeatureKind::kText, "\xff"), StatusIs(absl::StatusCode::kInvalidArgument, "UTF-8"));
}

}  // namespace
}  // namespace sluis::linker
