#include "cli/tables/hierarchy_file.h"

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/tables/printable.h"
#include "common/csv/csv_reader.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

using disclosure::CodeSum;

constexpr std::size_t kMaxCodes = 10'000'000;
constexpr std::size_t kMaxCodeBytes = 256;
constexpr std::string_view kMark = "\xEF\xBB\xBF";  // UTF-8 byte order mark

struct Line {
  std::uint64_t number = 0;
  std::size_t depth = 0;
  std::string_view code;
};

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

absl::Status Error(const std::string& name, std::uint64_t line, const std::string& what) {
  return absl::InvalidArgumentError(line == 0 ? absl::StrCat(name, ": ", what)
                                              : absl::StrCat(name, " line ", line, ": ", what));
}

// Codes and what they are parts of, as they are read.
class Builder {
 public:
  explicit Builder(const std::string& name) : name_(name) {}

  // Returns the index of a code that must be new.
  absl::StatusOr<std::int32_t> AddNew(std::string_view code, std::uint64_t line) {
    const std::int32_t index = static_cast<std::int32_t>(file_.codes.size());
    const auto [at, is_new] = index_.emplace(std::string(code), index);
    if (!is_new) {
      const std::uint64_t first = file_.line[static_cast<std::size_t>(at->second)];
      return Error(
          name_, line,
          absl::StrCat("the code ", Printable(code), " stands in two places",
                       first == 0 ? std::string(" (it is the implied total)") : absl::StrCat(", first on line ", first),
                       ": put overlapping groups into a hierarchy file of their own"));
    }
    SLUIS_RETURN_IF_ERROR(Put(code, line));
    return index;
  }

  // Returns the index of a code that may be known.
  absl::StatusOr<std::int32_t> AddOrFind(std::string_view code, std::uint64_t line) {
    const auto [at, is_new] = index_.emplace(std::string(code), static_cast<std::int32_t>(file_.codes.size()));
    if (is_new) SLUIS_RETURN_IF_ERROR(Put(code, line));
    return at->second;
  }

  std::vector<std::int32_t>& parent() { return parent_; }
  HierarchyFile& file() { return file_; }

  // Errors if a code is above itself.
  absl::StatusOr<HierarchyFile> Finish() {
    const std::size_t n = parent_.size();
    std::vector<std::vector<std::int32_t>> children(n);
    for (std::size_t c = 0; c < n; ++c) {
      if (parent_[c] >= 0) children[static_cast<std::size_t>(parent_[c])].push_back(static_cast<std::int32_t>(c));
    }
    std::vector<std::uint8_t> state(n, 0);  // 1: reaches a root
    std::vector<std::size_t> path;
    for (std::size_t c = 0; c < n; ++c) {
      path.clear();
      for (std::size_t at = c; state[at] == 0; at = static_cast<std::size_t>(parent_[at])) {
        state[at] = 2;
        path.push_back(at);
        if (parent_[at] < 0) break;
        if (state[static_cast<std::size_t>(parent_[at])] == 2) {
          return Error(name_, file_.line[at],
                       absl::StrCat("the code ", Printable(file_.codes[at]), " is a part of itself"));
        }
      }
      for (const std::size_t at : path) state[at] = 1;
    }
    for (std::size_t c = 0; c < n; ++c) {
      if (!children[c].empty()) {
        file_.sums.push_back({.total = static_cast<std::int32_t>(c), .parts = std::move(children[c])});
      }
    }
    return std::move(file_);
  }

 private:
  absl::Status Put(std::string_view code, std::uint64_t line) {
    if (code.empty()) return Error(name_, line, "a code is expected");
    if (code.size() > kMaxCodeBytes) return Error(name_, line, "a code may have 256 bytes at most");
    if (!common::IsValidUtf8(code) || code.find('\0') != std::string_view::npos) {
      return Error(name_, line, "the code is not valid UTF-8 text");
    }
    if (file_.codes.size() >= kMaxCodes) return Error(name_, line, "more than 10,000,000 codes");
    file_.codes.emplace_back(code);
    file_.line.push_back(line);
    parent_.push_back(-1);
    return absl::OkStatus();
  }

  const std::string& name_;
  std::unordered_map<std::string, std::int32_t> index_;
  HierarchyFile file_;
  std::vector<std::int32_t> parent_;
};

std::vector<Line> SplitLines(std::string_view text) {
  std::vector<Line> lines;
  std::uint64_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    const std::string_view line = Trim(text.substr(0, end));
    const bool crlf = text.substr(end).starts_with("\r\n");
    text.remove_prefix(std::min(text.size(), end + (crlf ? 2 : 1)));
    ++number;
    if (line.empty()) continue;
    const std::size_t depth = std::min(line.find_first_not_of("@."), line.size());
    lines.push_back({.number = number, .depth = depth, .code = line.substr(depth)});
  }
  return lines;
}

