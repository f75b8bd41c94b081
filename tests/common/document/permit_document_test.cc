#include "common/document/permit_document.h"

#include <filesystem>
#include <fstream>

#include "common/crypto/crypto.h"
#include "common/document/permit_set.h"
#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"
#include "tests/common/document/sample_permit.h"

namespace sluis::common {
namespace {

using testing::SamplePermit;
using testing::StatusIs;

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(ParsePermit, ReadsTheWholeDocument) {
  const auto permit = ParsePermit(SamplePermit());
  SLUIS_ASSERT_OK(permit);
  EXPECT_EQ(permit->id, "sample-project");
  EXPECT_EQ(permit->Backbone().name, "persons");
  EXPECT_EQ(permit->registers[0].fields[1].codes, (std::vector<std::string>{"Y0-14", "Y15-74", "Y_GE75"}));
  EXPECT_EQ(permit->registers[0].fields[1].source, "birth_date");
  EXPECT_EQ(permit->registers[1].RowWidth(), 4u + 8u + 8u);
  EXPECT_EQ(permit->registers[1].fields[1].maximum, 10'000'000);
  EXPECT_EQ(AsChars(permit->registers[0].custodian_key), std::string(32, 0x0b));
  EXPECT_EQ(AsChars(permit->registers[1].custodian_key), std::string(32, 0x0c));
  EXPECT_EQ(permit->match_keys[1].components[1].normaliser, Normaliser::kPhoneticName);
  EXPECT_EQ(permit->sha256, Sha256(SamplePermit()));
}

// The sample with what similarity needs.
std::string SimilarPermit() {
  std::string document = SamplePermit();
  const auto after = [&](const std::string& text, const std::string& more) {
    document = Replaced(document, text, text + more);
  };
  const std::string sources = R"(
    features: [{feature: surname}, {feature: birth_date, source: born, date_order: DAY_FIRST}, {feature: sex}, {feature: postcode}])";
  after("match_keys: [bsn, person]", sources);
  after("max_records: 2000", sources);
  after("    match-keys: AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n",
        "    tokens: AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n");
  return document + R"(similarity:
  features:
    - {name: surname, kind: NAME, weight: 1.5}
    - {name: birth_date, kind: DATE}
    - {name: sex, kind: CATEGORY}
    - {name: postcode, kind: DIGITS}
    - {name: given_name, kind: NAME}
  bits: 2048
  insertions: 500
  hardening: {folds: 0, flip: 0.05, salt_feature: birth_date, diffusion: 2, balanced: true}
)";
}

TEST(ParsePermit, ReadsSimilarity) {
  const auto permit = ParsePermit(SimilarPermit());
  SLUIS_ASSERT_OK(permit);
  ASSERT_TRUE(permit->similarity.has_value());
  const PermitSimilarity& similarity = *permit->similarity;
  EXPECT_FALSE(similarity.field_level);
  ASSERT_EQ(similarity.features.size(), 5u);
  EXPECT_EQ(similarity.features[0].weight, 1.5);
  EXPECT_EQ(similarity.features[1].kind, SimilarityKind::kDate);
  EXPECT_EQ(similarity.features[1].weight, std::nullopt);
  EXPECT_EQ(similarity.features[3].kind, SimilarityKind::kDigits);
  EXPECT_EQ(similarity.bits, 2048u);
  EXPECT_EQ(similarity.insertions, 500u);
  EXPECT_FALSE(similarity.min_hash);
  EXPECT_EQ(similarity.folds, 0u);
  EXPECT_EQ(similarity.flip, 0.05);
  EXPECT_EQ(similarity.salt_feature, "birth_date");
  EXPECT_EQ(similarity.diffusion, 2u);
  EXPECT_TRUE(similarity.balanced);
  const std::vector<FeatureSource>& features = permit->registers[1].features;
  ASSERT_EQ(features.size(), 4u);
  EXPECT_EQ(features[0].source, "surname");
  EXPECT_EQ(features[1].source, "born");
  EXPECT_EQ(features[1].date_order, SimilarityDateOrder::kDayFirst);
  EXPECT_EQ(ParsePermit(SamplePermit())->similarity, std::nullopt);
}

