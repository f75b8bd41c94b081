#include "disclosure/release/render_text.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "disclosure/release/make_release.h"
#include "disclosure/release/write_csv.h"

namespace sluis::disclosure {
namespace {

constexpr char kSuppressedMark[] = ":";
constexpr std::size_t kMaxStub = 44;  // columns for the labels of rows

// Columns that `text` takes: characters, not bytes. Wide (East Asian) characters count as one.
std::size_t Width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// The first `columns` characters of `text`, the last one an ellipsis if any were cut.
std::string Cut(const std::string& text, std::size_t columns) {
  if (Width(text) <= columns) return text;
  std::string cut;
  std::size_t taken = 0;
  for (const char c : text) {
    const bool starts = (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    if (starts && ++taken == columns) break;
    cut += c;
  }
  return cut + "…";
}

std::string Left(const std::string& text, std::size_t columns) {
  const std::string cut = Cut(text, columns);
  return cut + std::string(columns - Width(cut), ' ');
}

std::string Right(const std::string& text, std::size_t columns) {
  const std::string cut = Cut(text, columns);
  return std::string(columns - Width(cut), ' ') + cut;
}

std::string Grouped(const std::optional<std::int64_t>& value) {
  if (!value) return kSuppressedMark;
  std::string digits = absl::StrCat(*value);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, " ");
  }
  return digits;
}

std::string LabelOf(const ReleasedCode& code) { return WithoutLineBreaks(code.label.empty() ? code.code : code.label); }

// A grid of right-aligned columns below headings, split into blocks of columns that fit.
class Grid {
 public:
  Grid(std::string corner, std::vector<std::string> headings)
      : corner_(std::move(corner)), headings_(std::move(headings)) {}

  void AddRow(int level, const std::string& label, std::vector<std::string> cells) {
    labels_.push_back(std::string(2 * static_cast<std::size_t>(level), ' ') + label);
    cells_.push_back(std::move(cells));
  }

  std::string Render(std::size_t width) const {
    std::size_t stub = Width(corner_);
    for (const std::string& label : labels_) stub = std::max(stub, Width(label));
    stub = std::min(stub, kMaxStub);
    const std::size_t most = width > stub + 12 ? width - stub - 2 : 10;  // no column is wider than one block
    std::vector<std::size_t> widths;
    for (std::size_t c = 0; c < headings_.size(); ++c) {
      std::size_t numbers = 6;
      for (const auto& row : cells_) numbers = std::max(numbers, Width(row[c]));
      widths.push_back(std::max(numbers, std::min({Width(headings_[c]), std::size_t{18}, most})));
    }
    std::string text;
    for (std::size_t first = 0; first < headings_.size();) {
      std::size_t last = first, used = stub;
      while (last < headings_.size() && (last == first || used + 2 + widths[last] <= width)) used += 2 + widths[last++];
      if (first > 0) text += "\n";
      text += Left(corner_, stub);
      for (std::size_t c = first; c < last; ++c) text += "  " + Right(headings_[c], widths[c]);
      text += "\n" + std::string(used, '-') + "\n";
      for (std::size_t r = 0; r < labels_.size(); ++r) {
        text += Left(labels_[r], stub);
        for (std::size_t c = first; c < last; ++c) text += "  " + Right(cells_[r][c], widths[c]);
        text += "\n";
      }
      first = last;
    }
    return text;
  }

