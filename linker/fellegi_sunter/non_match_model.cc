#include "linker/fellegi_sunter/non_match_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sluis::linker {
namespace {

constexpr double kLevelSmoothing = 0.5;
constexpr double kCellSmoothing = 1;
constexpr double kMinPatternPairs = 10;
constexpr double kMinInformation = 1e-4;  // nats; less moves no posterior worth mentioning
constexpr double kMinStatistic = 10;      // G per degree of freedom; by chance alone about 1

// Weights of the pairs that have both fields, by level of one and of the other.
struct JointTable {
  std::size_t x_levels;
  std::size_t y_levels;
  std::vector<double> cells;
  double total = 0;

  double at(std::size_t x, std::size_t y) const { return cells[x * y_levels + y]; }
  double RowSum(std::size_t x) const {
    return std::accumulate(cells.begin() + static_cast<std::ptrdiff_t>(x * y_levels),
                           cells.begin() + static_cast<std::ptrdiff_t>((x + 1) * y_levels), 0.0);
  }
  double ColumnSum(std::size_t y) const {
    double sum = 0;
    for (std::size_t x = 0; x < x_levels; ++x) {
      sum += at(x, y);
    }
    return sum;
  }
};

JointTable Tabulate(std::span<const WeightedPattern> sample, std::size_t x, std::size_t x_levels, std::size_t y,
                    std::size_t y_levels) {
  JointTable table{x_levels, y_levels, std::vector<double>(x_levels * y_levels, 0.0)};
  for (const WeightedPattern& entry : sample) {
    const AgreementLevel level_x = LevelOf(entry.pattern, x);
    const AgreementLevel level_y = LevelOf(entry.pattern, y);
    if (level_x != kMissingLevel && level_y != kMissingLevel) {
      table.cells[(level_x - 1u) * y_levels + level_y - 1u] += entry.weight;
      table.total += entry.weight;
    }
  }
  return table;
}

// Mutual information in nats; 0 where it could be chance or does not matter.
double Information(const JointTable& table) {
  double information = 0;
  for (std::size_t x = 0; x < table.x_levels; ++x) {
    const double row = table.RowSum(x);
    for (std::size_t y = 0; y < table.y_levels; ++y) {
      if (table.at(x, y) > 0) {
        information += table.at(x, y) / table.total * std::log(table.at(x, y) * table.total / row / table.ColumnSum(y));
      }
    }
  }
  const auto freedom = static_cast<double>((table.x_levels - 1) * (table.y_levels - 1));
  const bool certain = 2 * table.total * information > kMinStatistic * freedom;
  return certain && information > kMinInformation ? information : 0;
}

// A one at the lowest bit of every field that is not missing.
PatternCode PresentFields(PatternCode pattern) {
  constexpr PatternCode kLowest = 0x1249249249249249;
  return (pattern | pattern >> 1 | pattern >> 2) & kLowest;
}

std::vector<double> Conditional(const JointTable& table, const std::vector<double>& u) {
  std::vector<double> conditional(table.cells.size());
  for (std::size_t x = 0; x < table.x_levels; ++x) {
    const double row = table.RowSum(x);
    double sum = 0;
    for (std::size_t y = 0; y < table.y_levels; ++y) {
      const double expected = row * u[y];
      const double value = u[y] * (table.at(x, y) + kCellSmoothing) / (expected + kCellSmoothing);
      conditional[x * table.y_levels + y] = value;
      sum += value;
    }
    for (std::size_t y = 0; y < table.y_levels; ++y) {
      conditional[x * table.y_levels + y] /= sum;
    }
  }
  return conditional;
}

}  // namespace

