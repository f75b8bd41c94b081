#include "tests/integration/linker_store_view.h"

#include "common/rpc/config.h"
#include "common/rpc/runtime.h"
#include "common/status/matchers.h"
#include "common/tlog/writer.h"
#include "gtest/gtest.h"
#include "linker/server/linker_service.h"
#include "linker/store/project_keys.h"

namespace sluis::testing {
namespace {

// The register and the delivery or chunk that a key names: PROJECT/a/b/... without the project.
std::vector<std::string> PartsOf(std::string_view key) {
  std::vector<std::string> parts(1);
  for (const char c : key) {
    if (c == '/') {
      parts.emplace_back();
    } else {
      parts.back().push_back(c);
    }
  }
  return parts;
}

class Opener {
 public:
  Opener(const common::Store& store, const linker::ProjectKeys& keys) : reader_(store, keys), keys_(keys) {}

  LinkerStoreView& view() { return view_; }

  // A key of `family` and its value, put in their place in the view.
  void Add(const std::string& family, const std::string& key, const std::string& value) {
    view_.keys.push_back(key);
    if (family == linker::kDeliveries) {
      AddRecord(keys_.OpenRecord(key, value));
    } else if (family == linker::kChunks) {
      AddColumn(key, value);
    } else if (family == linker::kLinkSets && key.starts_with(keys_.LinkSetPrefix())) {
      AddRecord(keys_.OpenRecord(key, value));
    } else if (family == linker::kLinkSets && key.starts_with(keys_.BuildPrefix())) {
      EXPECT_EQ(value, "");
    } else if (family == linker::kLinkSets && key.starts_with(keys_.ComparedPrefix())) {
      EXPECT_EQ(value, "");
    } else if (family == linker::kLinkSets && key.starts_with(keys_.ComparisonPrefix())) {
      AddRecord(keys_.OpenComparison(key, value));
    } else if (family == linker::kLinkSets) {
      AddLinks(key, value);
    } else {
      view_.records.push_back(value);  // not sealed
    }
  }

 private:
  void AddRecord(const absl::StatusOr<std::string>& opened) {
    ASSERT_THAT(opened, common::testing::IsOk());
    view_.records.push_back(*opened);
  }

  void AddColumn(const std::string& key, const std::string& value) {
    const std::size_t number = key.size() - 4;  // binary, so it may hold a '/'
    const std::vector<std::string> parts = PartsOf(std::string_view(key).substr(0, number));
    ASSERT_EQ(parts.size(), 4u);
    const auto delivery = reader_.Delivery({parts[1], parts[2]});
    ASSERT_THAT(delivery, common::testing::IsOk());
    ASSERT_TRUE(delivery->has_value()) << "a chunk without its delivery";
    ASSERT_EQ(parts[3].size(), 1u);
    const auto column = static_cast<linker::Column>(parts[3][0]);
    const auto opened = keys_.OpenColumn(column, key, linker::HeaderDigest((*delivery)->header), value);
    ASSERT_THAT(opened, common::testing::IsOk());
    LinkerStoreView::Register& out = view_.registers[parts[1]];
    switch (column) {
      case linker::Column::kDescription:
        view_.records.push_back(*opened);
        break;
      case linker::Column::kTokens:
        out.tokens += *opened;
        break;
      case linker::Column::kPseudonyms:
        out.pseudonyms += *opened;
        break;
      case linker::Column::kEncodings:
        out.encodings += *opened;
        break;
      case linker::Column::kRows:
        out.rows += *opened;
        break;
      default:
        FAIL() << "an unknown column";
    }
  }

  void AddLinks(const std::string& key, const std::string& value) {
    const std::vector<std::string> parts = PartsOf(std::string_view(key).substr(0, key.size() - 4));
    ASSERT_EQ(parts.size(), 5u);
    ASSERT_EQ(parts[1], "links");
    const auto opened = keys_.OpenLinks(key, value);
    ASSERT_THAT(opened, common::testing::IsOk());
    const auto chunk = linker::DecodeLinkChunk(*opened);
    ASSERT_THAT(chunk, common::testing::IsOk());
    for (const linker::LinkageId& id : chunk->ids) {
      view_.registers[parts[3]].linkage_ids.append(reinterpret_cast<const char*>(id.data()), id.size());
    }
  }

  const linker::ProjectReader reader_;
  const linker::ProjectKeys& keys_;
  LinkerStoreView view_;
};

}  // namespace

LinkerStoreView OpenLinkerStore(const World& world) {
  const auto config = common::LoadServiceConfig(world / "services/linker.yaml");
  EXPECT_THAT(config, common::testing::IsOk());
  const auto keystore = common::OpenServiceKeystore(*config);
  EXPECT_THAT(keystore, common::testing::IsOk());
  const auto entry = (*keystore)->Find(World::kPermitId, common::kStoragePurpose);
  EXPECT_THAT(entry, common::testing::IsOk());
  const auto key = (*keystore)->Secret(entry->id);
  EXPECT_THAT(key, common::testing::IsOk());

  common::RocksDbOptions options;
  options.families = linker::RecordStore::Families();
  options.families.push_back(linker::kRequestFamily);
  for (const std::string& family : common::LogFamilies()) options.families.push_back(family);
  options.format_version = linker::RecordStore::kFormatVersion;
  const auto store = common::OpenRocksDb(config->data_directory(), options);
  EXPECT_THAT(store, common::testing::IsOk());
  const linker::ProjectKeys keys(World::kPermitId, *key);
  Opener opener(**store, keys);
  for (const std::string& family : options.families) {
    EXPECT_THAT((*store)->Scan(family, "", "",
                               [&](std::string_view at, std::string_view value) {
                                 opener.Add(family, std::string(at), std::string(value));
                                 return !::testing::Test::HasFatalFailure();
                               }),
                common::testing::IsOk());
  }
  return opener.view();
}

}  // namespace sluis::testing
