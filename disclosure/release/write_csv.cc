#include "disclosure/release/write_csv.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/perturb/method.h"
#include "disclosure/table/attachment_csv.h"

namespace sluis::disclosure {
namespace {

constexpr char kSuppressed[] = "NaN";
constexpr std::size_t kColumnsPerDimension = 3;
constexpr char kMethodColumn[] = "method";
constexpr std::array<const char*, 4> kLastColumns = {"measure", "unit", "value", "flag"};

// A cell as RFC 4180 wants it.
std::string Quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos && (text.empty() || (text[0] != ' ' && text.back() != ' '))) {
    return text;
  }
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::vector<std::string> TidyHeader(const std::vector<std::string>& dimensions, bool methods) {
  std::vector<std::string> header;
  for (const std::string& name : dimensions) {
    header.push_back(name);
    header.push_back(name + "_label");
    header.push_back(name + "_level");
  }
  header.insert(header.end(), kLastColumns.begin(), kLastColumns.end());
  if (methods) header.emplace_back(kMethodColumn);
  return header;
}

std::string MethodText(const ReleasedMeasure& measure) {
  return measure.method.empty() ? kSuppressionMethod : measure.method;
}

// Where a row of a tidy table says it stands.
struct RowReader {
  const std::vector<std::vector<std::string>>& rows;
  std::size_t dimensions;
  bool methods;

  const std::string& Last(std::size_t row, std::size_t column) const {
    return rows[row][dimensions * kColumnsPerDimension + column];
  }
  // As ReleasedMeasure has it.
  std::string Method(std::size_t row) const {
    const std::string text = methods ? Last(row, kLastColumns.size()) : kSuppressionMethod;
    return text == kSuppressionMethod ? "" : text;
  }
};

absl::Status RowError(std::string_view name, std::size_t row, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat(std::string(name), ": row ", row + 1, ": ", what));
}

