#include "cli/tables/cells_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/tables/printable.h"
#include "common/csv/csv_reader.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

using common::Record;

constexpr int kAbsent = -1;
constexpr std::size_t kMaxRows = std::numeric_limits<std::int32_t>::max();
constexpr std::array<std::string_view, 10> kSuppressedMarks = {"", "x", "X", "c", "C", ".", ":", "*", "-", ".."};

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

absl::StatusOr<std::uint8_t> ParseFlag(std::string_view field) {
  for (const std::string_view yes : {"1", "TRUE", "true"}) {
    if (field == yes) return 1;
  }
  for (const std::string_view no : {"0", "FALSE", "false", ""}) {
    if (field == no) return 0;
  }
  return absl::InvalidArgumentError("0 or 1 is expected");
}

absl::StatusOr<DeclaredStatus> ParseStatus(std::string_view field) {
  if (field.empty()) return DeclaredStatus::kNone;
  if (field == "publish") return DeclaredStatus::kPublish;
  if (field == "suppress") return DeclaredStatus::kSuppress;
  return absl::InvalidArgumentError("publish, suppress or nothing is expected");
}

class CellsReader {
 public:
  CellsReader(const std::string& path, const ColumnNames& columns, const ReadCellsOptions& options,
              std::vector<Dimension>& dimensions)
      : columns_(columns), options_(options), dimensions_(dimensions) {
    rows_.path = path;
  }

  absl::StatusOr<CellRows> Read() {
    SLUIS_ASSIGN_OR_RETURN(auto bytes, common::OpenFileSource(rows_.path));
    auto reader = common::CsvReader::Open(std::move(bytes), {});
    if (!reader.ok()) return common::Annotate(reader.status(), rows_.path);
    csv_ = *std::move(reader);
    SLUIS_RETURN_IF_ERROR(FindColumns());
    for (Record record;;) {
      const absl::StatusOr<bool> more = csv_->Next(record);
      if (!more.ok()) return common::Annotate(more.status(), absl::StrCat(rows_.path, " line ", csv_->line()));
      if (!*more) break;
      SLUIS_RETURN_IF_ERROR(Add(record));
    }
    if (rows_.size() == 0) return absl::InvalidArgumentError(rows_.path + ": there is no cell in it");
    return std::move(rows_);
  }

 private:
  absl::StatusOr<int> FindColumn(const ColumnName& column) const {
    if (column.name.empty()) return kAbsent;
    const std::vector<std::string>& header = csv_->header();
    const auto count = std::count(header.begin(), header.end(), column.name);
    if (count > 1) {
      return absl::InvalidArgumentError(absl::StrCat(rows_.path, ": the column ", column.name, " is there twice"));
    }
    if (count == 0 && column.required) {
      return absl::InvalidArgumentError(absl::StrCat(rows_.path, ": the column ", column.name, " is missing"));
    }
    return count == 0 ? kAbsent
                      : static_cast<int>(std::find(header.begin(), header.end(), column.name) - header.begin());
  }

  absl::Status FindColumns() {
    rows_.code.resize(dimensions_.size());
    for (const Dimension& dimension : dimensions_) {
      SLUIS_ASSIGN_OR_RETURN(dimension_column_.emplace_back(), FindColumn({dimension.name(), false}));
    }
    SLUIS_ASSIGN_OR_RETURN(value_, FindColumn(columns_.value));
    SLUIS_ASSIGN_OR_RETURN(contributors_, FindColumn(columns_.contributors));
    SLUIS_ASSIGN_OR_RETURN(largest_, FindColumn(columns_.largest));
    SLUIS_ASSIGN_OR_RETURN(second_, FindColumn(columns_.second));
    SLUIS_ASSIGN_OR_RETURN(cost_, FindColumn(columns_.cost));
    SLUIS_ASSIGN_OR_RETURN(status_, FindColumn(columns_.status));
    SLUIS_ASSIGN_OR_RETURN(contributor_, FindColumn(columns_.contributor));
    if (!options_.levels) return absl::OkStatus();
    SLUIS_ASSIGN_OR_RETURN(primary_, FindColumn(columns_.primary));
    if (primary_ == kAbsent) return absl::OkStatus();
    SLUIS_ASSIGN_OR_RETURN(lower_, FindColumn({columns_.lower.name, true}));
    SLUIS_ASSIGN_OR_RETURN(upper_, FindColumn({columns_.upper.name, true}));
    return absl::OkStatus();
  }

  std::string Where(const Record& record) const {
    std::string text = absl::StrCat(rows_.path, " line ", record.line);
    if (record.fault == common::RecordFault::kArity) return text;
    const char* before = " (";
    for (std::size_t d = 0; d < dimensions_.size(); ++d) {
      if (dimension_column_[d] == kAbsent) continue;
      absl::StrAppend(&text, before, dimensions_[d].name(), "=", Printable(Field(record, dimension_column_[d])));
      before = ", ";
    }
    return before[0] == ',' ? text + ")" : text;
  }

  absl::Status Fault(const Record& record, int column, const std::string& what) const {
    return absl::InvalidArgumentError(
        absl::StrCat(Where(record), ", column ", csv_->header()[static_cast<std::size_t>(column)], ": ", what));
  }

  static std::string_view Field(const Record& record, int column) {
    return Trim(record.fields[static_cast<std::size_t>(column)]);
  }

