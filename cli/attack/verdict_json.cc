#include "cli/attack/verdict_json.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "absl/strings/str_cat.h"
#include "cli/tables/pattern_file.h"

namespace sluis::cli {
namespace {

constexpr std::size_t kMaxNamedInJson = 100;
constexpr std::size_t kMaxNamedInText = 20;
// The ends of intervals are known to about this much (see disclosure/attack); whole numbers within it count as reached.
constexpr double kTolerance = 1e-3;

std::string DirectionOf(const disclosure::Shortfall& shortfall) { return shortfall.below ? "lower" : "upper"; }

std::string EndsOf(const disclosure::ContributorShortfall& shortfall) {
  return shortfall.below && shortfall.above ? "both" : (shortfall.below ? "lower" : "upper");
}

}  // namespace

nlohmann::ordered_json ToJson(const Verdict& verdict, const CellTable& table) {
  nlohmann::ordered_json json;
  json["verdict"] = verdict.holds() ? "holds" : "broken";
  json["mode"] = verdict.with_levels ? "auditor" : "public";
  json["suppressed_cells"] = verdict.suppressed;
  json["exact_cells"] = verdict.exact.size();
  if (verdict.exact_conceded) json["exact_conceded"] = true;
  if (verdict.with_levels) {
    json["levels"] = verdict.levels;
    json["levels_short"] = verdict.shortfalls.size();
    json["cells_short"] = verdict.CellsShort();
  }
  if (verdict.against_contributors) {
    json["coalitions"] = verdict.coalitions;
    json["all_coalitions"] = verdict.all_coalitions;
    json["contributors_short"] = verdict.contributor_shortfalls.size();
  }
  if (!verdict.short_sums.empty()) {
    nlohmann::ordered_json& named = json["short_sums"] = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < std::min(verdict.short_sums.size(), kMaxNamedInJson); ++i) {
      named.push_back(table.Describe(verdict.short_sums[i]));
    }
  }
  if (verdict.certificate) {
    json["certificate"] = verdict.certificate->ok() ? "holds" : "broken";
    if (!verdict.certificate->ok()) json["certificate_fault"] = std::string(verdict.certificate->message());
  }
  json["components"] = verdict.components;
  json["largest_component"] = verdict.largest_component;
  json["linear_programs"] = verdict.linear_programs;
  json["iterations"] = verdict.iterations;
  if (!verdict.exact.empty()) {
    nlohmann::ordered_json& named = json["exact"] = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < std::min(verdict.exact.size(), kMaxNamedInJson); ++i) {
      named.push_back(table.Describe(verdict.exact[i]));
    }
  }
  if (!verdict.shortfalls.empty()) {
    nlohmann::ordered_json& named = json["short"] = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < std::min(verdict.shortfalls.size(), kMaxNamedInJson); ++i) {
      named.push_back(
          {{"cell", table.Describe(verdict.shortfalls[i].cell)}, {"level", DirectionOf(verdict.shortfalls[i])}});
    }
  }
  if (!verdict.contributor_shortfalls.empty()) {
    nlohmann::ordered_json& named = json["short_to_contributors"] = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < std::min(verdict.contributor_shortfalls.size(), kMaxNamedInJson); ++i) {
      const disclosure::ContributorShortfall& shortfall = verdict.contributor_shortfalls[i];
      named.push_back({{"cell", table.Describe(shortfall.cell)},
                       {"contributors", shortfall.members.size()},
                       {"level", EndsOf(shortfall)}});
    }
  }
  return json;
}

