#include "disclosure/release/evidence.h"

#include "common/status/matchers.h"
#include "disclosure/release/make_release.h"
#include "disclosure/release/public_system.h"
#include "disclosure/release/summary.h"
#include "disclosure/release/write_csv.h"
#include "tests/disclosure/table/country.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;
using testing::CountryAttachments;
using testing::CountryPermit;
using testing::CountryRequest;
using ::testing::ElementsAre;
using testing::RowBytes;

constexpr auto kPrecondition = absl::StatusCode::kFailedPrecondition;

RuleSet Rules() {
  return {.minimum_frequency = MinimumFrequencyRule{.threshold = 4, .count_range = 3, .amount_range_percent = 20},
          .dominance = {},
          .p_percent = PPercentRule{.p = 10},
          .prior_posterior = {}};
}

// 40 women of Dutch, 20 men of Dutch and 2 men of Turkish origin, one job each, at employers of ten; with benefits of
// whom a few are not found. One table by sex and origin, one by origin and age, and a linkage rate.
class EvidenceTest : public ::testing::Test {
 protected:
  EvidenceTest() : permit_(CountryPermit()) {
    for (const common::PermitRegister& reg : permit_.registers) registers_.emplace_back(&reg);
    RowBytes persons, jobs, benefits;
    std::vector<std::int32_t> of_job, of_benefit;
    for (std::int32_t i = 0; i < 62; ++i) {
      const std::uint16_t own = i < 60 ? 0 : 1;
      persons.Code(i < 40 ? 0 : 1).Date(common::FromCivil({1980, 1, 1})).Code(own).Code(0).Code(0).Integer(1);
      jobs.Date(0).Date(common::kMissingDate).Integer(1000 + i).Token(1'000'000 + static_cast<std::uint64_t>(i) % 10);
      of_job.push_back(i);
      benefits.Code(own);
      of_benefit.push_back(i % 9 == 0 ? -1 : i);
    }
    EXPECT_TRUE(registers_[0].AppendRows(persons.bytes(), {}).ok());
    EXPECT_TRUE(registers_[1].AppendRows(jobs.bytes(), of_job).ok());
    EXPECT_TRUE(registers_[2].AppendRows(benefits.bytes(), of_benefit).ok());
    TableRequest request = CountryRequest();
    request.tables.push_back(request.tables[0]);
    request.tables[1].name = "by_age";
    request.tables[1].dimensions = {{"origin", "origin"}, {"age", "age"}};
    request.tables[1].measures.resize(1);
    request.linkage_rates = {{"benefits", TableDimension{"origin", "born"}}};
    plan_ = *PlanTables(request, permit_, CountryAttachments());
    const auto columns = *DeriveColumns(plan_.variables, registers_);
    const auto cubes = *TabulatePlan(plan_, registers_, columns, {.threads = 1, .top = TopNeeded(Rules())});
    request_ = *BuildSystem(plan_, cubes, Rules());
    pattern_.assign(static_cast<std::size_t>(request_.system.num_cells), 0);
    for (std::int32_t cell = 0; cell < request_.system.num_cells; ++cell) {
      // Every cell that could be suppressed but the grand totals: certainly enough for these tests.
      pattern_[static_cast<std::size_t>(cell)] = request_.system.suppressible[static_cast<std::size_t>(cell)];
    }
    pattern_[static_cast<std::size_t>(request_.cell_of[0][0])] = 0;
  }

  Evidence Make() { return MakeEvidence(plan_, request_, pattern_); }

  common::Permit permit_;
  std::vector<RegisterColumns> registers_;
  TablePlan plan_;
  RequestSystem request_;
  std::vector<std::uint8_t> pattern_;
};

