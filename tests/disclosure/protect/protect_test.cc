#include "disclosure/protect/protect.h"

#include <algorithm>
#include <set>

#include "common/status/matchers.h"
#include "common/status/status.h"
#include "disclosure/attack/attack.h"
#include "disclosure/protect/second_opinion.h"
#include "tests/disclosure/protect/small_project.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;
using testing::SmallProject;

constexpr auto kPrecondition = absl::StatusCode::kFailedPrecondition;

Pattern PrimariesOnly(const CellSystem& system) {
  Pattern pattern(static_cast<std::size_t>(system.num_cells));
  for (std::int32_t cell = 0; cell < system.num_cells; ++cell) {
    pattern[static_cast<std::size_t>(cell)] = system.IsPrimary(cell) ? 1 : 0;
  }
  return pattern;
}

std::size_t MeasureOf(const ReleasedTable& table, const std::string& name) {
  std::size_t m = 0;
  while (table.measures[m].name != name) ++m;
  return m;
}

TEST(Protect, ReleasesTablesThatHideThePrimaryCells) {
  const SmallProject project;
  std::vector<std::string> steps;
  ProtectOptions options{.threads = 1};
  options.progress = [&](std::string_view step, std::int64_t, std::int64_t) {
    if (steps.empty() || steps.back() != step) steps.emplace_back(step);
  };
  const auto release = Protect(project.Input(), options);
  SLUIS_ASSERT_OK(release);
  ASSERT_EQ(release->tables.size(), 3u);
  EXPECT_EQ(release->tables[0].values[0], 422);
  EXPECT_GT(release->for_auditor.primary, 0);
  EXPECT_GT(release->for_auditor.secondary, 0);
  EXPECT_GT(release->suppressed, 0);
  EXPECT_LT(release->suppressed, release->cells);
  EXPECT_EQ(steps.front(), "derive");
  EXPECT_EQ(std::count(steps.begin(), steps.end(), "prove"), 1);
  EXPECT_NE(std::find(steps.begin(), steps.end(), "attack"), steps.end());
  // Whatever is primary in a measure is in no table that shows the measure.
  const RequestSystem request = project.System();
  for (std::size_t t = 0; t < release->tables.size(); ++t) {
    const ReleasedTable& table = release->tables[t];
    for (std::size_t cell = 0; cell < request.cell_of[t].size(); ++cell) {
      for (std::size_t m = 0; m < table.measures.size(); ++m) {
        const auto in_system = std::find_if(request.system.measures.begin(), request.system.measures.end(),
                                            [&](const Measure& other) { return other.name == table.measures[m].name; });
        const auto c = static_cast<std::size_t>(request.cell_of[t][cell]);
        const auto& value = table.values[cell * table.measures.size() + m];
        EXPECT_TRUE(in_system->reason[c] == PrimaryReason::kNone || !value.has_value());
        EXPECT_EQ(value.value_or(in_system->value[c]), in_system->value[c]);
      }
    }
  }
}

absl::StatusOr<ProtectedRelease> ProtectAndVerify(const SmallProject& project) {
  auto release = Protect(project.Input(), {.threads = 1});
  if (release.ok()) {
    SLUIS_EXPECT_OK(VerifyEvidence(release->evidence, project.rules));
  }
  return release;
}

std::int64_t UnpublishedCells(const Evidence& evidence) {
  return evidence.request_system.system.num_cells -
         static_cast<std::int64_t>(evidence.request_system.views[0].cells.total.size());
}

// Two thirds of all are of one origin, and most of those of another are men: under the rule of groups how many are
// outside stays open, and the evidence says so in cells that no table shows.
TEST(Protect, HowManyAreOutsideALargeCategoryStaysOpen) {
  SmallProject project;
  project.rules.group_disclosure = GroupDisclosureRule{.percent = 65, .from_total = 10};
  const auto release = ProtectAndVerify(project);
  SLUIS_ASSERT_OK(release);
  EXPECT_GT(UnpublishedCells(release->evidence), 0);
  // All but a few of the benefits are found on the backbone: that is no group of people.
  const std::vector<PrimaryReason>& reason = release->evidence.request_system.system.measures[0].reason;
  ASSERT_EQ(release->evidence.tables[2].dimensions.back().name, kLinkStatusDimension);
  for (const std::int32_t cell : release->evidence.tables[2].cell_of) {
    EXPECT_NE(reason[static_cast<std::size_t>(cell)], PrimaryReason::kGroup);
  }
  // Nothing of this without the rule.
  const SmallProject plain;
  const auto without = Protect(plain.Input(), {.threads = 1});
  SLUIS_ASSERT_OK(without);
  EXPECT_EQ(UnpublishedCells(without->evidence), 0);
  EXPECT_THAT(VerifyEvidence(without->evidence, project.rules), StatusIs(kPrecondition, "groups that hold"));
}

