#include "common/tlog/log_reader.h"

#include <algorithm>

#include "common/status/status.h"

namespace sluis::common {

std::string LogEntryKey(std::uint64_t index) {
  std::string key;
  AppendBigEndian64(key, index);
  return key;
}

std::string LogTileKey(int level, std::uint64_t index) {
  std::string key(1, static_cast<char>(level));
  AppendBigEndian64(key, index);
  return key;
}

std::vector<Hash256> SplitHashes(std::string_view bytes) {
  std::vector<Hash256> hashes(bytes.size() / kHashSize);
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    std::copy_n(bytes.data() + i * kHashSize, kHashSize, hashes[i].begin());
  }
  return hashes;
}

absl::StatusOr<std::string> LogReader::Entry(std::uint64_t index) const {
  if (index >= size_) {
    return absl::InvalidArgumentError("entry index " + std::to_string(index) + " is not below the log's size " +
                                      std::to_string(size_));
  }
  SLUIS_ASSIGN_OR_RETURN(std::optional<std::string> entry, view_.Get(kLogEntriesFamily, LogEntryKey(index)));
  if (!entry.has_value()) {
    return absl::DataLossError("log: entry " + std::to_string(index) + " is missing from the store");
  }
  return *std::move(entry);
}

absl::StatusOr<std::string_view> LogReader::TileBytes(int level, std::uint64_t index, std::uint64_t width) {
  auto tile = tiles_.find({level, index});
  if (tile == tiles_.end()) {
    SLUIS_ASSIGN_OR_RETURN(std::optional<std::string> bytes, view_.Get(kLogTilesFamily, LogTileKey(level, index)));
    tile = tiles_.emplace(std::pair(level, index), std::move(bytes).value_or("")).first;
  }
  if (tile->second.size() < width * kHashSize) {
    return absl::DataLossError("log: " + TilePath({.level = level, .index = index}) +
                               " is missing from the store or too short");
  }
  return std::string_view(tile->second).substr(0, width * kHashSize);
}

absl::StatusOr<std::string> LogReader::Resource(const TileName& name) {
  const std::uint64_t available = size_ >> (8 * name.level);
  if (name.index > available / kTileWidth || available - name.index * kTileWidth < name.width) {
    return absl::NotFoundError("the log has no resource of that name at its size " + std::to_string(size_));
  }
  if (!name.entries) {
    SLUIS_ASSIGN_OR_RETURN(const std::string_view bytes, TileBytes(name.level, name.index, name.width));
    return std::string(bytes);
  }
  std::string bundle;
  for (std::uint64_t i = 0; i < name.width; ++i) {
    SLUIS_ASSIGN_OR_RETURN(const std::string entry, Entry(name.index * kTileWidth + i));
    AppendToBundle(bundle, entry);
  }
  return bundle;
}

absl::StatusOr<Hash256> LogReader::Subtree(int height, std::uint64_t index) {
  const int level = height / 8;
  const std::uint64_t count = std::uint64_t{1} << (height % 8);
  const std::uint64_t first = index * count;  // in hashes of this level
  const std::uint64_t in_tile = first % kTileWidth;
  SLUIS_ASSIGN_OR_RETURN(const std::string_view bytes, TileBytes(level, first / kTileWidth, in_tile + count));
  return RootOver(SplitHashes(bytes.substr(in_tile * kHashSize)));
}

}  // namespace sluis::common
