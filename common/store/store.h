#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// The little that Sluis asks of a database: ordered keys in named column families, atomic synced batches, snapshots,
// prefix scans. No more, so that another back end can take RocksDB's place. Keys and values are byte strings; keys
// order as unsigned bytes.

namespace sluis::common {

// Longer keys are refused. The limit gives every prefix, even one of 0xff bytes only, an end to delete up to.
inline constexpr std::size_t kMaxKeyBytes = 4096;

// A set of changes that becomes durable as a whole or not at all. Later changes to a key win over earlier ones.
class WriteBatch {
 public:
  void Put(std::string_view family, std::string_view key, std::string_view value);
  void Delete(std::string_view family, std::string_view key);
  // Deletes every key of `family` that begins with `prefix`. Precondition: `prefix` is not empty.
  void DeletePrefix(std::string_view family, std::string_view prefix);
  // Adds all changes of `other` after those already here.
  void Append(const WriteBatch& other);

  enum class Kind { kPut, kDelete, kDeletePrefix };
  struct Change {
    Kind kind;
    std::string family;
    std::string key;
    std::string value;
  };
  const std::vector<Change>& changes() const { return changes_; }
  bool empty() const { return changes_.empty(); }

 private:
  std::vector<Change> changes_;
};

// A consistent view. Valid while the store that made it lives.
class StoreView {
 public:
  virtual ~StoreView() = default;
  // Returns the value, or nullopt if the key is absent. Errors: DATA_LOSS on a damaged block; INVALID_ARGUMENT on an
  // unknown family.
  [[nodiscard]] virtual absl::StatusOr<std::optional<std::string>> Get(std::string_view family,
                                                                       std::string_view key) const = 0;
  // Calls `visit(key, value)` for each key with `prefix`, at or after `start` (empty: from the beginning of the
  // prefix), in order, until it returns false. The views passed to `visit` are valid during the call only. Errors: as
  // Get.
  [[nodiscard]] virtual absl::Status Scan(
      std::string_view family, std::string_view prefix, std::string_view start,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) const = 0;
};

class Store : public StoreView {
 public:
  // Applies `batch` atomically. With `sync` it is on stable storage when this returns OK; without, a crash may lose it,
  // but never part of it, nor anything written before it. After a failed write the next one first brings the store back
  // to what is on disk; nothing has to be reopened by the caller. Thread-safe, as everything here.
  // Errors (nothing of the batch is applied unless said otherwise):
  //   RESOURCE_EXHAUSTED  DISK_FULL: the disk is full; reading goes on, and writing works again once there is space
  //   INVALID_ARGUMENT    an unknown family, a key longer than kMaxKeyBytes, or the deletion of an empty prefix
  //   DATA_LOSS           STORE_FAULT: the store is damaged
  //   UNAVAILABLE         STORE_FAULT: another input-output fault, or a snapshot taken before one is still held; the
  //                       batch may or may not be there
  [[nodiscard]] virtual absl::Status Write(const WriteBatch& batch, bool sync) = 0;
  // Returns a view of this moment, untouched by later writes. After a failed write it first brings the store back to
  // what is on disk, if there is space and nobody reads.
  [[nodiscard]] virtual std::unique_ptr<StoreView> Snapshot() const = 0;
};

using StoreMigration = std::function<absl::Status(Store& store, std::uint32_t found_version)>;

struct RocksDbOptions {
  std::vector<std::string> families;        // created if absent; families on disk that are not named here are an error
  std::uint64_t cache_bytes = 64ull << 20;  // block cache; memtables count towards it, up to half
  std::uint64_t write_buffer_bytes = 32ull << 20;  // per family
  std::uint32_t format_version = 1;                // what this program writes; kept in the store itself
  // Brings an older store to `format_version`; called with the version found, which stays recorded until this returns
  // OK: after a crash it is called again and must carry on. Without it an older store is refused.
  StoreMigration migrate;
  // True for scratch data that may vanish in a crash: no write-ahead log, `sync` is ignored.
  bool bulk = false;
};

// Opens or creates the RocksDB at `directory` (created with mode 0700).
// Errors:
//   FAILED_PRECONDITION  the store has a newer format than this program, an older one without migration, a family that
//                        `options` does not name, or is in use by another process; it is not a store of Sluis
//   INVALID_ARGUMENT     `options` names no family, one twice, or "default" (the store's own)
//   RESOURCE_EXHAUSTED   the disk is full
//   DATA_LOSS            it is damaged
//   UNAVAILABLE          another input-output fault
[[nodiscard]] absl::StatusOr<std::unique_ptr<Store>> OpenRocksDb(const std::string& directory,
                                                                 const RocksDbOptions& options);

// A store in memory with the same behaviour; the conformance tests run on both.
[[nodiscard]] std::unique_ptr<Store> MakeMemoryStore(const std::vector<std::string>& families);

}  // namespace sluis::common