 private:
  std::string corner_;
  std::vector<std::string> headings_;
  std::vector<std::string> labels_;
  std::vector<std::vector<std::string>> cells_;
};

// Positions of at most `most` of `levels` in their order: all levels that fit whole, else the first of them.
std::vector<std::size_t> RowsToShow(const std::vector<int>& levels, std::size_t most) {
  int deepest = *std::max_element(levels.begin(), levels.end());
  const auto up_to = [&](int level) {
    return static_cast<std::size_t>(std::count_if(levels.begin(), levels.end(), [&](int l) { return l <= level; }));
  };
  while (deepest > 1 && up_to(deepest) > most) --deepest;
  std::vector<std::size_t> rows;
  for (std::size_t r = 0; r < levels.size() && rows.size() < most; ++r) {
    if (levels[r] <= deepest) rows.push_back(r);
  }
  return rows;
}

std::vector<std::size_t> RowsToShow(const ReleasedDimension& down, const RenderOptions& options) {
  std::vector<int> levels;
  for (const ReleasedCode& code : down.codes) levels.push_back(code.level);
  return RowsToShow(levels, static_cast<std::size_t>(std::max(options.max_rows, 1)));
}

std::string RenderRates(const ReleasedTable& table, const std::vector<std::size_t>& rows, std::size_t width) {
  const bool by = table.dimensions.size() == 2;
  Grid grid(by ? table.dimensions[0].name : "", {"found", "not found", "records", "rate"});
  const std::vector<LinkageRate> rates = LinkageRates(table);
  for (std::size_t r = 0; r < rates.size(); ++r) {
    if (by && !std::binary_search(rows.begin(), rows.end(), r)) continue;
    const LinkageRate& rate = rates[r];
    const std::string percent =
        rate.per_mille ? absl::StrCat(*rate.per_mille / 10, ".", *rate.per_mille % 10, " %") : kSuppressedMark;
    grid.AddRow(
        by ? rate.level : 0, WithoutLineBreaks(rate.label.empty() ? rate.code : rate.label),
        {Grouped(rate.linked), Grouped(rate.unlinked), Grouped(rate.records), rate.records == 0 ? "-" : percent});
  }
  return grid.Render(width);
}

// One measure of one section: `fixed` are the codes of the dimensions from the third on.
std::string RenderSection(const ReleasedTable& table, const std::vector<std::size_t>& rows, std::size_t measure,
                          std::int64_t section, std::size_t width) {
  const std::int64_t sections = [&] {
    std::int64_t product = 1;
    for (std::size_t d = 2; d < table.dimensions.size(); ++d) {
      product *= static_cast<std::int64_t>(table.dimensions[d].codes.size());
    }
    return product;
  }();
  const ReleasedDimension& down = table.dimensions[0];
  const bool has_across = table.dimensions.size() > 1;
  std::vector<std::string> headings;
  if (has_across) {
    for (const ReleasedCode& code : table.dimensions[1].codes) headings.push_back(LabelOf(code));
  } else {
    headings.push_back(table.measures[measure].name);
  }
  const auto across = static_cast<std::int64_t>(headings.size());
  Grid grid(has_across ? down.name + " / " + table.dimensions[1].name : down.name, std::move(headings));
  for (const std::size_t r : rows) {
    std::vector<std::string> cells;
    for (std::int64_t c = 0; c < across; ++c) {
      const std::int64_t cell = (static_cast<std::int64_t>(r) * across + c) * sections + section;
      cells.push_back(Grouped(table.values[static_cast<std::size_t>(cell) * table.measures.size() + measure]));
    }
    grid.AddRow(down.codes[r].level, LabelOf(down.codes[r]), std::move(cells));
  }
  return grid.Render(width);
}

}  // namespace

std::string RenderText(const ReleasedTable& table, const RenderOptions& options) {
  const auto width = static_cast<std::size_t>(std::max(options.width, 40));
  std::string text = table.name + "\n";
  // A linkage rate that is not broken down has the link status as its only dimension, and one row.
  const bool rows_are_codes = !IsLinkageRate(table) || table.dimensions.size() == 2;
  const std::vector<std::size_t> rows = RowsToShow(table.dimensions[0], options);
  std::string left_out;
  if (rows_are_codes && rows.size() < table.dimensions[0].codes.size()) {
    left_out = absl::StrCat(rows.size(), " of ", table.dimensions[0].codes.size(), " rows");
  }
  if (IsLinkageRate(table)) {
    text += "\n" + RenderRates(table, rows, width);
  } else {
    std::int64_t sections = 1;
    for (std::size_t d = 2; d < table.dimensions.size(); ++d) {
      sections *= static_cast<std::int64_t>(table.dimensions[d].codes.size());
    }
    const std::int64_t shown = std::min<std::int64_t>(sections, std::max(options.max_sections, 1));
    for (std::size_t m = 0; m < table.measures.size(); ++m) {
      for (std::int64_t section = 0; section < shown; ++section) {
        text += "\n" + table.measures[m].name + (table.measures[m].unit.empty() ? "" : ", " + table.measures[m].unit);
        for (std::size_t d = 2; d < table.dimensions.size(); ++d) {
          text += "; " + table.dimensions[d].name + ": " + LabelOf(table.dimensions[d].codes[table.CodeOf(section, d)]);
        }
        text += "\n" + RenderSection(table, rows, m, section, width);
      }
    }
    if (shown < sections) {
      absl::StrAppend(&left_out, left_out.empty() ? "" : " in ", shown, " of ", sections, " sections");
    }
  }
  const bool any = std::find(table.values.begin(), table.values.end(), std::nullopt) != table.values.end();
  if (any) text += std::string("\n") + kSuppressedMark + " confidential\n";
  for (const ReleasedMeasure& measure : table.measures) {
    if (measure.method.empty()) continue;
    absl::StrAppend(&text, "\n", measure.name, "\n");
    for (const absl::string_view part : absl::StrSplit(measure.method, "; ")) absl::StrAppend(&text, "  ", part, "\n");
  }
  if (!left_out.empty()) absl::StrAppend(&text, "\nShown: ", left_out, "\n");
  return text;
}

}  // namespace sluis::disclosure