TEST(ParsePermit, ReadsWhatIsStable) {
  const auto without = ParsePermit(SimilarPermit());
  SLUIS_ASSERT_OK(without);
  EXPECT_EQ(without->similarity->stable_bits, std::nullopt);
  EXPECT_EQ(without->similarity->features[3].stable, std::nullopt);
  const auto permit =
      ParsePermit(Replaced(Replaced(SimilarPermit(), "kind: DIGITS}", "kind: DIGITS, stable: false}"), "  bits: 2048\n",
                           "  bits: 2048\n  stable_bits: 256\n  stable_insertions: 90\n"));
  SLUIS_ASSERT_OK(permit);
  EXPECT_EQ(permit->similarity->stable_bits, 256u);
  EXPECT_EQ(permit->similarity->stable_insertions, 90u);
  EXPECT_EQ(permit->similarity->features[3].stable, false);
  EXPECT_EQ(permit->similarity->features[0].stable, std::nullopt);
}

TEST(ParsePermit, TakesARegisterThatHasFeaturesOnlyAndOneThatHasNone) {
  // The backbone keeps its keys; jobs links by likeness alone.
  SLUIS_EXPECT_OK(ParsePermit(Replaced(SimilarPermit(), "    match_keys: [bsn]\n", "")));
  EXPECT_THAT(ParsePermit(Replaced(SamplePermit(), "    match_keys: [bsn]\n", "")),
              StatusIs(absl::StatusCode::kInvalidArgument, "registers[1].match_keys: at least one is expected, or"));
  const std::string third = R"(  - name: diplomas
    custodian: spiffe://example/custodian/population
    custodian_key: CwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCws=
    schema: schemas/jobs.json
    fields: [{name: level, type: DATE}]
    match_keys: [bsn]
    max_records: 10
match_keys:
  - {name: bsn)";
  const auto permit = ParsePermit(Replaced(SimilarPermit(), "match_keys:\n  - {name: bsn", third));
  SLUIS_ASSERT_OK(permit);
  EXPECT_TRUE(permit->registers[2].features.empty());
}

struct Break {
  const char* from;
  const char* to;
  const char* message;
};

class BrokenPermit : public ::testing::TestWithParam<Break> {};

TEST_P(BrokenPermit, IsRefusedWithTheField) {
  const auto permit = ParsePermit(Replaced(SamplePermit(), GetParam().from, GetParam().to));
  EXPECT_THAT(permit, StatusIs(absl::StatusCode::kInvalidArgument, GetParam().message));
  EXPECT_EQ(ReasonOf(permit.status()), "PERMIT_INVALID");
}

