#include "disclosure/bound/whole_attack.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <thread>
#include <utility>

#include "common/status/status.h"
#include "disclosure/lp/lp.h"

namespace sluis::disclosure {
namespace {

constexpr size_t kLanes = 8;
constexpr size_t kLeastPerLane = 16;  // each lane loads a linear program of its own
constexpr size_t kRemembered = 4;
constexpr double kRounding = 1e-9;
// Secondary cells are dearer to move: a deviation over primary cells serves under every pattern.
constexpr double kSecondaryPrice = 3;

size_t Index(int64_t i) { return static_cast<size_t>(i); }

int64_t UnitFor(int64_t need) { return static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(need))); }

struct Move {
  int32_t cell = 0;
  double amount = 0;  // not 0
};

}  // namespace

// The deviation that moves least by which one cell moves to its level: each cell's deviation is split into its positive
// and its negative part, columns j and j + cells, so that weight counts in both directions.
class WholeAttack::Program {
 public:
  static absl::StatusOr<std::unique_ptr<Program>> Create(const ProtectionModel& model, int32_t measure,
                                                         std::span<const uint8_t> pattern) {
    std::unique_ptr<Program> self(new Program(model, measure));
    lp::Problem problem;
    std::vector<int32_t> row_of(Index(model.num_relations()), -1);
    for (const int32_t sign : {1, -1}) {
      for (int32_t i = 0; i < model.num_cells(); ++i) {
        if (model.state(i) == CellState::kPublished || pattern[Index(i)] == 0) continue;
        if (sign == 1) self->cells_.push_back(i);
        for (const ProtectionModel::Entry& entry : model.RelationsOf(i)) {
          int32_t& row = row_of[Index(entry.id)];
          if (row < 0) row = problem.num_rows++;
          problem.row.push_back(row);
          problem.coefficient.push_back(sign * entry.sign);
        }
        problem.begin.push_back(static_cast<int64_t>(problem.row.size()));
        problem.objective.push_back(model.state(i) == CellState::kSuppressed ? 1 : kSecondaryPrice);
      }
    }
    self->lower_.assign(problem.objective.size(), 0);
    self->upper_ = problem.column_lower = problem.column_upper = self->lower_;
    problem.row_lower.assign(Index(problem.num_rows), 0);
    problem.row_upper = problem.row_lower;
    self->solver_ = lp::MakeSolver();
    SLUIS_RETURN_IF_ERROR(self->solver_->Load(problem));
    return self;
  }

  // Whether the attacker reaches his level.
  bool Solve(const Attacker& attacker) {
    SetUnit(UnitFor(attacker.need));
    const size_t n = cells_.size();
    const size_t own = Index(std::lower_bound(cells_.begin(), cells_.end(), attacker.cell) - cells_.begin());
    const size_t towards = attacker.up ? own : n + own;
    const size_t away = attacker.up ? n + own : own;
    const double level = static_cast<double>(attacker.need) / static_cast<double>(unit_);
    if (level > upper_[towards]) return false;
    solver_->SetColumnBounds(static_cast<int32_t>(towards), level, level);
    solver_->SetColumnBounds(static_cast<int32_t>(away), 0, 0);
    const lp::Outcome outcome = solver_->SolveFromSlack();
    ++programs_;
    iterations_ += solver_->Iterations();
    solver_->SetColumnBounds(static_cast<int32_t>(towards), 0, upper_[towards]);
    solver_->SetColumnBounds(static_cast<int32_t>(away), 0, upper_[away]);
    return outcome == lp::Outcome::kOptimal;
  }

  // After a Solve that was true: ascending by cell, amounts in the measure's unit.
  [[nodiscard]] std::vector<Move> Moves() const {
    std::vector<Move> moves;
    const std::span<const double> d = solver_->Solution();
    const size_t n = cells_.size();
    for (size_t j = 0; j < n; ++j) {
      const double amount = d[j] - d[n + j];
      if (std::abs(amount) > kRounding) moves.push_back({cells_[j], amount * static_cast<double>(unit_)});
    }
    return moves;
  }
  [[nodiscard]] int64_t programs() const { return programs_; }
  [[nodiscard]] int64_t iterations() const { return iterations_; }

 private:
  Program(const ProtectionModel& model, int32_t measure) : model_(model), measure_(measure) {}

  void SetUnit(int64_t unit) {
    if (unit == unit_) return;
    unit_ = unit;
    const size_t n = cells_.size();
    for (size_t j = 0; j < n; ++j) {
      for (const bool up : {true, false}) {
        const int64_t reach = model_.Reach(measure_, cells_[j], up);
        upper_[up ? j : n + j] =
            reach == kNoUpperBound ? lp::kInfinity : static_cast<double>(reach) / static_cast<double>(unit);
      }
    }
    solver_->SetAllColumnBounds(lower_, upper_);
  }

  const ProtectionModel& model_;
  const int32_t measure_;
  std::vector<int32_t> cells_;  // ascending
  std::unique_ptr<lp::Solver> solver_;
  std::vector<double> lower_, upper_;  // per column, amounts in `unit_`
  int64_t unit_ = 0;
  int64_t programs_ = 0;
  int64_t iterations_ = 0;
};

struct WholeAttack::Lane {
  std::span<const int32_t> attackers;
  absl::Status status;
  std::vector<std::pair<int32_t, std::shared_ptr<const Cells>>> reached;
  Answer answer;
};

