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
