#include <map>
#include <set>

#include "common/status/matchers.h"
#include "common/status/status.h"
#include "disclosure/protect/package.h"
#include "disclosure/protect/protect.h"
#include "disclosure/protect/second_opinion.h"
#include "disclosure/release/write_csv.h"
#include "tests/disclosure/protect/small_project.h"

// Variables that are protected by another method than suppression, from rows to release.

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;
using testing::SmallProject;

constexpr auto kPrecondition = absl::StatusCode::kFailedPrecondition;

const std::map<std::string, ProtectionMethod>& Methods() {
  static const std::map<std::string, ProtectionMethod> methods = {
      {"multiples", ControlledRoundingMethod{.base = 5, .max_steps = 2}},
      {"thousands", ControlledRoundingMethod{.base = 100'000, .max_steps = 2, .amounts = true}},
      {"tens", ControlledRoundingMethod{.base = 10, .max_steps = 2, .amounts = true}},
      {"small", SmallCountMethod{.base = 3}},
      {"rr3", RandomRoundingMethod{{{0, 3}}}},
      {"noise", CellKeyCountMethod{{.max_change = 5, .variance_milli = 2001, .gap = 2}}},
      {"wage-noise", CellKeyAmountMethod{.design = {.max_change = 2, .steps = 4, .variance_milli = 1000},
                                         .share_milli = {1000, 500},
                                         .width = {.small_milli = 200},
                                         .sensitive_extra_milli = 500}}};
  return methods;
}

common::SecretBytes Secret(char byte) { return common::SecretBytes::CopyOf(common::AsBytes(std::string(32, byte))); }

// A project whose variables have other methods, with what the gate adds to it.
class Project {
 public:
  Project(const std::string& people, const std::string& wages, char secret = 's') : secret_(Secret(secret)) {
    project_.rules.methods = Methods();
    Choose(people, wages);
    const RecordKeyMaker maker(secret_);
    for (const RegisterColumns& reg : project_.registers) {
      std::vector<std::uint64_t>& keys = record_keys_.emplace_back();
      for (std::int64_t row = 0; row < reg.rows(); ++row) {
        keys.push_back(maker.KeyOf(reg.schema().name + "/" + std::to_string(row)));
      }
    }
  }
  void Choose(const std::string& people, const std::string& wages) {
    for (TableSpec& table : project_.request.tables) {
      table.measures[0].method = people;
      if (table.measures.size() > 1) table.measures[1].method = wages;
    }
    Plan();
  }
  void Plan() { project_.plan = *PlanTables(project_.request, project_.permit, project_.attachments); }
  SmallProject& operator*() { return project_; }
  ProtectInput Input() const {
    return {project_.plan, project_.registers, project_.rules, project_.documents, record_keys_, &secret_};
  }
  absl::StatusOr<ProtectedRelease> Release() const { return Protect(Input(), {.threads = 1}); }

 private:
  SmallProject project_;
  common::SecretBytes secret_;
  std::vector<std::vector<std::uint64_t>> record_keys_;
};

// Values of a measure by table name and codes.
std::map<std::string, std::optional<std::int64_t>> ValuesOf(const ProtectedRelease& release,
                                                            const std::string& measure) {
  std::map<std::string, std::optional<std::int64_t>> values;
  for (const ReleasedTable& table : release.tables) {
    for (std::size_t m = 0; m < table.measures.size(); ++m) {
      if (table.measures[m].name != measure) continue;
      for (std::int64_t cell = 0; cell < table.Cells(); ++cell) {
        std::string key = table.name;
        for (std::size_t d = 0; d < table.dimensions.size(); ++d) {
          key += " " + table.dimensions[d].codes[table.CodeOf(cell, d)].code;
        }
        values[key] = table.values[static_cast<std::size_t>(cell) * table.measures.size() + m];
      }
    }
  }
  return values;
}

TEST(Methods, EveryOnePassesFromRowsToAnEvidenceThatVerifies) {
  const std::vector<std::pair<std::string, std::string>> choices = {
      {"multiples", "suppression"}, {"small", "suppression"}, {"rr3", "suppression"},
      {"noise", "wage-noise"},      {"rr3", "thousands"},     {"suppression", "wage-noise"}};
  for (const auto& [people, wages] : choices) {
    SCOPED_TRACE(people + " " + wages);
    Project project(people, wages);
    const auto release = project.Release();
    SLUIS_ASSERT_OK(release);
    SLUIS_EXPECT_OK(VerifyEvidence(release->evidence, (*project).rules));
    std::map<std::string, ProtectionMethod> methods;
    if (people != kSuppressionMethod) methods.emplace("people", Methods().at(people));
    if (wages != kSuppressionMethod) methods.emplace("wages", Methods().at(wages));
    const auto told = ReadMethods(release->tables, methods);
    SLUIS_ASSERT_OK(told);
    EXPECT_EQ(told->size(), methods.size());
    // Nobody can tell a true value from the bytes.
    const auto exact = FindExactCells(release->tables, release->population, {}, *told);
    SLUIS_ASSERT_OK(exact);
    EXPECT_TRUE(exact->empty());
    // What the auditors get reads back, and holds no key.
    const auto decoded = DecodeEvidence(EncodeEvidence(release->evidence));
    SLUIS_ASSERT_OK(decoded);
    SLUIS_EXPECT_OK(VerifyEvidence(*decoded, (*project).rules));
    EXPECT_EQ(EncodeEvidence(*decoded), EncodeEvidence(release->evidence));
    EXPECT_TRUE(release->evidence.request_system.cell_key.empty());
    if (release->conceded == 0) {
      for (const ReleasedTable& table : release->tables) {
        SLUIS_EXPECT_OK(CompareWithReleased(release->evidence, table));
      }
    }
    // The files say which method it was.
    const auto files = MakePackage(*release, (*project).documents, "one");
    SLUIS_ASSERT_OK(files);
    const auto manifest = ParseManifest(files->at(kManifestFile));
    SLUIS_ASSERT_OK(manifest);
    EXPECT_EQ(manifest->tables[0].methods.contains("people"), people != kSuppressionMethod);
    const auto back = ReadTidyCsv(files->at(CsvPath("work")), "work");
    SLUIS_ASSERT_OK(back);
    EXPECT_EQ(back->measures[0].method.empty(), people == kSuppressionMethod);
  }
}

TEST(Methods, TheSameRecordsHaveTheSameValueInEveryRequest) {
  Project first("rr3", "wage-noise");
  const auto one = first.Release();
  SLUIS_ASSERT_OK(one);
  // Another request: one of the tables alone, under another name, with its dimensions the other way round.
  Project second("rr3", "wage-noise");
  (*second).request.tables.resize(1);
  (*second).request.linkage_rates.clear();
  std::swap((*second).request.tables[0].dimensions[0], (*second).request.tables[0].dimensions[1]);
  second.Plan();
  const auto two = second.Release();
  SLUIS_ASSERT_OK(two);
  const auto by = [](const ProtectedRelease& release, const std::string& measure, bool turned) {
    const ReleasedTable& table = release.tables[0];
    std::map<std::pair<std::string, std::string>, std::optional<std::int64_t>> values;
    for (std::int64_t cell = 0; cell < table.Cells(); ++cell) {
      std::pair key(table.dimensions[0].codes[table.CodeOf(cell, 0)].code,
                    table.dimensions[1].codes[table.CodeOf(cell, 1)].code);
      if (turned) std::swap(key.first, key.second);
      for (std::size_t m = 0; m < table.measures.size(); ++m) {
        if (table.measures[m].name != measure) continue;
        values[key] = table.values[static_cast<std::size_t>(cell) * table.measures.size() + m];
      }
    }
    return values;
  };
  for (const std::string measure : {"people", "wages"}) {
    const auto of_one = by(*one, measure, false), of_two = by(*two, measure, true);
    ASSERT_EQ(of_one.size(), of_two.size());
    int compared = 0;
    for (const auto& [codes, value] : of_one) {
      const auto other = of_two.at(codes);
      if (!value || !other) continue;  // withheld in one of them
      EXPECT_EQ(*value, *other) << measure << " " << codes.first << " " << codes.second;
      ++compared;
    }
    EXPECT_GT(compared, 8);
  }
  // Under another secret the draws are others: with these some 20 cells, equal ones throughout would be chance
  // below 10^-4.
  Project third("rr3", "wage-noise", 't');
  const auto other = third.Release();
  SLUIS_ASSERT_OK(other);
  EXPECT_NE(ValuesOf(*one, "people"), ValuesOf(*other, "people"));
  EXPECT_NE(ValuesOf(*one, "wages"), ValuesOf(*other, "wages"));
}

TEST(Methods, ValuesThatWouldTellATrueOneAreWithheld) {
  // Over many secrets, some release has to withhold; none tells.
  std::int64_t withheld = 0;
  for (char secret = 'a'; secret <= 'h'; ++secret) {
    Project project("rr3", "suppression", secret);
    const auto release = project.Release();
    SLUIS_ASSERT_OK(release);
    withheld += release->withheld;
    const auto told = ReadMethods(release->tables, {{"people", Methods().at("rr3")}});
    SLUIS_ASSERT_OK(told);
    const auto exact = FindExactCells(release->tables, release->population, {}, *told);
    SLUIS_ASSERT_OK(exact);
    EXPECT_TRUE(exact->empty());
  }
  EXPECT_GT(withheld, 0);
}

TEST(Methods, AnAuditorFindsWhatWasNotMadeByTheMethod) {
  Project project("noise", "thousands");
  const auto release = project.Release();
  SLUIS_ASSERT_OK(release);
  const auto with = [&](auto change) {
    Evidence evidence = release->evidence;
    change(evidence);
    return VerifyEvidence(evidence, (*project).rules);
  };
  SLUIS_EXPECT_OK(with([](Evidence&) {}));
  EXPECT_THAT(with([](Evidence& e) { e.perturbed[0].values.value[3] += 1; }), StatusIs(kPrecondition, "people"));
  EXPECT_THAT(with([](Evidence& e) { e.perturbed[0].draws[0] ^= std::uint64_t{1} << 63; }),
              StatusIs(kPrecondition, "people"));
  EXPECT_FALSE(with([](Evidence& e) { e.perturbed[0].method = "rr3"; }).ok());
  EXPECT_THAT(with([](Evidence& e) { e.perturbed[0].method = "none"; }), StatusIs(kPrecondition, "no method"));
  EXPECT_THAT(with([](Evidence& e) { e.perturbed[1].values.value[0] += 100'000; }), StatusIs(kPrecondition, "wages"));
  EXPECT_FALSE(with([](Evidence& e) { e.perturbed.pop_back(); }).ok());
  EXPECT_FALSE(with([](Evidence& e) { std::swap(e.perturbed[0], e.perturbed[1]); }).ok());
  EXPECT_FALSE(with([](Evidence& e) { e.perturbed[0].withheld.pop_back(); }).ok());
  EXPECT_FALSE(with([](Evidence& e) { e.perturbed[0].table.clear(); }).ok());
  // A table that shows a true value, or hides one that was to be published.
  ReleasedTable table = release->tables[0];
  table.values[0] = *table.values[0] + 1;
  EXPECT_THAT(CompareWithReleased(release->evidence, table), StatusIs(kPrecondition, "otherwise than decided"));
  table = release->tables[0];
  table.measures[0].method.clear();
  EXPECT_THAT(CompareWithReleased(release->evidence, table), StatusIs(kPrecondition, "another method"));
}

TEST(Methods, ThePlanAndTheRuleSetMustAgree) {
  Project project("rr3", "suppression");
  (*project).rules.methods.erase("rr3");
  EXPECT_THAT(project.Release(), StatusIs(absl::StatusCode::kPermissionDenied, "no method rr3"));
  Project amounts("suppression", "rr3");
  EXPECT_THAT(amounts.Release(), StatusIs(absl::StatusCode::kInvalidArgument, "method rr3 is for counts"));
  Project counts("wage-noise", "suppression");
  EXPECT_THAT(counts.Release(), StatusIs(absl::StatusCode::kInvalidArgument, "is for amounts"));
  // A base for counts would publish wages as they are.
  Project wages("suppression", "multiples");
  EXPECT_THAT(wages.Release(), StatusIs(absl::StatusCode::kInvalidArgument, "method multiples is for counts"));
  // And so would a small one: some wage has a protection level above it.
  Project tens("suppression", "tens");
  const auto refused = tens.Release();
  EXPECT_THAT(refused, StatusIs(kPrecondition, "base is too small"));
  EXPECT_EQ(common::ReasonOf(refused.status()), kProtectionFailed);
  // A rule set of methods only: suppression is nothing to fall back on.
  Project only("rr3", "suppression");
  (*only).rules = {};
  (*only).rules.methods = Methods();
  EXPECT_THAT(only.Release(),
              StatusIs(absl::StatusCode::kPermissionDenied, "wages: the rule set allows no suppression"));
  only.Choose("rr3", "wage-noise");
  SLUIS_EXPECT_OK(only.Release());
  // One variable by two methods.
  Project two("rr3", "suppression");
  (*two).request.tables[1].measures[0].method = "small";
  EXPECT_THAT(PlanTables((*two).request, (*two).permit, (*two).attachments),
              StatusIs(absl::StatusCode::kInvalidArgument, "by two methods"));
}

TEST(Methods, WithoutKeysOrSecretNothingIsDrawn) {
  Project project("rr3", "suppression");
  ProtectInput input = project.Input();
  const ProtectInput without{input.plan, input.registers, input.rules, input.documents};
  EXPECT_THAT(Protect(without, {.threads = 1}), StatusIs(absl::StatusCode::kInvalidArgument, "keys of the records"));
}

}  // namespace
}  // namespace sluis::disclosure
