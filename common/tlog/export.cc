#include "common/tlog/export.h"

#include <filesystem>

#include "common/file/atomic_file.h"
#include "common/status/status.h"

namespace sluis::common {
namespace {

// The log is public to whoever may verify it; its files are readable by the group and by others.
constexpr std::uint32_t kFileMode = 0644;
constexpr std::uint32_t kDirectoryMode = 0755;

absl::Status WriteResource(const std::string& path, std::string_view bytes, bool after_crash) {
  SLUIS_RETURN_IF_ERROR(CreateDirectories(std::filesystem::path(path).parent_path().string(), kDirectoryMode));
  if (after_crash) {
    SLUIS_RETURN_IF_ERROR(RemoveStaleTemporaries(path));
  }
  return WriteFileAtomically(path, bytes, kFileMode);
}

// Exports the files of one level. `from` and `to` count the hashes (or entries) of this level.
absl::Status ExportLevel(LogReader& reader, TileName name, std::uint64_t from, std::uint64_t to,
                         const std::string& directory, bool after_crash) {
  for (name.index = from / kTileWidth; name.index * kTileWidth < to; ++name.index) {
    name.width = std::min(kTileWidth, to - name.index * kTileWidth);
    SLUIS_ASSIGN_OR_RETURN(const std::string bytes, reader.Resource(name));
    SLUIS_RETURN_IF_ERROR(WriteResource(directory + "/" + TilePath(name), bytes, after_crash));
    if (name.width == kTileWidth) {
      std::error_code ignored;  // a partial file that stays is correct, only superfluous
      std::filesystem::remove_all(directory + "/" + TilePath(name) + ".p", ignored);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ExportTiles(LogReader& reader, std::uint64_t from, const std::string& directory, bool after_crash) {
  const std::uint64_t to = reader.size();
  if (from == to) {
    return absl::OkStatus();
  }
  SLUIS_RETURN_IF_ERROR(ExportLevel(reader, {.entries = true}, from, to, directory, after_crash));
  for (int level = 0; level < kTileLevels && to >> (8 * level) != from >> (8 * level); ++level) {
    SLUIS_RETURN_IF_ERROR(
        ExportLevel(reader, {.level = level}, from >> (8 * level), to >> (8 * level), directory, after_crash));
  }
  return absl::OkStatus();
}

absl::Status ExportCheckpoint(std::string_view checkpoint, const std::string& directory, bool after_crash) {
  return WriteResource(directory + "/checkpoint", checkpoint, after_crash);
}

}  // namespace sluis::common
