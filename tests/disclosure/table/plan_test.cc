#include "disclosure/table/plan.h"

#include "common/status/matchers.h"
#include "tests/disclosure/table/country.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;
using testing::CountryAttachments;
using testing::CountryPermit;
using testing::CountryRequest;
using ::testing::ElementsAre;
using testing::Variable;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kDenied = absl::StatusCode::kPermissionDenied;

absl::StatusOr<TablePlan> Plan(const TableRequest& request, const PlanLimits& limits = {}) {
  static const common::Permit permit = CountryPermit();
  return PlanTables(request, permit, CountryAttachments(), limits);
}

// Each test below breaks one thing in a good request.
TEST(PlanTables, AcceptsTheGoodRequest) {
  const auto plan = Plan(CountryRequest());
  SLUIS_ASSERT_OK(plan);
  ASSERT_EQ(plan->tables.size(), 1u);
  EXPECT_EQ(plan->tables[0].Cells(), 3 * 7);
  EXPECT_THAT(plan->variables[1].codes, ElementsAre("NLD", "TUR", "MAR", "UNK"));
  EXPECT_THAT(plan->variables[1].sources, ElementsAre("persons.father", "persons.mother", "persons.own"));
  EXPECT_THAT(plan->variables[3].sources, ElementsAre("jobs.end", "jobs.start"));
  EXPECT_EQ(plan->count_measure, "people");
  ASSERT_EQ(plan->amounts.size(), 1u);
  EXPECT_EQ(plan->amounts[0].holding, 3) << "the register's only token groups contributions without being named";
}

TEST(PlanTables, RefusesAnotherPermitRuleSetOrEmptyHead) {
  TableRequest request = CountryRequest();
  request.permit_id = "other";
  EXPECT_THAT(Plan(request), StatusIs(kDenied, "permit_id"));
  request = CountryRequest();
  request.rule_set = "softer.yaml";
  EXPECT_THAT(Plan(request), StatusIs(kDenied, "rule_set: the permit's rule set is rules.yaml"));
  request = CountryRequest();
  request.purpose.clear();
  EXPECT_THAT(Plan(request), StatusIs(kInvalid, "purpose"));
  request = CountryRequest();
  request.tables.clear();
  EXPECT_THAT(Plan(request), StatusIs(kInvalid, "asks for none"));
}

TEST(PlanTables, RefusesFieldsThatThePermitLacks) {
  for (const auto& rule : std::vector<decltype(DerivedVariable::rule)>{
           FieldValue{.input = "persons.religion"}, FieldValue{.input = "police.record"},
           RowSummary{.register_name = "police"},
           RowSummary{.register_name = "jobs", .kind = RowSummary::Kind::kSum, .field = "bonus"},
           EventCode{.register_name = "diplomas", .field = "school", .date_field = "date"},
           CodeMapping{.input = "persons.sex", .code_list = "secret.csv"}}) {
    TableRequest request = CountryRequest();
    request.variables.push_back(Variable("extra", rule));
    EXPECT_THAT(Plan(request), StatusIs(kDenied, "variable extra: "));
  }
}

