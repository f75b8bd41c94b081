#include "disclosure/ledger/describe.h"

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "common/status/matchers.h"
#include "common/status/status.h"
#include "disclosure/ledger/ledger_entry.h"
#include "disclosure/ledger/region_space.h"
#include "disclosure/table/derive.h"
#include "disclosure/table/plan_variables.h"
#include "gtest/gtest.h"
#include "tests/disclosure/table/country.h"

namespace sluis::disclosure {
namespace {

using testing::CountryPermit;
using testing::Variable;
using Rule = decltype(DerivedVariable::rule);

constexpr std::size_t kPersons = 3'000;

common::Day Date(int year, int month, int day) { return common::FromCivil({year, month, day}); }

// Persons of all ages and countries of birth, own and parents', also missing ones.
RegisterColumns Population(const common::Permit& permit) {
  std::mt19937 random(20261123);
  testing::RowBytes rows;
  for (std::size_t i = 0; i < kPersons; ++i) {
    const auto country = [&]() -> std::uint16_t {
      if (random() % 12 == 0) return common::kMissingCode;
      return static_cast<std::uint16_t>(random() % 5 < 2 ? 0 : random() % 4);
    };
    const common::Day birth = Date(1925, 1, 1) + static_cast<common::Day>(random() % (100 * 365));
    rows.Code(static_cast<std::uint16_t>(random() % 2)).Date(random() % 20 != 0 ? birth : common::kMissingDate);
    for (int k = 0; k < 3; ++k) rows.Code(country());
    rows.Integer(static_cast<std::int64_t>(random() % 9));
  }
  RegisterColumns columns(&permit.registers[0]);
  SLUIS_EXPECT_OK(columns.AppendRows(rows.bytes(), {}));
  return columns;
}

// A request of one table by one variable, with its codes in two groups at random, and for one group only now and then.
struct Asked {
  TablePlan plan;
  LedgerDescription description;
};

Asked Ask(const common::Permit& country, const Rule& rule, std::mt19937& random) {
  common::Permit permit = country;
  std::map<std::string, std::string> attachments = testing::CountryAttachments();
  TableRequest request = testing::CountryRequest();
  request.variables = {Variable("asked", rule)};
  std::vector<std::string> fields;
  for (const common::PermitField& field : permit.registers[0].fields) fields.push_back("persons." + field.name);
  permit.dimensions = {{.name = "asked", .hierarchy = "asked.csv", .fields = fields}};
  request.tables = {{.name = "one", .dimensions = {{"asked", "asked"}}, .measures = {{.measure = "people"}}}};
  const auto variables = PlanVariables(request.variables, permit, attachments);
  SLUIS_EXPECT_OK(variables.status());
  std::string csv = "code,parent,label\nTOT,,Total\nG0,TOT,0\nG1,TOT,1\n_U,TOT,Missing\nE0,G0,nobody\nE1,G1,nobody\n";
  for (const std::string& code : variables->back().codes) {
    if (code != "_U") csv += code + ",G" + std::to_string(random() % 2) + ",x\n";
  }
  attachments["asked.csv"] = csv;
  if (random() % 2 == 0) {
    request.tables[0].population = {{.dimension = "asked", .variable = "asked", .codes = {"G0"}}};
  }
  Asked asked;
  auto plan = PlanTables(request, permit, attachments);
  SLUIS_EXPECT_OK(plan.status());
  asked.plan = *std::move(plan);
  auto description = Describe(asked.plan, permit, attachments, {RuleSet{}, "", ""});
  SLUIS_EXPECT_OK(description.status());
  asked.description = *std::move(description);
  return asked;
}

// Who is in each cell, by the records themselves.
std::vector<std::vector<bool>> Members(const Asked& asked, std::span<const RegisterColumns> registers) {
  const auto columns = DeriveColumns(asked.plan.variables, registers);
  SLUIS_EXPECT_OK(columns.status());
  const PlannedDimension& dimension = asked.plan.tables[0].dimensions[0];
  const std::vector<std::uint16_t>& codes = (*columns)[static_cast<std::size_t>(dimension.variable)].codes;
  std::vector<std::vector<bool>> members;
  for (const Hierarchy::Node& node : dimension.hierarchy.nodes()) {
    std::vector<bool>& in = members.emplace_back();
    for (const std::uint16_t code : codes) {
      const std::int32_t leaf = code == common::kMissingCode ? dimension.leaf_of_missing : dimension.leaf_of_code[code];
      in.push_back(leaf >= node.leaf_begin && leaf < node.leaf_end);
    }
  }
  return members;
}

std::vector<Rule> Rules() {
  const std::string own = "persons.own", mother = "persons.mother", father = "persons.father";
  return {
      FieldValue{.input = own},
      Origin2022{.own = own, .mother = mother, .father = father, .home = "NLD", .unknown = "UNK"},
      BornIn{.own = own, .mother = mother, .father = father, .home = "NLD", .unknown = "UNK"},
      BornIn{.own = own, .mother = "", .father = "", .home = "NLD", .unknown = "UNK"},
      AgeClass{.input = "persons.birth", .reference_date = Date(2024, 7, 1), .bounds = {0, 18, 65}},
      AgeClass{.input = "persons.birth", .reference_date = Date(2024, 7, 1), .bounds = {0, 19}},
      AgeClass{.input = "persons.birth", .reference_date = Date(2020, 2, 29), .bounds = {0, 15, 16}},
      Banding{.input = "persons.rooms", .bands = {{.code = "few", .at_least = {}}, {.code = "many", .at_least = 4}}},
      Banding{.input = "persons.rooms", .bands = {{.code = "a", .at_least = {}}, {.code = "b", .at_least = 5}}},
      CodeMapping{.input = own, .code_list = "level_map.csv", .other = "rest"},
  };
}

absl::StatusOr<EarlierReleases> Compare(const Asked& own, const Asked& earlier) {
  const LedgerDescription& theirs = earlier.description;
  return SelectEarlier(own.description, "own", {},
                       {{.project = "other",
                         .release = "earlier",
                         .backbone = theirs.backbone,
                         .registers = theirs.registers,
                         .tables = theirs.tables,
                         .replaces = {}}});
}

// What the regions of two cells say of each other holds for the people in them; and what holds for many people, so that
// it is no chance, the regions say.
TEST(Describe, RegionsSayWhatHoldsForTheRecords) {
  std::mt19937 random(7);
  const common::Permit permit = CountryPermit();
  std::vector<RegisterColumns> registers = {Population(permit)};
  for (std::size_t r = 1; r < permit.registers.size(); ++r) registers.emplace_back(&permit.registers[r]);
  int parts = 0, apart = 0, refused = 0;
  const std::vector<Rule> rules = Rules();
  for (std::size_t pair = 0; pair < 4 * rules.size() * rules.size(); ++pair) {
    const Asked a = Ask(permit, rules[pair % rules.size()], random);
    const Asked b = Ask(permit, rules[pair / rules.size() % rules.size()], random);
    const auto members_a = Members(a, registers), members_b = Members(b, registers);
    if (const auto compared = Compare(a, b); !compared.ok()) {
      EXPECT_EQ(common::ReasonOf(compared.status()), kNotComparable);
      ++refused;
      continue;
    }
    const std::vector<const LedgerTable*> tables = {&a.description.tables[0], &b.description.tables[0]};
    RegionSpace space(tables);
    const auto regions_a = space.RegionsOf(0), regions_b = space.RegionsOf(1);
    ASSERT_EQ(regions_a.size(), members_a.size());
    ASSERT_EQ(regions_b.size(), members_b.size());
    for (std::size_t i = 0; i < regions_a.size(); ++i) {
      for (std::size_t j = 0; j < regions_b.size(); ++j) {
        bool is_part = true, is_apart = true;
        for (std::size_t person = 0; person < kPersons; ++person) {
          is_part = is_part && (members_b[j][person] || !members_a[i][person]);
          is_apart = is_apart && !(members_a[i][person] && members_b[j][person]);
        }
        bool says_part = !regions_a[i] || regions_b[j].has_value(), says_apart = !regions_a[i] || !regions_b[j];
        for (std::size_t v = 0; v < space.num_variables() && regions_a[i] && regions_b[j]; ++v) {
          const AtomSet &set_a = space.Set(v, (*regions_a[i])[v]), &set_b = space.Set(v, (*regions_b[j])[v]);
          says_part = says_part && IsSubset(set_a, set_b);
          says_apart = says_apart || AreDisjoint(set_a, set_b);
        }
        EXPECT_TRUE(is_part || !says_part) << pair << ": " << i << ", " << j;
        EXPECT_TRUE(is_apart || !says_apart) << pair << ": " << i << ", " << j;
        const auto size = std::count(members_a[i].begin(), members_a[i].end(), true);
        // That nobody has a value missing is chance too.
        const bool everybody = size == static_cast<std::ptrdiff_t>(kPersons) ||
                               std::all_of(members_b[j].begin(), members_b[j].end(), [](bool in) { return in; });
        if (size < 100 || everybody) continue;
        EXPECT_TRUE(says_part || !is_part) << pair << ": " << i << ", " << j;
        parts += says_part ? 1 : 0;
        apart += says_apart ? 1 : 0;
      }
    }
  }
  EXPECT_GT(parts, 300);
  EXPECT_GT(apart, 300);
  EXPECT_EQ(refused, 4 * 14);  // of the five ways to classify by country of birth, each but those two without parents
}

}  // namespace
}  // namespace sluis::disclosure