  template <typename Value, typename Parse>
  absl::Status Put(const Record& record, int column, std::vector<Value>& to, const Parse& parse) {
    if (column == kAbsent) return absl::OkStatus();
    const auto value = parse(Field(record, column));
    if (!value.ok()) return Fault(record, column, std::string(value.status().message()));
    to.push_back(*value);
    return absl::OkStatus();
  }

  absl::Status Add(const Record& record) {
    if (record.fault != common::RecordFault::kNone) {
      return absl::InvalidArgumentError(absl::StrCat(rows_.path, " line ", record.line,
                                                     record.fault == common::RecordFault::kArity
                                                         ? ": the record has another number of fields than the header"
                                                         : ": the record is not valid UTF-8 text"));
    }
    if (rows_.size() >= kMaxRows) return absl::InvalidArgumentError(rows_.path + ": more than 2^31 - 1 cells");
    for (std::size_t d = 0; d < dimensions_.size(); ++d) {
      if (dimension_column_[d] == kAbsent) continue;
      const std::string_view code = Field(record, dimension_column_[d]);
      if (code.empty()) return Fault(record, dimension_column_[d], "a code is expected");
      std::int32_t index = dimensions_[d].Find(code);
      if (index < 0 && dimensions_[d].has_hierarchy()) {
        return Fault(record, dimension_column_[d], "the code is in no hierarchy of this dimension");
      }
      if (index < 0) index = dimensions_[d].AddOrFind(code);
      rows_.code[d].push_back(index);
    }
    rows_.line.push_back(record.line);
    const auto amount = [](std::string_view field) { return ParseAmount(field); };
    const std::string_view value = Field(record, value_);
    const bool withheld = options_.values_may_be_missing &&
                          std::find(kSuppressedMarks.begin(), kSuppressedMarks.end(), value) != kSuppressedMarks.end();
    rows_.known.push_back(withheld ? 0 : 1);
    if (withheld) {
      rows_.value.push_back(0);
    } else {
      SLUIS_RETURN_IF_ERROR(Put(record, value_, rows_.value, amount));
    }
    SLUIS_RETURN_IF_ERROR(PutNumber(record, contributors_, rows_.contributors));
    SLUIS_RETURN_IF_ERROR(PutNumber(record, largest_, rows_.largest));
    SLUIS_RETURN_IF_ERROR(PutNumber(record, second_, rows_.second));
    SLUIS_RETURN_IF_ERROR(Put(record, cost_, rows_.cost, amount));
    SLUIS_RETURN_IF_ERROR(Put(record, status_, rows_.status, ParseStatus));
    if (contributor_ != kAbsent) rows_.contributor.emplace_back(Field(record, contributor_));
    SLUIS_RETURN_IF_ERROR(Put(record, primary_, rows_.primary, ParseFlag));
    SLUIS_RETURN_IF_ERROR(PutNumber(record, lower_, rows_.lower));
    return PutNumber(record, upper_, rows_.upper);
  }

  // A number beside the value: withheld with it in a published file.
  absl::Status PutNumber(const Record& record, int column, std::vector<std::int64_t>& to) {
    return Put(record, column, to, [this](std::string_view field) -> absl::StatusOr<std::int64_t> {
      const bool mark = std::find(kSuppressedMarks.begin(), kSuppressedMarks.end(), field) != kSuppressedMarks.end();
      if (options_.values_may_be_missing && mark) return 0;
      return ParseAmount(field);
    });
  }

  const ColumnNames& columns_;
  const ReadCellsOptions& options_;
  std::vector<Dimension>& dimensions_;
  CellRows rows_;
  std::unique_ptr<common::CsvReader> csv_;
  std::vector<int> dimension_column_;
  int value_ = kAbsent, contributors_ = kAbsent, largest_ = kAbsent, second_ = kAbsent, cost_ = kAbsent;
  int contributor_ = kAbsent, status_ = kAbsent, primary_ = kAbsent, lower_ = kAbsent, upper_ = kAbsent;
};

}  // namespace

absl::StatusOr<std::int64_t> ParseAmount(std::string_view field, bool decimals) {
  std::string_view text = Trim(field);
  if (text.empty()) return absl::InvalidArgumentError("a whole number is expected");
  const bool negative = text.front() == '-';
  if (negative) text.remove_prefix(1);
  std::size_t digits = 0;
  while (digits < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[digits]))) ++digits;
  std::string_view rest = text.substr(digits);
  if (decimals && rest.starts_with('.')) {
    rest.remove_prefix(std::min(rest.find_first_not_of('0', 1), rest.size()));
  }
  if (digits == 0 || !rest.empty()) {
    return absl::InvalidArgumentError(
        "a whole number is expected, without separators or decimals: use a smaller unit (cents, say) if it has "
        "decimals");
  }
  std::int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + digits, value);
  if (parsed.ec != std::errc() || value > disclosure::kMaxAmount) {
    return absl::InvalidArgumentError("above 2^50: use a larger unit");
  }
  if (negative && value != 0) {
    return absl::InvalidArgumentError("negative: cells are sums of amounts of 0 and more");
  }
  return value;
}

absl::StatusOr<CellRows> ReadCells(const std::string& path, const ColumnNames& columns, const ReadCellsOptions& options,
                                   std::vector<Dimension>& dimensions) {
  return CellsReader(path, columns, options, dimensions).Read();
}

}  // namespace sluis::cli
