#include "disclosure/table/build_system.h"

#include <random>

#include "common/status/matchers.h"
#include "tests/disclosure/table/country.h"

namespace sluis::disclosure {
namespace {

using common::FromCivil;
using common::kMissingCode;
using common::kMissingDate;
using common::testing::StatusIs;
using testing::CountryAttachments;
using testing::CountryPermit;
using testing::CountryRequest;
using ::testing::ElementsAre;
using testing::RowBytes;

RuleSet Rules() {
  return {.minimum_frequency = MinimumFrequencyRule{.threshold = 4, .count_range = 3, .amount_range_percent = 20},
          .dominance = {},
          .p_percent = PPercentRule{.p = 10},
          .prior_posterior = {}};
}

// 200 persons with one or two jobs, and 60 benefits of which a fifth is unlinked.
class BuildSystemTest : public ::testing::Test {
 protected:
  BuildSystemTest() : permit_(CountryPermit()) {
    for (const common::PermitRegister& reg : permit_.registers) registers_.emplace_back(&reg);
    std::mt19937_64 random(11);
    const auto below = [&](std::uint64_t n) { return random() % n; };
    RowBytes persons, jobs, benefits;
    std::vector<std::int32_t> of_job, of_benefit;
    for (std::int32_t i = 0; i < 200; ++i) {
      const auto country = [&] { return static_cast<std::uint16_t>(below(8) < 5 ? 0 : below(4)); };
      persons.Code(static_cast<std::uint16_t>(below(2))).Date(FromCivil({1940 + static_cast<int>(below(80)), 5, 6}));
      persons.Code(country()).Code(country()).Code(country()).Integer(1);
      for (std::uint64_t j = below(3); j-- > 0;) {
        jobs.Date(FromCivil({2023, 1, 1}))
            .Date(below(4) == 0 ? FromCivil({2023, 12, 31}) : kMissingDate)
            .Integer(static_cast<std::int64_t>(below(5000)))
            .Token(1'000'000 + below(20));
        of_job.push_back(i);
      }
      if (i % 4 == 0) {
        benefits.Code(static_cast<std::uint16_t>(below(4)));
        of_benefit.push_back(below(5) == 0 ? -1 : i);
      }
    }
    EXPECT_TRUE(registers_[0].AppendRows(persons.bytes(), {}).ok());
    EXPECT_TRUE(registers_[1].AppendRows(jobs.bytes(), of_job).ok());
    EXPECT_TRUE(registers_[2].AppendRows(benefits.bytes(), of_benefit).ok());
  }

  absl::StatusOr<RequestSystem> Build(const TableRequest& request) {
    auto plan = PlanTables(request, permit_, CountryAttachments());
    if (!plan.ok()) return plan.status();
    plan_ = *std::move(plan);
    auto columns = DeriveColumns(plan_.variables, registers_);
    if (!columns.ok()) return columns.status();
    auto cubes = TabulatePlan(plan_, registers_, *columns, {.threads = 2, .top = TopNeeded(Rules())});
    if (!cubes.ok()) return cubes.status();
    cubes_ = *std::move(cubes);
    return BuildSystem(plan_, cubes_, Rules());
  }

  // Number of a cell in the cube of table `t`, by the codes of its dimensions.
  std::size_t CubeCell(std::size_t t, const std::vector<std::string>& codes) {
    std::size_t cell = 0;
    for (std::size_t d = 0; d < codes.size(); ++d) {
      const Hierarchy& hierarchy = plan_.tables[t].dimensions[d].hierarchy;
      cell = cell * static_cast<std::size_t>(hierarchy.size()) + static_cast<std::size_t>(*hierarchy.Find(codes[d]));
    }
    return cell;
  }