// Collects the codes of each dimension, and the measures, in the order in which they first stand.
absl::Status CollectCodes(const RowReader& reader, std::string_view name, ReleasedTable& table) {
  for (std::size_t row = 1; row < reader.rows.size(); ++row) {
    const std::vector<std::string>& cells = reader.rows[row];
    for (std::size_t d = 0; d < reader.dimensions; ++d) {
      std::vector<ReleasedCode>& codes = table.dimensions[d].codes;
      const std::string& code = cells[d * kColumnsPerDimension];
      const auto same = [&](const ReleasedCode& other) { return other.code == code; };
      // Codes come in order and recur: the last one seen is the likeliest.
      if ((!codes.empty() && same(codes.back())) || std::any_of(codes.begin(), codes.end(), same)) continue;
      int level = 0;
      if (!absl::SimpleAtoi(cells[d * kColumnsPerDimension + 2], &level)) {
        return RowError(name, row, "column " + table.dimensions[d].name + "_level: is no whole number");
      }
      codes.push_back({.code = code, .label = cells[d * kColumnsPerDimension + 1], .level = level});
    }
    const std::string& measure = reader.Last(row, 0);
    if (std::none_of(table.measures.begin(), table.measures.end(),
                     [&](const ReleasedMeasure& other) { return other.name == measure; })) {
      table.measures.push_back({.name = measure, .unit = reader.Last(row, 1), .method = reader.Method(row)});
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::int64_t>> ReadValue(const RowReader& reader, std::string_view name, std::size_t row) {
  const std::string& text = reader.Last(row, 2);
  const std::string& flag = reader.Last(row, 3);
  if (text == kSuppressed && flag == kFlagConfidential) return std::optional<std::int64_t>();
  if (text == kSuppressed || flag != kFlagFree) return RowError(name, row, "value and flag contradict each other");
  std::int64_t value = 0;
  const bool digits = std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  if (!digits || !absl::SimpleAtoi(text, &value)) return RowError(name, row, "column value: is no whole number");
  return std::optional(value);
}

bool IsSdmxVersion(const std::string& version) {
  return !version.empty() &&
         std::all_of(version.begin(), version.end(), [](unsigned char c) { return std::isdigit(c) != 0 || c == '.'; });
}

bool IsSdmxAgency(const std::string& agency) {
  return !agency.empty() && std::isalpha(static_cast<unsigned char>(agency[0])) != 0 &&
         std::all_of(agency.begin(), agency.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-'; });
}

}  // namespace

std::string WithoutLineBreaks(std::string_view text) {
  constexpr std::array<std::string_view, 10> kBreaks = {"\n",   "\r",   "\v",       "\f",           "\x1c",
                                                        "\x1d", "\x1e", "\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9"};
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const auto found =
        std::find_if(kBreaks.begin(), kBreaks.end(), [&](std::string_view b) { return text.substr(i, b.size()) == b; });
    if (found == kBreaks.end()) {
      result += text[i++];
    } else {
      result += ' ';
      i += found->size();
    }
  }
  return result;
}

std::string WriteTidyCsv(const ReleasedTable& table) {
  std::vector<std::string> names;
  for (const ReleasedDimension& dimension : table.dimensions) names.push_back(dimension.name);
  std::string csv;
  for (const std::string& column : TidyHeader(names, table.NamesMethods())) csv += (csv.empty() ? "" : ",") + column;
  csv += '\n';
  std::vector<std::vector<std::string>> codes;  // of each dimension: the three cells of each code, ready to write
  for (const ReleasedDimension& dimension : table.dimensions) {
    std::vector<std::string>& cells = codes.emplace_back();
    for (const ReleasedCode& code : dimension.codes) {
      cells.push_back(absl::StrCat(Quoted(code.code), ",", Quoted(code.label), ",", code.level, ","));
    }
  }
  for (std::int64_t cell = 0; cell < table.Cells(); ++cell) {
    std::string head;
    for (std::size_t d = 0; d < table.dimensions.size(); ++d) head += codes[d][table.CodeOf(cell, d)];
    for (std::size_t m = 0; m < table.measures.size(); ++m) {
      const auto& value = table.values[static_cast<std::size_t>(cell) * table.measures.size() + m];
      absl::StrAppend(&csv, head, Quoted(table.measures[m].name), ",", Quoted(table.measures[m].unit), ",",
                      value ? absl::StrCat(*value) : kSuppressed, ",", value ? kFlagFree : kFlagConfidential);
      if (table.NamesMethods()) absl::StrAppend(&csv, ",", Quoted(MethodText(table.measures[m])));
      csv += '\n';
    }
  }
  return csv;
}

absl::StatusOr<ReleasedTable> ReadTidyCsv(std::string_view csv, std::string_view name) {
  SLUIS_ASSIGN_OR_RETURN(const auto rows, ReadAttachmentCsv(csv, name, {}));
  const std::vector<std::string>& header = rows[0];
  const bool methods = header.back() == kMethodColumn;
  const std::size_t last = kLastColumns.size() + (methods ? 1 : 0);
  if (header.size() < last + kColumnsPerDimension || (header.size() - last) % kColumnsPerDimension != 0) {
    return RowError(name, 0, "is not the header of a tidy table");
  }
  const RowReader reader{rows, (header.size() - last) / kColumnsPerDimension, methods};
  ReleasedTable table;
  table.name = std::string(name);
  std::vector<std::string> names;
  for (std::size_t d = 0; d < reader.dimensions; ++d) {
    names.push_back(header[d * kColumnsPerDimension]);
    table.dimensions.push_back({.name = names.back(), .codes = {}});
  }
  if (header != TidyHeader(names, methods)) return RowError(name, 0, "is not the header of a tidy table");
  SLUIS_RETURN_IF_ERROR(CollectCodes(reader, name, table));
  const std::size_t measures = table.measures.size();
  for (std::size_t row = 1; row < rows.size(); ++row) {
    const auto cell = static_cast<std::int64_t>((row - 1) / measures);
    for (std::size_t d = 0; d < reader.dimensions; ++d) {
      const ReleasedCode& expected = table.dimensions[d].codes[table.CodeOf(cell, d)];
      const std::size_t at = d * kColumnsPerDimension;
      if (cell >= table.Cells() || rows[row][at] != expected.code || rows[row][at + 1] != expected.label ||
          rows[row][at + 2] != absl::StrCat(expected.level)) {
        return RowError(name, row, "column " + names[d] + ": not the code, label and level that are due here");
      }
    }
    const ReleasedMeasure& measure = table.measures[(row - 1) % measures];
    if (reader.Last(row, 0) != measure.name || reader.Last(row, 1) != measure.unit ||
        reader.Method(row) != measure.method) {
      return RowError(name, row, "column measure: not the measure, unit and method that are due here");
    }
    SLUIS_ASSIGN_OR_RETURN(const std::optional<std::int64_t> value, ReadValue(reader, name, row));
    table.values.push_back(value);
  }
  absl::Status valid = ValidateReleasedTable(table);
  if (!valid.ok()) return common::Annotate(valid, name);
  return table;
}

absl::StatusOr<std::string> WriteSdmxCsv(const ReleasedTable& table, const SdmxOptions& options) {
  if (!IsSdmxAgency(options.agency)) return absl::InvalidArgumentError("sdmx agency: letters, digits, '.', '_', '-'");
  if (!IsSdmxVersion(options.version)) return absl::InvalidArgumentError("sdmx version: digits and dots");
  const std::string structure =
      absl::StrCat("dataflow,", options.agency, ":", absl::AsciiStrToUpper(table.name), "(", options.version, "),I,");
  std::string csv = "STRUCTURE,STRUCTURE_ID,ACTION,";
  for (const ReleasedDimension& dimension : table.dimensions) csv += absl::AsciiStrToUpper(dimension.name) + ",";
  csv += "INDICATOR,OBS_VALUE,OBS_STATUS,CONF_STATUS,UNIT_MEASURE";
  csv += table.NamesMethods() ? ",METHOD\r\n" : "\r\n";
  const auto shown = [&](const ReleasedCode& code) {
    const std::string text = options.with_labels && !code.label.empty() ? code.code + ": " + code.label : code.code;
    return Quoted(WithoutLineBreaks(text)) + ",";
  };
  for (std::int64_t cell = 0; cell < table.Cells(); ++cell) {
    std::string head = structure;
    for (std::size_t d = 0; d < table.dimensions.size(); ++d) {
      head += shown(table.dimensions[d].codes[table.CodeOf(cell, d)]);
    }
    for (std::size_t m = 0; m < table.measures.size(); ++m) {
      const auto& value = table.values[static_cast<std::size_t>(cell) * table.measures.size() + m];
      absl::StrAppend(&csv, head, Quoted(WithoutLineBreaks(table.measures[m].name)), ",",
                      value ? absl::StrCat(*value, ",A,F,") : absl::StrCat(kSuppressed, ",Q,C,"),
                      Quoted(WithoutLineBreaks(table.measures[m].unit)),
                      table.NamesMethods() ? "," + Quoted(WithoutLineBreaks(MethodText(table.measures[m]))) : "",
                      "\r\n");
    }
  }
  return csv;
}

}  // namespace sluis::disclosure
