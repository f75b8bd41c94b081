#include "cli/extract/report.h"

#include "nlohmann/json.hpp"

namespace sluis::cli {
namespace {

std::string Place(const Finding& finding) {
  std::string place;
  if (finding.row > 0) {
    place = "row " + std::to_string(finding.row);
    if (finding.line > 0) place += " (line " + std::to_string(finding.line) + ")";
  }
  if (!finding.column.empty()) {
    if (!place.empty()) place += ", ";
    place += finding.column.starts_with("column ") ? finding.column : "column `" + finding.column + "`";
  }
  return place.empty() ? "" : place + ": ";
}

std::uint64_t Sum(const std::map<std::string, std::uint64_t>& counts) {
  std::uint64_t sum = 0;
  for (const auto& [rule, count] : counts) sum += count;
  return sum;
}

}  // namespace

std::string ToText(const CheckReport& report) {
  std::string text = report.file + (report.format.empty() ? "" : " (" + report.format + ")") + "\n";
  for (const Finding& finding : report.errors) {
    text += "  " + Place(finding) + finding.rule + ": " + finding.message + "\n";
  }
  if (report.truncated) {
    text += "  ... only the first " + std::to_string(report.errors.size()) + " errors are listed\n";
  }
  for (const auto& [rule, count] : report.totals) text += "  errors    " + rule + ": " + std::to_string(count) + "\n";
  for (const auto& [rule, count] : report.warnings) text += "  warnings  " + rule + ": " + std::to_string(count) + "\n";
  text += report.ok() ? "accepted: " : "refused: ";
  text += std::to_string(report.records) + " records read, " + std::to_string(report.good_records) + " good, " +
          std::to_string(Sum(report.totals)) + " errors, " + std::to_string(Sum(report.warnings)) + " warnings";
  text += report.complete ? "\n" : "; the file was not read to its end\n";
  return text;
}

std::string ToJson(const CheckReport& report) {
  using nlohmann::ordered_json;
  ordered_json errors = ordered_json::array();
  for (const Finding& finding : report.errors) {
    errors.push_back({{"row", finding.row},
                      {"line", finding.line},
                      {"column", finding.column},
                      {"rule", finding.rule},
                      {"message", finding.message}});
  }
  const ordered_json document = {
      {"file", report.file},         {"register", report.register_name},    {"format", report.format},
      {"records", report.records},   {"good_records", report.good_records}, {"ok", report.ok()},
      {"complete", report.complete}, {"errors", std::move(errors)},         {"totals", report.totals},
      {"warnings", report.warnings}, {"truncated", report.truncated}};
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace sluis::cli
