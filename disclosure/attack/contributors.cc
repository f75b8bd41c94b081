#include "disclosure/attack/contributors.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>

#include "common/status/status.h"
#include "disclosure/attack/attacker_model.h"
#include "disclosure/attack/shards.h"

namespace sluis::disclosure {
namespace {

size_t Index(int64_t i) { return static_cast<size_t>(i); }

constexpr double kAnything = 2.0 * static_cast<double>(kMaxAmount);  // above every amount: no confinement
constexpr int kPushRounds = 8;
constexpr size_t kMinTogether = 6;
// A batch of contributors is tried as if they were one: whoever is stopped by less is stopped by all of it. Batches are
// those that have one digit in common, in numbers of this base: two contributors differ in a digit, so that each of
// them is tried in a batch without the other.
constexpr size_t kBase = 16;
constexpr size_t kMinBatched = 32;
// Pairs of a contributor and a level that a component may have to be tried at all: a byte each, 256 MiB.
constexpr uint64_t kMaxPairs = uint64_t{1} << 28;

// What contributors know, worked out from the list of shares.
class Shares {
 public:
  explicit Shares(const CellSystem& system) : system_(system), holders_(Index(system.num_cells)) {
    const std::vector<Contributor>& contributor = system.contributors.contributor;
    for (size_t k = 0; k < contributor.size(); ++k) {
      for (size_t c = 0; c < contributor[k].cell.size(); ++c) {
        holders_[Index(contributor[k].cell[c])].emplace_back(static_cast<int32_t>(k), c * system.measures.size());
      }
    }
  }

  // What `members` (ascending) know of `cell` in `measure`.
  [[nodiscard]] KnownRange Known(std::span<const int32_t> members, int32_t measure, int32_t cell) const {
    const int64_t value = system_.measures[Index(measure)].value[Index(cell)];
    int64_t together = 0;
    int64_t sum = 0;
    for (const auto& [holder, at] : holders_[Index(cell)]) {
      if (!std::binary_search(members.begin(), members.end(), holder)) continue;
      ++together;
      sum += system_.contributors.contributor[Index(holder)].amount[at + Index(measure)];
    }
    if (together > 0 && together == system_.contributors.in_cell[Index(cell)]) {
      return {.cell = cell, .low = value, .high = value};
    }
    return {.cell = cell, .low = std::min(sum, value), .high = kNoUpperBound};
  }
  [[nodiscard]] bool Contributes(std::span<const int32_t> members, int32_t cell) const {
    return std::any_of(holders_[Index(cell)].begin(), holders_[Index(cell)].end(), [members](const auto& holder) {
      return std::binary_search(members.begin(), members.end(), holder.first);
    });
  }
  // Those whose shares may tell something about `cells`, ascending.
  [[nodiscard]] std::vector<int32_t> Among(std::span<const int32_t> cells) const {
    std::vector<int32_t> found;
    for (const int32_t cell : cells) {
      for (const auto& holder : holders_[Index(cell)]) found.push_back(holder.first);
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
  }

 private:
  const CellSystem& system_;
  std::vector<std::vector<std::pair<int32_t, size_t>>> holders_;  // contributor, and where its amounts are
};

// What is still to be shown of a cell.
struct Open {
  bool down = false;
  bool up = false;

  [[nodiscard]] bool any() const { return down || up; }
};

// One component of suppressed cells, in one measure.
class ComponentJudge {
 public:
  ComponentJudge(const CellSystem& system, const Shares& shares, int32_t measure, const std::vector<int32_t>& cells,
                 ComponentAttack& attack, const AttackOptions& options, ContributorReport& report)
      : system_(system),
        shares_(shares),
        measure_(measure),
        cells_(cells),
        attack_(attack),
        options_(options),
        report_(report) {}

  absl::Status Try(int64_t max_coalitions) {
    const Measure& measure = system_.measures[Index(measure_)];
    for (size_t j = 0; j < cells_.size(); ++j) {
      if (measure.reason[Index(cells_[j])] != PrimaryReason::kNone) levels_.push_back(j);
    }
    people_ = shares_.Among(cells_);
    if (levels_.empty() || people_.empty()) return absl::OkStatus();
    if (uint64_t{people_.size()} * levels_.size() > kMaxPairs) {
      report_.complete = false;
      return absl::OkStatus();
    }
    SLUIS_RETURN_IF_ERROR(TryBatches());
    std::vector<int32_t> members;
    int64_t left = max_coalitions;
    for (int32_t size = 1; size <= system_.contributors.coalition; ++size) {
      SLUIS_RETURN_IF_ERROR(TryCoalitions(size, 0, members, left));
    }
    return absl::OkStatus();
  }

