#include "tests/linker/store/country.h"

#include <algorithm>

#include "common/crypto/crypto.h"
#include "common/status/status.h"

namespace sluis::linker::testing {

const common::SigningKey& CustodianKey() {
  static const common::SigningKey key =
      common::SigningKey::FromSeed(common::SecretBytes::CopyOf(common::AsBytes(std::string(32, 'c'))));
  return key;
}

common::Permit ExamplePermit() {
  common::Permit permit;
  permit.id = "integration-2025";
  permit.sha256 = common::Sha256("permit");
  permit.max_link_sets = 100'000;  // no test reaches it by chance
  for (const char* name : {"bsn", "birth_sex_name"}) {
    permit.match_keys.push_back({.name = name, .purpose = "identifiers", .components = {}});
  }
  for (const char* name : {"persons", "jobs", "benefits"}) {
    common::PermitRegister& added = permit.registers.emplace_back();
    added.name = name;
    added.schema = std::string("schemas/") + name + ".json";
    added.max_records = 10'000'000;
    added.custodian_key = CustodianKey().public_key;
    added.match_keys = {"bsn", "birth_sex_name"};
    permit.attachments.push_back({added.schema, common::Sha256(added.schema)});
  }
  permit.registers[0].backbone = true;
  permit.registers[1].many_per_person = true;
  permit.registers[2].match_keys = {"bsn"};
  return permit;
}

std::string PseudonymOf(std::uint64_t number) {
  if (number == 0) {
    return std::string(kPseudonymBytes, '\0');
  }
  return std::string(common::AsChars(common::Sha256("pseudonym" + std::to_string(number))));
}

Extract MakeExtract(const std::string& register_name, const std::string& delivery_id, const std::vector<Keys>& records,
                    std::uint32_t chunk_records, const std::string& replaces) {
  const common::Permit permit = ExamplePermit();
  const common::PermitRegister& named = *permit.FindRegister(register_name);
  Extract extract;
  extract.header = {.delivery_id = delivery_id,
                    .replaces = replaces,
                    .permit_id = permit.id,
                    .permit_sha256 = permit.sha256,
                    .register_name = register_name,
                    .records = records.size(),
                    .match_keys = named.match_keys,
                    .row_bytes = kRowBytes,
                    .sealed_data_key = "sealed data key of " + delivery_id,
                    .schema_sha256 = permit.FindAttachment(named.schema)->sha256,
                    .manifest_sha256 = common::Sha256("manifest of " + delivery_id),
                    .signature = ""};
  extract.header.signature = common::SignDelivery(StatementOf(extract.header), CustodianKey());
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (i % chunk_records == 0) {
      extract.pseudonyms.emplace_back();
      extract.rows.emplace_back();
    }
    for (std::size_t k = 0; k < named.match_keys.size(); ++k) {
      extract.pseudonyms.back() += PseudonymOf(records[i][k]);
    }
    std::string row = "sealed row " + delivery_id + " " + std::to_string(i);
    row.resize(kRowBytes, '.');
    extract.rows.back() += row;
  }
  return extract;
}

Chunk Extract::ChunkAt(std::uint32_t number) const {
  return {static_cast<std::uint32_t>(rows[number].size() / header.row_bytes), pseudonyms[number], rows[number],
          encodings.empty() ? std::string_view() : encodings[number]};
}

common::Hash256 Extract::Digest() const {
  std::vector<common::Hash256> digests;
  for (std::uint32_t number = 0; number < chunks(); ++number) {
    digests.push_back(ChunkDigest(number, ChunkAt(number)));
  }
  return DeliveryDigest(HeaderDigest(header), digests);
}

absl::Status Append(RecordStore& store, const Extract& extract, std::uint32_t number, Durability durability) {
  const Chunk chunk = extract.ChunkAt(number);
  return store.AppendChunk(extract.name(), number, ChunkDigest(number, chunk), chunk, kNow + number, durability)
      .status();
}

absl::Status Commit(RecordStore& store, const Extract& extract) {
  SLUIS_ASSIGN_OR_RETURN(PreparedDelivery prepared,
                         store.PrepareCommit(extract.name(), extract.header.records, extract.Digest(), kNow));
  return store.Finish(std::move(prepared.change));
}

absl::Status Upload(RecordStore& store, const Extract& extract, const common::Permit& permit) {
  SLUIS_RETURN_IF_ERROR(store.BeginUpload(extract.header, permit, kNow).status());
  for (std::uint32_t number = 0; number < extract.chunks(); ++number) {
    SLUIS_RETURN_IF_ERROR(Append(store, extract, number, Durability::kDeferred));
  }
  return Commit(store, extract);
}

common::SecretBytes StorageKey() {
  return common::SecretBytes::CopyOf(common::AsBytes("0123456789abcdef0123456789abcdef"));
}

std::vector<std::pair<std::string, std::string>> Everything(const common::Store& store) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const std::string& family : RecordStore::Families()) {
    store
        .Scan(family, ExamplePermit().id, {},
              [&](std::string_view key, std::string_view value) {
                all.emplace_back(family + "/" + std::string(key), std::string(value));
                return true;
              })
        .IgnoreError();
  }
  return all;
}

std::vector<std::string> KeysWith(const common::Store& store, std::string_view family, const std::string& fragment) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : Everything(store)) {
    if (key.starts_with(std::string(family) + "/") && key.find(fragment) != std::string::npos) {
      keys.push_back(key);
    }
  }
  return keys;
}

absl::Status FailingStore::Write(const common::WriteBatch& batch, bool sync) {
  if (writes_left && (*writes_left)-- <= 0) {
    return absl::ResourceExhaustedError("store: the disk is full");
  }
  return store_.Write(batch, sync);
}

}  // namespace sluis::linker::testing
