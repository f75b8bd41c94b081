#include "cli/tables/jj_file.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/csv/byte_source.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

constexpr std::size_t kMaxMebibytes = 4096;
constexpr std::int64_t kMaxCells = 100'000'000;

// The file as lines of fields; spaces, tabs, colons and parentheses part them.
class Lines {
 public:
  Lines(std::string text, std::string path) : text_(std::move(text)), path_(std::move(path)), rest_(text_) {}

  // The fields of the next line that has any; false at the end.
  bool Next() {
    fields_.clear();
    while (fields_.empty()) {
      if (rest_.empty()) return false;
      const std::size_t end = std::min(rest_.find('\n'), rest_.size());
      Split(rest_.substr(0, end));
      rest_.remove_prefix(std::min(end + 1, rest_.size()));
      ++line_;
    }
    return true;
  }

  const std::vector<std::string_view>& fields() const { return fields_; }
  std::string Where() const { return absl::StrCat(path_, " line ", line_); }
  absl::Status Error(const std::string& what) const {
    return absl::InvalidArgumentError(absl::StrCat(Where(), ": ", what));
  }

  // The whole number in a field, between -2^50 and 2^50; beyond it the nearer of the two if `clamp`.
  absl::StatusOr<std::int64_t> Number(std::size_t field, const char* what, bool clamp = false) const {
    double value = 0;
    const std::string_view text = fields_[field];
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || std::isnan(value)) {
      return Error(absl::StrCat(what, ": a number is expected"));
    }
    const double limit = static_cast<double>(disclosure::kMaxAmount);
    if (clamp) value = std::floor(std::clamp(value, -limit, limit));
    if (std::abs(value) > limit) return Error(absl::StrCat(what, ": above 2^50: use a larger unit"));
    if (value != std::floor(value)) return Error(absl::StrCat(what, ": a whole number is expected"));
    return static_cast<std::int64_t>(value);
  }

 private:
  void Split(std::string_view line) {
    constexpr std::string_view kBetween = " \t\r:()";
    for (std::size_t at = line.find_first_not_of(kBetween); at != std::string_view::npos;) {
      const std::size_t end = std::min(line.find_first_of(kBetween, at), line.size());
      fields_.push_back(line.substr(at, end - at));
      at = line.find_first_not_of(kBetween, end);
    }
  }

  std::string text_, path_;
  std::string_view rest_;
  std::uint64_t line_ = 0;
  std::vector<std::string_view> fields_;
};

absl::StatusOr<std::int64_t> ReadCount(Lines& lines, const char* what) {
  if (!lines.Next()) return lines.Error(absl::StrCat("the file ends before ", what));
  if (lines.fields().size() != 1) return lines.Error(absl::StrCat(what, " is expected, alone on the line"));
  SLUIS_ASSIGN_OR_RETURN(const std::int64_t count, lines.Number(0, what));
  if (count < 0 || count > kMaxCells) return lines.Error(absl::StrCat(what, " must be 0 to 100,000,000"));
  return count;
}

