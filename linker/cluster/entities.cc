#include "linker/cluster/entities.h"

#include <algorithm>
#include <array>
#include <limits>

#include "linker/cluster/log_odds.h"

namespace sluis::linker {
namespace {

using SourceCounts = std::array<std::uint64_t, kMaxSources>;

std::uint64_t ComparedWithin(const SourceCounts& counts, std::size_t sources, const LinkageRules& rules) {
  std::uint64_t pairs = 0;
  for (std::size_t s = 0; s < sources; ++s) {
    if ((rules.compared[s] >> s & 1) != 0) {
      pairs += counts[s] * (counts[s] - 1) / 2;
    }
    for (std::size_t t = s + 1; t < sources; ++t) {
      if ((rules.compared[s] >> t & 1) != 0) {
        pairs += counts[s] * counts[t];
      }
    }
  }
  return pairs;
}

}  // namespace

std::int64_t LimitedUnits(const NumberedPair& pair, double max_log_odds) {
  if (pair.fixed) {
    return ToUnits(max_log_odds);
  }
  return ToUnits(std::clamp(static_cast<double>(pair.log_odds), -max_log_odds, max_log_odds));
}

void SummariseEntities(const NumberedInput& numbered, std::span<const NumberedPair> pairs,
                       std::span<const std::uint32_t> entity_of, const std::vector<bool>& is_old,
                       const ClusterOptions& options, std::vector<Entity>* entities) {
  // Records by entity: a counting sort.
  std::vector<std::uint32_t> start(entities->size() + 1, 0);
  for (const std::uint32_t entity : entity_of) {
    ++start[entity + 1];
  }
  for (std::size_t i = 0; i < entities->size(); ++i) {
    start[i + 1] += start[i];
  }
  std::vector<std::uint32_t> members(entity_of.size());
  std::vector<std::uint32_t> next(start.begin(), start.end() - 1);
  for (std::uint32_t record = 0; record < entity_of.size(); ++record) {
    members[next[entity_of[record]]++] = record;
  }
  const std::size_t sources = numbered.first.size() - 1;
  std::vector<std::int64_t> least(entities->size());
  for (std::size_t i = 0; i < entities->size(); ++i) {
    Entity& entity = (*entities)[i];
    least[i] = entity.pairs > 0 ? ToUnits(entity.min_log_odds) : std::numeric_limits<std::int64_t>::max();
    const std::uint32_t records = start[i + 1] - start[i];
    if (records > 1 && records > entity.records) {
      SourceCounts all{};
      SourceCounts old{};
      for (std::uint32_t j = start[i]; j < start[i + 1]; ++j) {
        const std::uint32_t record = members[j];
        ++all[numbered.source_of[record]];
        old[numbered.source_of[record]] += !is_old.empty() && is_old[record] ? 1 : 0;
      }
      entity.pairs += ComparedWithin(all, sources, numbered.rules) - ComparedWithin(old, sources, numbered.rules);
    }
    entity.records = records;
  }
  for (const NumberedPair& pair : pairs) {
    const std::uint32_t i = entity_of[pair.a];
    if (i != entity_of[pair.b]) {
      continue;
    }
    Entity& entity = (*entities)[i];
    const std::int64_t units = LimitedUnits(pair, options.max_log_odds);
    ++entity.scored_pairs;
    entity.scored_units += units;
    least[i] = std::min(least[i], units);
    const bool compared = (numbered.rules.compared[numbered.source_of[pair.a]] >> numbered.source_of[pair.b] & 1) != 0;
    entity.pairs += compared ? 0 : 1;
  }
  const std::int64_t missing = numbered.rules.missing;
  for (std::size_t i = 0; i < entities->size(); ++i) {
    Entity& entity = (*entities)[i];
    if (entity.pairs == 0) {
      continue;
    }
    const std::uint64_t unscored = entity.pairs - entity.scored_pairs;
    entity.min_log_odds = FromUnits(unscored > 0 ? std::min(least[i], missing) : least[i]);
    entity.mean_log_odds = FromUnits(AverageLinkage(entity.scored_units, entity.scored_pairs, entity.pairs, missing));
  }
}

}  // namespace sluis::linker