// A 0 says of everybody that they are not there. Under the rule of zeros each is protected; the empty wages of linkage
// rates, which have no wages, are none.
TEST(Protect, SensitiveZerosAreHidden) {
  SmallProject project;
  project.rules.zero_cells = ZeroCellRule{.count_range = 2, .amount_range = 100};
  const auto release = ProtectAndVerify(project);
  SLUIS_ASSERT_OK(release);
  int hidden = 0;
  const CellSystem& system = release->evidence.request_system.system;
  for (std::size_t t = 0; t < release->tables.size(); ++t) {
    const ReleasedTable& table = release->tables[t];
    for (std::size_t cell = 0; cell < release->evidence.tables[t].cell_of.size(); ++cell) {
      const auto c = static_cast<std::size_t>(release->evidence.tables[t].cell_of[cell]);
      EXPECT_NE(table.values[cell * table.measures.size()], 0) << "an empty cell is published";
      hidden += system.measures[0].reason[c] == PrimaryReason::kZero;
      EXPECT_TRUE(t != 2 || system.measures[1].reason[c] == PrimaryReason::kNone);
    }
  }
  EXPECT_GT(hidden, 0);
  EXPECT_GT(std::count_if(release->tables[2].values.begin(), release->tables[2].values.end(),
                          [](const auto& value) { return value.has_value(); }),
            0);
}

TEST(Protect, SumsOfSuppressedCellsHaveEnoughContributors) {
  SmallProject project;
  const auto without = Protect(project.Input(), {.threads = 1});
  SLUIS_ASSERT_OK(without);
  const auto short_sums = [&](const Evidence& evidence) {
    const RequestSystem& request = evidence.request_system;
    return FindShortSumsInViews(request.views, request.system.relations, evidence.pattern, project.rules)->size();
  };
  // A threshold that the pattern does not meet by chance.
  project.rules.suppressed_sum =
      MinimumFrequencyRule{.threshold = 10, .count_range = 5, .amount_range_percent = 10, .amount_range = 0};
  while (short_sums(without->evidence) == 0) ++project.rules.suppressed_sum->threshold;
  ASSERT_LT(project.rules.suppressed_sum->threshold, 100);
  const auto with = Protect(project.Input(), {.threads = 1});
  SLUIS_ASSERT_OK(with);
  EXPECT_EQ(short_sums(with->evidence), 0u);
  EXPECT_GT(UnpublishedCells(with->evidence), 0);
  SLUIS_EXPECT_OK(VerifyEvidence(with->evidence, project.rules));
  // The pattern that was found without the rule does not pass with it, neither with the auditor nor before release.
  EXPECT_THAT(VerifyEvidence(without->evidence, project.rules), StatusIs(kPrecondition, "too few contributors"));
  const auto certificate = DecodeCertificate(std::as_bytes(std::span(without->evidence.certificate)));
  SLUIS_ASSERT_OK(certificate);
  const auto judged =
      ReleaseUnderPattern(project.Input(), project.System(), without->evidence.pattern, *certificate, {});
  EXPECT_THAT(judged, StatusIs(kPrecondition, "sums of suppressed cells"));
  EXPECT_EQ(common::ReasonOf(judged.status()), kProtectionFailed);
}

TEST(Protect, NothingThatIsSuppressedCanBeComputed) {
  const SmallProject project;
  const auto release = Protect(project.Input(), {.threads = 1});
  SLUIS_ASSERT_OK(release);
  const auto exact = FindExactCells(release->tables, release->population, {});
  SLUIS_ASSERT_OK(exact);
  EXPECT_TRUE(exact->empty());
}

// With an empty register every sum is 0, and the published total says so: that a cell's wages are suppressed would be
// an empty promise. Its number of people stays secret.
TEST(Protect, ValuesThatAnyoneCanComputeArePublishedAndTheRestStaysHidden) {
  const SmallProject project({.with_jobs = false});
  const auto release = Protect(project.Input(), {.threads = 1});
  SLUIS_ASSERT_OK(release);
  EXPECT_GT(release->conceded, 0);
  const ReleasedTable& table = release->tables[0];
  const std::size_t people = MeasureOf(table, "people"), wages = MeasureOf(table, "wages");
  int hidden = 0;
  for (std::int64_t cell = 0; cell < table.Cells(); ++cell) {
    const auto first = static_cast<std::size_t>(cell) * 2;
    EXPECT_EQ(table.values[first + wages], 0);
    hidden += table.values[first + people].has_value() ? 0 : 1;
  }
  EXPECT_GT(hidden, 1);
  const auto exact = FindExactCells(release->tables, release->population, {});
  SLUIS_ASSERT_OK(exact);
  EXPECT_TRUE(exact->empty());
}