TEST(PlanTables, RefusesMalformedVariables) {
  const std::vector<std::pair<decltype(DerivedVariable::rule), std::string>> cases = {
      {FieldValue{.input = "later"}, "no variable declared before has that name"},
      {FieldValue{.input = "jobs.employer"}, "a token only groups"},
      {RowSummary{.register_name = "persons"}, "is the backbone"},
      {RowSummary{.register_name = "jobs", .field = "wage"}, "only a sum takes a field"},
      {RowSummary{.register_name = "jobs", .kind = RowSummary::Kind::kSum, .field = "start"}, "must be an integer"},
      {EventCode{.register_name = "diplomas", .field = "level"}, "date_field: needed"},
      {AgeClass{.input = "persons.birth", .bounds = {0, 15, 15}}, "bounds: ascending"},
      {AgeClass{.input = "persons.sex", .bounds = {0}}, "must be a date"},
      {Banding{.input = "persons.rooms", .bands = {{"a", 1}}}, "bands[0]"},
      {Banding{.input = "persons.rooms", .bands = {{"a", {}}, {"b", 2}, {"c", 2}}}, "at_least must ascend"},
      {Banding{.input = "persons.rooms", .bands = {{"a", {}}, {"a", 2}}}, "a code stands twice"},
      {CodeMapping{.input = "diplomas.level", .code_list = "sex.csv"}, "the header must be from,to"},
      {CodeMapping{.input = "persons.sex", .code_list = "level_map.csv"}, "lacks code F"},
      {Origin2022{.own = "persons.own", .mother = "persons.mother", .father = "benefits.born", .home = "NLD"},
       "rows of the same register"},
      {Origin2022{.own = "persons.own", .mother = "persons.mother", .father = "persons.father", .home = "BEL"},
       "no input has code BEL"},
      {BornIn{.own = "persons.own", .mother = "persons.mother", .home = "NLD"}, "give both or none"},
  };
  for (const auto& [rule, fragment] : cases) {
    TableRequest request = CountryRequest();
    request.variables.push_back(Variable("extra", rule));
    EXPECT_THAT(Plan(request), StatusIs(kInvalid, fragment));
  }
  TableRequest request = CountryRequest();
  request.variables.push_back(request.variables[0]);
  EXPECT_THAT(Plan(request), StatusIs(kInvalid, "variable sex: declared twice"));
}

TEST(PlanTables, RefusesDimensionsThatThePermitDoesNotGrant) {
  TableRequest request = CountryRequest();
  request.tables[0].dimensions[0].dimension = "religion";
  EXPECT_THAT(Plan(request), StatusIs(kDenied, "table work: dimension religion: the permit lacks it"));
  request = CountryRequest();
  request.variables.push_back(Variable("sneaky", CodeMapping{"persons.own", "level_map.csv", "F"}));
  request.tables[0].dimensions[0] = {"sex", "sneaky"};
  EXPECT_THAT(Plan(request), StatusIs(kDenied, "dimension sex: the permit does not let it be made from persons.own"));
  request = CountryRequest();
  request.tables[0].dimensions[0] = {"origin", "born"};
  EXPECT_THAT(Plan(request), StatusIs(kInvalid, "does not describe the rows of register persons"));
  request = CountryRequest();
  request.variables.push_back(Variable("rooms", FieldValue{"persons.rooms"}));
  request.tables[0].dimensions[0] = {"sex", "rooms"};
  EXPECT_THAT(Plan(request), StatusIs(kInvalid, "is no code; band it first"));
  request = CountryRequest();
  request.tables[0].dimensions.push_back({"sex", "sex"});
  EXPECT_THAT(Plan(request), StatusIs(kInvalid, "stands twice"));
}

TEST(PlanTables, RefusesAHierarchyThatMissesACode) {
  const common::Permit permit = CountryPermit();
  auto attachments = CountryAttachments();
  attachments["origin.csv"] = "code,parent,label\nTOT,,Total\nNLD,TOT,Netherlands\nTUR,TOT,Turkey\nUNK,TOT,Unknown\n";
  EXPECT_THAT(PlanTables(CountryRequest(), permit, attachments),
              StatusIs(kInvalid, "dimension origin: the data may hold code MAR, which its hierarchy lacks"));
}

