#include "cli/tables/pattern_file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/csv/csv_reader.h"
#include "common/file/atomic_file.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

constexpr std::uint32_t kFileMode = 0600;  // which cells are primary, and a certificate, are not for readers

std::size_t Index(std::int64_t i) { return static_cast<std::size_t>(i); }

absl::StatusOr<std::size_t> ColumnOf(const common::CsvReader& csv, const std::string& path, std::string_view name) {
  const std::vector<std::string>& header = csv.header();
  const auto at = std::find(header.begin(), header.end(), name);
  if (at == header.end())
    return absl::InvalidArgumentError(absl::StrCat(path, ": the column ", std::string(name), " is missing"));
  return static_cast<std::size_t>(at - header.begin());
}

}  // namespace

void AppendField(std::string& to, std::string_view field, char after) {
  if (field.find_first_of(",\"\r\n;\t") == std::string_view::npos) {
    to.append(field);
  } else {
    to.push_back('"');
    for (const char c : field) {
      if (c == '"') to.push_back('"');
      to.push_back(c);
    }
    to.push_back('"');
  }
  to.push_back(after);
}

std::string PatternCsv(const CellNames& names, std::span<const std::uint8_t> primary,
                       std::span<const std::uint8_t> pattern) {
  std::string csv;
  for (const std::string& column : names.columns()) AppendField(csv, column, ',');
  csv += "primary,supp\n";
  for (std::int32_t i = 0; i < names.size(); ++i) {
    for (const std::string_view field : names.Fields(i)) AppendField(csv, field, ',');
    csv += primary[Index(i)] != 0 ? "1," : "0,";
    csv += pattern[Index(i)] != 0 ? "1\n" : "0\n";
  }
  return csv;
}

absl::StatusOr<std::vector<std::uint8_t>> ReadPattern(const std::string& path, const CellTable& table) {
  SLUIS_ASSIGN_OR_RETURN(auto bytes, common::OpenFileSource(path));
  auto reader = common::CsvReader::Open(std::move(bytes), {});
  if (!reader.ok()) return common::Annotate(reader.status(), path);
  common::CsvReader& csv = **reader;
  std::vector<std::size_t> columns;
  for (const std::string& name : table.names.columns()) {
    SLUIS_ASSIGN_OR_RETURN(columns.emplace_back(), ColumnOf(csv, path, name));
  }
  SLUIS_ASSIGN_OR_RETURN(const std::size_t supp, ColumnOf(csv, path, "supp"));
  constexpr std::uint8_t kUnset = 2;
  std::vector<std::uint8_t> pattern(Index(table.num_cells), 1);
  std::fill_n(pattern.begin(), table.num_named(), kUnset);
  std::vector<std::string_view> fields(columns.size());
  for (common::Record record;;) {
    const absl::StatusOr<bool> more = csv.Next(record);
    if (!more.ok()) return common::Annotate(more.status(), absl::StrCat(path, " line ", csv.line()));
    if (!*more) break;
    const std::string where = absl::StrCat(path, " line ", record.line, ": ");
    if (record.fault != common::RecordFault::kNone) {
      return absl::InvalidArgumentError(
          where + "the record has another number of fields than the header, or is not UTF-8 text");
    }
    for (std::size_t d = 0; d < columns.size(); ++d) fields[d] = record.fields[columns[d]];
    const std::int32_t cell = table.names.Find(fields);
    if (cell < 0) return absl::InvalidArgumentError(where + "the cell is not in the table");
    if (pattern[Index(cell)] != kUnset) {
      return absl::InvalidArgumentError(absl::StrCat(where, "the cell ", table.Describe(cell), " is there twice"));
    }
    const std::string_view field = record.fields[supp];
    if (field != "0" && field != "1") {
      return absl::InvalidArgumentError(
          absl::StrCat(where, "column supp (", table.Describe(cell), "): 0 or 1 is expected"));
    }
    pattern[Index(cell)] = field == "1" ? 1 : 0;
  }
  const auto missing = std::find(pattern.begin(), pattern.begin() + table.num_named(), kUnset);
  if (missing != pattern.begin() + table.num_named()) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": the cell ", table.Describe(static_cast<std::int32_t>(missing - pattern.begin())), " is missing"));
  }
  return pattern;
}

absl::Status WriteOutput(const std::string& path, std::string_view bytes) {
  SLUIS_RETURN_IF_ERROR(common::RemoveStaleTemporaries(path));
  return common::WriteFileAtomically(path, bytes, kFileMode);
}

absl::Status CheckOutputs(const std::vector<std::string>& inputs, const std::vector<std::string>& outputs) {
  std::error_code error;
  // By where a path leads, for files that are there, and as it reads without detours, for those that are not yet.
  const auto same = [&error](const std::filesystem::path& a, const std::filesystem::path& b) {
    return std::filesystem::equivalent(a, b, error) ||
           std::filesystem::weakly_canonical(a, error) == std::filesystem::weakly_canonical(b, error);
  };
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::filesystem::path path = outputs[i];
    if (path.empty()) continue;
    for (const std::string& input : inputs) {
      if (!input.empty() && same(path, input)) {
        return absl::InvalidArgumentError(outputs[i] + ": is an input, which would be overwritten; name another file");
      }
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (!outputs[j].empty() && same(path, outputs[j])) {
        return absl::InvalidArgumentError(outputs[i] + ": two outputs have this name; name two files");
      }
    }
    const std::string folder = path.has_parent_path() ? path.parent_path().string() : ".";
    if (!std::filesystem::is_directory(folder, error)) {
      return absl::InvalidArgumentError(absl::StrCat("cannot write ", outputs[i], ": its folder does not exist"));
    }
    if (access(folder.c_str(), W_OK | X_OK) != 0) return common::FileError(errno, "write into", folder);
    const std::filesystem::file_status status = std::filesystem::symlink_status(path, error);
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
      return absl::InvalidArgumentError(
          absl::StrCat("cannot write ", outputs[i], ": something else than a regular file is there"));
    }
  }
  return absl::OkStatus();
}

}  // namespace sluis::cli
