#include "cli/show/table_view.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/show/text_columns.h"
#include "common/status/status.h"
#include "disclosure/release/make_release.h"
#include "disclosure/release/render_text.h"
#include "disclosure/release/write_csv.h"

namespace sluis::cli {
namespace {

using Rows = std::vector<std::vector<std::string>>;

constexpr int kMaxRows = 40;    // of a section
constexpr int kMaxLines = 200;  // of a table, roughly
constexpr int kMaxSections = 12;

// The parsed summary is handed to `write`, whose access to absent or mistyped members ends here.
template <typename Write>
absl::StatusOr<std::string> FromSummary(std::string_view summary_json, const Write& write) {
  try {
    return write(nlohmann::json::parse(summary_json));
  } catch (const nlohmann::json::exception&) {
    return absl::InternalError("the gate's summary is not in the form that this version reads; --json prints it");
  }
}

disclosure::RenderOptions OptionsFor(const disclosure::ReleasedTable& table) {
  const auto codes = static_cast<int>(std::min<std::size_t>(table.dimensions[0].codes.size(), kMaxRows));
  const int lines = (codes + 4) * static_cast<int>(table.measures.size());
  return {.max_sections = std::clamp(kMaxLines / lines, 1, kMaxSections), .max_rows = kMaxRows};
}

}  // namespace

absl::StatusOr<std::string> DryRunText(std::string_view summary_json) {
  return FromSummary(summary_json, [](const nlohmann::json& summary) {
    Rows rows = {{"table", "cells", "empty"}};
    std::int64_t cells = 0;
    bool withheld = false;
    for (const nlohmann::json& table : summary.at("tables")) {
      const auto own = table.at("cells").get<std::int64_t>();
      cells += own;
      const bool told = table.contains("empty_percent");
      withheld = withheld || !told;
      rows.push_back({table.at("name").get<std::string>(), GroupedNumber(own),
                      told ? absl::StrCat("about ", table.at("empty_percent").get<int>(), " %") : "-"});
    }
    rows.push_back({"all", GroupedNumber(cells)});
    std::string text = absl::StrCat("Dry run over link set ", summary.at("link_set").get<std::string>(),
                                    ": nothing was released.\n\n", TextColumns(rows, 2));
    if (withheld) text += "  -: a table too small for its share of empty cells to be told\n";
    const nlohmann::json& refusals = summary.at("would_be_refused");
    if (refusals.empty()) return text + "\nThe gate would release these tables, after protecting them.\n";
    Rows reasons;
    for (const nlohmann::json& refusal : refusals) reasons.push_back({"- " + refusal.get<std::string>()});
    return text + "\nThe gate would refuse this request:\n" + TextColumns(reasons, 2);
  });
}

absl::StatusOr<std::string> ReleaseText(std::string_view summary_json, const disclosure::ReleaseFiles& files,
                                        const std::string& directory) {
  return FromSummary(summary_json, [&](const nlohmann::json& summary) {
    Rows rows = {{"table", "cells", "suppressed", "file"}};
    for (const nlohmann::json& table : summary.at("tables")) {
      const std::string name = table.at("name").get<std::string>();
      rows.push_back({name, GroupedNumber(table.at("cells").get<std::int64_t>()),
                      table.at("suppressed_cells").get<std::string>(),
                      absl::StrCat(directory, "/", disclosure::CsvPath(name))});
    }
    return absl::StrCat("Release ", summary.at("release").get<std::string>(), " is in ", directory, ": ", files.size(),
                        " files, made from link set ", summary.at("link_set").get<std::string>(), "\n",
                        TextColumns(rows, 2),
                        "Each table is there as CSV, JSON-stat and SDMX-CSV. Checked: the gate's log has the entry "
                        "about this request and these files.\n");
  });
}

absl::StatusOr<std::string> TablesText(const disclosure::ReleaseFiles& files, const disclosure::Manifest& manifest,
                                       const std::string& directory) {
  std::vector<disclosure::ReleasedTable> tables;
  for (const disclosure::ManifestTable& table : manifest.tables) {
    absl::StatusOr<disclosure::ReleasedTable> read =
        disclosure::ReadTidyCsv(files.at(disclosure::CsvPath(table.name)), table.name);
    if (!read.ok()) {
      return absl::InternalError(
          absl::StrCat(disclosure::CsvPath(table.name),
                       ": not a table that this version reads: ", std::string(read.status().message())));
    }
    tables.push_back(*std::move(read));
  }
  std::stable_partition(tables.begin(), tables.end(),
                        [](const disclosure::ReleasedTable& table) { return !disclosure::IsLinkageRate(table); });
  std::string text;
  for (const disclosure::ReleasedTable& table : tables) {
    absl::StrAppend(&text, disclosure::RenderText(table, OptionsFor(table)), "The whole table, ",
                    GroupedNumber(table.Cells()), " cells: ", directory, "/", disclosure::CsvPath(table.name), "\n\n");
  }
  return text;
}

}  // namespace sluis::cli
