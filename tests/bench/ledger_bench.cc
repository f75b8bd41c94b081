// The check of a new table against earlier releases over the same people: what `Join` costs, without the engine.
// Arguments: number of earlier releases.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "disclosure/ledger/join.h"
#include "disclosure/system/table_shape.h"

namespace sluis::disclosure {
namespace {

constexpr int kAges = 100, kPlaces = 120, kProvinces = 12, kSexes = 2;
constexpr unsigned kSeed = 20261123;

// Persons by age, place and sex.
std::vector<std::int64_t> MakePersons() {
  std::mt19937 random(kSeed);
  std::vector<std::int64_t> persons(kAges * kPlaces * kSexes);
  for (std::int64_t& count : persons) count = random() % 4 == 0 ? static_cast<std::int64_t>(random() % 12) : 0;
  return persons;
}

struct Axis {
  std::vector<std::vector<int>> values;  // of each code
  DimensionTree tree;
};

// All ages and classes between limits that differ from release to release.
Axis MakeAges(std::mt19937& random) {
  Axis axis{.values = {{}}, .tree = {.parent = {-1}}};
  const int from = random() % 2 == 0 ? 0 : 15 + static_cast<int>(random() % 6);
  for (int low = from; low < kAges;) {
    const int high = std::min<int>(kAges, low + 5 + static_cast<int>(random() % 11));
    axis.values.emplace_back();
    axis.tree.parent.push_back(0);
    for (; low < high; ++low) {
      axis.values[0].push_back(low);
      axis.values.back().push_back(low);
    }
  }
  return axis;
}

Axis MakePlaces() {
  Axis axis{.values = {std::vector<int>(kPlaces)}, .tree = {.parent = {-1}}};
  std::iota(axis.values[0].begin(), axis.values[0].end(), 0);
  for (int province = 0; province < kProvinces; ++province) {
    const auto at = static_cast<std::int32_t>(axis.values.size());
    axis.values.emplace_back();
    axis.tree.parent.push_back(0);
    for (int place = province; place < kPlaces; place += kProvinces) {
      axis.values[static_cast<std::size_t>(at)].push_back(place);
      axis.values.push_back({place});
      axis.tree.parent.push_back(at);
    }
  }
  return axis;
}

struct Made {
  LedgerTable table;
  CellSystem system;
};

Made MakeTable(const std::vector<std::int64_t>& persons, std::mt19937& random, const std::string& release,
               const RuleSet& rules) {
  const std::vector<Axis> axes = {
      MakeAges(random), MakePlaces(), {.values = {{0, 1}, {0}, {1}}, .tree = {.parent = {-1, 0, 0}}}};
  const std::vector<std::string> names = {"date_of_birth", "municipality", "sex"};
  Made made;
  made.table.release = release;
  made.table.population = "persons";
  std::vector<DimensionTree> trees;
  for (std::size_t d = 0; d < axes.size(); ++d) {
    LedgerAxis& to = made.table.axes.emplace_back();
    to.variable = names[d];
    trees.push_back(axes[d].tree);
    for (const std::vector<int>& values : axes[d].values) {
      ValueSet& set = to.codes.emplace_back();
      set.everything = static_cast<int>(values.size()) == (d == 0 ? kAges : d == 1 ? kPlaces : kSexes);
      for (const int value : values) {
        if (d == 0) {
          set.ranges.push_back({value, value + 1});
        } else {
          set.codes.push_back(std::to_string(value));
        }
      }
    }
  }
  LedgerMeasure& count = made.table.measures.emplace_back();
  count.key = "count";
  for (const std::vector<int>& ages : axes[0].values) {
    for (const std::vector<int>& places : axes[1].values) {
      for (const std::vector<int>& sexes : axes[2].values) {
        std::int64_t sum = 0;
        for (const int age : ages) {
          for (const int place : places) {
            for (const int sex : sexes) {
              sum += persons[static_cast<std::size_t>((age * kPlaces + place) * kSexes + sex)];
            }
          }
        }
        count.value.push_back(sum);
      }
    }
  }
  count.contributors = count.value;
  const TableShape shape = TableShape::Create(std::move(trees)).value();
  made.system = MakeCellSystem(shape.num_cells(), std::vector<std::string>{"count"});
  made.system.relations = shape.BuildRelations();
  made.system.measures[0].value = count.value;
  const auto status = EvaluateRules({.contributors = count.value, .total = count.value}, MeasureKind::kCount, rules);
  (void)ApplyStatus(*status, 0, made.system);
  MarkEmptyCells(made.system);
  SetUpperBounds(made.system);
  count.lower_level = made.system.measures[0].lower_level;
  count.upper_level = made.system.measures[0].upper_level;
  // As an engine might: primary cells, and a part of the others of few persons.
  for (std::size_t i = 0; i < count.value.size(); ++i) {
    const bool hidden = made.system.IsPrimary(static_cast<std::int32_t>(i)) ||
                        (count.value[i] > 0 && count.value[i] < 60 && random() % 5 == 0);
    count.published.push_back(hidden ? 0 : 1);
  }
  return made;
}

void BM_Join(benchmark::State& state) {
  std::mt19937 random(kSeed);
  const RuleSet rules = {.minimum_frequency =
                             MinimumFrequencyRule{.threshold = 5, .count_range = 2, .amount_range_percent = 10}};
  const std::vector<std::int64_t> persons = MakePersons();
  std::vector<LedgerTable> earlier;
  std::int64_t released = 0;
  for (std::int64_t r = 0; r < state.range(0); ++r) {
    earlier.push_back(MakeTable(persons, random, "release-" + std::to_string(r), rules).table);
    released += earlier.back().Cells();
  }
  const Made made = MakeTable(persons, random, "", rules);
  std::vector<std::int32_t> cells(static_cast<std::size_t>(made.system.num_cells));
  std::iota(cells.begin(), cells.end(), 0);
  const std::vector<LedgerTable> tables = {made.table};
  const std::vector<std::vector<std::int32_t>> cell_of = {cells};
  const std::vector<std::string> keys = {"count"};
  std::int64_t joint_cells = 0;
  for (auto _ : state) {
    const auto joint = Join({made.system, keys, tables, cell_of, earlier, rules}, PlaneLimits{});
    if (!joint.ok()) {
      state.SkipWithError(std::string(joint.status().message()).c_str());
      return;
    }
    joint_cells = joint->system.num_cells;
  }
  state.counters["own_cells"] = static_cast<double>(made.system.num_cells);
  state.counters["released_cells"] = static_cast<double>(released);
  state.counters["joint_cells"] = static_cast<double>(joint_cells);
}
BENCHMARK(BM_Join)->Arg(1)->Arg(10)->Arg(100)->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
}  // namespace sluis::disclosure

BENCHMARK_MAIN();
