#include "linker/encode/name.h"

#include <gtest/gtest.h>

#include <random>

#include "common/status/matchers.h"

namespace sluis::linker {
namespace {

using common::testing::StatusIs;

struct Case {
  const char* value;
  const char* expected;  // nullptr: absent
};

class NormaliseNameTable : public ::testing::TestWithParam<Case> {};

TEST_P(NormaliseNameTable, GivesTheSharedSpelling) {
  const auto name = NormaliseName(GetParam().value);
  SLUIS_ASSERT_OK(name);
  if (GetParam().expected == nullptr) {
    EXPECT_EQ(*name, std::nullopt) << GetParam().value;
  } else {
    EXPECT_EQ(*name, std::optional<std::string>(GetParam().expected)) << GetParam().value;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Prefixes, NormaliseNameTable,
    ::testing::Values(Case{"van der Berg", "BERG"}, Case{"Van Der Berg", "BERG"}, Case{"Berg, van der", "BERG"},
                      Case{"Berg van den", "BERG"}, Case{"v.d. Berg", "BERG"}, Case{"v/d Berg", "BERG"},
                      Case{"vd Berg", "BERG"}, Case{"de Vries", "VRIES"}, Case{"den Uyl", "UYL"},
                      Case{"ten Brink", "BRINK"}, Case{"ter Horst", "HORST"}, Case{"'t Hart", "HART"},
                      Case{"\u2019t Hart", "HART"}, Case{"t'Hart", "HART"}, Case{"in 't Veld", "VELD"},
                      Case{"in \u2018t Veld", "VELD"}, Case{"in het Veld", "VELD"}, Case{"van 't Hof", "HOF"},
                      Case{"op den Kelder", "KELDER"}, Case{"aan de Stegge", "STEGGE"},
                      Case{"'s-Gravesande", "GRAVESANDE"}, Case{"von Amsberg", "AMSBERG"}, Case{"d'Hondt", "HONDT"},
                      Case{"D\u00b4Hondt", "HONDT"}, Case{"de la Cruz", "CRUZ"}, Case{"da Silva", "SILVA"},
                      Case{"dos Santos", "SANTOS"}, Case{"El Khatib", "KHATIB"}, Case{"uit den Bogaard", "BOGAARD"},
                      Case{"toe Laer", "LAER"}));
INSTANTIATE_TEST_SUITE_P(NamesThatArePrefixes, NormaliseNameTable,
                         ::testing::Values(Case{"De", "DE"}, Case{"Van", "VAN"}, Case{"El", "EL"}, Case{"Le", "LE"},
                                           Case{"Vanderlinden", "VANDERLINDEN"}, Case{"Derksen", "DERKSEN"},
                                           Case{"Tennissen", "TENNISSEN"}));
INSTANTIATE_TEST_SUITE_P(DoubleNames, NormaliseNameTable,
                         ::testing::Values(Case{"Bakker-de Vries", "VRIES"}, Case{"Bakker - de Vries", "VRIES"},
                                           Case{"van den Berg-Jansen", "JANSEN"}, Case{"Prins\u2013Visser", "VISSER"},
                                           Case{"Al-Hassan", "HASSAN"}, Case{"El-Khatib", "KHATIB"},
                                           Case{"Ben-Ali", "BENALI"}, Case{"Ben Ali", "BENALI"},
                                           Case{"Abdul-Rahman", "ABDULRAHMAN"}, Case{"Abdul Rahman", "ABDULRAHMAN"},
                                           Case{"Ait-Lahcen", "AITLAHCEN"}, Case{"Sint-Maartens", "SINTMAARTENS"},
                                           Case{"Berg-van der", "BERG"}, Case{"Berg-", "BERG"}, Case{"-Berg", "BERG"},
                                           Case{"Garc\u00eda-L\u00f3pez", "LOPEZ"}));
INSTANTIATE_TEST_SUITE_P(
    LettersAndMarks, NormaliseNameTable,
    ::testing::Values(Case{"Dijkstra", "DYKSTRA"}, Case{"Dykstra", "DYKSTRA"}, Case{"D\u0133kstra", "DYKSTRA"},
                      Case{"D\u00ffkstra", "DYKSTRA"}, Case{"M\u00fcller", "MULLER"}, Case{"Mu\u0308ller", "MULLER"},
                      Case{"Stra\u00dfer", "STRASSER"}, Case{"S\u00f8rensen", "SORENSEN"},
                      Case{"\u00c6gidius", "AEGIDIUS"}, Case{"Co\u00ebn", "COEN"}, Case{"\u0141ukasz", "LUKASZ"},
                      Case{"W\u00f3jcik", "WOJCIK"}, Case{"Wi\u015bniewska", "WISNIEWSKA"},
                      Case{"\u017b\u00f3\u0142ty", "ZOLTY"}, Case{"Y\u0131lmaz", "YILMAZ"}, Case{"\u0130nan", "INAN"},
                      Case{"\u015eahin", "SAHIN"}, Case{"\u00c7elik", "CELIK"}, Case{"Do\u011fan", "DOGAN"},
                      Case{"K\u0131l\u0131\u00e7", "KILIC"}, Case{"O'Brien", "OBRIEN"}, Case{"N\u2019Diaye", "NDIAYE"},
                      Case{"Sa\u02bdid", "SAID"}, Case{"Sa\u02bfid", "SAID"},
                      Case{"\u0110or\u0111evi\u0107", "DORDEVIC"}, Case{"\uff26\uff4f\uff4f", "FOO"}));
INSTANTIATE_TEST_SUITE_P(OtherScriptsStay, NormaliseNameTable,
                         ::testing::Values(Case{"\u0438\u0432\u0430\u043d\u043e\u0432",
                                                "\u0418\u0412\u0410\u041d\u041e\u0412"}));
INSTANTIATE_TEST_SUITE_P(Nothing, NormaliseNameTable,
                         ::testing::Values(Case{"", nullptr}, Case{" ", nullptr}, Case{"-", nullptr},
                                           Case{"12", nullptr}, Case{"'", nullptr}, Case{"\u0301", nullptr}));

TEST(NormaliseName, RefusesInvalidUtf8WithoutEchoingIt) {
  const auto name = NormaliseName("J\xfcrgen");
  EXPECT_THAT(name, StatusIs(absl::StatusCode::kInvalidArgument, "UTF-8"));
  EXPECT_EQ(std::string(name.status().message()).find("rgen"), std::string::npos);
}

// The fast path for ASCII against the path through ICU: an accent that is dropped forces the latter.
TEST(NormaliseName, AsciiPathAgreesWithUnicodePath) {
  std::mt19937_64 random(20221122);
  const std::string alphabet = "abcdeijnstvABDEIJLNSTVYZ '-.,/1_`";
  for (int i = 0; i < 20'000; ++i) {
    std::string ascii(random() % 24, ' ');
    for (char& c : ascii) {
      c = alphabet[random() % alphabet.size()];
    }
    const auto fast = NormaliseName(ascii);
    const auto slow = NormaliseName(ascii + "\u0301");
    SLUIS_ASSERT_OK(fast);
    SLUIS_ASSERT_OK(slow);
    ASSERT_EQ(*fast, *slow) << ascii;
  }
}

}  // namespace
}  // namespace sluis::linker
