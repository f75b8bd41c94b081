#include "disclosure/table/derive.h"

#include "common/status/matchers.h"
#include "disclosure/table/plan_variables.h"
#include "tests/disclosure/table/country.h"

namespace sluis::disclosure {
namespace {

using common::FromCivil;
using common::kMissingCode;
using common::kMissingDate;
using common::kMissingInteger;
using common::testing::StatusIs;
using testing::CountryAttachments;
using testing::CountryPermit;
using ::testing::ElementsAre;
using testing::RowBytes;
using testing::Variable;

using Rule = decltype(DerivedVariable::rule);

class DeriveTest : public ::testing::Test {
 protected:
  DeriveTest() : permit_(CountryPermit()) {
    for (const common::PermitRegister& reg : permit_.registers) registers_.emplace_back(&reg);
  }

  void AddPerson(std::uint16_t own, std::uint16_t mother, std::uint16_t father, common::Day birth = 0,
                 std::int64_t rooms = 1) {
    const auto rows = RowBytes().Code(0).Date(birth).Code(own).Code(mother).Code(father).Integer(rooms);
    ASSERT_TRUE(registers_[0].AppendRows(rows.bytes(), {}).ok());
  }
  void AddJob(std::int32_t person, common::Day start, common::Day end, std::int64_t wage) {
    const std::vector<std::int32_t> persons = {person};
    ASSERT_TRUE(
        registers_[1].AppendRows(RowBytes().Date(start).Date(end).Integer(wage).Token(1).bytes(), persons).ok());
  }
  void AddDiploma(std::int32_t person, std::uint16_t level, common::Day date) {
    const std::vector<std::int32_t> persons = {person};
    ASSERT_TRUE(registers_[3].AppendRows(RowBytes().Code(level).Date(date).bytes(), persons).ok());
  }

  // Codes as text ("" if missing), or numbers, of one variable.
  std::vector<std::string> Derive(const Rule& rule) {
    const auto planned = PlanVariables({Variable("x", rule)}, permit_, CountryAttachments());
    EXPECT_THAT(planned, common::testing::IsOk());
    if (!planned.ok()) return {};
    const auto columns = DeriveColumns(*planned, registers_);
    EXPECT_THAT(columns, common::testing::IsOk());
    if (!columns.ok()) return {};
    std::vector<std::string> result;
    for (const std::uint16_t code : (*columns)[0].codes) {
      result.push_back(code == kMissingCode ? "" : (*planned)[0].codes[code]);
    }
    for (const std::int64_t number : (*columns)[0].numbers) {
      result.push_back(number == kMissingInteger ? "missing" : std::to_string(number));
    }
    return result;
  }