absl::Status ReadCell(const Lines& lines, bool with_levels, SystemBuilder& builder) {
  if (lines.fields().size() != 9) {
    return lines.Error("a cell has nine fields: index value weight status lower upper LPL UPL SPL");
  }
  SystemBuilder::Cell cell;
  SLUIS_ASSIGN_OR_RETURN(const std::int64_t index, lines.Number(0, "index"));
  cell.id = absl::StrCat(index);
  SLUIS_ASSIGN_OR_RETURN(cell.value, lines.Number(1, "value"));
  SLUIS_ASSIGN_OR_RETURN(const std::int64_t weight, lines.Number(2, "weight"));
  if (cell.value < 0 || weight < 0) return lines.Error("a value or weight is negative: they must be 0 or more");
  SLUIS_ASSIGN_OR_RETURN(const std::int64_t lower_bound, lines.Number(4, "lower bound", true));
  SLUIS_ASSIGN_OR_RETURN(const std::int64_t upper_bound, lines.Number(5, "upper bound", true));
  SLUIS_ASSIGN_OR_RETURN(const std::int64_t lower, lines.Number(6, "LPL"));
  SLUIS_ASSIGN_OR_RETURN(const std::int64_t upper, lines.Number(7, "UPL"));
  SLUIS_ASSIGN_OR_RETURN(const std::int64_t sliding, lines.Number(8, "SPL"));
  if (upper_bound < cell.value) return lines.Error("the upper bound is below the value");
  const std::string_view status = lines.fields()[3];
  if (status != "s" && status != "u" && status != "z") return lines.Error("the status must be s, u or z");
  if (status != "z" && lower_bound > 0) return lines.Error("lower bounds above 0 are not supported");
  if (status == "u" && with_levels) {
    if (lower < 0 || upper < 0) return lines.Error("a protection level is negative");
    cell.primary = true;
    cell.lower = std::min(lower, cell.value);
    cell.upper = upper;
    if (sliding > cell.lower + cell.upper) {
      return lines.Error("a sliding level wider than LPL + UPL is not supported: raise one of these");
    }
  }
  if (status == "z") cell.status = DeclaredStatus::kPublish;
  if (!builder.AddCell(std::move(cell))) return lines.Error("the index is there twice");
  builder.upper_bound.push_back(upper_bound);
  builder.cost.push_back(weight);
  return absl::OkStatus();
}

absl::Status ReadRelation(const Lines& lines, SystemBuilder& builder) {
  const std::size_t size = lines.fields().size();
  if (size < 2) return lines.Error("a relation is expected: right-side terms : index (coefficient) ...");
  SLUIS_ASSIGN_OR_RETURN(const std::int64_t right_side, lines.Number(0, "right side"));
  SLUIS_ASSIGN_OR_RETURN(const std::int64_t terms, lines.Number(1, "number of terms"));
  if (right_side != 0) return lines.Error("a right side other than 0 is not supported: add a published cell for it");
  if (terms < 0 || static_cast<std::uint64_t>(terms) != (size - 2) / 2 || size % 2 != 0) {
    return lines.Error("the line has another number of terms than it says");
  }
  SystemBuilder::Row row{.name = lines.Where(), .terms = {}};
  for (std::size_t k = 2; k < size; k += 2) {
    SLUIS_ASSIGN_OR_RETURN(const std::int64_t index, lines.Number(k, "index"));
    SLUIS_ASSIGN_OR_RETURN(const std::int64_t sign, lines.Number(k + 1, "coefficient"));
    const std::int32_t cell = builder.Find(absl::StrCat(index));
    if (cell < 0) return lines.Error("the relation names a cell that is not there");
    if (sign != 1 && sign != -1) return lines.Error("the coefficient must be 1 or -1");
    row.terms.emplace_back(cell, static_cast<int>(sign));
  }
  return builder.AddRow(row);
}

}  // namespace

absl::Status ReadJjFile(const std::string& path, const ReadCellsOptions& options, SystemBuilder& builder) {
  SLUIS_ASSIGN_OR_RETURN(std::string text, common::ReadWholeFile(path, kMaxMebibytes));
  Lines lines(std::move(text), path);
  if (!lines.Next() || lines.fields().size() != 1 || lines.fields().front() != "0") {
    return absl::InvalidArgumentError(
        path + ": neither a folder with cells.csv and rows.csv, nor a file in JJ format, which begins with a line 0");
  }
  builder.with_levels = options.levels;
  SLUIS_ASSIGN_OR_RETURN(const std::int64_t cells, ReadCount(lines, "the number of cells"));
  for (std::int64_t k = 0; k < cells; ++k) {
    if (!lines.Next()) return lines.Error("the file ends before its last cell");
    SLUIS_RETURN_IF_ERROR(ReadCell(lines, options.levels, builder));
  }
  SLUIS_ASSIGN_OR_RETURN(const std::int64_t relations, ReadCount(lines, "the number of relations"));
  for (std::int64_t k = 0; k < relations; ++k) {
    if (!lines.Next()) return lines.Error("the file ends before its last relation");
    SLUIS_RETURN_IF_ERROR(ReadRelation(lines, builder));
  }
  if (lines.Next()) return lines.Error("there is something after the last relation");
  return absl::OkStatus();
}

}  // namespace sluis::cli
