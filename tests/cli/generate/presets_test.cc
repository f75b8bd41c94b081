#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cli/generate/generate.h"
#include "cli/generate/places.h"
#include "cli/generate/population.h"
#include "cli/generate/registers.h"
#include "common/csv/csv_reader.h"
#include "common/permit/permit.h"
#include "common/schema/schema.h"
#include "common/schema/value.h"
#include "common/status/matchers.h"
#include "disclosure/table/attachment_csv.h"
#include "disclosure/table/hierarchy.h"
#include "gtest/gtest.h"
#include "tests/cli/generate/read_country.h"

// The presets and the demonstration's schemas fit the synthetic country.

namespace sluis::cli {
namespace {

using disclosure::Hierarchy;

std::string ReadDeployFile(const std::string& name) {
  const char* source = std::getenv("SLUIS_SOURCE_DIR");
  std::ifstream file((source != nullptr ? std::string(source) : ".") + "/deploy/" + name, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << name;
  return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

Hierarchy ReadHierarchy(const std::string& name) {
  auto hierarchy = Hierarchy::Parse(ReadDeployFile("presets/hierarchies/" + name), name);
  EXPECT_THAT(hierarchy, common::testing::IsOk()) << name;
  return *std::move(hierarchy);
}

std::map<std::string, std::string> ReadCodeList(const std::string& name) {
  const auto records =
      disclosure::ReadAttachmentCsv(ReadDeployFile("presets/code-lists/" + name), name, {"from", "to"});
  EXPECT_THAT(records, common::testing::IsOk()) << name;
  std::map<std::string, std::string> list;
  for (const auto& record : *records) {
    EXPECT_TRUE(list.emplace(record[0], record[1]).second) << record[0] << " stands twice";
  }
  return list;
}

void ExpectLeaves(const Hierarchy& hierarchy, const std::set<std::string>& codes) {
  for (const std::string& code : codes) {
    const auto node = hierarchy.Find(code);
    ASSERT_TRUE(node.has_value()) << code;
    EXPECT_TRUE(hierarchy.nodes()[static_cast<std::size_t>(*node)].is_leaf) << code;
  }
}

TEST(CountryToOrigin, GivesEveryCountryOfTheGeneratorItsOrigin) {
  const auto list = ReadCodeList("country-to-origin-2022.csv");
  for (const Country& country : Countries()) {
    ASSERT_EQ(list.count(std::string(country.code)), 1u) << country.code;
    EXPECT_EQ(list.at(std::string(country.code)), kOriginCodes[static_cast<std::size_t>(country.origin)]);
  }
}

TEST(CountryToOrigin, HoldsTheGroupsThatAreOftenMistaken) {
  const auto list = ReadCodeList("country-to-origin-2022.csv");
  for (const char* code : {"CYP", "RUS", "MDA", "UKR"}) {
    EXPECT_EQ(list.at(code), "EUR_XNL") << code;
  }
  for (const char* code : {"ARM", "AZE", "GEO", "KAZ"}) {
    EXPECT_EQ(list.at(code), "ASI_XIDNTUR") << code;
  }
  for (const char* code : {"ABW", "CUW", "SXM", "BES", "ANT"}) {
    EXPECT_EQ(list.at(code), "DCAR") << code;
  }
  EXPECT_EQ(list.at("UNK"), "UNK");
  EXPECT_EQ(list.at("NLD"), "NLD");
  EXPECT_EQ(list.count("SUN"), 0u);
}

TEST(CountryToOrigin, LeadsToLeavesOfTheHierarchyAndReachesAll) {
  std::set<std::string> reached;
  for (const auto& [from, to] : ReadCodeList("country-to-origin-2022.csv")) {
    EXPECT_EQ(from.size(), 3u);
    reached.insert(to);
  }
  const Hierarchy hierarchy = ReadHierarchy("origin-cbs-2022.csv");
  ExpectLeaves(hierarchy, reached);
  EXPECT_EQ(reached.size(), static_cast<std::size_t>(hierarchy.num_leaves()));
}

std::set<std::string> CodesBelow(const Hierarchy& hierarchy, const std::string& code) {
  const Hierarchy::Node& node = hierarchy.nodes()[static_cast<std::size_t>(*hierarchy.Find(code))];
  std::set<std::string> codes;
  for (auto leaf = node.leaf_begin; leaf < node.leaf_end; ++leaf) {
    codes.insert(hierarchy.nodes()[static_cast<std::size_t>(hierarchy.LeafNode(leaf))].code);
  }
  return codes;
}

TEST(OriginCountries, AreThoseOfTheCodeListBelowTheirGroups) {
  const Hierarchy groups = ReadHierarchy("origin-cbs-2022.csv");
  const Hierarchy countries = ReadHierarchy("origin-countries-2022.csv");
  std::map<std::string, std::set<std::string>> due;
  for (const auto& [from, to] : ReadCodeList("country-to-origin-2022.csv")) due[to].insert(from);
  for (const auto& [group, members] : due) EXPECT_EQ(CodesBelow(countries, group), members) << group;
  for (const Hierarchy::Node& node : groups.nodes()) EXPECT_TRUE(countries.Find(node.code).has_value()) << node.code;
}

TEST(OriginCountries, GroupingsHaveTheSameLeavesAndOverlap) {
  const Hierarchy countries = ReadHierarchy("origin-countries-2022.csv");
  const Hierarchy union_of_2020 = ReadHierarchy("origin-eu-27.csv");
  const Hierarchy soviet = ReadHierarchy("origin-former-soviet-union.csv");
  EXPECT_EQ(CodesBelow(union_of_2020, "_T"), CodesBelow(countries, "_T"));
  EXPECT_EQ(CodesBelow(soviet, "_T"), CodesBelow(countries, "_T"));
  const std::set<std::string> eu = CodesBelow(union_of_2020, "EU26_XNL"), fsu = CodesBelow(soviet, "FSU");
  EXPECT_EQ(eu.size(), 26u);
  EXPECT_EQ(fsu.size(), 15u);
  std::set<std::string> both;
  std::set_intersection(eu.begin(), eu.end(), fsu.begin(), fsu.end(), std::inserter(both, both.end()));
  EXPECT_EQ(both, (std::set<std::string>{"EST", "LTU", "LVA"}));
}

TEST(MunicipalityToProvince, IsTheGeneratorsListAndLeadsToProvinces) {
  const auto list = ReadCodeList("municipality-to-province.csv");
  ASSERT_EQ(list.size(), Municipalities().size());
  std::set<std::string> provinces;
  for (const Municipality& place : Municipalities()) {
    EXPECT_EQ(list.at(std::string(place.code)), place.province);
    provinces.insert(std::string(place.province));
  }
  const Hierarchy hierarchy = ReadHierarchy("region-nl.csv");
  ExpectLeaves(hierarchy, provinces);
  EXPECT_EQ(hierarchy.num_leaves(), 12);
}

TEST(MunicipalityToPartOfCountry, IsTheParentOfTheProvince) {
  const Hierarchy whole = ReadHierarchy("region-nl.csv");
  const Hierarchy parts = ReadHierarchy("region-parts-nl.csv");
  const auto provinces = ReadCodeList("municipality-to-province.csv");
  const auto list = ReadCodeList("municipality-to-part-of-country.csv");
  ASSERT_EQ(list.size(), provinces.size());
  std::set<std::string> reached;
  for (const auto& [municipality, province] : provinces) {
    const auto leaf = static_cast<std::size_t>(*whole.Find(province));
    const auto& part = whole.nodes()[static_cast<std::size_t>(whole.nodes()[leaf].parent)];
    EXPECT_EQ(list.at(municipality), part.code);
    const auto same = parts.Find(part.code);
    ASSERT_TRUE(same.has_value()) << part.code;
    EXPECT_EQ(parts.nodes()[static_cast<std::size_t>(*same)].label, part.label);
    reached.insert(part.code);
  }
  ExpectLeaves(parts, reached);
  EXPECT_EQ(parts.num_leaves(), 4);
}

TEST(Hierarchies, HoldTheCodesOfTheRegisters) {
  const std::vector<std::string> ages = common::AgeClassCodes({0, 15, 25, 35, 45, 55, 65, 75});
  const Hierarchy age = ReadHierarchy("age.csv");
  ExpectLeaves(age, {ages.begin(), ages.end()});
  EXPECT_EQ(age.num_leaves(), 8);
  ExpectLeaves(ReadHierarchy("sex.csv"), {"F", "M"});
  ExpectLeaves(ReadHierarchy("yesno.csv"), {"yes", "no"});
  ExpectLeaves(ReadHierarchy("isced.csv"), {"0", "1", "2", "3", "4", "5", "6", "7", "8", disclosure::kUnknownCode});
  ExpectLeaves(ReadHierarchy("residence-ground.csv"), {kGroundCodes.begin(), kGroundCodes.end()});
  ExpectLeaves(ReadHierarchy("benefit-type.csv"), {"UNEMPLOYMENT", "SOCIAL_ASSISTANCE", "DISABILITY", "SURVIVOR"});
  ExpectLeaves(ReadHierarchy("civic-outcome.csv"), {"PASSED", "OPEN", "FAILED", "EXEMPT"});
}

// Every value of every generated file is accepted by the demonstration's schema of it; only numbers with typing errors
// give the warning that they are meant to give.
TEST(DemoSchemas, AcceptEveryValueOfTheGeneratedFiles) {
  const testing::TemporaryDirectory directory;
  GenerateOptions options;
  options.persons = 20'000;
  options.seed = 11;
  options.reference_date = "2026-09-30";
  options.output_directory = directory.path();
  SLUIS_ASSERT_OK(GenerateCountry(options, nullptr));
  for (const RegisterFile& file : RegisterFiles()) {
    const std::string name(file.name);
    const auto schema = common::Schema::Parse(ReadDeployFile("demo-project/schemas/" + name + ".json"));
    SLUIS_ASSERT_OK(schema);
    auto bytes = common::OpenFileSource(directory.path() + "/" + std::string(file.file));
    SLUIS_ASSERT_OK(bytes);
    common::CsvOptions csv;
    csv.delimiter = schema->dialect.delimiter;
    csv.encoding = schema->dialect.encoding;
    auto reader = common::CsvReader::Open(*std::move(bytes), csv);
    SLUIS_ASSERT_OK(reader);
    ASSERT_EQ((*reader)->header().size(), schema->fields.size()) << name;
    std::vector<common::ValueReader> values;
    for (std::size_t i = 0; i < schema->fields.size(); ++i) {
      EXPECT_EQ((*reader)->header()[i], schema->fields[i].name);
      values.emplace_back(schema->fields[i]);
    }
    std::uint64_t rows = 0;
    std::uint64_t typing_errors = 0;
    common::Record record;
    while (true) {
      const auto more = (*reader)->Next(record);
      SLUIS_ASSERT_OK(more);
      if (!*more) {
        break;
      }
      ++rows;
      ASSERT_EQ(record.fault, common::RecordFault::kNone);
      for (std::size_t i = 0; i < values.size(); ++i) {
        common::Value value;
        const common::ValueFault fault = values[i].Read(record.fields[i], value);
        typing_errors += fault == common::ValueFault::kElevenTest ? 1 : 0;
        ASSERT_TRUE(fault == common::ValueFault::kNone || fault == common::ValueFault::kElevenTest)
            << name << " " << schema->fields[i].name << " row " << record.row << " fault " << static_cast<int>(fault);
      }
    }
    EXPECT_GT(rows, 100u) << name;
    EXPECT_LT(typing_errors, rows / 50) << name;
    const bool reads_bsn = std::ranges::any_of(schema->fields, [](const common::SchemaField& field) {
      return field.eleven_test && field.role != common::FieldRole::kIgnore;
    });
    EXPECT_EQ(typing_errors != 0, reads_bsn && name != "persons") << name;
  }
}

}  // namespace
}  // namespace sluis::cli
