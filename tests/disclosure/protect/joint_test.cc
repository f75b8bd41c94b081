#include "disclosure/protect/joint.h"

#include <memory>
#include <optional>

#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"
#include "tests/disclosure/protect/small_project.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;
using testing::SmallProject;

// The small project with other age classes: below `young`, below 65, and older; under another permit.
std::unique_ptr<SmallProject> Classes(int young, const std::string& permit_id, const std::string& request_id) {
  auto project = std::make_unique<SmallProject>();
  const std::string below = "Y0-" + std::to_string(young - 1), above = "Y" + std::to_string(young) + "-64";
  project->attachments["age.csv"] =
      "code,parent,label\nT,,Total\n" + below + ",T,x\n" + above + ",T,x\nY_GE65,T,65+\n_U,T,?\n";
  project->permit.id = project->request.permit_id = permit_id;
  project->request.id = request_id;
  project->request.tables.erase(project->request.tables.begin());
  project->request.linkage_rates.clear();
  for (DerivedVariable& variable : project->request.variables) {
    if (auto* age = std::get_if<AgeClass>(&variable.rule)) age->bounds = {0, young, 65};
  }
  project->plan = *PlanTables(project->request, project->permit, project->attachments);
  return project;
}

LedgerDescription DescriptionOf(const SmallProject& project) {
  auto description = Describe(project.plan, project.permit, project.attachments, {project.rules, "", ""});
  SLUIS_EXPECT_OK(description.status());
  return *std::move(description);
}

absl::StatusOr<ProtectedRelease> Release(const SmallProject& project, const std::vector<LedgerEntry>& earlier,
                                         const std::vector<std::string>& replaces = {}) {
  LedgerInput ledger{.request = DescriptionOf(project), .earlier = {}};
  auto selected = SelectEarlier(ledger.request, project.permit.id, replaces, earlier);
  if (!selected.ok()) return selected.status();
  ledger.earlier = *std::move(selected);
  ProtectInput input = project.Input();
  input.ledger = &ledger;
  return Protect(input, {.threads = 1});
}

LedgerEntry EntryOf(const SmallProject& project, const ProtectedRelease& release) {
  const LedgerDescription description = DescriptionOf(project);
  return {.project = project.permit.id,
          .release = project.request.id,
          .backbone = description.backbone,
          .registers = description.registers,
          .tables = release.ledger,
          .replaces = project.request.replaces};
}

// What of `whole` without `part`, of one origin, both tables give away; nothing if they do not.
std::optional<std::int64_t> Difference(const ReleasedTable& with, const std::string& whole,
                                       const ReleasedTable& without, const std::string& part, std::size_t origin) {
  const auto value = [origin](const ReleasedTable& table, const std::string& code) {
    const auto& codes = table.dimensions[1].codes;
    std::size_t at = 0;
    while (codes[at].code != code) ++at;
    return table.values[(origin * codes.size() + at) * table.measures.size()];
  };
  const auto a = value(with, whole), b = value(without, part);
  if (!a || !b) return std::nullopt;
  return *a - *b;
}

// Differences of fewer than 5 persons that two releases give away, whose first classes end before `low` and `high`.
int SmallDifferences(const ReleasedTable& at_low, int low, const ReleasedTable& at_high, int high) {
  const auto below = [](int age) { return "Y0-" + std::to_string(age - 1); };
  const auto above = [](int age) { return "Y" + std::to_string(age) + "-64"; };
  int small = 0;
  for (std::size_t origin = 0; origin < at_low.dimensions[0].codes.size(); ++origin) {
    for (const auto& difference : {Difference(at_low, above(low), at_high, above(high), origin),
                                   Difference(at_high, below(high), at_low, below(low), origin)}) {
      if (difference && *difference > 0 && *difference < 5) ++small;
    }
  }
  return small;
}

TEST(Joint, TwoPermitsWithOtherAgeClassesGiveNoSmallDifferenceAway) {
  int alone_small = 0, released_together = 0;
  for (const int low : {25, 35}) {
    const auto first = Classes(low, "first-permit", "first");
    const auto released = Release(*first, {});
    SLUIS_ASSERT_OK(released.status());
    for (int high = low + 1; high < low + 6; ++high) {
      const auto second = Classes(high, "second-permit", "second");
      const auto alone = Release(*second, {});
      SLUIS_ASSERT_OK(alone.status());
      alone_small += SmallDifferences(released->tables[0], low, alone->tables[0], high);
      const auto together = Release(*second, {EntryOf(*first, *released)});
      if (!together.ok()) {
        EXPECT_EQ(common::ReasonOf(together.status()), kReleaseInTheWay) << together.status();
        continue;
      }
      ++released_together;
      EXPECT_EQ(SmallDifferences(released->tables[0], low, together->tables[0], high), 0) << low << " " << high;
      // The auditor's look at the evidence holds for the joint system.
      SLUIS_EXPECT_OK(VerifyEvidence(together->evidence, second->rules));
      for (const ReleasedTable& table : together->tables) {
        SLUIS_EXPECT_OK(CompareWithReleased(together->evidence, table));
      }
    }
  }
  EXPECT_GT(alone_small, 0) << "the test must have something to find";
  EXPECT_GT(released_together, 0);
}

