#include "disclosure/server/request_document.h"

#include "common/status/matchers.h"
#include "disclosure/table/plan.h"
#include "tests/disclosure/table/country.h"

namespace sluis::disclosure {
namespace {

using common::FromCivil;
using common::testing::StatusIs;
using ::testing::ElementsAre;

constexpr char kRequest[] = R"(
id: work-by-origin
permit_id: integration
purpose: Monitoring integration
link_set: latest
rule_set: rules.yaml
variables:
  - name: sex
    field: persons.sex
  - name: origin
    origin_2022: {own: persons.own, mother: persons.mother, father: persons.father, home: NLD, unknown: UNK}
  - name: born
    born_in: {own: persons.own, home: NLD, unknown: UNK}
  - name: age
    age_class: {of: persons.birth, reference_date: 2024-07-01, bounds: [0, 15, 65]}
  - name: work
    spell_covers: {register: jobs, start: start, end: end, date: 2024-07-01}
  - name: ever
    any_row: {register: jobs}
  - name: jobs
    row_count:
      register: jobs
      covering: {start: start, end: end, date: 2024-07-01}
  - name: pay
    row_sum: {register: jobs, field: wage}
  - name: pay_band
    band: {of: pay, bands: [{code: low}, {code: high, at_least: 2000}]}
  - name: latest
    latest_code: {register: diplomas, field: level, date_field: date, until: 2024-07-01, none: none}
  - name: best
    highest_code: {register: diplomas, field: level}
  - name: level
    map: {of: best, code_list: level_map.csv}
  - name: benefit_born
    field: benefits.born
tables:
  - name: work
    population:
      - {dimension: age, codes: [Y15-64]}
    dimensions:
      - {dimension: sex}
      - {dimension: origin, variable: origin}
    measures:
      - {measure: people}
      - {measure: wages, covering: {start: start, end: end, date: 2024-07-01}, holding: employer}
linkage_rates:
  - {register: benefits, by: {dimension: origin, variable: benefit_born}}
  - {register: jobs}
)";

TEST(ParseTableRequest, ReadsEveryKindOfRule) {
  const auto request = ParseTableRequest(kRequest);
  SLUIS_ASSERT_OK(request);
  EXPECT_EQ(request->id, "work-by-origin");
  EXPECT_EQ(request->link_set, "latest");
  ASSERT_EQ(request->variables.size(), 13u);
  const common::Day july = FromCivil({2024, 7, 1});
  EXPECT_EQ(std::get<FieldValue>(request->variables[0].rule).input, "persons.sex");
  EXPECT_EQ(std::get<Origin2022>(request->variables[1].rule).father, "persons.father");
  EXPECT_EQ(std::get<BornIn>(request->variables[2].rule).mother, "");
  EXPECT_EQ(std::get<AgeClass>(request->variables[3].rule).reference_date, july);
  EXPECT_THAT(std::get<AgeClass>(request->variables[3].rule).bounds, ElementsAre(0, 15, 65));
  const auto& spell = std::get<RowSummary>(request->variables[4].rule);
  EXPECT_EQ(spell.kind, RowSummary::Kind::kAny);
  ASSERT_TRUE(spell.covering.has_value());
  EXPECT_EQ(spell.covering->date, july);
  EXPECT_FALSE(std::get<RowSummary>(request->variables[5].rule).covering.has_value());
  EXPECT_EQ(std::get<RowSummary>(request->variables[6].rule).kind, RowSummary::Kind::kCount);
  EXPECT_EQ(std::get<RowSummary>(request->variables[7].rule).field, "wage");
  const auto& band = std::get<Banding>(request->variables[8].rule);
  EXPECT_FALSE(band.bands[0].at_least.has_value());
  EXPECT_EQ(band.bands[1].at_least, 2000);
  EXPECT_EQ(std::get<EventCode>(request->variables[9].rule).until, july);
  EXPECT_EQ(std::get<EventCode>(request->variables[10].rule).pick, EventCode::Pick::kHighest);
  EXPECT_EQ(std::get<CodeMapping>(request->variables[11].rule).code_list, "level_map.csv");
  ASSERT_EQ(request->tables.size(), 1u);
  EXPECT_EQ(request->tables[0].population[0].variable, "age") << "absent: the dimension's own name";
  EXPECT_EQ(request->tables[0].dimensions[0].variable, "sex");
  EXPECT_EQ(request->tables[0].measures[1].holding, "employer");
  EXPECT_EQ(request->linkage_rates[0].by->variable, "benefit_born");
  EXPECT_FALSE(request->linkage_rates[1].by.has_value());
  const common::Permit permit = testing::CountryPermit();
  SLUIS_EXPECT_OK(PlanTables(*request, permit, testing::CountryAttachments()));
}

TEST(ParseTableRequest, NamesTheFieldThatIsWrong) {
  const auto with = [](const std::string& from, const std::string& to) {
    std::string text = kRequest;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos);
    return ParseTableRequest(text.replace(at, from.size(), to)).status();
  };
  const auto code = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(with("reference_date: 2024-07-01", "reference_date: 2024-13-01"),
              StatusIs(code, "variables[3] (age): reference_date: a date yyyy-mm-dd"));
  EXPECT_THAT(with("until: 2024-07-01", "until: soon"), StatusIs(code, "variables[9] (latest): until"));
  EXPECT_THAT(with("end: end, date: 2024-07-01}, holding", "end: end}, holding"),
              StatusIs(code, "tables[0]: measures[1]: covering.date"));
  EXPECT_THAT(with("bounds: [0, 15, 65]", "bounds: [0, 151]"), StatusIs(code, "bounds: none may be above 150"));
  EXPECT_THAT(with("    field: persons.sex\n", ""), StatusIs(code, "variables[0] (sex): says how"));
  EXPECT_THAT(with("    field: persons.sex\n", "    filed: persons.sex\n"), StatusIs(code, "filed"));
  EXPECT_THAT(with("    field: persons.sex\n", "    field: persons.sex\n    any_row: {register: jobs}\n"),
              StatusIs(code, ""));
}

}  // namespace
}  // namespace sluis::disclosure
