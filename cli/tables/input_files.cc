#include "cli/tables/input_files.h"

#include <filesystem>

#include "cli/tables/generic_system.h"
#include "common/status/status.h"

namespace sluis::cli {

absl::StatusOr<CellTable> LoadTable(const TableFiles& files) {
  if (files.cells.empty() == files.system.empty()) {
    return absl::InvalidArgumentError("one of --cells and --system is needed: a table, or a generic system");
  }
  if (!files.system.empty()) {
    if (!files.dimensions.empty() || !files.hierarchies.empty()) {
      return absl::InvalidArgumentError("--system has its relations in it: leave --dims and --hierarchy out");
    }
    return ReadSystem(files.system, files.read);
  }
  return LoadCells(files);
}

std::vector<std::string> InputPaths(const TableFiles& files) {
  std::vector<std::string> paths = files.cells;
  for (const HierarchyArgument& hierarchy : files.hierarchies) paths.push_back(hierarchy.path);
  if (!files.system.empty()) {
    paths.push_back(files.system);
    for (const char* name : {"cells.csv", "rows.csv"}) {
      paths.push_back((std::filesystem::path(files.system) / name).string());
    }
  }
  return paths;
}

}  // namespace sluis::cli
