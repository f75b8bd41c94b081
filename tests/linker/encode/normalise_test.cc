#include "linker/encode/normalise.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "common/status/matchers.h"

namespace sluis::linker {
namespace {

using common::Normaliser;
using common::testing::StatusIs;

struct Case {
  Normaliser normaliser;
  std::string value;
  const char* expected;  // nullptr: absent
};

class NormaliseTable : public ::testing::TestWithParam<Case> {};

TEST_P(NormaliseTable, GivesTheSharedSpelling) {
  const auto component = Normalise(GetParam().normaliser, GetParam().value);
  SLUIS_ASSERT_OK(component);
  if (GetParam().expected == nullptr) {
    EXPECT_EQ(*component, std::nullopt) << GetParam().value;
  } else {
    EXPECT_EQ(*component, std::optional<std::string>(GetParam().expected)) << GetParam().value;
  }
}

constexpr auto kBsn = Normaliser::kBsn;
constexpr auto kDate = Normaliser::kDate;
constexpr auto kSex = Normaliser::kSex;
constexpr auto kPostcode6 = Normaliser::kPostcode6;
constexpr auto kPostcode4 = Normaliser::kPostcode4;
constexpr auto kText = Normaliser::kText;

// 111222333 is the number that the Dutch government uses in examples.
INSTANTIATE_TEST_SUITE_P(Bsn, NormaliseTable,
                         ::testing::Values(Case{kBsn, "111222333", "111222333"}, Case{kBsn, " 111222333 ", "111222333"},
                                           Case{kBsn, "1112.22.333", "111222333"}, Case{kBsn, "111222334", nullptr},
                                           Case{kBsn, "12345672", "012345672"}, Case{kBsn, "012345672", "012345672"},
                                           Case{kBsn, "000000000", nullptr}, Case{kBsn, "00000000", nullptr},
                                           Case{kBsn, "", nullptr}, Case{kBsn, "1112223", nullptr},
                                           Case{kBsn, "1112223330", nullptr}, Case{kBsn, "11122233A", nullptr}));
INSTANTIATE_TEST_SUITE_P(Date, NormaliseTable,
                         ::testing::Values(Case{kDate, "1980-02-29", "19800229"}, Case{kDate, "19800229", "19800229"},
                                           Case{kDate, "1900-02-29", nullptr}, Case{kDate, "2000-02-29", "20000229"},
                                           Case{kDate, "1980-00-00", nullptr}, Case{kDate, "1980-05-00", nullptr},
                                           Case{kDate, "19800500", nullptr}, Case{kDate, "00000000", nullptr},
                                           Case{kDate, "1980-13-01", nullptr}, Case{kDate, "1980-04-31", nullptr},
                                           Case{kDate, "01-05-1980", nullptr}, Case{kDate, "1980-5-1", nullptr},
                                           Case{kDate, "", nullptr}));
INSTANTIATE_TEST_SUITE_P(Sex, NormaliseTable,
                         ::testing::Values(Case{kSex, "M", "M"}, Case{kSex, "m", "M"}, Case{kSex, "1", "M"},
                                           Case{kSex, "man", "M"}, Case{kSex, "V", "F"}, Case{kSex, "F", "F"},
                                           Case{kSex, "2", "F"}, Case{kSex, "vrouw", "F"}, Case{kSex, "O", nullptr},
                                           Case{kSex, "0", nullptr}, Case{kSex, "9", nullptr},
                                           Case{kSex, "", nullptr}));
INSTANTIATE_TEST_SUITE_P(Postcode, NormaliseTable,
                         ::testing::Values(Case{kPostcode6, "1234AB", "1234AB"}, Case{kPostcode6, "1234 ab", "1234AB"},
                                           Case{kPostcode6, "1234SS", nullptr}, Case{kPostcode6, "0234AB", nullptr},
                                           Case{kPostcode6, "1234", nullptr}, Case{kPostcode6, "123AAB", nullptr},
                                           Case{kPostcode6, "1234A1", nullptr}, Case{kPostcode6, "", nullptr},
                                           Case{kPostcode4, "1234AB", "1234"}, Case{kPostcode4, "1234", "1234"},
                                           Case{kPostcode4, "12345", nullptr}, Case{kPostcode4, "0123", nullptr},
                                           Case{kPostcode4, "1234SD", nullptr}));
INSTANTIATE_TEST_SUITE_P(Text, NormaliseTable,
                         ::testing::Values(Case{kText, "  Den   HAAG\t", "den haag"}, Case{kText, "", nullptr},
                                           Case{kText, " \t", nullptr}, Case{kText, "STRA\u00dfE", "strasse"},
                                           Case{kText, "\ufb01n", "fin"}, Case{kText, "e\u0301", "\u00e9"},
                                           Case{kText, "A\u00a0 \u2003B", "a b"},
                                           Case{kText, "\u0130stanbul", "i\u0307stanbul"}));

TEST(Normalise, RefusesLongAndMalformedValuesWithoutEchoingThem) {
  for (const auto normaliser : {kBsn, kDate, kSex, Normaliser::kName, Normaliser::kPhoneticName, kPostcode6, kText}) {
    EXPECT_THAT(Normalise(normaliser, std::string(kMaxComponentBytes + 1, 'Q')),
                StatusIs(absl::StatusCode::kInvalidArgument, "longer than 1024"));
    const auto malformed = Normalise(normaliser, "Q\xe9Q");
    EXPECT_THAT(malformed, StatusIs(absl::StatusCode::kInvalidArgument, "UTF-8"));
    EXPECT_EQ(std::string(malformed.status().message()).find('Q'), std::string::npos);
  }
}

TEST(Normalise, ElevenTestPassesOneNumberInElevenOrSo) {
  int passed = 0;
  for (int number = 123'000'000; number < 123'110'000; ++number) {
    passed += Normalise(kBsn, std::to_string(number))->has_value() ? 1 : 0;
  }
  // For each first eight digits the last must be the residue 0..10; 10 is no digit. So ten elevenths of 11,000.
  EXPECT_EQ(passed, 10'000);
}

}  // namespace
}  // namespace sluis::linker
