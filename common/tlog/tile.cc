#include "common/tlog/tile.h"

#include <array>
#include <charconv>
#include <cstdio>

namespace sluis::common {
namespace {

// Reads a decimal number without sign, spaces or superfluous zeros from the whole of `text`.
bool ParseNumber(std::string_view text, std::uint64_t& number) {
  if (text.empty() || (text.size() > 1 && text[0] == '0')) {
    return false;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

bool ParseIndex(std::string_view text, std::uint64_t& index) {
  index = 0;
  for (;;) {
    const std::size_t slash = text.find('/');
    std::string_view group = text.substr(0, slash);
    const bool last = slash == std::string_view::npos;
    if (!last) {
      if (!group.starts_with('x')) {
        return false;
      }
      group.remove_prefix(1);
    }
    if (group.size() != 3 || index > (UINT64_MAX - 999) / 1000) {
      return false;
    }
    for (const char digit : group) {
      if (digit < '0' || digit > '9') {
        return false;
      }
      index = index * 10 + static_cast<std::uint64_t>(digit - '0');
    }
    if (last) {
      return true;
    }
    text.remove_prefix(slash + 1);
  }
}

}  // namespace

std::string TilePath(const TileName& name) {
  std::array<char, 8> group{};
  std::snprintf(group.data(), group.size(), "%03u", static_cast<unsigned>(name.index % 1000));
  std::string number = group.data();
  for (std::uint64_t rest = name.index / 1000; rest != 0; rest /= 1000) {
    std::snprintf(group.data(), group.size(), "x%03u/", static_cast<unsigned>(rest % 1000));
    number.insert(0, group.data());
  }
  std::string path = "tile/" + (name.entries ? std::string("entries") : std::to_string(name.level)) + "/" + number;
  if (name.width != kTileWidth) {
    path += ".p/" + std::to_string(name.width);
  }
  return path;
}

absl::StatusOr<TileName> ParseTilePath(std::string_view path) {
  const absl::Status malformed = absl::InvalidArgumentError(
      "a log resource is \"checkpoint\", \"tile/LEVEL/NUMBER[.p/WIDTH]\" or \"tile/entries/NUMBER[.p/WIDTH]\"");
  TileName name;
  std::string_view rest = path;
  constexpr std::string_view kTile = "tile/";
  constexpr std::string_view kEntries = "entries/";
  if (!rest.starts_with(kTile)) {
    return malformed;
  }
  rest.remove_prefix(kTile.size());
  if (rest.starts_with(kEntries)) {
    name.entries = true;
    rest.remove_prefix(kEntries.size());
  } else {
    const std::size_t slash = rest.find('/');
    std::uint64_t level = 0;
    if (slash == std::string_view::npos || !ParseNumber(rest.substr(0, slash), level) || level >= kTileLevels) {
      return malformed;
    }
    name.level = static_cast<int>(level);
    rest.remove_prefix(slash + 1);
  }
  if (const std::size_t partial = rest.find(".p/"); partial != std::string_view::npos) {
    if (!ParseNumber(rest.substr(partial + 3), name.width) || name.width == 0 || name.width >= kTileWidth) {
      return malformed;
    }
    rest = rest.substr(0, partial);
  }
  // Comparing with the canonical form refuses leading groups of zeros.
  if (!ParseIndex(rest, name.index) || TilePath(name) != path) {
    return malformed;
  }
  return name;
}

void AppendToBundle(std::string& bundle, std::string_view entry) {
  bundle.push_back(static_cast<char>(entry.size() >> 8));
  bundle.push_back(static_cast<char>(entry.size() & 0xff));
  bundle.append(entry);
}

}  // namespace sluis::common
