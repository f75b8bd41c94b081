#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Names and contents of the static files of a log (c2sp.org/tlog-tiles).

namespace sluis::common {

inline constexpr std::uint64_t kTileWidth = 256;
inline constexpr std::size_t kHashSize = 32;
inline constexpr std::size_t kMaxEntryBytes = 65'535;  // the length prefix has two bytes
// 256^8 leaves are more than a size can count.
inline constexpr int kTileLevels = 8;

// A tile of hashes, or a bundle of entries.
struct TileName {
  bool entries = false;
  int level = 0;  // 0 for a bundle
  std::uint64_t index = 0;
  std::uint64_t width = kTileWidth;  // 1..256; below 256: a partial tile
  friend bool operator==(const TileName&, const TileName&) = default;
};

// Returns the path relative to the log's prefix, such as "tile/0/x001/067.p/5" or "tile/entries/000".
[[nodiscard]] std::string TilePath(const TileName& name);

// The inverse of TilePath. Errors: INVALID_ARGUMENT unless `path` is exactly what TilePath would write: no other
// number of digits, no "..", no level above 7.
[[nodiscard]] absl::StatusOr<TileName> ParseTilePath(std::string_view path);

// Appends `entry` to a bundle: its length as two bytes, big-endian, then its bytes. Precondition: at most
// kMaxEntryBytes.
void AppendToBundle(std::string& bundle, std::string_view entry);

}  // namespace sluis::common
