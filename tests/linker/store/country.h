#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/permit/permit.h"
#include "linker/store/record_store.h"

// A small project for tests of the linker's store: a permit, and deliveries under it.

namespace sluis::linker::testing {

inline constexpr std::int64_t kNow = 1'700'000'000;
inline constexpr std::uint32_t kRowBytes = 48;

// Persons (backbone), jobs (many per person) and benefits, with match keys "bsn" and "birth_sex_name"; benefits lack
// the second.
common::Permit ExamplePermit();
// Signs the deliveries of all three registers.
const common::SigningKey& CustodianKey();

// One record: a person's number under each match key of the register, 0 = absent.
using Keys = std::vector<std::uint64_t>;

// A delivery, ready to be uploaded. The pseudonym of number n under a key is 32 bytes made of n alone.
struct Extract {
  DeliveryHeader header;
  std::vector<std::string> pseudonyms;  // by chunk
  std::vector<std::string> rows;        // by chunk
  std::vector<std::string> encodings;   // by chunk; empty: none

  std::uint32_t chunks() const { return static_cast<std::uint32_t>(pseudonyms.size()); }
  Chunk ChunkAt(std::uint32_t number) const;
  common::Hash256 Digest() const;
  DeliveryName name() const { return {header.register_name, header.delivery_id}; }
};
Extract MakeExtract(const std::string& register_name, const std::string& delivery_id, const std::vector<Keys>& records,
                    std::uint32_t chunk_records = 4, const std::string& replaces = "");
std::string PseudonymOf(std::uint64_t number);

absl::Status Append(RecordStore& store, const Extract& extract, std::uint32_t number,
                    Durability durability = Durability::kSynced);
absl::Status Commit(RecordStore& store, const Extract& extract);
// Begin, all chunks, commit.
absl::Status Upload(RecordStore& store, const Extract& extract, const common::Permit& permit = ExamplePermit());

common::SecretBytes StorageKey();

// What the store holds, as "family/key" -> value.
std::vector<std::pair<std::string, std::string>> Everything(const common::Store& store);
// The keys of a family that hold `fragment`.
std::vector<std::string> KeysWith(const common::Store& store, std::string_view family, const std::string& fragment);

// A store whose Write fails without writing when `writes_left` is 0; counts it down before.
class FailingStore : public common::Store {
 public:
  explicit FailingStore(common::Store& store) : store_(store) {}
  std::optional<int> writes_left;

  absl::StatusOr<std::optional<std::string>> Get(std::string_view family, std::string_view key) const override {
    return store_.Get(family, key);
  }
  absl::Status Scan(std::string_view family, std::string_view prefix, std::string_view start,
                    const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    return store_.Scan(family, prefix, start, visit);
  }
  absl::Status Write(const common::WriteBatch& batch, bool sync) override;
  std::unique_ptr<common::StoreView> Snapshot() const override { return store_.Snapshot(); }

 private:
  common::Store& store_;
};

}  // namespace sluis::linker::testing
