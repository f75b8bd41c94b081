#include "linker/encode/phonetic.h"

#include <gtest/gtest.h>

#include <vector>

#include "common/status/matchers.h"
#include "linker/encode/normalise.h"

namespace sluis::linker {
namespace {

std::string CodeOf(const std::string& name) {
  const auto code = Normalise(common::Normaliser::kPhoneticName, name);
  EXPECT_THAT(code, common::testing::IsOk());
  return code.ok() && code->has_value() ? **code : "";
}

struct SameSound {
  std::vector<std::string> names;
  std::string code;
};

class PhoneticTable : public ::testing::TestWithParam<SameSound> {};

TEST_P(PhoneticTable, OneCodeForAllSpellings) {
  for (const std::string& name : GetParam().names) {
    EXPECT_EQ(CodeOf(name), GetParam().code) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Dutch, PhoneticTable,
    ::testing::Values(SameSound{{"Jansen", "Janssen", "Janse"}, "JANSE"}, SameSound{{"de Vries", "Fries"}, "FRIS"},
                      SameSound{{"Dijk", "van Dyk", "Deik", "Deyk"}, "DYK"},
                      SameSound{{"Meijer", "Meyer", "Meier", "Maier", "Mayer"}, "MYER"},
                      SameSound{{"Kuipers", "Kuypers", "Kuijpers", "Cuijpers", "Cuypers"}, "K2PERS"},
                      SameSound{{"Hendriks", "Hendrix", "Hendricks", "Hendrickx"}, "HENDRIKS"},
                      SameSound{{"Claassen", "Klaassen", "Claesen", "Klasen"}, "KLASE"},
                      SameSound{{"Bouwman", "Bauman", "Bouman", "Bouwmann"}, "B1MAN"},
                      SameSound{{"Blauw", "Blaauw"}, "BL1"}, SameSound{{"Boogaard", "Bogaert", "Boogaerd"}, "BOGART"},
                      SameSound{{"Brandt", "Brand", "Brant"}, "BRANT"},
                      SameSound{{"Brands", "Brants", "Brandts"}, "BRANTS"},
                      SameSound{{"Schmidt", "Smit", "Smid", "Schmitt"}, "SMIT"},
                      SameSound{{"Bosch", "Bos", "van den Bosch"}, "BOS"}, SameSound{{"Visser", "Visscher"}, "FISER"},
                      SameSound{{"Veldhuis", "Velthuis", "Veldhuijs"}, "FELT2S"},
                      SameSound{{"Lichthart", "Ligthart", "Ligtart"}, "LIGTART"},
                      SameSound{{"Philips", "Filips", "Phillips"}, "FILIPS"}, SameSound{{"Quist", "Kwist"}, "KWIST"},
                      SameSound{{"Zanten", "van Santen"}, "SANTE"}, SameSound{{"Kok", "Cock", "Kock"}, "KOK"},
                      SameSound{{"Thijssen", "Tijssen", "Thyssen"}, "TYSE"},
                      SameSound{{"Goudsmit", "Goudsmid", "Gautsmit"}, "G1TSMIT"},
                      SameSound{{"Nieuwenhuis", "Nieuwenhuys"}, "NIWEN2S"},
                      SameSound{{"Kooij", "van der Kooi", "Koy"}, "K4"}, SameSound{{"Kraaij", "Kraai"}, "KR5"},
                      SameSound{{"Leeuwen", "van Leuwen"}, "LEWE"}, SameSound{{"Vreede", "Wrede"}, "FREDE"}));
INSTANTIATE_TEST_SUITE_P(OtherOrigins, PhoneticTable,
                         ::testing::Values(SameSound{{"Y\u0131lmaz", "Yilmaz", "Jilmaz"}, "JILMAS"},
                                           SameSound{{"\u015eahin", "Sahin", "Shahin", "Sjahin"}, "SAHIN"},
                                           SameSound{{"\u00c7elik", "Celik", "Selik"}, "SELIK"},
                                           SameSound{{"Mehmet", "Memed", "Mehmed"}, "MEMET"},
                                           SameSound{{"Soekarno", "Sukarno"}, "SUKARNO"},
                                           SameSound{{"Boudjemaa", "Boujemaa"}, "B1JEMA"},
                                           SameSound{{"Khalid", "Chalid", "Ghalid"}, "GALIT"},
                                           SameSound{{"\u0141ukasz", "Lukas"}, "LUKAS"},
                                           SameSound{{"Ahmed", "Ahmet", "Amed"}, "AMET"}));

TEST(DutchPhoneticCode, KeepsDifferentNamesApart) {
  const std::vector<std::vector<std::string>> pairs = {{"Mulder", "Muller"},  {"Jansen", "Hansen"}, {"Bakker", "Beker"},
                                                       {"Visser", "Vissers"}, {"Kok", "Koks"},      {"Berg", "Burg"},
                                                       {"Peters", "Pieters"}, {"Wal", "Val"}};
  for (const auto& pair : pairs) {
    EXPECT_NE(CodeOf(pair[0]), CodeOf(pair[1])) << pair[0];
  }
}

TEST(DutchPhoneticCode, LeavesOtherScriptsWhole) {
  EXPECT_EQ(DutchPhoneticCode("\u0418\u0412\u0410\u041d"), "\u0418\u0412\u0410\u041d");
  // Two equal letters of two bytes each are no double letter to this table.
  EXPECT_EQ(DutchPhoneticCode("\u0410\u0410"), "\u0410\u0410");
}

TEST(DutchPhoneticCode, NeverEmptyForANameWithALetterThatIsHeard) {
  EXPECT_EQ(DutchPhoneticCode("H"), "H");
  EXPECT_EQ(DutchPhoneticCode("EN"), "EN");
  EXPECT_EQ(DutchPhoneticCode(""), "");
}

}  // namespace
}  // namespace sluis::linker
