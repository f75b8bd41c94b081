#include "tests/integration/custodian_view.h"

#include "cli/extract/check.h"
#include "cli/extract/code_list.h"
#include "cli/extract/plan.h"
#include "cli/extract/reader.h"
#include "cli/prepare/extract_rows.h"
#include "common/rpc/config.h"
#include "common/rpc/runtime.h"
#include "common/status/matchers.h"
#include "gtest/gtest.h"
#include "keys/oprf/server.h"
#include "linker/encode/match_key.h"
#include "tests/cli/generate/read_country.h"
#include "tests/integration/leak_scan.h"

namespace sluis::testing {
namespace {

constexpr std::size_t kShortest = ByteScan::kShortest;

std::string Group(const std::string& input) {
  static const keys::Suite suite(keys::Mode::kVoprf);
  keys::Element element;
  suite.HashToGroup(input, element);
  return std::string(common::AsChars(element));
}

keys::KeyPair IdentifierKey(const World& world) {
  const auto config = common::LoadServiceConfig(world / "services/keys.yaml");
  EXPECT_THAT(config, common::testing::IsOk());
  const auto keystore = common::OpenServiceKeystore(*config);
  EXPECT_THAT(keystore, common::testing::IsOk());
  const auto entry = (*keystore)->Find(World::kPermitId, "identifiers");
  EXPECT_THAT(entry, common::testing::IsOk());
  auto pair = keys::KeyPair::FromScalar(*(*keystore)->Secret(entry->id));
  EXPECT_THAT(pair, common::testing::IsOk());
  return *std::move(pair);
}

class Reader {
 public:
  Reader(const World& world, const common::Permit& permit, const common::PermitRegister& schema,
         const keys::KeyPair& key)
      : world_(world), permit_(permit), schema_(schema), key_(key) {}

  CustodianView Read(const std::string& file, char delimiter) {
    view_.name = schema_.name;
    view_.text = cli::testing::ReadContent(world_ / file);
    AddTexts(cli::testing::ParseTable(view_.text, delimiter), delimiter);
    AddRecords(world_ / file);
    return std::move(view_);
  }

 private:
  void AddTexts(const cli::testing::Table& table, char delimiter) {
    for (const std::vector<std::string>& row : table.rows) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        if (row[i].size() >= kShortest) view_.values.insert(row[i]);
        if (i == 0 || row[i].empty() || row[i - 1].empty()) continue;
        const std::string both = row[i - 1] + delimiter + row[i];
        if (both.size() >= kShortest) view_.neighbours.insert(both);
      }
    }
  }

  std::shared_ptr<const cli::ExtractPlan> Plan() const {
    const auto attachment = [&](const std::string& name) { return ReadWhole(world_ / ("permit/" + name)); };
    const auto schema = common::Schema::Parse(attachment(schema_.schema));
    EXPECT_THAT(schema, common::testing::IsOk());
    cli::CodeLists lists;
    for (const common::PermitField& field : schema_.fields) {
      if (!field.code_list.empty()) lists[field.code_list] = *cli::ParseCodeList(attachment(field.code_list));
    }
    const auto plan = cli::ExtractPlan::Make(*schema, permit_, schema_.name, std::move(lists));
    EXPECT_THAT(plan, common::testing::IsOk());
    return *plan;
  }

  void AddRecords(const std::string& path) {
    const auto reader = cli::ExtractReader::Open(path, Plan(), {});
    ASSERT_THAT(reader, common::testing::IsOk());
    auto rows = cli::ExtractRows::Make(**reader, permit_);
    ASSERT_THAT(rows, common::testing::IsOk());
    std::string elements;  // of the BSNs, in the order of `records`
    std::vector<int> records;
    cli::SourceRow row;
    for (int record = 0;; ++record) {
      const auto more = rows->Next(row);
      ASSERT_THAT(more, common::testing::IsOk());
      if (!*more) break;
      AddRow(std::string(row.attributes));
      for (std::size_t k = 0; k < schema_.match_keys.size(); ++k) {
        const common::MatchKey* key = permit_.FindMatchKey(schema_.match_keys[k]);
        const auto input = linker::MatchKeyInput(*key, row.components[k]);
        ASSERT_THAT(input, common::testing::IsOk());
        if (!input->has_value()) continue;
        const std::string element = Group(**input);
        view_.inputs.insert({**input, element});
        if (key->name != "bsn") continue;
        elements += element;
        records.push_back(record);
      }
    }
    if (!records.empty()) AddPseudonyms(elements, records);
  }

  // A row's attributes stand side by side; parts of less than six bytes are too short to be looked for.
  void AddRow(const std::string& attributes) {
    std::vector<std::size_t> ends = {0};
    for (const common::PermitField& field : schema_.fields) {
      if (field.type == common::FieldType::kToken) {
        ASSERT_EQ(ends.size(), 1u) << "a token is expected to come first";
        ends[0] = common::FieldWidth(field.type);
      } else {
        ends.push_back(ends.back() + common::FieldWidth(field.type));
      }
    }
    ASSERT_EQ(ends.back(), attributes.size());
    view_.rows.push_back(attributes.substr(ends[0]));
    for (std::size_t i = 0; i < ends.size(); ++i) {
      for (std::size_t j = i + 1; j < ends.size(); ++j) {
        if (ends[j] - ends[i] >= kShortest) view_.row_parts.insert(attributes.substr(ends[i], ends[j] - ends[i]));
      }
    }
  }

  void AddPseudonyms(const std::string& elements, const std::vector<int>& records) {
    const auto pseudonyms = keys::BlindEvaluate(key_, elements);
    ASSERT_THAT(pseudonyms, common::testing::IsOk());
    std::map<std::string, int> count;
    for (std::size_t i = 0; i < records.size(); ++i) {
      const std::string pseudonym = pseudonyms->substr(i * keys::kElementSize, keys::kElementSize);
      view_.record_of_person[pseudonym] = records[i];
      ++count[pseudonym];
    }
    std::erase_if(view_.record_of_person, [&](const auto& entry) { return count[entry.first] > 1; });
  }

  const World& world_;
  const common::Permit& permit_;
  const common::PermitRegister& schema_;
  const keys::KeyPair& key_;
  CustodianView view_;
};

}  // namespace

std::vector<CustodianView> ReadCustodians(const World& world, const std::string& directory) {
  const common::Permit permit = world.Permit();
  const keys::KeyPair key = IdentifierKey(world);
  const std::vector<std::pair<std::string, char>> files = {{"persons.csv", ','},
                                                           {"jobs.csv", ';'},
                                                           {"benefits.tsv.gz", '\t'},
                                                           {"diplomas.csv.zst", ','},
                                                           {"civic.csv", ','}};
  std::vector<CustodianView> views;
  EXPECT_EQ(permit.registers.size(), files.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    views.push_back(
        Reader(world, permit, permit.registers[i], key).Read(directory + "/" + files[i].first, files[i].second));
  }
  return views;
}

}  // namespace sluis::testing