WholeAttack::WholeAttack(const ProtectionModel& model) : model_(model), suffices_(model.attackers().size()) {}

bool WholeAttack::Known(int32_t attacker, std::span<const uint8_t> pattern) const {
  const auto& known = suffices_[Index(attacker)];
  return std::any_of(known.begin(), known.end(), [&](const std::shared_ptr<const Cells>& cells) {
    return std::all_of(cells->begin(), cells->end(), [&](int32_t cell) { return pattern[Index(cell)] != 0; });
  });
}

absl::Status WholeAttack::RunLane(std::span<const uint8_t> pattern, const std::function<bool()>& stop,
                                  Lane& lane) const {
  std::vector<std::unique_ptr<Program>> programs(model_.system().measures.size());
  std::vector<uint8_t> served(model_.attackers().size(), 0);
  for (const int32_t a : lane.attackers) {
    if (served[Index(a)] != 0) continue;
    if (stop && stop()) {
      lane.answer.complete = false;
      break;
    }
    const Attacker& attacker = model_.attackers()[Index(a)];
    std::unique_ptr<Program>& program = programs[Index(attacker.measure)];
    if (program == nullptr) {
      SLUIS_ASSIGN_OR_RETURN(program, Program::Create(model_, attacker.measure, pattern));
    }
    if (!program->Solve(attacker)) {
      lane.answer.fall_short.push_back(a);
      continue;
    }
    const std::vector<Move> moves = program->Moves();
    const auto cells = std::make_shared<Cells>();
    for (const Move& move : moves) cells->push_back(move.cell);
    lane.reached.emplace_back(a, cells);
    served[Index(a)] = 1;
    // Any multiple of the deviation that the bounds allow, forwards or backwards, serves others as well.
    double fits[] = {lp::kInfinity, lp::kInfinity};
    for (const Move& move : moves) {
      for (const bool back : {false, true}) {
        const int64_t reach = model_.Reach(attacker.measure, move.cell, (move.amount > 0) != back);
        if (reach == kNoUpperBound) continue;
        fits[back ? 1 : 0] = std::min(fits[back ? 1 : 0], static_cast<double>(reach) / std::abs(move.amount));
      }
    }
    for (const Move& move : moves) {
      const ProtectionModel::Range range = model_.AttackersOf(attacker.measure, move.cell);
      for (int32_t other = range.begin; other < range.end; ++other) {
        const Attacker& who = model_.attackers()[Index(other)];
        const double moved = std::abs(move.amount) * fits[who.up == (move.amount > 0) ? 0 : 1];
        if (served[Index(other)] != 0 || moved < static_cast<double>(who.need) * (1 - kRounding)) continue;
        served[Index(other)] = 1;
        lane.reached.emplace_back(other, cells);
      }
    }
  }
  for (const std::unique_ptr<Program>& program : programs) {
    if (program == nullptr) continue;
    lane.answer.programs += program->programs();
    lane.answer.iterations += program->iterations();
  }
  return absl::OkStatus();
}

absl::StatusOr<WholeAttack::Answer> WholeAttack::Ask(std::span<const uint8_t> pattern, std::span<const int32_t> among,
                                                     int32_t threads, const std::function<bool()>& stop) {
  std::vector<int32_t> unknown;
  std::copy_if(among.begin(), among.end(), std::back_inserter(unknown), [&](int32_t a) { return !Known(a, pattern); });
  // Those with the same unit follow each other: bounds are set once.
  std::stable_sort(unknown.begin(), unknown.end(), [this](int32_t a, int32_t b) {
    const auto key = [this](int32_t k) {
      const Attacker& attacker = model_.attackers()[Index(k)];
      return std::pair(attacker.measure, UnitFor(attacker.need));
    };
    return key(a) < key(b);
  });
  std::vector<Lane> lanes(std::min(kLanes, 1 + unknown.size() / kLeastPerLane));
  for (size_t l = 0; l < lanes.size(); ++l) {
    const size_t begin = unknown.size() * l / lanes.size();
    lanes[l].attackers = std::span(unknown).subspan(begin, unknown.size() * (l + 1) / lanes.size() - begin);
  }
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t l = next++; l < lanes.size(); l = next++) lanes[l].status = RunLane(pattern, stop, lanes[l]);
  };
  {
    std::vector<std::jthread> others;
    for (size_t t = 1; t < std::min(Index(threads), lanes.size()); ++t) others.emplace_back(work);
    work();
  }
  Answer all;
  for (Lane& lane : lanes) {
    SLUIS_RETURN_IF_ERROR(lane.status);
    for (auto& [a, cells] : lane.reached) {
      auto& known = suffices_[Index(a)];
      known.insert(known.begin(), std::move(cells));
      if (known.size() > kRemembered) known.pop_back();
    }
    std::move(lane.answer.fall_short.begin(), lane.answer.fall_short.end(), std::back_inserter(all.fall_short));
    all.complete = all.complete && lane.answer.complete;
    all.programs += lane.answer.programs;
    all.iterations += lane.answer.iterations;
  }
  std::erase_if(all.fall_short, [&](int32_t a) { return Known(a, pattern); });  // served by another lane's deviation
  std::sort(all.fall_short.begin(), all.fall_short.end());
  return all;
}

}  // namespace sluis::disclosure