TEST_F(EvidenceTest, ReleasedTablesHoldWhatWasAskedForAndNoSuppressedValue) {
  const auto tables = MakeReleasedTables(plan_, request_, pattern_);
  SLUIS_ASSERT_OK(tables);
  ASSERT_EQ(tables->size(), 3u);
  EXPECT_EQ((*tables)[0].measures.size(), 2u);
  EXPECT_EQ((*tables)[1].measures.size(), 1u) << "wages were not asked for by age";
  EXPECT_EQ((*tables)[0].values[0], 62);
  EXPECT_EQ((*tables)[2].measures[0].unit, "records");
  const std::string csv = WriteTidyCsv((*tables)[0]);
  EXPECT_EQ(csv.find(",40,"), std::string::npos) << "the number of women is suppressed";
}

TEST_F(EvidenceTest, ReleaseIsRefusedIfAPrimaryCellIsInSight) {
  std::vector<std::uint8_t> open(pattern_.size(), 0);
  EXPECT_THAT(MakeReleasedTables(plan_, request_, open), StatusIs(kPrecondition, "leaves primary cell"));
  open.pop_back();
  EXPECT_THAT(MakeReleasedTables(plan_, request_, open),
              StatusIs(absl::StatusCode::kInvalidArgument, "one entry a cell"));
}

TEST_F(EvidenceTest, VerifiesAndSurvivesTheWayThroughItsBytes) {
  Evidence evidence = Make();
  evidence.permit_id = "integration";
  evidence.certificate = std::string("\0\x80\xFF", 3);
  evidence.attachments = CountryAttachments();
  evidence.released_sha256["work.csv"][31] = 7;
  SLUIS_ASSERT_OK(VerifyEvidence(evidence, Rules()));
  const std::string bytes = EncodeEvidence(evidence);
  const auto back = DecodeEvidence(bytes);
  SLUIS_ASSERT_OK(back);
  EXPECT_EQ(EncodeEvidence(*back), bytes);
  EXPECT_EQ(back->certificate, evidence.certificate);
  EXPECT_EQ(back->attachments, evidence.attachments);
  EXPECT_EQ(back->released_sha256, evidence.released_sha256);
  SLUIS_EXPECT_OK(VerifyEvidence(*back, Rules()));
  const auto released = MakeReleasedTables(plan_, request_, pattern_);
  SLUIS_ASSERT_OK(released);
  for (const ReleasedTable& table : *released) SLUIS_EXPECT_OK(CompareWithReleased(*back, table));
}

TEST_F(EvidenceTest, EveryTruncationAndByteLeftOverIsRefused) {
  const std::string bytes = EncodeEvidence(Make());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_FALSE(DecodeEvidence(bytes.substr(0, size)).ok()) << size;
  }
  EXPECT_THAT(DecodeEvidence(bytes + "x"), StatusIs(absl::StatusCode::kInvalidArgument, "left over"));
  EXPECT_THAT(DecodeEvidence("sluis-evidence-v2\n"), StatusIs(absl::StatusCode::kInvalidArgument, "version 1"));
}

// Whatever one flipped bit makes of the bytes, reading and checking them must end in order.
TEST_F(EvidenceTest, FlippedBitsNeverCrash) {
  const std::string bytes = EncodeEvidence(Make());
  int accepted = 0;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ (1 << (at % 8)));
    const auto evidence = DecodeEvidence(changed);
    if (evidence.ok()) {
      accepted += VerifyEvidence(*evidence, Rules()).ok();
      EXPECT_EQ(EncodeEvidence(*evidence), changed) << "two encodings of one evidence, byte " << at;
    }
  }
  EXPECT_LT(accepted, static_cast<int>(bytes.size() / 3)) << "texts may change unseen, figures may not";
}