  common::Permit permit_;
  std::vector<RegisterColumns> registers_;
  TablePlan plan_;
  std::vector<Cube> cubes_;
};

TEST_F(BuildSystemTest, MakesOneValidSystemOfCountsAndSums) {
  const auto request = Build(CountryRequest());
  SLUIS_ASSERT_OK(request);
  SLUIS_EXPECT_OK(Validate(request->system));
  EXPECT_EQ(request->system.num_cells, 21);
  ASSERT_EQ(request->system.measures.size(), 2u);
  EXPECT_EQ(request->system.measures[0].name, "people");
  EXPECT_EQ(request->system.measures[0].value[0], 200);
  ASSERT_EQ(request->views.size(), 3u);  // persons; wages by person and by holding
  // A cell with too few persons is primary, in however many jobs they are.
  for (std::int32_t cell = 0; cell < request->system.num_cells; ++cell) {
    const std::int64_t persons = request->views[1].cells.contributors[static_cast<std::size_t>(cell)];
    EXPECT_TRUE(persons == 0 || persons >= 4 || request->system.IsPrimary(1, cell)) << cell;
    EXPECT_EQ(request->system.cost[static_cast<std::size_t>(cell)],
              request->system.measures[0].value[static_cast<std::size_t>(cell)] + 1);
  }
}

// Two groupings of the countries of origin that are no tree together: abroad is Turkey and Morocco, the south is
// Morocco and unknown.
TEST_F(BuildSystemTest, TablesGroupedOtherwiseShareTheirLeavesAndWhatIsTheSameSet) {
  auto attachments = CountryAttachments();
  attachments["south.csv"] =
      "code,parent,label\nTOT,,Total\nSOUTH,TOT,South\nMAR,SOUTH,Morocco\nUNK,SOUTH,Unknown\nREST,TOT,Rest\n"
      "NLD,REST,Netherlands\nTUR,REST,Turkey\n_U,REST,Missing\n";
  permit_.dimensions[1].groupings = {"south.csv"};
  TableRequest request = CountryRequest();
  request.tables[0].measures.resize(1);
  request.tables.push_back(request.tables[0]);
  request.tables[1].name = "by_south";
  request.tables[1].dimensions[1].hierarchy = "south.csv";
  // And one of the women of the south, restricted by a grouping.
  request.tables.push_back(request.tables[0]);
  request.tables[2].name = "south_only";
  auto plan = PlanTables(request, permit_, attachments);
  SLUIS_ASSERT_OK(plan);
  plan_ = *std::move(plan);
  const auto columns = DeriveColumns(plan_.variables, registers_);
  SLUIS_ASSERT_OK(columns);
  const auto cubes = TabulatePlan(plan_, registers_, *columns, {.threads = 1, .top = TopNeeded(Rules())});
  SLUIS_ASSERT_OK(cubes);
  const auto built = BuildSystem(plan_, *cubes, Rules());
  SLUIS_ASSERT_OK(built);
  SLUIS_EXPECT_OK(Validate(built->system));
  const auto cell = [&](std::size_t t, const std::string& sex, const std::string& origin) {
    return built->cell_of[t][CubeCell(t, {sex, origin})];
  };
  for (const std::string sex : {"T", "F", "M"}) {
    for (const std::string origin : {"TOT", "NLD", "TUR", "MAR", "UNK", "_U"}) {
      EXPECT_EQ(cell(0, sex, origin), cell(1, sex, origin)) << sex << " " << origin;
    }
    const auto value = [&](std::int32_t c) { return built->system.measures[0].value[static_cast<std::size_t>(c)]; };
    EXPECT_EQ(value(cell(1, sex, "SOUTH")), value(cell(0, sex, "MAR")) + value(cell(0, sex, "UNK")));
    EXPECT_NE(cell(1, sex, "SOUTH"), cell(0, sex, "XNL"));
  }
  // 3 x 7 cells of the first table, and two groups more for each sex.
  EXPECT_EQ(built->system.num_cells, 3 * 7 + 3 * 2);
  EXPECT_EQ(built->cell_of[0], built->cell_of[2]);
}

TEST_F(BuildSystemTest, AGroupingRestrictsAPopulationByItsCodes) {
  auto attachments = CountryAttachments();
  attachments["south.csv"] =
      "code,parent,label\nTOT,,Total\nSOUTH,TOT,South\nMAR,SOUTH,Morocco\nUNK,SOUTH,Unknown\nREST,TOT,Rest\n"
      "NLD,REST,Netherlands\nTUR,REST,Turkey\n_U,REST,Missing\n";
  permit_.dimensions[1].groupings = {"south.csv"};
  TableRequest request = CountryRequest();
  request.tables[0].measures.resize(1);
  request.tables[0].population = {
      {.dimension = "origin", .variable = "origin", .codes = {"SOUTH"}, .hierarchy = "south.csv"}};
  // The same population, said by leaves of the first hierarchy, and grouped by it.
  request.tables.push_back(request.tables[0]);
  request.tables[1].name = "by_first";
  request.tables[1].population = {{.dimension = "origin", .variable = "origin", .codes = {"UNK", "MAR"}}};
  request.tables[0].dimensions[1].hierarchy = "south.csv";
  const auto plan = PlanTables(request, permit_, attachments);
  SLUIS_ASSERT_OK(plan);
  EXPECT_EQ(NumberPopulations(*plan), (std::vector<std::int32_t>{0, 0}));
  plan_ = *plan;
  const auto columns = DeriveColumns(plan->variables, registers_);
  SLUIS_ASSERT_OK(columns);
  const auto cubes = TabulatePlan(*plan, registers_, *columns, {.threads = 1, .top = TopNeeded(Rules())});
  SLUIS_ASSERT_OK(cubes);
  const auto built = BuildSystem(*plan, *cubes, Rules());
  SLUIS_ASSERT_OK(built);
  for (const std::string sex : {"T", "F", "M"}) {
    const auto first = [&](const std::string& code) { return built->cell_of[1][CubeCell(1, {sex, code})]; };
    const auto grouped = [&](const std::string& code) { return built->cell_of[0][CubeCell(0, {sex, code})]; };
    EXPECT_EQ(grouped("MAR"), first("MAR"));
    EXPECT_EQ(grouped("UNK"), first("UNK"));
    EXPECT_EQ(grouped("SOUTH"), first("TOT"));  // the whole population
    EXPECT_EQ(first("XNL"), first("MAR"));      // what is left of abroad
  }
}

// Keys of cells are the sums of the keys of their records, in every table.
TEST_F(BuildSystemTest, CellKeysAreSumsOverTheRecordsOfACell) {
  TableRequest request = CountryRequest();
  request.linkage_rates = {{"benefits", std::nullopt}};
  const auto built_without = Build(request);
  SLUIS_ASSERT_OK(built_without);
  EXPECT_TRUE(built_without->cell_key.empty());
  std::mt19937_64 random(8);
  std::vector<std::vector<std::uint64_t>> keys;
  for (const RegisterColumns& reg : registers_) {
    keys.emplace_back(static_cast<std::size_t>(reg.rows()));
    for (std::uint64_t& key : keys.back()) key = random();
  }
  const auto columns = DeriveColumns(plan_.variables, registers_);
  SLUIS_ASSERT_OK(columns);
  const auto cubes = TabulatePlan(plan_, registers_, *columns, {.threads = 2, .top = TopNeeded(Rules())}, keys);
  SLUIS_ASSERT_OK(cubes);
  for (std::size_t t = 0; t < cubes->size(); ++t) {  // keys change nothing else
    EXPECT_EQ((*cubes)[t].count, cubes_[t].count);
    EXPECT_EQ((*cubes)[t].amounts.size(), cubes_[t].amounts.size());
  }
  const auto built = BuildSystem(plan_, *cubes, Rules());
  SLUIS_ASSERT_OK(built);
  const Hierarchy& origin = plan_.tables[0].dimensions[1].hierarchy;
  const PlannedDimension& dimension = plan_.tables[0].dimensions[1];
  const std::vector<std::uint16_t>& sex = (*columns)[0].codes;
  const std::vector<std::uint16_t>& own = (*columns)[1].codes;
  for (const std::string code : {"TOT", "XNL", "TUR", "UNK"}) {
    const Hierarchy::Node& node = origin.nodes()[static_cast<std::size_t>(*origin.Find(code))];
    std::uint64_t all = 0, women = 0;
    for (std::size_t person = 0; person < own.size(); ++person) {
      const std::int32_t leaf =
          own[person] == kMissingCode ? dimension.leaf_of_missing : dimension.leaf_of_code[own[person]];
      if (leaf < node.leaf_begin || leaf >= node.leaf_end) continue;
      all += keys[0][person];
      if (sex[person] == 0) women += keys[0][person];
    }
    EXPECT_EQ(built->cell_key[static_cast<std::size_t>(built->cell_of[0][CubeCell(0, {"T", code})])], all) << code;
    EXPECT_EQ(built->cell_key[static_cast<std::size_t>(built->cell_of[0][CubeCell(0, {"F", code})])], women) << code;
  }
  std::uint64_t benefits = 0;
  for (const std::uint64_t key : keys[2]) benefits += key;
  EXPECT_EQ(built->cell_key[static_cast<std::size_t>(built->cell_of[1][0])], benefits);
  keys[0].pop_back();
  EXPECT_THAT(TabulatePlan(plan_, registers_, *columns, {.threads = 1, .top = 1}, keys),
              StatusIs(absl::StatusCode::kInvalidArgument, "one for each record"));
}

TEST_F(BuildSystemTest, EvaluatesEachViewAndTakesTheWidestLevels) {
  ContributionView by_person{.measure = 0, .kind = MeasureKind::kAmount};
  by_person.cells = {.contributors = {2, 9}, .total = {100, 100}, .top_per_cell = 2, .top = {60, 40, 20, 10}};
  ContributionView by_holding = by_person;
  by_holding.by_holding = true;
  by_holding.cells.contributors = {9, 9};
  by_holding.cells.top = {20, 10, 90, 5};
  const std::vector<ContributionView> views = {by_person, by_holding};
  const auto status = EvaluateViews(views, 0, 2, Rules());
  SLUIS_ASSERT_OK(status);
  EXPECT_EQ((*status)[0].reason, PrimaryReason::kFrequency);
  EXPECT_EQ((*status)[0].upper_level, 20);  // 20 % of 100, wider than p%: ceil(10 % of 60) - 0 = 6
  EXPECT_EQ((*status)[1].reason, PrimaryReason::kPPercent);
  EXPECT_EQ((*status)[1].upper_level, 4);  // ceil(10 % of 90) - (100 - 90 - 5)
}

// Twelve women of Turkish origin in two households, thirty of Dutch origin in as many; all men are Dutch.
TEST(BuildSystem, AHouseholdIsOneContributorToACount) {
  common::Permit permit = CountryPermit();
  permit.registers[0].fields.push_back(testing::Field("household", common::FieldType::kToken));
  std::vector<RegisterColumns> registers;
  for (const common::PermitRegister& reg : permit.registers) registers.emplace_back(&reg);
  RowBytes persons;
  const auto add = [&](int number, std::uint16_t sex, std::uint16_t own, std::uint64_t households) {
    for (int i = 0; i < number; ++i) {
      persons.Code(sex).Date(FromCivil({1980, 1, 1})).Code(own).Code(0).Code(0).Integer(1);
      // Token 0: no household is known, a household of one's own.
      persons.Token(households == 0 ? 0 : 1'000'000 * (own + 1) + static_cast<std::uint64_t>(i) % households);
    }
  };
  add(12, 0, 1, 2);
  add(30, 0, 0, 0);
  add(40, 1, 0, 20);
  SLUIS_ASSERT_OK(registers[0].AppendRows(persons.bytes(), {}));
  RowBytes jobs;
  std::vector<std::int32_t> of_job;
  for (std::int32_t person = 0; person < 82; ++person) {
    jobs.Date(0).Date(kMissingDate).Integer(100).Token(5'000'000 + static_cast<std::uint64_t>(person));
    of_job.push_back(person % 41 == 0 ? -1 : person);  // 0 and 41
  }
  SLUIS_ASSERT_OK(registers[1].AppendRows(jobs.bytes(), of_job));
  const auto plan = PlanTables(CountryRequest(), permit, CountryAttachments());
  SLUIS_ASSERT_OK(plan);
  const auto columns = DeriveColumns(plan->variables, registers);
  SLUIS_ASSERT_OK(columns);
  const auto cubes = TabulatePlan(*plan, registers, *columns, {.threads = 2, .top = TopNeeded(Rules())});
  SLUIS_ASSERT_OK(cubes);
  const auto request = BuildSystem(*plan, *cubes, Rules());
  SLUIS_ASSERT_OK(request);
  ASSERT_EQ(request->views.size(), 5u);  // persons, households; wages by person, by employer and by household
  const ContributionView& view = request->views[1];
  EXPECT_TRUE(view.by_holding);
  EXPECT_EQ(view.measure, 0);
  const auto cell = [&](const std::string& sex, const std::string& origin) {
    const std::vector<PlannedDimension>& dimensions = plan->tables[0].dimensions;
    const std::int32_t at =
        *dimensions[0].hierarchy.Find(sex) * dimensions[1].hierarchy.size() + *dimensions[1].hierarchy.Find(origin);
    return static_cast<std::size_t>(request->cell_of[0][static_cast<std::size_t>(at)]);
  };
  EXPECT_EQ(view.cells.total[cell("F", "TUR")], 12);
  EXPECT_EQ(view.cells.contributors[cell("F", "TUR")], 2);
  EXPECT_EQ(view.cells.contributors[cell("F", "NLD")], 30);
  EXPECT_EQ(view.cells.contributors[cell("M", "NLD")], 20);
  EXPECT_EQ(view.cells.contributors[cell("T", "TOT")], 52);
  EXPECT_EQ(request->system.measures[0].reason[cell("F", "TUR")], PrimaryReason::kFrequency) << "two households";
  // Six persons of each of the two households earn 100, but for one whose job is not linked.
  const CellContributions& wages = request->views[4].cells;
  EXPECT_EQ(wages.total[cell("F", "TUR")], 1100);
  EXPECT_EQ(wages.contributors[cell("F", "TUR")], 2);
  EXPECT_EQ(wages.top[2 * cell("F", "TUR")], 600);
  EXPECT_EQ(wages.top[2 * cell("F", "TUR") + 1], 500);
  EXPECT_EQ(request->views[3].cells.contributors[cell("F", "TUR")], 11) << "employers";
  EXPECT_EQ(wages.contributors[cell("F", "NLD")], 29) << "households of their own";
  EXPECT_EQ(wages.contributors[cell("M", "NLD")], 20);
  EXPECT_EQ(request->system.measures[1].reason[cell("F", "TUR")], PrimaryReason::kFrequency);
  EXPECT_EQ(request->system.measures[0].reason[cell("F", "NLD")], PrimaryReason::kNone);
  // The rule of groups by persons and by households: of 82 persons 70 are Dutch (85 %), of 52 households 50 (96 %).
  RuleSet rules = Rules();
  rules.group_disclosure = GroupDisclosureRule{.percent = 90, .from_total = 45};
  const auto groups = BuildSystem(*plan, *cubes, rules);
  SLUIS_ASSERT_OK(groups);
  ASSERT_GT(groups->system.num_cells, request->system.num_cells);
  const auto added = static_cast<std::size_t>(request->system.num_cells);
  EXPECT_EQ(groups->system.measures[0].reason[added], PrimaryReason::kGroup);
  EXPECT_EQ(groups->system.measures[0].value[added], 12);
  EXPECT_EQ(groups->system.measures[0].upper_level[added], 4);  // 6 of 52 households
  rules.group_disclosure->percent = 80;                         // both: 17 of 82 persons, 11 of 52 households
  const auto both = BuildSystem(*plan, *cubes, rules);
  SLUIS_ASSERT_OK(both);
  EXPECT_EQ(both->system.num_cells, groups->system.num_cells);
  EXPECT_EQ(both->system.measures[0].upper_level[added], 9);
}

TEST_F(BuildSystemTest, TablesShareTheCellsThatAreTheSameRecords) {
  TableRequest request = CountryRequest();
  request.tables.push_back(request.tables[0]);
  request.tables[1].name = "by_age";
  request.tables[1].dimensions = {{"origin", "origin"}, {"age", "age"}};
  const auto built = Build(request);
  SLUIS_ASSERT_OK(built);
  const auto cell = [&](std::size_t t, const std::vector<std::string>& codes) {
    return built->cell_of[t][CubeCell(t, codes)];
  };
  EXPECT_EQ(cell(0, {"T", "TUR"}), cell(1, {"TUR", "T"}));
  EXPECT_EQ(cell(0, {"T", "TOT"}), cell(1, {"TOT", "T"}));
  EXPECT_NE(cell(0, {"F", "TUR"}), cell(1, {"TUR", "W"}));
  EXPECT_EQ(built->system.num_cells, 21 + 7 * 6 - 7);
  // The relation "TUR + MAR = XNL over everybody" stands in both tables and once in the system.
  int same = 0;
  for (std::int64_t r = 0; r < built->system.relations.size(); ++r) {
    same += built->system.relations.total[static_cast<std::size_t>(r)] == cell(0, {"T", "XNL"}) &&
            built->system.relations.parts(r)[0] == std::min(cell(0, {"T", "TUR"}), cell(0, {"T", "MAR"}));
  }
  EXPECT_EQ(same, 1);
}

TEST_F(BuildSystemTest, PopulationsLeaveOutOthersAndMergeSingleChildren) {
  TableRequest request = CountryRequest();
  request.tables[0].population = {{"age", "age", {"Y15-64"}}};
  request.tables[0].dimensions = {{"age", "age"}, {"sex", "sex"}};
  const auto built = Build(request);
  SLUIS_ASSERT_OK(built);
  // T > W > Y15-64 are the same records: three nodes, one cell for each sex.
  EXPECT_EQ(built->cell_of[0].size(), 9u);
  EXPECT_EQ(built->system.num_cells, 3);
  std::int64_t expected = 0;
  for (const std::int32_t birth : registers_[0].column(1).dates) {
    const int age = common::AgeInYears(birth, FromCivil({2024, 7, 1}));
    expected += age >= 15 && age < 65;
  }
  EXPECT_EQ(built->system.measures[0].value[static_cast<std::size_t>(built->cell_of[0][0])], expected);
}

TEST_F(BuildSystemTest, WagesAreThoseOfJobsThatCoverTheDate) {
  const auto built = Build(CountryRequest());
  SLUIS_ASSERT_OK(built);
  std::int64_t expected = 0;
  for (std::size_t i = 0; i < registers_[1].column(2).integers.size(); ++i) {
    if (registers_[1].column(1).dates[i] == kMissingDate) expected += registers_[1].column(2).integers[i];
  }
  EXPECT_EQ(built->system.measures[1].value[0], expected);
}

TEST_F(BuildSystemTest, LinkageRatesStandBesideInTheSameSystem) {
  TableRequest request = CountryRequest();
  request.linkage_rates = {{"benefits", TableDimension{"origin", "born"}}, {"jobs", {}}};
  const auto built = Build(request);
  SLUIS_ASSERT_OK(built);
  const auto value = [&](std::size_t t, const std::vector<std::string>& codes) {
    return built->system.measures[0].value[static_cast<std::size_t>(built->cell_of[t][CubeCell(t, codes)])];
  };
  EXPECT_EQ(value(1, {"TOT", kTotalCode}), 50);
  EXPECT_EQ(value(1, {"XNL", kLinkedCode}) + value(1, {"XNL", kUnlinkedCode}), value(1, {"XNL", kTotalCode}));
  EXPECT_GT(value(1, {"TOT", kUnlinkedCode}), 0);
  EXPECT_EQ(value(2, {kLinkedCode}), registers_[1].rows());
  EXPECT_EQ(built->system.measures[1].value[static_cast<std::size_t>(built->cell_of[1][0])], 0);
  EXPECT_EQ(built->system.num_cells, 21 + 7 * 3 + 3);
}

TEST_F(BuildSystemTest, MissingValuesNeedAPlaceInTheHierarchy) {
  EXPECT_TRUE(registers_[0]
                  .AppendRows(RowBytes().Code(kMissingCode).Date(0).Code(0).Code(0).Code(0).Integer(0).bytes(), {})
                  .ok());
  EXPECT_THAT(Build(CountryRequest()),
              StatusIs(absl::StatusCode::kInvalidArgument, "table work: dimension sex: some records have no value"));
}

TEST(SummariseDryRun, BandsTheShareOfEmptyCells) {
  TablePlan plan;
  plan.tables = {{.name = "t"}};
  const auto share = [&](std::vector<std::int64_t> count) {
    const std::vector<Cube> cubes = {{.nodes = {}, .count = std::move(count), .amounts = {}}};
    return SummariseDryRun(plan, cubes).tables[0].empty_percent;
  };
  EXPECT_EQ(share({1, 2, 3}), 0);
  EXPECT_EQ(share({0, 2, 3}), 35);  // 33.3 %
  EXPECT_EQ(share({0, 0, 3}), 65);  // 66.7 %
  EXPECT_EQ(share({0}), 100);
}

}  // namespace
}  // namespace sluis::disclosure
