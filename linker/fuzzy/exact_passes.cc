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

// Whether a source has more than kMostOfASource records in `group`, which is ascending by source.
bool IsTooFrequent(std::span<const TokenOf> group) {
  for (std::size_t i = kMostOfASource; i < group.size(); ++i) {
    if (group[i - kMostOfASource].record.source == group[i].record.source) return true;
  }
  return false;
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
    out.refused_groups.push_back(0);
    out.largest_refused.push_back(0);
    for (std::size_t begin = 0, end = 0; begin < entries.size(); begin = end) {
      for (end = begin + 1; end < entries.size() && SameGroup(entries[begin], entries[end], mode);) ++end;
      const std::span<const TokenOf> group(entries.data() + begin, end - begin);
      if (group.size() == 1) continue;
      ++out.groups.back();
      const bool refused = mode != MatchMode::kLink && IsTooFrequent(group);
      if (refused) {
        ++out.refused_groups.back();
        out.largest_refused.back() = std::max<std::uint64_t>(out.largest_refused.back(), group.size());
      }
      for (std::size_t i = 1; i < group.size(); ++i) {
        (refused ? out.refused : out.pairs)
            .push_back({group[i - 1].record, group[i].record, static_cast<std::uint32_t>(pass)});
      }
    }
  }
  return out;
}

}  // namespace sluis::linker