// Codes by depth; `total_implied`: codes of depth 0 are parts of `implied_total`, else the total has depth 1.
absl::StatusOr<HierarchyFile> FromDepths(const std::vector<Line>& lines, const std::string& name, bool total_implied,
                                         const std::string& implied_total) {
  Builder builder(name);
  std::vector<std::int32_t> above;
  if (total_implied) {
    SLUIS_ASSIGN_OR_RETURN(const std::int32_t total, builder.AddNew(implied_total, 0));
    above.push_back(total);
  }
  for (const Line& line : lines) {
    // How many codes stand above this one.
    const std::size_t level = total_implied ? line.depth + 1 : line.depth - 1;
    if (level > above.size()) {
      return Error(name, line.number, "the depth leaps: a code is at most one mark deeper than the one before");
    }
    if (level == 0 && !above.empty()) {
      return Error(name, line.number, "a second total: a hierarchy has one, on its first line");
    }
    SLUIS_ASSIGN_OR_RETURN(const std::int32_t code, builder.AddNew(Trim(line.code), line.number));
    above.resize(level);
    if (level > 0) builder.parent()[static_cast<std::size_t>(code)] = above.back();
    above.push_back(code);
  }
  return builder.Finish();
}

absl::StatusOr<HierarchyFile> FromParents(std::string_view text, const std::string& name) {
  auto reader = common::CsvReader::Open(common::MakeMemorySource(std::string(text)), {});
  if (!reader.ok()) return common::Annotate(reader.status(), name);
  common::CsvReader& csv = **reader;
  const auto column = [&csv](std::string_view wanted) {
    return static_cast<std::size_t>(std::find(csv.header().begin(), csv.header().end(), wanted) - csv.header().begin());
  };
  const std::size_t parent = column("parent");
  std::size_t child = column("child");
  if (child == csv.header().size()) child = column("code");
  if (parent == csv.header().size() || child == csv.header().size()) {
    return Error(name, 1, "the header needs the columns parent and child (or code), parted by one kind of delimiter");
  }
  Builder builder(name);
  std::vector<std::uint64_t> as_child;  // line of the record that says what a code is part of
  for (common::Record record;;) {
    const absl::StatusOr<bool> more = csv.Next(record);
    if (!more.ok()) return Error(name, csv.line(), std::string(more.status().message()));
    if (!*more) break;
    if (record.fault != common::RecordFault::kNone) {
      return Error(name, record.line, "the record has another number of fields than the header, or is not UTF-8 text");
    }
    const std::string_view above = Trim(record.fields[parent]);
    const std::string_view own = Trim(record.fields[child]);
    std::int32_t above_index = -1;
    if (!above.empty()) {
      SLUIS_ASSIGN_OR_RETURN(above_index, builder.AddOrFind(above, record.line));
    }
    SLUIS_ASSIGN_OR_RETURN(const std::int32_t code, builder.AddOrFind(own, record.line));
    as_child.resize(builder.file().codes.size(), 0);
    std::uint64_t& said = as_child[static_cast<std::size_t>(code)];
    if (said != 0) {
      return Error(name, record.line,
                   absl::StrCat("the code ", Printable(own), " stands in two places, first on line ", said,
                                ": put overlapping groups into a hierarchy file of their own"));
    }
    said = record.line;
    builder.parent()[static_cast<std::size_t>(code)] = above_index;
  }
  if (builder.file().codes.empty()) return Error(name, 0, "there is no code in it");
  return builder.Finish();
}

// True if the first line reads like the header of a CSV file with the columns that FromParents needs.
bool HasParentHeader(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of("\r\n"), text.size()));
  std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  bool parent = false;
  bool child = false;
  while (true) {
    const std::size_t end = std::min(line.find_first_of(",;\t"), line.size());
    std::string_view field = Trim(line.substr(0, end));
    if (field.size() >= 2 && field.front() == '"' && field.back() == '"') field = field.substr(1, field.size() - 2);
    parent = parent || field == "parent";
    child = child || field == "child" || field == "code";
    if (end == line.size()) return parent && child;
    line.remove_prefix(end + 1);
  }
}

}  // namespace

absl::StatusOr<HierarchyFile> ParseHierarchy(std::string_view text, const std::string& name,
                                             const std::string& implied_total) {
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  if (HasParentHeader(text)) return FromParents(text, name);
  std::vector<Line> lines = SplitLines(text);
  if (lines.empty()) return Error(name, 0, "the file is empty: a hierarchy names its codes, one a line");
  const auto is_level = [](const Line& line) { return line.depth > 0 && line.code.starts_with(";"); };
  if (is_level(lines.front())) {
    for (Line& line : lines) {
      if (!is_level(line))
        return Error(name, line.number, "as many @ as the level is deep, then ; and the code are expected");
      line.code.remove_prefix(1);
    }
    return FromDepths(lines, name, false, implied_total);
  }
  const bool all_marked = std::all_of(lines.begin(), lines.end(), [](const Line& line) { return line.depth > 0; });
  return FromDepths(lines, name, !all_marked, implied_total);
}

}  // namespace sluis::cli