// The control: who only hides the primary cells is found out twice, by code that does not know of each other.
TEST(ReleaseUnderPattern, RefusesPrimariesWithoutCompany) {
  const SmallProject project;
  const RequestSystem request = project.System();
  const auto found = Suppress(request.system, {});
  SLUIS_ASSERT_OK(found);
  const Pattern open = PrimariesOnly(request.system);
  const auto release = ReleaseUnderPattern(project.Input(), request, open, found->certificate, {});
  EXPECT_THAT(release, StatusIs(kPrecondition, "second opinion"));
  EXPECT_EQ(common::ReasonOf(release.status()), kProtectionFailed);
  const Concessions none(request.system.measures.size());
  EXPECT_THAT(ProveProtection(request.system, open, none, found->certificate), StatusIs(kPrecondition, "deviation"));
  EXPECT_THAT(AttackLevels(request.system, open, none, {}), StatusIs(kPrecondition, "fall short"));
  SLUIS_EXPECT_OK(ProveProtection(request.system, found->pattern, none, found->certificate));
  SLUIS_EXPECT_OK(AttackLevels(request.system, found->pattern, none, {}));
}

TEST(ReleaseUnderPattern, RefusesACertificateThatLacksAClaim) {
  const SmallProject project;
  const RequestSystem request = project.System();
  auto found = Suppress(request.system, {});
  SLUIS_ASSERT_OK(found);
  found->certificate = {};
  const auto release = ReleaseUnderPattern(project.Input(), request, found->pattern, found->certificate, {});
  EXPECT_THAT(release, StatusIs(kPrecondition, "certificate"));
}

TEST(SecondOpinion, RefusesConcessionsThatGiveSomethingAway) {
  const SmallProject project;
  const RequestSystem request = project.System();
  const auto found = Suppress(request.system, {});
  SLUIS_ASSERT_OK(found);
  const CellSystem& system = request.system;
  Concessions conceded(system.measures.size());
  for (std::int32_t cell = 0; cell < system.num_cells; ++cell) {
    if (system.IsPrimary(0, cell)) {
      conceded[0] = {cell};
      break;
    }
  }
  EXPECT_THAT(ProveProtection(system, found->pattern, conceded, found->certificate),
              StatusIs(kPrecondition, "primary, and published"));
  EXPECT_THAT(AttackLevels(system, found->pattern, conceded, {}), StatusIs(kPrecondition, "primary, and published"));
  // Every secondary cell that protects something.
  std::set<std::int32_t> moved;
  for (const Deviation& deviation : found->certificate.deviations) {
    for (const std::int32_t cell : deviation.cell) {
      if (deviation.measure == 0 && !system.IsPrimary(cell)) moved.insert(cell);
    }
  }
  ASSERT_FALSE(moved.empty());
  conceded[0].assign(moved.begin(), moved.end());
  EXPECT_THAT(ProveProtection(system, found->pattern, conceded, found->certificate),
              StatusIs(kPrecondition, "whose value is published"));
  EXPECT_THAT(AttackLevels(system, found->pattern, conceded, {}), StatusIs(kPrecondition, "fall short"));
  conceded[0] = {
      static_cast<std::int32_t>(std::find(found->pattern.begin(), found->pattern.end(), 0) - found->pattern.begin())};
  EXPECT_THAT(ProveProtection(system, found->pattern, conceded, found->certificate),
              StatusIs(absl::StatusCode::kInvalidArgument, "suppressed cells are expected"));
}

// A small cell whose only company must be published: with a total released earlier, say.
TEST(FindPattern, RefusesWhatCannotBeProtectedWithoutSayingHowMuch) {
  const std::string names[] = {"people"};
  CellSystem system = MakeCellSystem(3, names);
  system.measures[0].value = {12, 10, 2};
  system.relations.Add(0, std::vector<std::int32_t>{1, 2});
  system.measures[0].reason[2] = PrimaryReason::kFrequency;
  system.measures[0].lower_level[2] = system.measures[0].upper_level[2] = 2;
  MarkEmptyCells(system);
  SetUpperBounds(system);
  SLUIS_ASSERT_OK(FindPattern(system, {}));
  system.suppressible = {0, 0, 1};
  const auto pattern = FindPattern(system, {});
  EXPECT_THAT(pattern, StatusIs(kPrecondition, "cannot be protected"));
  EXPECT_EQ(common::ReasonOf(pattern.status()), kProtectionFailed);
  EXPECT_EQ(pattern.status().message().find_first_of("0123456789"), absl::string_view::npos);
}

TEST(DryRun, SaysHowManyCellsThereAre) {
  const SmallProject project;
  const auto dry = DryRun(project.Input(), {.threads = 1});
  SLUIS_ASSERT_OK(dry);
  ASSERT_EQ(dry->figures.tables.size(), 3u);
  EXPECT_EQ(dry->figures.tables[0].cells, 21);
  EXPECT_TRUE(dry->refusals.empty());
}

TEST(Protect, StopsWhenCancelled) {
  const SmallProject project;
  const std::atomic<bool> cancelled = true;
  EXPECT_THAT(Protect(project.Input(), {.threads = 1, .progress = {}, .cancelled = &cancelled}),
              StatusIs(absl::StatusCode::kCancelled, ""));
}

}  // namespace
}  // namespace sluis::disclosure