NonMatchModel NonMatchModel::Learn(const FellegiSunterPlan& plan, std::span<const WeightedPattern> sample,
                                   bool dependence) {
  const std::size_t count = plan.fields.size();
  NonMatchModel model;
  model.fields_.resize(count);
  for (std::size_t f = 0; f < count; ++f) {
    std::vector<double>& u = model.fields_[f].u;
    u.assign(LevelCount(plan.fields[f]), kLevelSmoothing);
    for (const WeightedPattern& entry : sample) {
      if (const AgreementLevel level = LevelOf(entry.pattern, f); level != kMissingLevel) {
        u[level - 1u] += entry.weight;
      }
    }
    const double sum = std::accumulate(u.begin(), u.end(), 0.0);
    for (double& value : u) {
      value /= sum;
    }
  }
  // Prim's algorithm, begun anew at each field that no edge reaches: a maximum spanning forest.
  std::vector<double> best(dependence ? count : 0, 0.0);
  std::vector<int> parent(count, -1);
  std::vector<bool> placed(count, false);
  for (std::size_t step = 0; step < best.size(); ++step) {
    std::size_t next = count;
    for (std::size_t f = 0; f < count; ++f) {
      if (!placed[f] && (next == count || best[f] > best[next])) {
        next = f;
      }
    }
    placed[next] = true;
    Field& field = model.fields_[next];
    if (parent[next] >= 0) {
      const auto from = static_cast<std::size_t>(parent[next]);
      field.parent = parent[next];
      field.u_given_parent =
          Conditional(Tabulate(sample, from, LevelCount(plan.fields[from]), next, field.u.size()), field.u);
    }
    for (std::size_t f = 0; f < count; ++f) {
      if (placed[f]) {
        continue;
      }
      const double information = Information(Tabulate(sample, next, field.u.size(), f, LevelCount(plan.fields[f])));
      if (information > best[f]) {
        best[f] = information;
        parent[f] = static_cast<int>(next);
      }
    }
  }
  model.TakeLogarithms();
  if (dependence) {
    std::vector<double> log_strangers;
    for (const WeightedPattern& entry : sample) {
      log_strangers.push_back(model.TreeLogProbability(entry.pattern));
    }
    std::vector<std::vector<double>> u;
    for (const Field& field : model.fields_) {
      u.push_back(field.u);
    }
    model.kinships_ = FindKinships(sample, log_strangers, u);
    std::unordered_map<PatternCode, double> totals;
    for (const WeightedPattern& entry : sample) {
      totals[PresentFields(entry.pattern)] += entry.weight;
    }
    for (const WeightedPattern& entry : sample) {
      if (entry.weight >= kMinPatternPairs) {
        const double surely = entry.weight - 2 * std::sqrt(entry.weight);
        const double log_u = std::log(surely / totals[PresentFields(entry.pattern)]);
        if (log_u > model.ModelLogProbability(entry.pattern)) {
          model.observed_[entry.pattern] = log_u;
        }
      }
    }
  }
  return model;
}

double NonMatchModel::LogProbability(PatternCode pattern) const {
  const auto observed = observed_.find(pattern);
  return observed != observed_.end() ? observed->second : ModelLogProbability(pattern);
}

void NonMatchModel::TakeLogarithms() {
  for (Field& field : fields_) {
    const std::size_t levels = field.u.size();
    const std::size_t given = field.u_given_parent.size() / levels;
    field.log_u.assign((given + 1) * 8, 0.0);
    for (std::size_t l = 0; l < levels; ++l) {
      field.log_u[l + 1] = std::log(field.u[l]);
      for (std::size_t k = 0; k < given; ++k) {
        field.log_u[(k + 1) * 8 + l + 1] = std::log(field.u_given_parent[k * levels + l]);
      }
    }
  }
}

double NonMatchModel::TreeLogProbability(PatternCode pattern) const {
  double sum = 0;
  for (std::size_t f = 0; f < fields_.size(); ++f) {
    const Field& field = fields_[f];
    const AgreementLevel given =
        field.parent < 0 ? kMissingLevel : LevelOf(pattern, static_cast<std::size_t>(field.parent));
    sum += field.log_u[given * 8u + LevelOf(pattern, f)];
  }
  return sum;
}

}  // namespace sluis::linker
