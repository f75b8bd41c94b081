#include "disclosure/bound/closing.h"

#include <algorithm>
#include <bit>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>

#include "common/status/status.h"
#include "disclosure/bound/attacker_lp.h"

namespace sluis::disclosure {
namespace {

// Cuts kept against one attacker and pattern.
constexpr size_t kCutsEach = 3;
// Cheap cells weigh in descents as if this much of them were suppressed.
constexpr double kCheapCellWeight = 0.02;
constexpr int kMaxCompletions = 60;
// A completion need not be the cheapest; those of hard programs are not waited for.
constexpr int64_t kCompletionNodes = 100;
constexpr int64_t kCompletionIterations = 2'000;
constexpr int64_t kMaxCompletionIterations = 20'000;  // of all completions of a round
// From then on cells that were added stay: before, the cheapest ones for all cuts of the round are taken, which finds
// cheaper patterns and better cuts, but can go on for long.
constexpr int kHoldFrom = 6;
// Above what any cell may cost.
constexpr double kImpossible = 1e18;

size_t Index(int64_t i) { return static_cast<size_t>(i); }

std::vector<int64_t> KeyOf(const CapacityCut& cut) {
  std::vector<int64_t> key = {cut.need};
  key.insert(key.end(), cut.cell.begin(), cut.cell.end());
  key.insert(key.end(), cut.coefficient.begin(), cut.coefficient.end());
  return key;
}

// The least that cells, fractions allowed, must cost to satisfy `cut` on top of `pattern`; nullopt: it holds.
std::optional<double> PriceOf(const ProtectionModel& model, const CapacityCut& cut, std::span<const uint8_t> pattern,
                              std::span<const uint8_t> upper) {
  int64_t need = cut.need;
  std::vector<std::pair<double, double>> offers;  // cost per unit, units
  for (size_t k = 0; k < cut.cell.size(); ++k) {
    const size_t i = Index(cut.cell[k]);
    if (pattern[i] != 0) {
      need -= cut.coefficient[k];
    } else if (upper[i] != 0) {
      const auto units = static_cast<double>(cut.coefficient[k]);
      offers.emplace_back(static_cast<double>(model.system().cost[i]) / units, units);
    }
  }
  if (need <= 0) return std::nullopt;
  std::sort(offers.begin(), offers.end());
  double price = 0;
  auto left = static_cast<double>(need);
  for (const auto& [cost, units] : offers) {
    price += cost * std::min(left, units);
    left -= units;
    if (left <= 0) return price;
  }
  return kImpossible;
}

}  // namespace

Closing::Closing(const ProtectionModel& model)
    : model_(model), covering_(model), attack_(model), maker_(model), descent_(model) {}

bool Closing::Keep(const CapacityCut& cut) {
  if (!known_.insert(KeyOf(cut)).second) return false;
  cuts_.push_back(cut);
  return true;
}

void Closing::Add(std::span<const CapacityCut> cuts) {
  for (const CapacityCut& cut : cuts) Keep(cut);
}

std::vector<double> Closing::DescentWeight(std::span<const uint8_t> pattern, std::span<const uint8_t> upper) const {
  std::vector<double> weight(pattern.begin(), pattern.end());
  double scale = 0;
  int64_t count = 0;
  for (int32_t i = 0; i < model_.num_cells(); ++i) {
    if (model_.state(i) != CellState::kFree || pattern[Index(i)] == 0) continue;
    scale += static_cast<double>(model_.system().cost[Index(i)]);
    ++count;
  }
  scale = 1 + scale / static_cast<double>(std::max<int64_t>(1, count));
  for (int32_t i = 0; i < model_.num_cells(); ++i) {
    if (model_.state(i) != CellState::kFree || pattern[Index(i)] != 0 || upper[Index(i)] == 0) continue;
    weight[Index(i)] = kCheapCellWeight * scale / (scale + static_cast<double>(model_.system().cost[Index(i)]));
  }
  return weight;
}

absl::StatusOr<std::vector<CapacityCut>> Closing::CutsAgainst(std::span<const uint8_t> pattern,
                                                              std::span<const int32_t> attackers,
                                                              std::span<const uint8_t> upper, ClosingRound& round) {
  const std::vector<double> x(pattern.begin(), pattern.end());
  const std::vector<double> weight = DescentWeight(pattern, upper);
  std::vector<std::unique_ptr<AttackerLp>> programs(model_.system().measures.size());
  std::vector<CapacityCut> fresh;
  for (const int32_t a : attackers) {
    const Attacker& attacker = model_.attackers()[Index(a)];
    std::vector<std::pair<double, CapacityCut>> found;  // price, negated
    const auto take = [&](const Aggregate& aggregate) {
      const std::vector<CutMaker::Coefficient> expanded = maker_.Expand(aggregate);
      for (const std::span<const uint8_t> present : {std::span<const uint8_t>{}, pattern}) {
        std::optional<CapacityCut> cut = maker_.MakeExpanded(attacker, expanded, present);
        if (!cut) continue;
        const std::optional<double> price = PriceOf(model_, *cut, pattern, upper);
        if (price) found.emplace_back(-*price, *std::move(cut));
      }
    };
    const auto take_with_descent = [&](const Aggregate& aggregate) {
      take(aggregate);
      take(descent_.Run(attacker, aggregate, weight));
    };
    std::unique_ptr<AttackerLp>& program = programs[Index(attacker.measure)];
    if (program == nullptr) {
      SLUIS_ASSIGN_OR_RETURN(program, AttackerLp::Create(model_, attacker.measure, x));
    }
    const auto cap = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(attacker.need)));
    const int64_t before = program->iterations();
    for (const std::optional<int64_t> capped : {std::optional<int64_t>(cap), std::optional<int64_t>()}) {
      for (const Aggregate& aggregate : program->Solve(attacker, capped).cuts) take_with_descent(aggregate);
      ++round.linear_programs;
    }
    round.simplex_iterations += program->iterations() - before;
    for (const ProtectionModel::Entry& own : model_.RelationsOf(attacker.cell)) {
      take_with_descent(CutDescent::Seed(attacker, own));
    }
    std::sort(found.begin(), found.end(), [](const auto& one, const auto& other) {
      return one.first != other.first ? one.first < other.first : KeyOf(one.second) < KeyOf(other.second);
    });
    size_t kept = 0;
    for (size_t k = 0; k < found.size() && kept < kCutsEach; ++k) {
      if (!Keep(found[k].second)) continue;
      fresh.push_back(std::move(found[k].second));
      ++kept;
    }
  }
  return fresh;
}

