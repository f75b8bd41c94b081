#include "tests/linker/server/project.h"

#include <filesystem>
#include <fstream>

#include "common/document/permit_document.h"
#include "common/rpc/runtime.h"
#include "common/rpc/server.h"
#include "common/status/matchers.h"
#include "common/tlog/writer.h"
#include "gtest/gtest.h"
#include "linker/encode/encoding_bytes.h"
#include "linker/encode/permit_plan.h"
#include "tests/common/document/sample_permit.h"
#include "tests/linker/store/people.h"

namespace sluis::linker::testing {
namespace {

constexpr std::uint64_t kRecords = 150;
constexpr std::uint32_t kPaddedRowBytes = 64;

common::SigningKey KeyOf(char seed) {
  return common::SigningKey::FromSeed(common::SecretBytes::CopyOf(common::AsBytes(std::string(32, seed))));
}

void Replace(std::string& document, const std::string& from, const std::string& to) {
  const std::size_t at = document.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  document.replace(at, from.size(), to);
}

void AddSimilarity(std::string& document) {
  const std::string features =
      "\n    features: [{feature: first_name}, {feature: surname}, {feature: birth_date}, {feature: street}, "
      "{feature: postcode}]";
  for (const std::string records : {"max_records: 1000", "max_records: 2000"}) {
    Replace(document, records + "\n", records + features + "\n");
  }
  Replace(
      document, "\nmatch_keys:\n",
      "\nsimilarity: {profile: RECORD_LEVEL, features: [{name: first_name, kind: NAME}, {name: surname, kind: NAME}, "
      "{name: birth_date, kind: DATE}, {name: street, kind: TEXT}, {name: postcode, kind: DIGITS}]}\nmatch_keys:\n");
  const std::string key = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
  Replace(document, "match-keys: " + key, "match-keys: " + key + "\n    tokens: " + key);
}

std::string Base64Of(const common::SigningKey& key) { return common::Base64Encode(common::AsChars(key.public_key)); }

}  // namespace

Project::Project(const Terms& terms, const RecordStoreOptions& options) {
  LoadPermit(terms);
  std::vector<std::string> families = RecordStore::Families();
  families.push_back(kRequestFamily);
  for (const std::string& family : common::LogFamilies()) families.push_back(family);
  memory = common::MakeMemoryStore(families);
  store = std::make_unique<FailingStore>(*memory);
  EXPECT_TRUE(common::Metrics::Open("", metrics).ok());
  auto writer = common::LogWriter::Open(*store, "example.org/linker", KeyOf('l'), "");
  EXPECT_TRUE(writer.ok());
  log = *common::ServiceLog::Open(*std::move(writer), *metrics);
  const std::string key_file = directory_ / "key";
  std::ofstream(key_file, std::ios::binary) << std::string(32, 'k');
  std::filesystem::permissions(key_file, std::filesystem::perms::owner_read);
  keystore = *common::Keystore::Create(directory_ / "keystore", common::UnlockSource::KeyFile(key_file));
  common::KeyEntry entry;
  entry.id = permit().id + "/" + common::kStoragePurpose;
  entry.project = permit().id;
  entry.purpose = common::kStoragePurpose;
  entry.created_unix_seconds = 1;
  EXPECT_TRUE(keystore->Add(entry, StorageKey()).ok());
  if (!common::RetentionEnded(permit(), common::Today())) {
    stores[permit().id] = std::make_unique<RecordStore>(*store, permit().id, StorageKey(), options);
  }
}

void Project::LoadPermit(const Terms& terms) {
  const auto day = [](int from_today) { return common::FormatDay(common::Today() + from_today); };
  std::string document = common::testing::SamplePermit();
  Replace(document, "not_before: 2026-01-01", "not_before: " + day(-100));
  Replace(document, "not_after: 2027-12-31", "not_after: " + day(terms.not_after));
  Replace(document, "retention_end: 2028-12-31", "retention_end: " + day(terms.retention_end));
  Replace(document, "max_link_sets: 12", "max_link_sets: " + std::to_string(terms.max_link_sets));
  Replace(document, "CwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCws=", Base64Of(KeyOf('p')));
  Replace(document, "DAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw=", Base64Of(KeyOf('j')));
  if (terms.similarity) AddSimilarity(document);
  for (const std::string name :
       {"schemas/persons.json", "schemas/jobs.json", "hierarchies/sex.csv", "rules/strict.yaml"}) {
    const std::filesystem::path path(directory_ / "permit/" + name);
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << name;
    Replace(document, name + ", sha256: " + std::string(64, '0'),
            name + ", sha256: " + common::HexEncode(common::AsChars(common::Sha256(name))));
  }
  std::ofstream(directory_ / "permit/permit.yaml", std::ios::binary) << document;
  const std::string folder = directory_ / "permit";
  std::vector<common::Approver> approvers;
  for (const char* name : {"anna", "bram"}) {
    const common::SigningKey key = common::SigningKey::Generate();
    EXPECT_TRUE(common::ApprovePermit(folder, name, key).ok());
    approvers.push_back({name, key.public_key});
  }
  auto loaded = common::PermitSet::Load({folder}, approvers, 2);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  permits = std::make_unique<common::PermitSet>(*std::move(loaded));
}

RecordStore* Project::records() const {
  const auto found = stores.find(permit().id);
  return found == stores.end() ? nullptr : found->second.get();
}

DeliveryHeader Project::Header(const std::string& register_name, const std::string& delivery_id,
                               const std::string& replaces) const {
  const common::PermitRegister& named = *permit().FindRegister(register_name);
  DeliveryHeader header;
  header.delivery_id = delivery_id;
  header.replaces = replaces;
  header.permit_id = permit().id;
  header.permit_sha256 = permit().sha256;
  header.register_name = register_name;
  header.records = kRecords;
  header.match_keys = named.match_keys;
  header.row_bytes = kPaddedRowBytes;
  header.sealed_data_key = "sealed data key";
  header.schema_sha256 = permit().FindAttachment(named.schema)->sha256;
  if (permit().similarity.has_value()) {
    const EncodingPlan plan = *PlanOf(permit());
    header.encoding_plan_sha256 = plan.Digest();
    header.encoding_bytes = static_cast<std::uint32_t>(EncodingBytes(plan));
  }
  Sign(header);
  return header;
}

void Project::Sign(DeliveryHeader& header) const {
  header.signature = common::SignDelivery(StatementOf(header), KeyOf(header.register_name == "persons" ? 'p' : 'j'));
}

void Project::Deliver(const std::string& register_name, const std::string& delivery_id, const std::string& replaces) {
  const DeliveryHeader header = Header(register_name, delivery_id, replaces);
  const bool similarity = permit().similarity.has_value();
  std::string pseudonyms, encodings;
  for (std::uint64_t record = 0; record < kRecords; ++record) {
    const bool absent = similarity && register_name == "jobs" && record % 2 == 0;
    for (std::size_t key = 0; key < header.match_keys.size(); ++key) {
      pseudonyms += absent ? std::string(kPseudonymBytes, '\0') : PseudonymOf(record + 1);
    }
  }
  if (similarity) encodings = EncodeBy(*PlanOf(permit()), MakePeople(kRecords, 3), register_name);
  const std::string rows(kRecords * kPaddedRowBytes, 'r');
  const Chunk chunk{kRecords, pseudonyms, rows, encodings};
  const common::Hash256 digest = ChunkDigest(0, chunk);
  const DeliveryName name{register_name, delivery_id};
  SLUIS_ASSERT_OK(records()->BeginUpload(header, permit(), kNow));
  SLUIS_ASSERT_OK(records()->AppendChunk(name, 0, digest, chunk, kNow, Durability::kSynced));
  const std::vector<common::Hash256> digests = {digest};
  auto prepared = records()->PrepareCommit(name, kRecords, DeliveryDigest(HeaderDigest(header), digests), kNow);
  SLUIS_ASSERT_OK(prepared);
  SLUIS_ASSERT_OK(records()->Finish(std::move(prepared->change)));
}

std::vector<common::Entry> Project::Entries(std::string_view type) const {
  std::vector<common::Entry> entries;
  for (std::uint64_t i = 0; i < log->writer().size(); ++i) {
    common::Entry entry = *common::ParseEntry(*log->writer().Entry(i));
    if (entry.type == type) entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace sluis::linker::testing