INSTANTIATE_TEST_SUITE_P(
    OneFieldAtATime, BrokenPermit,
    ::testing::Values(
        Break{"version: 1", "version: 1\nvrsion: 2", "vrsion"}, Break{"version: 1", "version: one", "version"},
        Break{"version: 1", "version: 0", "version"}, Break{"id: sample-project", "id: Sample", "field id"},
        Break{"purpose: statistics\n", "", "field purpose"},
        Break{"purpose: statistics", "purpose: a\npurpose: b", "given twice"},
        Break{"2027-12-31", "2025-12-31", "not_after"}, Break{"2028-12-31", "2027-01-01", "retention_end"},
        Break{"2026-01-01", "2026-02-30", "not_before"}, Break{"backbone: true", "backbone: false", "exactly one"},
        Break{"custodian: spiffe://example/custodian/population", "custodian: population", "SPIFFE ID"},
        Break{"custodian: spiffe://example/custodian/population", "custodian: spiffe://example/linker",
              "different identities"},
        Break{"spiffe://example/gate", "spiffe://example/linker", "different identities"},
        Break{"match_keys: [bsn, person]", "match_keys: [person, bsn]", "order of the permit"},
        Break{"match_keys: [bsn, person]", "match_keys: [bsn, persn]", "registers[0].match_keys[1]"},
        Break{"codes: [M, F]", "codes: [M, M]", "occurs twice"}, Break{"codes: [M, F]", "codes: []", "codes"},
        Break{"type: DATE, coarsen: {truncate: MONTH}", "type: CODE, coarsen: {truncate: MONTH}",
              "does not fit the type"},
        Break{"truncate: MONTH", "truncate: MONTH, prefix: 2", "one way of coarsening"},
        Break{"bounds: [0, 15, 75]", "bounds: [15, 0]", "ascending"},
        Break{"max_records: 1000", "max_records: 0", "max_records"},
        Break{"purpose: match-keys", "purpose: other", "purpose"},
        Break{"fields: [persons.sex]", "fields: [persons.gender]", "persons.gender"},
        Break{"field: jobs.wage", "field: jobs.start", "jobs.start"},
        Break{"rule_set: rules/strict.yaml", "rule_set: rules/x.yaml", "rule_set"},
        Break{"minimum_records: 100", "minimum_records: 10", "minimum_records"},
        Break{"rounding: 10", "rounding: 1", "rounding"},
        Break{", max_link_sets: 12", "", "linkage_report.max_link_sets"},
        Break{"max_link_sets: 12", "max_link_sets: 1001", "linkage_report.max_link_sets"},
        Break{"name: schemas/persons.json, sha256", "name: ../persons.json, sha256", "relative path"},
        Break{"log_keys: {keys: k, linker: l, gate: g}", "log_keys: {keys: k, gate: g}", "linker"},
        Break{"gate_sealing_key: AQEB", "gate_sealing_key: QEB", "gate_sealing_key"},
        Break{"    custodian_key: DAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw=\n", "",
              "registers[1].custodian_key: 32 bytes in base 64"},
        Break{"custodian_key: DAwM", "custodian_key: AwM", "registers[1].custodian_key: 32 bytes in base 64"},
        Break{"custodian_key: DAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw=",
              "custodian_key: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "registers[1].custodian_key"},
        Break{"custodian_key: DAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw=",
              "custodian_key: CwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCws=", "key of another custodian"},
        Break{"title: Labour participation", "title: [", "YAML"}));

class BrokenSimilarity : public ::testing::TestWithParam<Break> {};

TEST_P(BrokenSimilarity, IsRefusedWithTheField) {
  const auto permit = ParsePermit(Replaced(SimilarPermit(), GetParam().from, GetParam().to));
  EXPECT_THAT(permit, StatusIs(absl::StatusCode::kInvalidArgument, GetParam().message));
  EXPECT_EQ(ReasonOf(permit.status()), "PERMIT_INVALID");
}

INSTANTIATE_TEST_SUITE_P(
    OneFieldAtATime, BrokenSimilarity,
    ::testing::Values(
        Break{"    tokens: AQEB", "    other: AQEB", "the key for purpose \"tokens\" is missing"},
        Break{"similarity:\n  features:", "similarity:\n  profile: FIELDS\n  features:", "profile"},
        Break{"name: sex, kind: CATEGORY", "name: Sex, kind: CATEGORY", "similarity.features[2].name"},
        Break{"name: given_name, kind", "name: sex, kind", "\"sex\" occurs twice"},
        Break{"kind: CATEGORY", "weight: 1", "similarity.features[2].kind: NAME, TEXT, CATEGORY"},
        Break{"weight: 1.5", "weight: 0", "similarity.features[0].weight"},
        Break{"weight: 1.5", "weight: 1001", "similarity.features[0].weight"},
        Break{"salt_feature: birth_date", "salt_feature: born", "similarity.hardening.salt_feature"},
        Break{
            "    features: [{feature: surname}, {feature: birth_date, source: born, date_order: DAY_FIRST}, {feature: "
            "sex}, {feature: postcode}]\n",
            "", "registers[0].features: the backbone must have features"},
        Break{"{feature: sex}, {feature: postcode}]", "{feature: sex}]",
              "registers[0].features: at least 4 are expected at record level"},
        Break{"{feature: sex}, {feature: postcode}]", "{feature: sex}, {feature: street}]",
              "registers[0].features[3].feature: \"street\""},
        Break{"{feature: sex}, {feature: postcode}]", "{feature: sex}, {feature: sex}]",
              "registers[0].features[3].feature: \"sex\" occurs twice"},
        Break{"{feature: surname}", "{feature: surname, date_order: DAY_FIRST}", "registers[0].features[0].date_order"},
        Break{"    - {name: postcode, kind: DIGITS}\n    - {name: given_name, kind: NAME}\n", "",
              "similarity.features: 4 to 64 are expected"}));

TEST(ParsePermit, RefusesPartsOfSimilarityWithoutIt) {
  const std::string with_key =
      Replaced(SamplePermit(), "    match-keys: AQEB",
               "    tokens: AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n    match-keys: AQEB");
  EXPECT_THAT(ParsePermit(with_key), StatusIs(absl::StatusCode::kInvalidArgument, "goes with similarity only"));
  const std::string with_features =
      Replaced(SamplePermit(), "max_records: 2000", "max_records: 2000\n    features: [{feature: a}]");
  EXPECT_THAT(ParsePermit(with_features),
              StatusIs(absl::StatusCode::kInvalidArgument, "registers[1].features: go with"));
}

TEST(ParsePermit, TakesFewFeaturesAtFieldLevelOnly) {
  std::string document = Replaced(SimilarPermit(), "similarity:\n", "similarity:\n  profile: FIELD_LEVEL\n");
  document = Replaced(document, "{feature: sex}, {feature: postcode}]", "{feature: sex}]");
  const auto permit = ParsePermit(document);
  SLUIS_ASSERT_OK(permit);
  EXPECT_TRUE(permit->similarity->field_level);
}

class PermitFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = ::testing::TempDir() + "/permit_" + ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(directory_);
    std::string document = SamplePermit();
    for (const char* name : {"schemas/persons.json", "schemas/jobs.json", "hierarchies/sex.csv", "rules/strict.yaml"}) {
      Write(name, std::string("content of ") + name);
      const Hash256 hash = Sha256(std::string("content of ") + name);
      document = Replaced(document, std::string(name) + ", sha256: " + std::string(64, '0'),
                          std::string(name) + ", sha256: " + HexEncode(AsChars(hash)));
    }
    Write("permit.yaml", document);
    for (const char* name : {"anna", "bram"}) {
      keys_.push_back(SigningKey::Generate());
      approvers_.push_back({name, keys_.back().public_key});
    }
  }
  void Write(const std::string& name, const std::string& content) {
    std::filesystem::create_directories(std::filesystem::path(directory_ + "/" + name).parent_path());
    std::ofstream(directory_ + "/" + name, std::ios::binary) << content;
  }
  void ApproveByBoth() {
    SLUIS_ASSERT_OK(ApprovePermit(directory_, "anna", keys_[0]));
    SLUIS_ASSERT_OK(ApprovePermit(directory_, "bram", keys_[1]));
  }

  std::string directory_;
  std::vector<SigningKey> keys_;
  std::vector<Approver> approvers_;
};

