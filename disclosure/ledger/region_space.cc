#include "disclosure/ledger/region_space.h"

namespace sluis::disclosure {

RegionSpace::RegionSpace(std::span<const LedgerTable* const> tables) : axes_(tables.size()) {
  std::map<std::string, std::vector<ValueSet>> sets;
  for (const LedgerTable* table : tables) {
    for (const LedgerAxis& axis : table->axes) {
      std::vector<ValueSet>& of_variable = sets[axis.variable];
      of_variable.insert(of_variable.end(), axis.codes.begin(), axis.codes.end());
    }
  }
  std::map<std::string, std::size_t> index;
  std::map<std::string, Partition> partitions;
  for (const auto& [name, of_variable] : sets) {
    index.emplace(name, variables_.size());
    const Partition& partition = partitions.emplace(name, MakePartition(of_variable)).first->second;
    variables_.emplace_back().has_others = partition.others;
    (void)Number(variables_.size() - 1, partition.Everything());
  }
  std::map<std::string, std::size_t> next;
  for (std::size_t t = 0; t < tables.size(); ++t) {
    for (const LedgerAxis& axis : tables[t]->axes) {
      Axis& numbered = axes_[t].emplace_back();
      numbered.variable = index[axis.variable];
      const Partition& partition = partitions[axis.variable];
      for (std::size_t code = 0; code < axis.codes.size(); ++code) {
        numbered.codes.push_back(Number(numbered.variable, partition.sets[next[axis.variable]++]));
      }
    }
  }
}

std::int32_t RegionSpace::Number(std::size_t variable, const AtomSet& set) {
  Variable& of = variables_[variable];
  const auto [at, is_new] = of.number.emplace(set, static_cast<std::int32_t>(of.sets.size()));
  if (is_new) of.sets.push_back(set);
  return at->second;
}

std::vector<std::optional<Region>> RegionSpace::RegionsOf(std::size_t table) {
  const std::vector<Axis>& axes = axes_[table];
  std::vector<std::optional<Region>> regions = {Region(variables_.size(), kEverything)};
  for (const Axis& axis : axes) {
    std::vector<std::optional<Region>> longer;
    longer.reserve(regions.size() * axis.codes.size());
    for (const std::optional<Region>& region : regions) {
      for (const std::int32_t code : axis.codes) {
        longer.push_back(region);
        if (!region) continue;
        std::int32_t& number = (*longer.back())[axis.variable];
        const AtomSet set = Intersection(Set(axis.variable, number), Set(axis.variable, code));
        if (IsEmpty(set)) {
          longer.back().reset();
        } else {
          number = Number(axis.variable, set);
        }
      }
    }
    regions = std::move(longer);
  }
  return regions;
}

bool RegionSpace::IsUnnamed(const Region& region) const {
  for (std::size_t v = 0; v < region.size(); ++v) {
    const AtomSet& set = Set(v, region[v]);
    if (CountAtoms(set) != 1 || (set[0] & 1) == 0 || variables_[v].sets.size() < 2) continue;
    if (!variables_[v].has_others) return true;
  }
  return false;
}

}  // namespace sluis::disclosure