TEST(PlanTables, CountsPersonsByTheTokenOfTheBackbone) {
  common::Permit permit = CountryPermit();
  EXPECT_EQ(PlanTables(CountryRequest(), permit, CountryAttachments())->count_holding, -1);
  permit.registers[0].fields.push_back(testing::Field("household", common::FieldType::kToken));
  EXPECT_EQ(PlanTables(CountryRequest(), permit, CountryAttachments())->count_holding, 6) << "without being named";
  permit.registers[0].fields.push_back(testing::Field("dwelling", common::FieldType::kToken));
  EXPECT_THAT(PlanTables(CountryRequest(), permit, CountryAttachments()),
              StatusIs(kInvalid, "measure people: name its holding, one of the tokens"));
  TableRequest request = CountryRequest();
  request.tables[0].measures[0].holding = "dwelling";
  EXPECT_EQ(PlanTables(request, permit, CountryAttachments())->count_holding, 7);
  request.tables.push_back(request.tables[0]);
  request.tables[1].name = "again";
  request.tables[1].measures[0].holding = "household";
  EXPECT_THAT(PlanTables(request, permit, CountryAttachments()), StatusIs(kInvalid, "counted by two holdings"));
  request = CountryRequest();
  request.tables[0].measures[0].holding = "rooms";
  EXPECT_THAT(PlanTables(request, permit, CountryAttachments()), StatusIs(kInvalid, "must be a token"));
}

TEST(PlanTables, RefusesMeasuresOutsideThePermit) {
  TableRequest request = CountryRequest();
  request.tables[0].measures.push_back({.measure = "profit"});
  EXPECT_THAT(Plan(request), StatusIs(kDenied, "measure profit: the permit lacks it"));
  request = CountryRequest();
  request.tables[0].measures[1].holding = "wage";
  EXPECT_THAT(Plan(request), StatusIs(kInvalid, "field jobs.wage: must be a token"));
  request = CountryRequest();
  request.tables[0].measures.clear();
  EXPECT_THAT(Plan(request), StatusIs(kInvalid, "measures: name at least one"));
  request = CountryRequest();
  request.tables.push_back(request.tables[0]);
  request.tables[1].name = "later";
  request.tables[1].measures[1].covering->date += 1;
  EXPECT_THAT(Plan(request), StatusIs(kInvalid, "measure wages: summed over different rows"));
  common::Permit permit = CountryPermit();
  permit.registers[1].fields[2].minimum = -5;
  EXPECT_THAT(PlanTables(CountryRequest(), permit, CountryAttachments()), StatusIs(kInvalid, "negative amounts"));
}

TEST(PlanTables, PopulationRestrictsHierarchies) {
  TableRequest request = CountryRequest();
  request.tables[0].population = {{"age", "age", {"W"}}};
  request.tables[0].dimensions = {{"age", "age"}};
  const auto plan = Plan(request);
  SLUIS_ASSERT_OK(plan);
  const PlannedDimension& age = plan->tables[0].dimensions[0];
  EXPECT_EQ(age.hierarchy.size(), 4);  // T > W > Y15-64, Y_GE65
  EXPECT_THAT(age.leaf_of_code, ElementsAre(kOutsidePopulation, 0, 1));
  EXPECT_EQ(age.leaf_of_missing, kOutsidePopulation);
  request.tables[0].population[0].codes = {"Y99"};
  EXPECT_THAT(Plan(request), StatusIs(kInvalid, "its hierarchy lacks code Y99"));
}

TEST(PlanTables, RefusesPopulationsThatOverlap) {
  TableRequest request = CountryRequest();
  request.tables.push_back(request.tables[0]);
  request.tables[1].name = "adults";
  request.tables[1].population = {{"age", "age", {"W"}}};
  EXPECT_THAT(Plan(request), StatusIs(kInvalid, "tables work and adults: their populations overlap"));
  request.tables[0].population = {{"age", "age", {"Y0-14"}}};
  SLUIS_EXPECT_OK(Plan(request));  // disjoint
  request.tables[0].population = {{"age", "age", {"Y15-64", "Y_GE65"}}};
  SLUIS_EXPECT_OK(Plan(request));  // equal
  request.tables[0].population = {{"sex", "sex", {"F"}}};
  EXPECT_THAT(Plan(request), StatusIs(kInvalid, "overlap"));
}