TEST_F(PermitFolder, LoadsOnceBothHaveApproved) {
  EXPECT_EQ(ReasonOf(LoadPermit(directory_, approvers_, 2).status()), "PERMIT_UNSIGNED");
  ApproveByBoth();
  const auto bundle = LoadPermit(directory_, approvers_, 2);
  SLUIS_ASSERT_OK(bundle);
  EXPECT_EQ(bundle->attachments.at("hierarchies/sex.csv"), "content of hierarchies/sex.csv");
}

TEST_F(PermitFolder, RefusesAChangedAttachmentOrDocument) {
  ApproveByBoth();
  Write("rules/strict.yaml", "weaker");
  EXPECT_THAT(LoadPermit(directory_, approvers_, 2), StatusIs(absl::StatusCode::kInvalidArgument, "rules/strict.yaml"));
  std::filesystem::remove(directory_ + "/rules/strict.yaml");
  EXPECT_EQ(LoadPermit(directory_, approvers_, 2).status().code(), absl::StatusCode::kNotFound);
  Write("permit.yaml", SamplePermit());
  EXPECT_EQ(ReasonOf(LoadPermit(directory_, approvers_, 2).status()), "PERMIT_UNSIGNED");
}

TEST_F(PermitFolder, SetFindsByProjectBytesAndDay) {
  ApproveByBoth();
  const auto set = PermitSet::Load({directory_}, approvers_, 2);
  SLUIS_ASSERT_OK(set);
  const Day day = *ParseDay("2026-11-22");
  const auto found = set->Find("sample-project", "", day);
  SLUIS_ASSERT_OK(found);
  SLUIS_EXPECT_OK(set->Find("sample-project", AsChars((*found)->permit.sha256), day));
  EXPECT_EQ(ReasonOf(set->Find("sample-project", std::string(32, 'x'), day).status()), "PERMIT_MISMATCH");
  EXPECT_EQ(ReasonOf(set->Find("other", "", day).status()), "PERMIT_UNKNOWN");
  EXPECT_EQ(ReasonOf(set->Find("sample-project", "", *ParseDay("2028-01-01")).status()), "PERMIT_EXPIRED");
  EXPECT_FALSE(PermitSet::Load({directory_, directory_}, approvers_, 2).ok());
}