absl::StatusOr<ClosingRound> Closing::Round(std::span<const uint8_t> lower, std::span<const uint8_t> upper,
                                            const CoveringOptions& options) {
  ClosingRound round;
  SLUIS_ASSIGN_OR_RETURN(CoveringAnswer answer, covering_.Solve(cuts_, lower, upper, options));
  round.complete = answer.complete;
  round.none = answer.complete && answer.pattern.empty();
  round.bound = answer.cost;
  round.integer_programs = answer.solved;
  round.integer_iterations = answer.iterations;
  if (!answer.complete || round.none) return round;
  std::vector<uint8_t> pattern = std::move(answer.pattern);
  // All further patterns hold this one, so that only those who fall short under it need be asked.
  std::vector<uint8_t> held(lower.begin(), lower.end());
  const auto hold = [&] {
    for (int32_t i = 0; i < model_.num_cells(); ++i) {
      if (model_.state(i) == CellState::kFree && pattern[Index(i)] != 0) held[Index(i)] = 1;
    }
  };
  hold();
  std::vector<int32_t> among(model_.attackers().size());
  std::iota(among.begin(), among.end(), 0);
  CoveringOptions roughly = options;
  roughly.max_nodes = kCompletionNodes;
  roughly.max_iterations = kCompletionIterations;
  std::vector<CapacityCut> fresh;
  int64_t spent = 0;
  for (int completions = 0; completions <= kMaxCompletions; ++completions) {
    SLUIS_ASSIGN_OR_RETURN(const WholeAttack::Answer asked, attack_.Ask(pattern, among, options.threads, options.stop));
    round.linear_programs += asked.programs;
    round.simplex_iterations += asked.iterations;
    if (completions == 0) {
      among = asked.fall_short;
      round.fall_short = static_cast<int64_t>(among.size());
    }
    if (!asked.complete) {
      round.fall_short = std::max<int64_t>(1, round.fall_short);  // whoever was not asked
      return round;
    }
    if (asked.fall_short.empty()) {
      round.cost = model_.CostOf(pattern);
      round.pattern = std::move(pattern);
      return round;
    }
    SLUIS_ASSIGN_OR_RETURN(std::vector<CapacityCut> cuts, CutsAgainst(pattern, asked.fall_short, upper, round));
    if (cuts.empty() || spent > kMaxCompletionIterations) return round;
    round.cuts += static_cast<int64_t>(cuts.size());
    if (completions >= kHoldFrom) {
      hold();
      fresh.clear();
    }
    std::move(cuts.begin(), cuts.end(), std::back_inserter(fresh));
    Covering completion(model_);
    SLUIS_ASSIGN_OR_RETURN(CoveringAnswer completed, completion.Solve(fresh, held, upper, roughly));
    round.integer_programs += completed.solved;
    round.integer_iterations += completed.iterations;
    spent += completed.iterations;
    if (completed.pattern.empty()) return round;
    pattern = std::move(completed.pattern);
  }
  return round;
}

}  // namespace sluis::disclosure