TEST(PlanTables, RefusesTwoVariablesForOneDimension) {
  TableRequest request = CountryRequest();
  request.variables.push_back(Variable("own", FieldValue{"persons.own"}));
  request.tables.push_back(request.tables[0]);
  request.tables[1].name = "by_own";
  request.tables[1].dimensions[1].variable = "own";
  EXPECT_THAT(Plan(request), StatusIs(kInvalid, "dimension origin: filled by two variables"));
}

TEST(PlanTables, GroupingsHaveTheLeavesOfTheFirstHierarchyAndCodesOfOneMeaning) {
  const std::string good =
      "code,parent,label\nTOT,,Total\nSOUTH,TOT,South\nMAR,SOUTH,Morocco\nUNK,SOUTH,Unknown\nNLD,TOT,Netherlands\n"
      "TUR,TOT,Turkey\n_U,TOT,Missing\n";
  const auto plan_with = [](const std::string& grouping, const std::string& name = "south.csv") {
    common::Permit permit = CountryPermit();
    permit.dimensions[1].groupings = {"south.csv"};
    auto attachments = CountryAttachments();
    attachments["south.csv"] = grouping;
    attachments["other.csv"] = grouping;
    TableRequest request = CountryRequest();
    request.tables[0].dimensions[1].hierarchy = name;
    return PlanTables(request, permit, attachments).status();
  };
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    return text.replace(text.find(from), from.size(), to);
  };
  SLUIS_EXPECT_OK(plan_with(good));
  SLUIS_EXPECT_OK(plan_with(good, "origin.csv"));
  EXPECT_THAT(plan_with(good, "other.csv"), StatusIs(kDenied, "does not let it be grouped by other.csv"));
  EXPECT_THAT(plan_with(changed("_U,TOT,Missing\n", "")), StatusIs(kInvalid, "lacks a leaf"));
  EXPECT_THAT(plan_with(changed("_U,TOT,Missing\n", "_U,TOT,Missing\nBEL,TOT,Belgium\n")),
              StatusIs(kInvalid, "code BEL: no leaf of the first hierarchy"));
  // XNL is Turkey and Morocco in the first hierarchy.
  std::string renamed = good;
  for (std::size_t at = renamed.find("SOUTH"); at != std::string::npos; at = renamed.find("SOUTH")) {
    renamed.replace(at, 5, "XNL");
  }
  EXPECT_THAT(plan_with(renamed), StatusIs(kInvalid, "code XNL: stands for other leaves"));
}

TEST(PlanTables, LinkageRatesAreTablesOfTheirRegister) {
  TableRequest request = CountryRequest();
  request.linkage_rates = {{"benefits", TableDimension{"origin", "born"}}, {"jobs", {}}};
  const auto plan = Plan(request);
  SLUIS_ASSERT_OK(plan);
  ASSERT_EQ(plan->tables.size(), 3u);
  EXPECT_EQ(plan->tables[1].name, "linkage_benefits_by_origin");
  EXPECT_EQ(plan->tables[1].Cells(), 7 * 3);
  EXPECT_EQ(plan->tables[2].Cells(), 3);
  EXPECT_THAT(plan->tables[2].measures, ElementsAre("people"));
  request.linkage_rates = {{"jobs", TableDimension{"origin", "origin"}}};
  EXPECT_THAT(Plan(request), StatusIs(kInvalid, "does not describe the rows of register jobs"));
  request.linkage_rates = {{"persons", {}}};
  EXPECT_THAT(Plan(request), StatusIs(kInvalid, "what others are linked to"));
}

TEST(PlanTables, KeepsToItsLimits) {
  EXPECT_THAT(Plan(CountryRequest(), {.max_cells = 20}),
              StatusIs(absl::StatusCode::kResourceExhausted, "table work: more than 20 cells"));
  EXPECT_THAT(Plan(CountryRequest(), {.max_variables = 2}),
              StatusIs(absl::StatusCode::kResourceExhausted, "variables: more than 2"));
}

}  // namespace
}  // namespace sluis::disclosure