 private:
  // Marks the pairs of a level and a single contributor that need no further look.
  absl::Status TryBatches() {
    served_.assign(levels_.size(), {});
    if (people_.size() < kMinBatched) return absl::OkStatus();
    for (std::vector<uint8_t>& served : served_) served.assign(people_.size(), 0);
    for (size_t place = 1; place < people_.size(); place *= kBase) {
      for (size_t digit = 0; digit < kBase; ++digit) {
        std::vector<int32_t> members;
        std::vector<size_t> numbers;
        for (size_t k = 0; k < people_.size(); ++k) {
          if (k / place % kBase != digit) continue;
          members.push_back(people_[k]);
          numbers.push_back(k);
        }
        std::vector<size_t> open;  // into levels_
        for (size_t t = 0; t < levels_.size(); ++t) {
          const bool all_served =
              std::all_of(numbers.begin(), numbers.end(), [&](size_t k) { return served_[t][k] != 0; });
          // What a batch is owed less than each of its members says nothing about these.
          if (!all_served && !shares_.Contributes(members, cells_[levels_[t]])) open.push_back(t);
        }
        if (members.empty() || open.empty()) continue;
        std::vector<size_t> tried = open;
        SLUIS_RETURN_IF_ERROR(Push(members, open));
        for (const size_t t : tried) {
          if (std::binary_search(open.begin(), open.end(), t)) continue;
          for (const size_t k : numbers) served_[t][k] = 1;
        }
      }
    }
    return absl::OkStatus();
  }

  // All coalitions of `members` and further ones from people_[from] on, until there are `size`.
  absl::Status TryCoalitions(int32_t size, size_t from, std::vector<int32_t>& members, int64_t& left) {
    if (static_cast<int32_t>(members.size()) == size) return TryCoalition(members, from, left);
    for (size_t k = from; k < people_.size(); ++k) {
      members.push_back(people_[k]);
      SLUIS_RETURN_IF_ERROR(TryCoalitions(size, k + 1, members, left));
      members.pop_back();
    }
    return absl::OkStatus();
  }

  // `after`: the place in people_ after the last member.
  absl::Status TryCoalition(const std::vector<int32_t>& members, size_t after, int64_t& left) {
    if (left-- <= 0) {
      report_.complete = false;
      return absl::OkStatus();
    }
    ++report_.coalitions;
    std::vector<size_t> open;
    for (size_t t = 0; t < levels_.size(); ++t) {
      const bool served = members.size() == 1 && !served_[t].empty() && served_[t][after - 1] != 0;
      if (!served) open.push_back(t);
    }
    if (open.empty()) return absl::OkStatus();
    SLUIS_RETURN_IF_ERROR(Push(members, open));
    for (const size_t t : open) {
      const Open still = OpenOf(levels_[t]);
      report_.shortfalls.push_back({.measure = measure_,
                                    .cell = cells_[levels_[t]],
                                    .members = members,
                                    .below = still.down,
                                    .above = still.up});
    }
    return absl::OkStatus();
  }

  // Pushes the levels `open` for attackers who know what `members` know together; leaves those that are not reached.
  absl::Status Push(const std::vector<int32_t>& members, std::vector<size_t>& open) {
    if (options_.cancelled != nullptr && options_.cancelled->load(std::memory_order_relaxed)) {
      return absl::CancelledError("attack: cancelled");
    }
    known_.clear();
    for (const int32_t member : members) {
      for (const int32_t cell : system_.contributors.contributor[Index(member)].cell) {
        const auto at = std::lower_bound(cells_.begin(), cells_.end(), cell);
        if (at == cells_.end() || *at != cell) continue;
        known_[static_cast<size_t>(at - cells_.begin())] = shares_.Known(members, measure_, cell);
      }
    }
    attack_.Release();
    attack_.Forget();
    for (const auto& [j, range] : known_) Confine(j, 0, kAnything);
    std::erase_if(open, [this](size_t t) { return !OpenOf(levels_[t]).any(); });
    std::vector<double> direction(cells_.size());
    for (int round = 0; round < kPushRounds && open.size() >= kMinTogether; ++round) {
      std::fill(direction.begin(), direction.end(), 0);
      for (const size_t t : open) {
        const size_t j = levels_[t];
        const Open still = OpenOf(j);
        const bool up = still.up && (!still.down || (t + Index(round)) % 2 == 0);
        direction[j] = up ? 1 : -1;
        up ? Confine(j, 0, Largest(j)) : Confine(j, Smallest(j), kAnything);
      }
      SLUIS_RETURN_IF_ERROR(attack_.PushTogether(direction, report_.effort));
      for (const size_t t : open) Confine(levels_[t], 0, kAnything);
      const size_t before = open.size();
      std::erase_if(open, [this](size_t t) { return !OpenOf(levels_[t]).any(); });
      if (round % 2 == 1 && open.size() + open.size() / 20 >= before) break;
    }
    for (const size_t t : open) {
      const size_t j = levels_[t];
      if (OpenOf(j).down) {
        SLUIS_RETURN_IF_ERROR(attack_.Push(j, false, static_cast<int64_t>(Smallest(j)), report_.effort).status());
      }
      if (OpenOf(j).up) {
        SLUIS_RETURN_IF_ERROR(attack_.Push(j, true, static_cast<int64_t>(Largest(j)), report_.effort).status());
      }
    }
    std::erase_if(open, [this](size_t t) { return !OpenOf(levels_[t]).any(); });
    return absl::OkStatus();
  }