  common::Permit permit_;
  std::vector<RegisterColumns> registers_;
};

constexpr std::uint16_t kNld = 0, kTur = 1, kMar = 2, kUnk = 3;

// One person for each branch of the classification: own, mother, father -> origin, born in.
TEST_F(DeriveTest, Origin2022FollowsEveryBranch) {
  struct Case {
    std::uint16_t own, mother, father;
    const char *origin, *born_in;
  };
  const std::vector<Case> cases = {
      {kTur, kNld, kNld, "TUR", "2a"},  // born abroad: own country, also with both parents born at home
      {kTur, kMar, kNld, "TUR", "2b"},          {kTur, kMar, kTur, "TUR", "2c"},
      {kTur, kUnk, kNld, "TUR", "2"},           {kNld, kNld, kNld, "NLD", "1a"},
      {kNld, kMar, kNld, "MAR", "1b"},          {kNld, kNld, kTur, "TUR", "1b"},
      {kNld, kMar, kTur, "MAR", "1c"},  // both abroad: the mother leads
      {kNld, kMar, kUnk, "MAR", "1"},           {kNld, kUnk, kTur, "TUR", "1"},
      {kNld, kUnk, kNld, "NLD", "1"},  // mother unknown: the father's country
      {kNld, kNld, kUnk, "UNK", "1"},  // needs the father's country, which is unknown
      {kNld, kUnk, kUnk, "UNK", "1"},           {kUnk, kTur, kTur, "UNK", "UNK"},
      {kMissingCode, kTur, kTur, "UNK", "UNK"}, {kNld, kMissingCode, kMissingCode, "UNK", "1"},
  };
  std::vector<std::string> origin, born_in, born_short;
  for (const Case& c : cases) {
    AddPerson(c.own, c.mother, c.father);
    origin.push_back(c.origin);
    born_in.push_back(c.born_in);
    born_short.push_back(std::string(c.born_in) == "UNK" ? "UNK" : std::string(1, c.born_in[0]));
  }
  EXPECT_EQ(Derive(Origin2022{"persons.own", "persons.mother", "persons.father", "NLD", "UNK"}), origin);
  EXPECT_EQ(Derive(BornIn{"persons.own", "persons.mother", "persons.father", "NLD", "UNK"}), born_in);
  EXPECT_EQ(Derive(BornIn{.own = "persons.own", .home = "NLD", .unknown = "UNK"}), born_short);
}

TEST_F(DeriveTest, UnknownCountriesAreMissingIfNoCodeIsNamed) {
  AddPerson(kMissingCode, kTur, kTur);
  AddPerson(kNld, kMissingCode, kMissingCode);
  EXPECT_THAT(
      Derive(Origin2022{.own = "persons.own", .mother = "persons.mother", .father = "persons.father", .home = "NLD"}),
      ElementsAre("", ""));
}

TEST_F(DeriveTest, SpellsCoverTheirFirstAndLastDay) {
  for (int i = 0; i < 7; ++i) AddPerson(kNld, kNld, kNld);
  AddJob(0, 10, 20, 1);
  AddJob(1, 15, kMissingDate, 1);
  AddJob(2, 16, kMissingDate, 1);
  AddJob(3, 1, 15, 1);
  AddJob(4, 1, 14, 1);
  AddJob(5, kMissingDate, 20, 1);
  AddJob(-1, 1, 20, 1);  // unlinked: nobody's
  EXPECT_THAT(Derive(RowSummary{.register_name = "jobs", .covering = SpellFilter{"start", "end", 15}}),
              ElementsAre("yes", "yes", "no", "yes", "no", "no", "no"));
  EXPECT_THAT(Derive(RowSummary{.register_name = "jobs"}), ElementsAre("yes", "yes", "yes", "yes", "yes", "yes", "no"));
}

TEST_F(DeriveTest, RowsAreCountedAndSummedPerPerson) {
  for (int i = 0; i < 3; ++i) AddPerson(kNld, kNld, kNld);
  AddJob(0, 1, 20, 100);
  AddJob(0, 1, 5, 30);
  AddJob(1, 1, 20, kMissingInteger);
  EXPECT_THAT(Derive(RowSummary{.register_name = "jobs", .kind = RowSummary::Kind::kCount}),
              ElementsAre("2", "1", "0"));
  EXPECT_THAT(Derive(RowSummary{.register_name = "jobs", .kind = RowSummary::Kind::kSum, .field = "wage"}),
              ElementsAre("130", "0", "0"));
  EXPECT_THAT(Derive(RowSummary{.register_name = "jobs",
                                .kind = RowSummary::Kind::kSum,
                                .field = "wage",
                                .covering = SpellFilter{"start", "end", 15}}),
              ElementsAre("100", "0", "0"));
}

TEST_F(DeriveTest, SumsThatOverflowAreErrors) {
  AddPerson(kNld, kNld, kNld);
  AddJob(0, 1, 20, INT64_MAX);
  AddJob(0, 1, 20, 1);
  const auto planned = PlanVariables(
      {Variable("x", RowSummary{.register_name = "jobs", .kind = RowSummary::Kind::kSum, .field = "wage"})}, permit_,
      {});
  SLUIS_ASSERT_OK(planned);
  EXPECT_THAT(DeriveColumns(*planned, registers_),
              StatusIs(absl::StatusCode::kOutOfRange, "variable x: register jobs"));
}

TEST_F(DeriveTest, EventsGiveTheLatestOrHighestCode) {
  for (int i = 0; i < 3; ++i) AddPerson(kNld, kNld, kNld);
  AddDiploma(0, 2, 10);
  AddDiploma(0, 1, 20);
  AddDiploma(0, 0, 30);
  AddDiploma(1, 0, 5);
  AddDiploma(1, 1, 5);
  AddDiploma(1, kMissingCode, 6);
  AddDiploma(1, 2, kMissingDate);
  EventCode latest{.register_name = "diplomas", .field = "level", .date_field = "date", .none = "none"};
  EXPECT_THAT(Derive(latest), ElementsAre("1", "2", "none"));  // on one day the higher counts
  latest.until = 20;
  latest.none.clear();
  EXPECT_THAT(Derive(latest), ElementsAre("2", "2", ""));
  EventCode highest{.register_name = "diplomas", .field = "level", .pick = EventCode::Pick::kHighest};
  EXPECT_THAT(Derive(highest), ElementsAre("3", "3", ""));
  highest.date_field = "date";
  highest.until = 9;
  EXPECT_THAT(Derive(highest), ElementsAre("", "2", ""));
}

TEST_F(DeriveTest, AgeClassesChangeOnTheBirthday) {
  const common::Day today = FromCivil({2024, 7, 1});
  AddPerson(kNld, kNld, kNld, FromCivil({2009, 7, 1}));
  AddPerson(kNld, kNld, kNld, FromCivil({2009, 7, 2}));
  AddPerson(kNld, kNld, kNld, kMissingDate);
  AddPerson(kNld, kNld, kNld, FromCivil({2024, 7, 2}));  // not yet born
  AddPerson(kNld, kNld, kNld, FromCivil({1900, 1, 1}));
  EXPECT_THAT(Derive(AgeClass{"persons.birth", today, {0, 15, 65}}), ElementsAre("Y15-64", "Y0-14", "", "", "Y_GE65"));
}

TEST_F(DeriveTest, BandsTakeTheirLowerBound) {
  for (const std::int64_t rooms :
       {std::int64_t{0}, std::int64_t{2}, std::int64_t{4}, std::int64_t{5}, kMissingInteger}) {
    AddPerson(kNld, kNld, kNld, 0, rooms);
  }
  EXPECT_THAT(Derive(Banding{"persons.rooms", {{"few", {}}, {"some", 2}, {"many", 5}}}),
              ElementsAre("few", "some", "some", "many", ""));
}

TEST_F(DeriveTest, CodeListsMapAndLumpTheRest) {
  AddPerson(kTur, kNld, kNld);
  AddPerson(kNld, kNld, kNld);
  AddPerson(kMissingCode, kNld, kNld);
  auto attachments = CountryAttachments();
  attachments["m.csv"] = "from,to\nNLD,home\n";
  const auto planned = PlanVariables(
      {Variable("own", FieldValue{"persons.own"}), Variable("where", CodeMapping{"own", "m.csv", "elsewhere"})},
      permit_, attachments);
  SLUIS_ASSERT_OK(planned);
  EXPECT_THAT((*planned)[1].codes, ElementsAre("home", "elsewhere"));
  const auto columns = DeriveColumns(*planned, registers_);
  SLUIS_ASSERT_OK(columns);
  EXPECT_THAT((*columns)[1].codes, ElementsAre(1, 0, kMissingCode));
}

TEST_F(DeriveTest, RefusesRowsOfPersonsWhoAreNotThere) {
  AddPerson(kNld, kNld, kNld);
  AddJob(1, 1, 2, 3);
  EXPECT_THAT(DeriveColumns({}, registers_), StatusIs(absl::StatusCode::kInvalidArgument,
                                                      "register jobs: row 0 names a person whom the backbone lacks"));
}

}  // namespace
}  // namespace sluis::disclosure