TEST_F(EvidenceTest, DisagreementsAreNamed) {
  const auto with = [&](auto change) {
    Evidence evidence = Make();
    change(evidence);
    return VerifyEvidence(evidence, Rules());
  };
  std::size_t primary = 0;
  while (request_.system.measures[0].reason[primary] == PrimaryReason::kNone) ++primary;
  EXPECT_THAT(with([&](Evidence& e) { e.request_system.system.measures[0].upper_level[primary] += 1; }),
              StatusIs(kPrecondition, "measure people, cell " + std::to_string(primary) + ": reason or protection"));
  EXPECT_THAT(with([&](Evidence& e) { e.pattern[primary] = 0; }), StatusIs(kPrecondition, "primary, and published"));
  EXPECT_THAT(with([&](Evidence& e) { e.request_system.views[0].cells.total[primary] += 1; }),
              StatusIs(kPrecondition, "contributions add up to other totals"));
  EXPECT_THAT(with([&](Evidence& e) { e.request_system.views.erase(e.request_system.views.begin()); }),
              StatusIs(kPrecondition, "measure people: no contributions"));
  EXPECT_THAT(with([&](Evidence& e) {
                Relations& relations = e.request_system.system.relations;
                relations.total.pop_back();
                relations.part_begin.pop_back();
                relations.part.resize(static_cast<std::size_t>(relations.part_begin.back()));
              }),
              StatusIs(kPrecondition, "was not protected"));
  EXPECT_THAT(with([&](Evidence& e) { e.tables[0].cell_of[0] = 1 << 20; }),
              StatusIs(absl::StatusCode::kInvalidArgument, "out of range"));
  EXPECT_FALSE(with([&](Evidence& e) { e.request_system.system.measures[0].value[0] += 1; }).ok());
}

TEST_F(EvidenceTest, CellsThatTheRulesAddMustBeThere) {
  RuleSet rules = Rules();
  rules.group_disclosure = GroupDisclosureRule{.percent = 90, .from_total = 10};
  const auto cubes = *TabulatePlan(plan_, registers_, *DeriveColumns(plan_.variables, registers_),
                                   {.threads = 1, .top = TopNeeded(rules)});
  const auto tables_only = static_cast<std::size_t>(request_.system.num_cells);
  request_ = *BuildSystem(plan_, cubes, rules);  // 60 of 62 are of one origin, and all are of one age
  ASSERT_GT(request_.system.num_cells, static_cast<std::int32_t>(tables_only));
  pattern_ = request_.system.suppressible;
  pattern_[static_cast<std::size_t>(request_.cell_of[0][0])] = 0;
  SLUIS_ASSERT_OK(VerifyEvidence(Make(), rules));
  const auto with = [&](auto change) {
    Evidence evidence = Make();
    change(evidence);
    return VerifyEvidence(evidence, rules);
  };
  EXPECT_THAT(with([&](Evidence& e) { --e.request_system.system.measures[0].upper_level[tables_only]; }),
              StatusIs(kPrecondition, "reason or protection"));
  EXPECT_THAT(with([&](Evidence& e) { e.pattern[tables_only] = 0; }),
              StatusIs(kPrecondition, "primary, and published"));
  EXPECT_THAT(with([&](Evidence& e) {
                Relations& relations = e.request_system.system.relations;
                relations.total.pop_back();
                relations.part_begin.pop_back();
                relations.part.resize(static_cast<std::size_t>(relations.part_begin.back()));
              }),
              StatusIs(kPrecondition, "groups that hold"));
  EXPECT_THAT(with([&](Evidence& e) {
                for (auto& view : e.request_system.views) view.cells.contributors.push_back(0);
                e.request_system.views[0].cells.total.push_back(0);
              }),
              StatusIs(absl::StatusCode::kInvalidArgument, "of another length"));
}

TEST_F(EvidenceTest, PublishedTablesMustBeThoseDecidedOn) {
  const Evidence evidence = Make();
  const std::vector<ReleasedTable> released = *MakeReleasedTables(plan_, request_, pattern_);
  ReleasedTable table = released[0];
  table.values[0] = 63;
  EXPECT_THAT(CompareWithReleased(evidence, table), StatusIs(kPrecondition, "measure people, cell 0: published other"));
  table = released[0];
  table.values[0] = std::nullopt;
  EXPECT_THAT(CompareWithReleased(evidence, table), StatusIs(kPrecondition, "cell 0"));
  table = released[0];
  table.dimensions[0].codes[1].code = "W";
  EXPECT_THAT(CompareWithReleased(evidence, table), StatusIs(kPrecondition, "other codes or measures"));
  table = released[0];
  table.name = "another";
  EXPECT_THAT(CompareWithReleased(evidence, table), StatusIs(absl::StatusCode::kNotFound, "no table another"));
}

