#include "cli/generate/names.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace sluis::cli {
namespace {

TEST(ToCp1252, KeepsLettersOfTheCodePageAndFoldsOthers) {
  EXPECT_EQ(ToCp1252("Çelik"),
            "\xC7"
            "elik");
  EXPECT_EQ(ToCp1252("Yıldız"), "Yildiz");
  EXPECT_EQ(ToCp1252("Hodžić"), "Hod\x9Eic");
  EXPECT_EQ(ToCp1252("van 't Veld"), "van 't Veld");
  EXPECT_EQ(ToCp1252("Łuczak"), "Luczak");
}

TEST(ToAsciiUpper, FoldsAndRaisesEveryLetter) {
  EXPECT_EQ(ToAsciiUpper("Şimşek"), "SIMSEK");
  EXPECT_EQ(ToAsciiUpper("García"), "GARCIA");
  EXPECT_EQ(ToAsciiUpper("van der Berg"), "VAN DER BERG");
}

TEST(NameTables, ConvertEveryNameAndFitPositions) {
  for (const std::vector<Name>* names : {&Surnames(), &GivenNames()}) {
    ASSERT_LT(names->size(), 65536u);
    for (const Name& name : *names) {
      EXPECT_FALSE(name.utf8.empty());
      EXPECT_EQ(name.utf8.find_first_of(",;\t\"\r\n"), std::string::npos) << name.utf8;
      EXPECT_EQ(name.cp1252.find('?'), std::string::npos) << name.utf8;
      EXPECT_EQ(name.ascii_upper.find('?'), std::string::npos) << name.utf8;
      for (const char c : name.ascii_upper) {
        EXPECT_TRUE((c >= 'A' && c <= 'Z') || c == ' ' || c == '\'') << name.utf8;
      }
    }
  }
  EXPECT_LT(Streets().size(), 65536u);
}

TEST(DrawSurname, DrawsNamesUsualAmongTheOrigin) {
  Random random(1, Purpose::kHousehold, 0);
  std::set<std::string> turkish;
  std::set<std::string> dutch;
  for (int i = 0; i < 5000; ++i) {
    turkish.insert(Surnames()[DrawSurname(random, Origin::kTurkey)].utf8);
    dutch.insert(Surnames()[DrawSurname(random, Origin::kNetherlands)].utf8);
  }
  EXPECT_TRUE(turkish.count("Yılmaz") == 1 && turkish.count("de Jong") == 0);
  EXPECT_TRUE(dutch.count("de Jong") == 1 && dutch.count("van der Berg") == 1 && dutch.count("Westerhof") == 1);
  EXPECT_EQ(dutch.count("Yılmaz"), 0u);
}

}  // namespace
}  // namespace sluis::cli
