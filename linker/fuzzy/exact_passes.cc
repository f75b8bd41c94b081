#include "linker/fuzzy/exact_passes.h"

#include <algorithm>
#include <tuple>

namespace sluis::linker {
namespace {

struct TokenOf {
  Token token;
  RecordRef record;
};

// Under kDedupe the sources come one after the other, so that no group holds records of two.
auto Order(const TokenOf& entry, MatchMode mode) {
  return std::tuple(mode == MatchMode::kDedupe ? entry.record.source : 0, entry.token.high, entry.token.low,
                    entry.record);
}

bool SameGroup(const TokenOf& a, const TokenOf& b, MatchMode mode) {
  return a.token == b.token && (mode != MatchMode::kDedupe || a.record.source == b.record.source);
}

}  // namespace

ExactPairs FindExactPairs(std::span<const MatchSource> sources, MatchMode mode) {
  ExactPairs out;
  const std::size_t passes = sources.empty() ? 0 : sources.front().exact.size();
  for (std::size_t pass = 0; pass < passes; ++pass) {
    std::vector<TokenOf> entries;
    for (std::uint32_t source = 0; source < sources.size(); ++source) {
      const std::vector<Token>& tokens = sources[source].exact[pass];
      for (std::uint32_t record = 0; record < tokens.size(); ++record) {
        if (!tokens[record].absent()) entries.push_back({tokens[record], {source, record}});
      }
    }
    std::ranges::sort(entries, {}, [mode](const TokenOf& entry) { return Order(entry, mode); });
    out.records.push_back(entries.size());
    out.groups.push_back(0);
    for (std::size_t i = 1; i < entries.size(); ++i) {
      if (!SameGroup(entries[i - 1], entries[i], mode)) continue;
      out.pairs.push_back({entries[i - 1].record, entries[i].record, static_cast<std::uint32_t>(pass)});
      if (i == 1 || !SameGroup(entries[i - 2], entries[i - 1], mode)) ++out.groups.back();
    }
  }
  return out;
}

}  // namespace sluis::linker