TEST_F(PermitFolder, SetFindsUntilRetentionEndsAndOnAnyDay) {
  ApproveByBoth();
  const auto set = PermitSet::Load({directory_}, approvers_, 2);
  SLUIS_ASSERT_OK(set);
  const std::string wrong(32, 'x');
  SLUIS_EXPECT_OK(set->FindRetained("sample-project", "", *ParseDay("2028-01-01")));
  SLUIS_EXPECT_OK(set->FindRetained("sample-project", "", *ParseDay("2028-12-31")));
  EXPECT_EQ(ReasonOf(set->FindRetained("sample-project", "", *ParseDay("2029-01-01")).status()), "RETENTION_ENDED");
  EXPECT_EQ(ReasonOf(set->FindRetained("sample-project", wrong, *ParseDay("2028-01-01")).status()), "PERMIT_MISMATCH");
  SLUIS_EXPECT_OK(set->FindAnyDate("sample-project", ""));
  EXPECT_EQ(ReasonOf(set->FindAnyDate("sample-project", wrong).status()), "PERMIT_MISMATCH");
  EXPECT_EQ(ReasonOf(set->FindAnyDate("other", "").status()), "PERMIT_UNKNOWN");
}

TEST_F(PermitFolder, RolesAreThoseOfThePermitOnly) {
  ApproveByBoth();
  const auto set = PermitSet::Load({directory_}, approvers_, 2);
  SLUIS_ASSERT_OK(set);
  EXPECT_TRUE(set->HasRole("spiffe://example/custodian/population", Role::kCustodian));
  EXPECT_FALSE(set->HasRole("spiffe://example/custodian/population", Role::kRequester));
  EXPECT_TRUE(set->HasRole("spiffe://example/office/statistics", Role::kRequester));
  EXPECT_TRUE(set->HasRole("spiffe://example/gate", Role::kGate));
  EXPECT_FALSE(set->HasRole("spiffe://example/gate", Role::kCustodian));
  for (const char* member : {"spiffe://example/keys", "spiffe://example/linker", "spiffe://example/auditor/court"}) {
    EXPECT_TRUE(set->HasRole(member, Role::kMember));
  }
  EXPECT_FALSE(set->HasRole("spiffe://example/stranger", Role::kMember));
}

}  // namespace
}  // namespace sluis::common