TEST_F(EvidenceTest, PublicSystemSharesCellsAndShowsExactlyWhatIsPublished) {
  const std::vector<ReleasedTable> released = *MakeReleasedTables(plan_, request_, pattern_);
  EXPECT_THAT(NumberPopulations(plan_), ElementsAre(0, 0, 1));
  const auto measures = BuildPublicSystem(released, NumberPopulations(plan_));
  SLUIS_ASSERT_OK(measures);
  ASSERT_EQ(measures->size(), 2u);
  EXPECT_EQ((*measures)[0].name, "people");
  // 3 * 7 cells, 7 * 6 cells of which the 7 totals over age are shared, 7 * 3 cells of the linkage rate.
  EXPECT_EQ((*measures)[0].table.value.size(), 21u + 42u - 7u + 21u);
  EXPECT_EQ((*measures)[1].table.value.size(), 21u);
  EXPECT_EQ((*measures)[0].table.published[0], 1);
  const auto exact = FindExact((*measures)[0].table, {});
  SLUIS_ASSERT_OK(exact);
  std::vector<ReleasedTable> contradictory = released;
  contradictory[1].values[0] = std::nullopt;
  EXPECT_THAT(BuildPublicSystem(contradictory, std::vector<std::int32_t>{0, 0, 1}),
              StatusIs(absl::StatusCode::kInvalidArgument, "tables work and by_age: show one cell differently"));
}

TEST_F(EvidenceTest, SummariesTellEachPartyItsOwn) {
  const std::vector<ReleasedTable> released = *MakeReleasedTables(plan_, request_, pattern_);
  const RequesterSummary requester = SummariseForRequester(released);
  ASSERT_EQ(requester.tables.size(), 3u);
  EXPECT_EQ(requester.tables[0].cells, 21);
  EXPECT_EQ(requester.tables[0].suppressed_cells, "1-9");
  const AuditorSummary auditor = SummariseForAuditor(request_.system, pattern_, Rules());
  EXPECT_EQ(auditor.primary + auditor.secondary, auditor.suppressed);
  EXPECT_GT(auditor.primary, 0);
  std::int64_t cells = 0;
  for (const auto& [reason, count] : auditor.measures[0].cells_by_reason) cells += count;
  EXPECT_EQ(cells, auditor.suppressed);
  EXPECT_EQ(auditor.measures[0].cells_by_reason.count("A"), 1u);
}

TEST(SuppressionBand, CoversEveryNumberOnce) {
  for (const auto& [cells, band] : std::vector<std::pair<std::int64_t, std::string>>{{0, "none"},
                                                                                     {1, "1-9"},
                                                                                     {9, "1-9"},
                                                                                     {10, "10-24"},
                                                                                     {24, "10-24"},
                                                                                     {25, "25-49"},
                                                                                     {50, "50-99"},
                                                                                     {100, "100-249"},
                                                                                     {999, "500-999"},
                                                                                     {2'500, "2500-4999"}}) {
    EXPECT_EQ(SuppressionBand(cells), band);
  }
}

TEST(ConfStatusOf, FollowsTheRuleThatWasApplied) {
  RuleSet rules;
  rules.dominance = {{.n = 1, .k_percent = 50}};
  EXPECT_EQ(ConfStatusOf(PrimaryReason::kDominance, rules), "O");
  rules.dominance.push_back({.n = 2, .k_percent = 80});
  EXPECT_EQ(ConfStatusOf(PrimaryReason::kDominance, rules), "G");
  rules.dominance.erase(rules.dominance.begin());
  EXPECT_EQ(ConfStatusOf(PrimaryReason::kDominance, rules), "T");
  rules.dominance[0].n = 3;
  EXPECT_EQ(ConfStatusOf(PrimaryReason::kDominance, rules), "M");
  EXPECT_EQ(ConfStatusOf(PrimaryReason::kFrequency, rules), "A");
  EXPECT_EQ(ConfStatusOf(PrimaryReason::kNone, rules), "D");
}

}  // namespace
}  // namespace sluis::disclosure