std::string ToText(const Verdict& verdict, const CellTable& table) {
  std::string text =
      absl::StrCat("suppressed cells            ", verdict.suppressed, "\n", "exactly recomputable        ",
                   verdict.exact.size(), verdict.exact_conceded ? ", none of them sensitive\n" : "\n");
  const auto and_more = [&text](std::size_t count) {
    if (count > kMaxNamedInText) absl::StrAppend(&text, "  and ", count - kMaxNamedInText, " more\n");
  };
  for (std::size_t i = 0; i < std::min(verdict.exact.size(), kMaxNamedInText); ++i) {
    absl::StrAppend(&text, "  ", table.Describe(verdict.exact[i]), "\n");
  }
  and_more(verdict.exact.size());
  if (verdict.with_levels) {
    absl::StrAppend(&text, "protection levels           ", verdict.levels, "\n", "levels not reached          ",
                    verdict.shortfalls.size(), "\n");
    for (std::size_t i = 0; i < std::min(verdict.shortfalls.size(), kMaxNamedInText); ++i) {
      absl::StrAppend(&text, "  ", table.Describe(verdict.shortfalls[i].cell), ": ", DirectionOf(verdict.shortfalls[i]),
                      "\n");
    }
    and_more(verdict.shortfalls.size());
  }
  if (verdict.against_contributors) {
    absl::StrAppend(&text, "coalitions tried            ", verdict.coalitions,
                    verdict.all_coalitions ? "" : ", not all: the certificate is the proof",
                    "\nfound out by contributors   ", verdict.contributor_shortfalls.size(), "\n");
    for (std::size_t i = 0; i < std::min(verdict.contributor_shortfalls.size(), kMaxNamedInText); ++i) {
      const disclosure::ContributorShortfall& shortfall = verdict.contributor_shortfalls[i];
      absl::StrAppend(&text, "  ", table.Describe(shortfall.cell), ": ", EndsOf(shortfall), ", to ",
                      shortfall.members.size() == 1 ? std::string("a contributor")
                                                    : absl::StrCat(shortfall.members.size(), " contributors"),
                      "\n");
    }
    and_more(verdict.contributor_shortfalls.size());
  }
  for (std::size_t i = 0; i < std::min(verdict.short_sums.size(), kMaxNamedInText); ++i) {
    absl::StrAppend(&text, i == 0 ? "too few contributors in what is suppressed of\n  " : "  ",
                    table.Describe(verdict.short_sums[i]), "\n");
  }
  and_more(verdict.short_sums.size());
  if (verdict.certificate) {
    absl::StrAppend(&text, "certificate                 ",
                    verdict.certificate->ok() ? std::string("holds") : std::string(verdict.certificate->message()),
                    "\n");
  }
  absl::StrAppend(&text, "verdict                     ", verdict.holds() ? "holds" : "BROKEN", "\n");
  return text;
}

std::string IntervalsCsv(const Verdict& verdict, const CellTable& table) {
  std::map<std::int32_t, std::string> short_of;
  for (const disclosure::Shortfall& shortfall : verdict.shortfalls) {
    std::string& text = short_of[shortfall.cell];
    text = text.empty() ? DirectionOf(shortfall) : "both";
  }
  std::string csv;
  for (const std::string& column : table.names.columns()) AppendField(csv, column, ',');
  csv += verdict.with_levels ? "low,high,exact,short\n" : "low,high,exact\n";
  for (const disclosure::FeasibilityInterval& interval : verdict.intervals) {
    for (const std::string_view field : table.names.Fields(interval.cell)) AppendField(csv, field, ',');
    absl::StrAppend(&csv, std::llround(std::ceil(interval.low - kTolerance)), ",");
    if (std::isfinite(interval.high)) absl::StrAppend(&csv, std::llround(std::floor(interval.high + kTolerance)));
    const bool exact = std::binary_search(verdict.exact.begin(), verdict.exact.end(), interval.cell);
    csv += exact ? ",1" : ",0";
    if (verdict.with_levels) {
      const auto at = short_of.find(interval.cell);
      absl::StrAppend(&csv, ",", at == short_of.end() ? std::string() : at->second);
    }
    csv += "\n";
  }
  return csv;
}

}  // namespace sluis::cli
