#include <array>
#include <charconv>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/cell_key/design.h"
#include "disclosure/cell_key/perturbation_table.h"

namespace sluis::disclosure {
namespace {

constexpr char kFormat[] = "format,sluis-perturbation-table-v1";
constexpr size_t kMaxText = 1 << 20;

// Reads lines of a text, counting them.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  [[nodiscard]] bool done() const { return rest_.empty(); }
  std::string_view Next() {
    ++number_;
    const size_t end = rest_.find('\n');
    const std::string_view line = rest_.substr(0, end);
    rest_ = end == std::string_view::npos ? std::string_view() : rest_.substr(end + 1);
    return line;
  }
  [[nodiscard]] absl::Status Refuse(const char* what) const {
    return absl::InvalidArgumentError(absl::StrCat("perturbation table, line ", number_, ": ", what));
  }

 private:
  std::string_view rest_;
  int number_ = 0;
};

template <typename T>
bool ReadNumber(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string WriteTable(const PerturbationTable& table) {
  const PerturbationDesign& design = table.design;
  std::string out =
      absl::StrCat(kFormat, "\nmax_change,", design.max_change, "\nsteps,", design.steps, "\nvariance_milli,",
                   design.variance_milli, "\ngap,", design.gap, "\nstay_milli,", design.stay_milli, "\nmonotone,",
                   design.monotone ? 1 : 0, "\nwhole,", kWhole, "\nrow,change,units\n");
  for (size_t i = 0; i < table.rows.size(); ++i) {
    for (size_t k = 0; k < table.rows[i].change.size(); ++k) {
      absl::StrAppend(&out, i, ",", table.rows[i].change[k], ",", table.rows[i].units[k], "\n");
    }
  }
  return out;
}

absl::StatusOr<PerturbationTable> ReadTable(std::string_view text) {
  if (text.size() > kMaxText) return absl::InvalidArgumentError("perturbation table: more than 1 MiB");
  Lines lines(text);
  if (lines.Next() != kFormat) return lines.Refuse("format,sluis-perturbation-table-v1 is expected");
  PerturbationTable table;
  int32_t monotone = 0;
  int64_t whole = 0;
  const std::array<std::pair<std::string_view, int32_t*>, 6> parameters = {
      {{"max_change,", &table.design.max_change},
       {"steps,", &table.design.steps},
       {"variance_milli,", &table.design.variance_milli},
       {"gap,", &table.design.gap},
       {"stay_milli,", &table.design.stay_milli},
       {"monotone,", &monotone}}};
  for (const auto& [name, value] : parameters) {
    const std::string_view line = lines.Next();
    if (!line.starts_with(name) || !ReadNumber(line.substr(name.size()), *value)) {
      return lines.Refuse(
          "a parameter of the design is expected: max_change, steps, variance_milli, gap, stay_milli, "
          "monotone, in this order");
    }
  }
  table.design.monotone = monotone == 1;
  const std::string_view line = lines.Next();
  if (!line.starts_with("whole,") || !ReadNumber(line.substr(6), whole) || whole != kWhole) {
    return lines.Refuse("whole: another denominator of the probabilities");
  }
  if (lines.Next() != "row,change,units") return lines.Refuse("row,change,units is expected");
  SLUIS_RETURN_IF_ERROR(CheckDesign(table.design));
  table.rows.resize(static_cast<size_t>(NumRows(table.design)));
  while (!lines.done()) {
    const std::string_view entry = lines.Next();
    const size_t first = entry.find(','), second = entry.find(',', first + 1);
    size_t row = 0;
    int32_t change = 0;
    int64_t units = 0;
    if (first == std::string_view::npos || second == std::string_view::npos ||
        !ReadNumber(entry.substr(0, first), row) || !ReadNumber(entry.substr(first + 1, second - first - 1), change) ||
        !ReadNumber(entry.substr(second + 1), units) || row >= table.rows.size()) {
      return lines.Refuse("three whole numbers are expected: a row of the design, a change and its probability");
    }
    table.rows[row].change.push_back(change);
    table.rows[row].units.push_back(units);
  }
  SLUIS_RETURN_IF_ERROR(CheckTable(table));
  if (WriteTable(table) != text) {
    return absl::InvalidArgumentError("perturbation table: numbers and lines are expected as the table is written");
  }
  return table;
}

}  // namespace sluis::disclosure
