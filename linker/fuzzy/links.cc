#include "linker/fuzzy/links.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace sluis::linker {

LinkCounts::LinkCounts(const Clustering& clustering, std::size_t sources)
    : sources_(sources), counts_(sources * sources) {
  // (entity, source) of all records that are not alone, ascending by source already, hence a stable sort by entity.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> members;
  for (std::uint32_t source = 0; source < sources; ++source) {
    for (const std::uint32_t entity : clustering.entity_of[source]) {
      if (clustering.entities[entity].records > 1) members.emplace_back(entity, source);
    }
  }
  std::ranges::sort(members);
  std::vector<std::pair<std::uint32_t, std::uint64_t>> present;  // sources of one entity, with its records
  for (std::size_t begin = 0; begin < members.size();) {
    present.clear();
    std::size_t end = begin;
    for (; end < members.size() && members[end].first == members[begin].first; ++end) {
      if (present.empty() || present.back().first != members[end].second) present.emplace_back(members[end].second, 0);
      ++present.back().second;
    }
    for (std::size_t i = 0; i < present.size(); ++i) {
      const auto [a, count] = present[i];
      counts_[a * sources_ + a] += count * (count - 1) / 2;
      for (std::size_t j = i + 1; j < present.size(); ++j) {
        counts_[a * sources_ + present[j].first] += count * present[j].second;
      }
    }
    begin = end;
  }
}

std::uint64_t LinkCounts::total() const { return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0}); }

std::uint64_t ContradictedLinks(const Clustering& clustering, std::span<const MatchSource> sources, std::size_t pass) {
  std::vector<std::tuple<std::uint32_t, std::uint64_t, std::uint64_t>> values;  // entity, token
  for (std::size_t source = 0; source < sources.size(); ++source) {
    const std::vector<Token>& tokens = sources[source].exact[pass];
    for (std::size_t record = 0; record < tokens.size(); ++record) {
      const std::uint32_t entity = clustering.entity_of[source][record];
      if (tokens[record].absent() || clustering.entities[entity].records == 1) continue;
      values.emplace_back(entity, tokens[record].high, tokens[record].low);
    }
  }
  std::ranges::sort(values);
  // Pairs of an entity less pairs of an entity with equal values.
  const auto pairs = [&](auto same) {
    std::uint64_t sum = 0, run = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      run = i > 0 && same(values[i - 1], values[i]) ? run + 1 : 0;
      sum += run;
    }
    return sum;
  };
  return pairs([](const auto& a, const auto& b) { return std::get<0>(a) == std::get<0>(b); }) -
         pairs([](const auto& a, const auto& b) { return a == b; });
}

std::vector<bool> LinkedWith(const Clustering& clustering, std::size_t of, std::size_t with) {
  std::vector<bool> has(clustering.entities.size());
  for (const std::uint32_t entity : clustering.entity_of[with]) has[entity] = true;
  std::vector<bool> linked;
  linked.reserve(clustering.entity_of[of].size());
  for (const std::uint32_t entity : clustering.entity_of[of]) linked.push_back(has[entity]);
  return linked;
}

}  // namespace sluis::linker
