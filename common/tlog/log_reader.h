#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "common/store/store.h"
#include "common/tlog/merkle.h"
#include "common/tlog/tile.h"

// How a log lies in a store, and reading it back.

namespace sluis::common {

inline constexpr char kLogEntriesFamily[] = "log_entries";  // be64 index -> entry
inline constexpr char kLogTilesFamily[] = "log_tiles";      // level (1 byte), be64 index -> 1..256 hashes
inline constexpr char kLogHeadFamily[] = "log_head";        // the keys below
inline constexpr char kLogHeadKey[] = "head";               // be64 size, 32-byte root
inline constexpr char kLogIdentityKey[] = "identity";       // verifier key
inline constexpr char kLogSignedKey[] = "signed";           // the last signed checkpoint, a note

[[nodiscard]] std::string LogEntryKey(std::uint64_t index);
[[nodiscard]] std::string LogTileKey(int level, std::uint64_t index);

// Reads the log of the first `size` entries. A partial tile is the beginning of the stored one, so any size that the
// log ever had can be read. Keeps the tiles it read. Not thread-safe. `view` must outlive it.
class LogReader {
 public:
  LogReader(const StoreView& view, std::uint64_t size) : view_(view), size_(size) {}

  std::uint64_t size() const { return size_; }
  // Errors: INVALID_ARGUMENT if index >= size; DATA_LOSS if the entry is missing.
  [[nodiscard]] absl::StatusOr<std::string> Entry(std::uint64_t index) const;
  // Returns the bytes of a tile or bundle. Errors: NOT_FOUND if it goes beyond the size; DATA_LOSS if the store lacks
  // it.
  [[nodiscard]] absl::StatusOr<std::string> Resource(const TileName& name);
  // The hash of a perfect subtree. Errors: as Resource.
  [[nodiscard]] absl::StatusOr<Hash256> Subtree(int height, std::uint64_t index);
  SubtreeReader Subtrees() {
    return [this](int height, std::uint64_t index) { return Subtree(height, index); };
  }

 private:
  absl::StatusOr<std::string_view> TileBytes(int level, std::uint64_t index, std::uint64_t width);

  const StoreView& view_;
  const std::uint64_t size_;
  std::map<std::pair<int, std::uint64_t>, std::string> tiles_;
};

// Splits the bytes of a tile. Precondition: a multiple of 32.
[[nodiscard]] std::vector<Hash256> SplitHashes(std::string_view bytes);

}  // namespace sluis::common
