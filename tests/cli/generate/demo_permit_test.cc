#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>

#include "absl/strings/str_replace.h"
#include "common/crypto/crypto.h"
#include "common/document/permit_document.h"
#include "common/document/yaml.h"
#include "common/status/matchers.h"
#include "disclosure/table/hierarchy.h"
#include "disclosure/table/plan.h"
#include "disclosure/table/request.h"
#include "gtest/gtest.h"
#include "proto/sluis/disclosure/v1/rule_set.pb.h"
#include "proto/sluis/disclosure/v1/table_request.pb.h"

// The demonstration's permit and the rule sets can be read, and the permit's parts fit each other.

namespace sluis::cli {
namespace {

std::string SourceDirectory() {
  const char* source = std::getenv("SLUIS_SOURCE_DIR");
  return source != nullptr ? source : ".";
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

// The file that an attachment of the demonstration is a copy of.
std::string AttachmentBytes(const std::string& name) {
  const bool schema = name.compare(0, 8, "schemas/") == 0;
  return ReadFile(SourceDirectory() + (schema ? "/deploy/demo-project/" : "/deploy/presets/") + name);
}

// Fills the template as deploy/world does, with keys of our own.
std::string FilledPermit() {
  const std::string key(43, 'A');  // 32 bytes of zero, with the padding below
  std::string document = absl::StrReplaceAll(ReadFile(SourceDirectory() + "/deploy/demo-project/permit.template.yaml"),
                                             {{"@OPRF_IDENTIFIERS@", key + "="},
                                              {"@OPRF_MATCH_KEYS@", key + "="},
                                              {"@OPRF_TOKENS@", key + "="},
                                              {"@GATE_SEALING_KEY@", key + "="},
                                              {"@AUDITOR_SEALING_KEY@", key + "="},
                                              {"@LOG_KEYS@", "keys"},
                                              {"@LOG_LINKER@", "linker"},
                                              {"@LOG_GATE@", "gate"}});
  // No two custodians may share a key.
  char letter = 'B';
  for (const std::string custodian : {"population", "employment", "benefits", "education"}) {
    absl::StrReplaceAll({{"@CUSTODIAN_KEY:" + custodian + "@", std::string(42, letter++) + "A="}}, &document);
  }
  static const std::string kMark = "@SHA256:";
  for (std::size_t at = document.find(kMark); at != std::string::npos; at = document.find(kMark)) {
    const std::size_t end = document.find('@', at + kMark.size());
    const std::string name = document.substr(at + kMark.size(), end - at - kMark.size());
    std::string digest;
    for (const std::uint8_t byte : common::Sha256(AttachmentBytes(name))) {
      digest += "0123456789abcdef"[byte >> 4];
      digest += "0123456789abcdef"[byte & 15];
    }
    document.replace(at, end + 1 - at, digest);
  }
  return document;
}

TEST(DemoPermit, IsValidOnceFilledAndLeavesNoPlaceholder) {
  const std::string document = FilledPermit();
  EXPECT_EQ(document.find('@'), std::string::npos);
  const auto permit = common::ParsePermit(document);
  SLUIS_ASSERT_OK(permit);
  EXPECT_EQ(permit->id, "nl-integration-demo");
  EXPECT_EQ(permit->registers.size(), 5u);
  EXPECT_EQ(permit->Backbone().name, "persons");
  for (const common::PermitAttachment& attachment : permit->attachments) {
    EXPECT_EQ(attachment.sha256, common::Sha256(AttachmentBytes(attachment.name))) << attachment.name;
  }
}

TEST(DemoPermit, EveryCodeOfAFieldIsALeafOfEachHierarchyItFills) {
  const auto permit = common::ParsePermit(FilledPermit());
  SLUIS_ASSERT_OK(permit);
  for (const common::PermitDimension& dimension : permit->dimensions) {
    const auto hierarchy = disclosure::Hierarchy::Parse(AttachmentBytes(dimension.hierarchy), dimension.hierarchy);
    SLUIS_ASSERT_OK(hierarchy);
    for (const std::string& reference : dimension.fields) {
      const std::size_t dot = reference.find('.');
      for (const common::PermitField& field : permit->FindRegister(reference.substr(0, dot))->fields) {
        if (field.name == reference.substr(dot + 1)) {
          SLUIS_EXPECT_OK(hierarchy->LeavesOf(field.codes, dimension.name));
        }
      }
    }
  }
}

// The request of tables/work-by-origin.yaml, as the gate plans it: 15 origins, 3 sexes, 8 ages and 5 regions.
TEST(DemoPermit, AllowsTheTableOfTheDemonstration) {
  const auto permit = common::ParsePermit(FilledPermit());
  SLUIS_ASSERT_OK(permit);
  std::map<std::string, std::string> attachments;
  for (const common::PermitAttachment& attachment : permit->attachments) {
    attachments[attachment.name] = AttachmentBytes(attachment.name);
  }
  const auto day = common::ParseDay("2026-09-30");
  SLUIS_ASSERT_OK(day);
  const disclosure::SpellFilter covering{.start = "start", .end = "end", .date = *day};
  disclosure::TableRequest request{
      .id = "work-by-origin", .permit_id = permit->id, .purpose = "test", .link_set = "latest"};
  request.rule_set = permit->rule_set;
  request.variables = {
      {"origin", disclosure::Origin2022{.own = "persons.origin_own",
                                        .mother = "persons.origin_mother",
                                        .father = "persons.origin_father",
                                        .home = "NLD",
                                        .unknown = "UNK"}},
      {"sex", disclosure::FieldValue{"persons.sex"}},
      {"age", disclosure::FieldValue{"persons.age_class"}},
      {"region", disclosure::FieldValue{"persons.region"}},
      {"in_work", disclosure::RowSummary{.register_name = "jobs", .covering = covering}},
      {"benefits_origin", disclosure::FieldValue{"benefits.origin"}},
      {"civic_origin", disclosure::FieldValue{"civic.origin"}},
  };
  request.tables = {{.name = "work",
                     .population = {{"age", "age", {"Y15-74"}}, {"paid_work", "in_work", {"yes"}}},
                     .dimensions = {{"origin", "origin"}, {"sex", "sex"}, {"age", "age"}, {"region", "region"}},
                     .measures = {{.measure = "persons"}, {.measure = "wages", .covering = covering}}}};
  request.linkage_rates = {{"benefits", disclosure::TableDimension{"origin", "benefits_origin"}},
                           {"civic", disclosure::TableDimension{"origin", "civic_origin"}},
                           {"jobs", std::nullopt},
                           {"diplomas", std::nullopt}};
  const auto plan = disclosure::PlanTables(request, *permit, attachments, disclosure::PlanLimits{});
  SLUIS_ASSERT_OK(plan);
  ASSERT_EQ(plan->tables.size(), 5u);
  // The total of ages keeps its one child Y15-74, and that its six classes.
  EXPECT_EQ(plan->tables[0].Cells(), 15 * 3 * 8 * 5);
}

TEST(DemoRequest, IsReadStrictlyAndFitsThePermit) {
  disclosure::v1::TableRequest request;
  SLUIS_ASSERT_OK(
      common::ParseYaml(ReadFile(SourceDirectory() + "/deploy/demo-project/tables/work-by-origin.yaml"), request));
  const auto permit = common::ParsePermit(FilledPermit());
  SLUIS_ASSERT_OK(permit);
  EXPECT_EQ(request.permit_id(), permit->id);
  EXPECT_EQ(request.rule_set(), permit->rule_set);
  EXPECT_EQ(request.tables_size(), 1);
  EXPECT_EQ(request.linkage_rates_size(), 4);
}

TEST(RuleSets, AreReadStrictlyAndNamedAfterTheirFiles) {
  int read = 0;
  int suppressing = 0;
  for (const auto& entry : std::filesystem::directory_iterator(SourceDirectory() + "/deploy/presets/rules")) {
    disclosure::v1::RuleSet rules;
    SLUIS_ASSERT_OK(common::ParseYaml(ReadFile(entry.path().string()), rules));
    EXPECT_EQ(rules.id(), entry.path().stem().string());
    EXPECT_FALSE(rules.source().empty());
    EXPECT_TRUE(common::ParseDay(rules.as_of()).ok()) << rules.id();
    ++read;
    // Rule sets of other methods alone have no rule that makes cells sensitive.
    if (!rules.has_minimum_frequency()) {
      EXPECT_GT(rules.methods_size(), 0) << rules.id();
      continue;
    }
    ++suppressing;
    EXPECT_GE(rules.minimum_frequency().threshold(), 3u);
    EXPECT_GE(rules.minimum_frequency().count_range(), 1u);
    EXPECT_GE(rules.minimum_frequency().amount_range_percent(), 1u);
    EXPECT_LE(rules.dominance_size(), 2);
  }
  EXPECT_GE(read, 12);
  EXPECT_GE(suppressing, 6);
}

TEST(RuleSets, RefuseAnUnknownField) {
  disclosure::v1::RuleSet rules;
  EXPECT_FALSE(common::ParseYaml("id: x\nminimum_frequency: {threshold: 10, treshold: 3}\n", rules).ok());
}

}  // namespace
}  // namespace sluis::cli