TEST(Joint, TheSameTablesOnceMoreShowTheSame) {
  const auto first = Classes(15, "first-permit", "first"), again = Classes(15, "second-permit", "again");
  const auto released = Release(*first, {});
  SLUIS_ASSERT_OK(released.status());
  const auto repeated = Release(*again, {EntryOf(*first, *released)});
  SLUIS_ASSERT_OK(repeated.status());
  EXPECT_EQ(repeated->tables[0].values, released->tables[0].values);
}

TEST(Joint, RefusesNamingTheReleaseInTheWay) {
  // The first release shows everything: nothing can be hidden of what the second adds.
  const auto first = Classes(15, "first-permit", "bold"), second = Classes(18, "second-permit", "second");
  const auto harmless = Classes(15, "third-permit", "harmless");
  const auto released = Release(*first, {});
  SLUIS_ASSERT_OK(released.status());
  LedgerEntry bold = EntryOf(*first, *released);
  for (LedgerMeasure& measure : bold.tables[0].measures) {
    measure.published.assign(measure.value.size(), 1);
    measure.lower_level.assign(measure.value.size(), 0);
    measure.upper_level.assign(measure.value.size(), 0);
  }
  LedgerEntry later = bold;
  later.release = later.tables[0].release = "later";
  const auto refused = Release(*second, {EntryOf(*harmless, *released), bold, later});
  EXPECT_THAT(refused.status(), StatusIs(absl::StatusCode::kFailedPrecondition, "release bold"));
  EXPECT_EQ(common::ReasonOf(refused.status()), kReleaseInTheWay);
}

TEST(Joint, ACorrectionHidesWhatTheReplacedReleaseHid) {
  const auto first = Classes(15, "permit", "first"), corrected = Classes(15, "permit", "corrected");
  const auto released = Release(*first, {});
  SLUIS_ASSERT_OK(released.status());
  LedgerEntry wrong = EntryOf(*first, *released);
  // As if the data of then had one person more of each kind in every cell that was published.
  LedgerMeasure& count = wrong.tables[0].measures[0];
  for (std::size_t i = 0; i < count.value.size(); ++i) count.value[i] += count.published[i];
  EXPECT_EQ(common::ReasonOf(Release(*corrected, {wrong}).status()), kContradictsRelease);
  corrected->request.replaces = {"first"};
  const auto anew = Release(*corrected, {wrong}, {"first"});
  SLUIS_ASSERT_OK(anew.status());
  for (std::size_t i = 0; i < count.value.size(); ++i) {
    EXPECT_TRUE(count.published[i] != 0 || !anew->tables[0].values[i].has_value());
  }
  // Later requests meet the correction alone.
  const auto later = Classes(18, "permit", "later");
  SLUIS_EXPECT_OK(Release(*later, {wrong, EntryOf(*corrected, *anew)}).status());

  EXPECT_EQ(common::ReasonOf(Release(*corrected, {wrong}, {"other"}).status()), "REPLACES_NOTHING");
  EXPECT_EQ(common::ReasonOf(Release(*Classes(18, "permit", "x"), {wrong}, {"first"}).status()), kReplacesOther);
}

TEST(Joint, RefusesWhatCannotBeCompared) {
  const auto first = Classes(15, "first-permit", "first"), second = Classes(18, "second-permit", "second");
  const auto released = Release(*first, {});
  SLUIS_ASSERT_OK(released.status());
  const LedgerEntry entry = EntryOf(*first, *released);

  LedgerEntry dated = entry;
  for (LedgerRegister& reg : dated.registers) reg.period = "2026";
  dated.backbone.period = "2026";
  EXPECT_EQ(common::ReasonOf(Release(*second, {dated}).status()), kPeriodUnknown);

  LedgerEntry elsewhere = entry;
  elsewhere.backbone.name = "another";
  EXPECT_EQ(common::ReasonOf(Release(*second, {elsewhere}).status()), kReleasedBefore);

  LedgerEntry other_variable = entry;
  other_variable.tables[0].axes[1].variable = "year of birth";
  EXPECT_EQ(common::ReasonOf(Release(*second, {other_variable}).status()), kNotComparable);

  LedgerEntry rounded = entry;
  rounded.tables[0].measures[0].method = "rounding of rule set x";
  EXPECT_EQ(common::ReasonOf(Release(*second, {rounded}).status()), kOtherMethodReleased);
}

}  // namespace
}  // namespace sluis::disclosure
