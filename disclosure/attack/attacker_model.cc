#include "disclosure/attack/attacker_model.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/system/int128.h"

namespace sluis::disclosure {
namespace {

// Bounds are passed along relations this often at most. More rounds only spare linear programs.
constexpr int kMaxRounds = 20;

size_t Index(int64_t i) { return static_cast<size_t>(i); }

absl::Status CheckTable(const PublishedTable& table) {
  const size_t n = table.published.size();
  const Relations& relations = table.relations;
  if (table.value.size() != n || table.upper_bound.size() != n) {
    return absl::InvalidArgumentError("published table: published, value and upper_bound have unequal lengths");
  }
  if (relations.part_begin.size() != relations.total.size() + 1 || relations.part_begin.front() != 0 ||
      relations.part_begin.back() != static_cast<int64_t>(relations.part.size()) ||
      !std::is_sorted(relations.part_begin.begin(), relations.part_begin.end())) {
    return absl::InvalidArgumentError("published table: part_begin does not delimit the parts");
  }
  const auto outside = [n](int32_t cell) { return cell < 0 || Index(cell) >= n; };
  if (std::any_of(relations.total.begin(), relations.total.end(), outside) ||
      std::any_of(relations.part.begin(), relations.part.end(), outside)) {
    return absl::InvalidArgumentError("published table: a relation names a cell that is out of range");
  }
  for (size_t i = 0; i < n; ++i) {
    const int64_t bound = table.upper_bound[i];
    if (table.published[i] != 0 ? table.value[i] < 0 || table.value[i] > kMaxAmount
                                : bound < 0 || (bound > kMaxAmount && bound != kNoUpperBound)) {
      return absl::InvalidArgumentError(absl::StrCat("published table: cell ", i, " is outside 0 .. 2^50"));
    }
  }
  return absl::OkStatus();
}

// Tightens the bounds of the first cell of `row` that those of the others tighten. Returns whether there was one.
bool Tighten(const AttackerModel::Row& row, AttackerModel& model) {
  // Least and largest possible sum, and how many terms have no finite end.
  Int128 least = 0;
  Int128 largest = 0;
  int no_least = 0;
  int no_largest = 0;
  for (const auto& [cell, sign] : row.terms) {
    const int64_t low = model.low[Index(cell)];
    const int64_t high = model.high[Index(cell)];
    const bool open = high == kNoUpperBound;
    (sign > 0 ? least : largest) += sign * Int128{low};
    if (open) {
      ++(sign > 0 ? no_largest : no_least);
    } else {
      (sign > 0 ? largest : least) += sign * Int128{high};
    }
  }
  for (const auto& [cell, sign] : row.terms) {
    int64_t& low = model.low[Index(cell)];
    int64_t& high = model.high[Index(cell)];
    const bool open = high == kNoUpperBound;
    const Int128 own_least = sign > 0 ? Int128{low} : (open ? Int128{0} : -Int128{high});
    const Int128 own_largest = sign > 0 ? (open ? Int128{0} : Int128{high}) : -Int128{low};
    const bool others_least = no_least - (sign < 0 && open ? 1 : 0) == 0;
    const bool others_largest = no_largest - (sign > 0 && open ? 1 : 0) == 0;
    // sign * value lies between right_side - (largest of the others) and right_side - (least of the others).
    const Int128 term_high = row.right_side - (least - own_least);
    const Int128 term_low = row.right_side - (largest - own_largest);
    Int128 new_low = low;
    Int128 new_high = open ? Int128{kNoUpperBound} : Int128{high};
    if (sign > 0) {
      if (others_largest) new_low = std::max(new_low, term_low);
      if (others_least) new_high = std::min(new_high, term_high);
    } else {
      if (others_least) new_low = std::max(new_low, -term_high);
      if (others_largest) new_high = std::min(new_high, -term_low);
    }
    if (new_low > kMaxAmount || new_high < 0) {  // a contradiction; leave bounds that no value meets
      new_low = 1;
      new_high = 0;
    }
    if (new_low == low && new_high == high) continue;
    low = static_cast<int64_t>(new_low);
    high = static_cast<int64_t>(new_high);
    return true;  // the sums above are stale now
  }
  return false;
}

void BuildComponents(const PublishedTable& table, AttackerModel& model) {
  const size_t n = table.published.size();
  std::vector<int32_t> root(n);
  std::iota(root.begin(), root.end(), 0);
  const auto find = [&root](int32_t i) {
    while (root[Index(i)] != i) i = root[Index(i)] = root[Index(root[Index(i)])];
    return i;
  };
  for (const AttackerModel::Row& row : model.rows) {
    for (const auto& [cell, sign] : row.terms) root[Index(find(cell))] = find(row.terms.front().first);
  }
  std::vector<int32_t> component(n, -1);
  for (size_t i = 0; i < n; ++i) {
    if (table.published[i] != 0) continue;
    int32_t& c = component[Index(find(static_cast<int32_t>(i)))];
    if (c < 0) {
      c = static_cast<int32_t>(model.components.size());
      model.components.emplace_back();
    }
    model.components[Index(c)].push_back(static_cast<int32_t>(i));
  }
  model.component_rows.resize(model.components.size());
  for (size_t r = 0; r < model.rows.size(); ++r) {
    const int32_t c = component[Index(find(model.rows[r].terms.front().first))];
    model.component_rows[Index(c)].push_back(static_cast<int32_t>(r));
  }
}

}  // namespace

absl::StatusOr<AttackerModel> BuildAttackerModel(const PublishedTable& table,
                                                 std::span<const KnownRange> known_ranges) {
  SLUIS_RETURN_IF_ERROR(CheckTable(table));
  const size_t n = table.published.size();
  AttackerModel model;
  model.low.assign(n, 0);
  model.high = table.upper_bound;
  for (const KnownRange& range : known_ranges) {
    if (range.cell < 0 || Index(range.cell) >= n || range.low < 0 || range.low > kMaxAmount || range.high < range.low) {
      return absl::InvalidArgumentError("attack: what is known of a cell is out of range");
    }
    if (table.published[Index(range.cell)] != 0) continue;
    model.low[Index(range.cell)] = range.low;
    model.high[Index(range.cell)] = std::min(model.high[Index(range.cell)], range.high);
  }
  for (int64_t r = 0; r < table.relations.size(); ++r) {
    AttackerModel::Row row;
    Int128 known = 0;
    const auto add = [&](int32_t cell, int8_t sign) {
      if (table.published[Index(cell)] != 0) {
        known += Int128{sign} * table.value[Index(cell)];
      } else {
        row.terms.emplace_back(cell, sign);
      }
    };
    add(table.relations.total[Index(r)], -1);
    for (const int32_t cell : table.relations.parts(r)) add(cell, 1);
    if (known > std::numeric_limits<int64_t>::max() || known < std::numeric_limits<int64_t>::min() ||
        (row.terms.empty() && known != 0)) {
      return absl::InvalidArgumentError(
          absl::StrCat("published table: relation ", r, ": the published cells do not add up"));
    }
    if (row.terms.empty()) continue;
    row.right_side = static_cast<int64_t>(-known);
    model.rows.push_back(std::move(row));
  }
  bool changed = true;
  for (int round = 0; changed && round < kMaxRounds; ++round) {
    changed = false;
    for (const AttackerModel::Row& row : model.rows) {
      // Once per term at most: each pass over a row tightens one cell.
      for (size_t k = 0; k < row.terms.size() && Tighten(row, model); ++k) changed = true;
    }
  }
  for (size_t i = 0; i < n; ++i) {
    if (table.published[i] == 0 && model.low[i] > model.high[i]) {
      return absl::InvalidArgumentError(
          absl::StrCat("published table: the published values contradict each other around cell ", i));
    }
  }
  BuildComponents(table, model);
  return model;
}

ComponentAttack::ComponentAttack(const AttackerModel& model, size_t component)
    : model_(model), cells_(model.components[component]), solver_(lp::MakeSolver()) {}

absl::StatusOr<std::unique_ptr<ComponentAttack>> ComponentAttack::Create(const AttackerModel& model, size_t component,
                                                                         AttackEffort& effort) {
  std::unique_ptr<ComponentAttack> self(new ComponentAttack(model, component));
  const std::vector<int32_t>& cells = self->cells_;
  const std::vector<int32_t>& rows = model.component_rows[component];
  double widest = 0;
  for (const int32_t cell : cells) {
    if (model.high[Index(cell)] != kNoUpperBound) {
      widest = std::max(widest, static_cast<double>(model.high[Index(cell)] - model.low[Index(cell)]));
    }
  }
  // Column = (value - low) / scale, so that the solver's absolute tolerances suit tables of any unit.
  self->scale_ = std::max(1.0, widest / 1e6);
  lp::Problem problem;
  problem.num_rows = static_cast<int32_t>(rows.size());
  std::vector<std::vector<std::pair<int32_t, int8_t>>> column(cells.size());
  for (size_t r = 0; r < rows.size(); ++r) {
    const AttackerModel::Row& row = model.rows[Index(rows[r])];
    Int128 right_side = row.right_side;
    for (const auto& [cell, sign] : row.terms) {
      right_side -= Int128{sign} * model.low[Index(cell)];
      const auto place = std::lower_bound(cells.begin(), cells.end(), cell) - cells.begin();
      column[Index(place)].emplace_back(static_cast<int32_t>(r), sign);
    }
    problem.row_lower.push_back(static_cast<double>(right_side) / self->scale_);
  }
  problem.row_upper = problem.row_lower;
  for (size_t j = 0; j < cells.size(); ++j) {
    for (const auto& [row, sign] : column[j]) {
      problem.row.push_back(row);
      problem.coefficient.push_back(sign);
    }
    problem.begin.push_back(static_cast<int64_t>(problem.row.size()));
    self->lower_.push_back(0);
    self->upper_.push_back(self->ScaledHigh(j));
  }
  self->no_objective_.assign(cells.size(), 0);
  problem.column_lower = self->lower_;
  problem.column_upper = self->upper_;
  problem.objective = self->no_objective_;
  SLUIS_RETURN_IF_ERROR(self->solver_->Load(problem));
  self->seen_low_.assign(cells.size(), std::numeric_limits<double>::infinity());
  self->seen_high_.assign(cells.size(), -std::numeric_limits<double>::infinity());
  const lp::Outcome outcome = self->solver_->SolveFromSlack();
  ++effort.linear_programs;
  effort.iterations += self->solver_->Iterations();
  if (outcome == lp::Outcome::kInfeasible) {
    return absl::InvalidArgumentError(
        absl::StrCat("published table: the published values contradict each other around cell ", cells.front()));
  }
  if (outcome != lp::Outcome::kOptimal) return absl::InternalError("attack: the linear program failed");
  self->RecordTable();
  return self;
}

void ComponentAttack::Confine(size_t place, double low, double high) {
  const double own_low = static_cast<double>(model_.low[Index(cells_[place])]);
  lower_[place] = std::max(0.0, (low - own_low) / scale_);
  upper_[place] = std::max(lower_[place], std::min(ScaledHigh(place), (high - own_low) / scale_));
  solver_->SetColumnBounds(static_cast<int32_t>(place), lower_[place], upper_[place]);
}

void ComponentAttack::Release() {
  for (size_t j = 0; j < cells_.size(); ++j) {
    lower_[j] = 0;
    upper_[j] = ScaledHigh(j);
  }
  solver_->SetAllColumnBounds(lower_, upper_);
}

void ComponentAttack::Forget() {
  seen_low_.assign(cells_.size(), std::numeric_limits<double>::infinity());
  seen_high_.assign(cells_.size(), -std::numeric_limits<double>::infinity());
}

absl::Status ComponentAttack::PushTogether(std::span<const double> direction, AttackEffort& effort) {
  std::vector<double> objective(direction.begin(), direction.end());
  for (double& coefficient : objective) coefficient = -coefficient;  // the solver minimises
  solver_->SetAllObjectives(objective);
  const lp::Outcome outcome = solver_->SolveWarm();
  ++effort.linear_programs;
  effort.iterations += solver_->Iterations();
  solver_->SetAllObjectives(no_objective_);
  if (outcome != lp::Outcome::kOptimal) return absl::InternalError("attack: the linear program failed");
  RecordTable();
  return absl::OkStatus();
}

double ComponentAttack::ScaledHigh(size_t place) const {
  const int64_t high = model_.high[Index(cells_[place])];
  if (high == kNoUpperBound) return lp::kInfinity;
  return static_cast<double>(high - model_.low[Index(cells_[place])]) / scale_;
}

double ComponentAttack::tolerance() const { return std::min(1e-6 * scale_, 1e-3); }

void ComponentAttack::RecordTable() {
  const std::span<const double> x = solver_->Solution();
  for (size_t j = 0; j < cells_.size(); ++j) {
    const double value = x[j] * scale_ + static_cast<double>(model_.low[Index(cells_[j])]);
    seen_low_[j] = std::min(seen_low_[j], value);
    seen_high_[j] = std::max(seen_high_[j], value);
  }
}

absl::StatusOr<double> ComponentAttack::Push(size_t place, bool up, int64_t stop, AttackEffort& effort) {
  const int32_t column = static_cast<int32_t>(place);
  const int64_t low = model_.low[Index(cells_[place])];
  double lower = lower_[place];
  double upper = upper_[place];
  // A stop outside the bounds changes nothing; one inside must leave room for the solution at hand.
  if (up && stop != kNoUpperBound && stop > low) {
    upper = std::clamp(static_cast<double>(stop - low) / scale_, lower, upper);
  } else if (!up && stop > low) {
    lower = std::clamp(static_cast<double>(stop - low) / scale_, lower, upper);
  }
  solver_->SetColumnBounds(column, lower, upper);
  solver_->SetObjective(column, up ? -1 : 1);
  const lp::Outcome outcome = solver_->SolveWarm();
  ++effort.linear_programs;
  effort.iterations += solver_->Iterations();
  double reached = std::numeric_limits<double>::infinity();
  if (outcome == lp::Outcome::kOptimal) {
    reached = solver_->Solution()[place] * scale_ + static_cast<double>(low);
    RecordTable();
  } else if (outcome == lp::Outcome::kUnbounded && up) {
    seen_high_[place] = reached;
  } else {
    return absl::InternalError("attack: the linear program failed");
  }
  solver_->SetObjective(column, 0);
  solver_->SetColumnBounds(column, lower_[place], upper_[place]);
  return reached;
}

}  // namespace sluis::disclosure
