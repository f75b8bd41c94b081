#include "cli/tables/input_files.h"

#include <filesystem>

#include "cli/tables/generic_system.h"
#include "cli/tables/microdata.h"
#include "common/status/status.h"

namespace sluis::cli {

absl::Status CheckTableFiles(const TableFiles& files) {
  if ((files.cells.empty() ? 0 : 1) + (files.system.empty() ? 0 : 1) + (files.microdata.empty() ? 0 : 1) != 1) {
    return absl::InvalidArgumentError(
        "one of --cells, --microdata and --system is needed: a table, records, or a generic system");
  }
  if (files.system.empty()) return CheckDimensions(files);
  if (!files.dimensions.empty() || !files.hierarchies.empty()) {
    return absl::InvalidArgumentError("--system has its relations in it: leave --dims and --hierarchy out");
  }
  return absl::OkStatus();
}

absl::StatusOr<CellTable> LoadTable(const TableFiles& files) {
  SLUIS_RETURN_IF_ERROR(CheckTableFiles(files));
  if (!files.microdata.empty()) return TabulateMicrodata(files);
  if (!files.system.empty()) return ReadSystem(files.system, files.read);
  return LoadCells(files);
}

std::vector<std::string> InputPaths(const TableFiles& files) {
  std::vector<std::string> paths = files.cells;
  for (const HierarchyArgument& hierarchy : files.hierarchies) paths.push_back(hierarchy.path);
  if (!files.microdata.empty()) paths.push_back(files.microdata);
  if (!files.rules.empty()) paths.push_back(files.rules);
  if (!files.system.empty()) {
    paths.push_back(files.system);
    for (const char* name : {"cells.csv", "rows.csv"}) {
      paths.push_back((std::filesystem::path(files.system) / name).string());
    }
  }
  return paths;
}

}  // namespace sluis::cli