  // Within what is known.
  void Confine(size_t j, double low, double high) {
    const auto at = known_.find(j);
    if (at != known_.end()) {
      low = std::max(low, static_cast<double>(at->second.low));
      if (at->second.high != kNoUpperBound) high = std::min(high, static_cast<double>(at->second.high));
    }
    attack_.Confine(j, low, high);
  }

  [[nodiscard]] bool OnlyExact() const { return system_.contributors.protection == ContributorProtection::kExact; }
  [[nodiscard]] double Value(size_t j) const {
    return static_cast<double>(system_.measures[Index(measure_)].value[Index(cells_[j])]);
  }
  // How far the cell has to be able to go, to those who know what is in known_.
  [[nodiscard]] double Largest(size_t j) const {
    return Value(j) +
           (OnlyExact() ? 1 : static_cast<double>(system_.measures[Index(measure_)].upper_level[Index(cells_[j])]));
  }
  [[nodiscard]] double Smallest(size_t j) const {
    const auto at = known_.find(j);
    const double level =
        OnlyExact() ? 1 : static_cast<double>(system_.measures[Index(measure_)].lower_level[Index(cells_[j])]);
    return std::max(Value(j) - level, at == known_.end() ? 0.0 : static_cast<double>(at->second.low));
  }
  [[nodiscard]] Open OpenOf(size_t j) const {
    const auto at = known_.find(j);
    if (at != known_.end() && at->second.exact()) return {};
    const double tolerance = attack_.tolerance();
    if (OnlyExact()) {
      // The true value is one of the two whole numbers.
      const double low = std::min(attack_.seen_low(j), Value(j));
      const double high = std::max(attack_.seen_high(j), Value(j));
      const bool two = std::floor(high + tolerance) > std::ceil(low - tolerance);
      return {.down = !two, .up = !two};
    }
    const Measure& measure = system_.measures[Index(measure_)];
    return {.down = Smallest(j) < Value(j) && attack_.seen_low(j) > Smallest(j) + tolerance,
            .up = measure.upper_level[Index(cells_[j])] > 0 && attack_.seen_high(j) < Largest(j) - tolerance};
  }

  const CellSystem& system_;
  const Shares& shares_;
  const int32_t measure_;
  const std::vector<int32_t>& cells_;
  ComponentAttack& attack_;
  const AttackOptions& options_;
  ContributorReport& report_;
  std::vector<size_t> levels_;                // places in cells_ of primary cells
  std::vector<int32_t> people_;               // contributors to cells_
  std::vector<std::vector<uint8_t>> served_;  // per level and place in people_; empty: nothing is known yet
  std::map<size_t, KnownRange> known_;        // by place in cells_
};

}  // namespace

absl::StatusOr<ContributorReport> VerifyAgainstContributors(const CellSystem& system, std::span<const uint8_t> pattern,
                                                            const AttackOptions& options, int64_t max_coalitions) {
  SLUIS_RETURN_IF_ERROR(Validate(system));
  if (pattern.size() != Index(system.num_cells)) {
    return absl::InvalidArgumentError("pattern: needs one entry per cell");
  }
  ContributorReport report;
  if (!system.contributors.protects()) return report;
  const Shares shares(system);
  for (int32_t m = 0; m < static_cast<int32_t>(system.measures.size()); ++m) {
    SLUIS_ASSIGN_OR_RETURN(const AttackerModel model, BuildAttackerModel(Publish(system, m, pattern, true), {}));
    std::vector<size_t> items;
    for (const std::vector<int32_t>& component : model.components) items.push_back(component.size() > 1 ? 1 : 0);
    const std::vector<Shard> shards = MakeShards(items, 1);
    std::vector<ContributorReport> own(shards.size());
    const auto one = [&](size_t i) -> absl::Status {
      SLUIS_ASSIGN_OR_RETURN(const auto attack, ComponentAttack::Create(model, shards[i].component, own[i].effort));
      return ComponentJudge(system, shares, m, model.components[shards[i].component], *attack, options, own[i])
          .Try(max_coalitions);
    };
    SLUIS_RETURN_IF_ERROR(ForEachShard(shards, options.threads, one));
    for (ContributorReport& part : own) {
      report.effort.linear_programs += part.effort.linear_programs;
      report.effort.iterations += part.effort.iterations;
      report.coalitions += part.coalitions;
      report.complete = report.complete && part.complete;
      std::move(part.shortfalls.begin(), part.shortfalls.end(), std::back_inserter(report.shortfalls));
    }
  }
  std::sort(report.shortfalls.begin(), report.shortfalls.end(),
            [](const ContributorShortfall& a, const ContributorShortfall& b) {
              return std::tie(a.measure, a.cell, a.members) < std::tie(b.measure, b.cell, b.members);
            });
  return report;
}

}  // namespace sluis::disclosure
