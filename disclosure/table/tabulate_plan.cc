#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/table/build_system.h"

namespace sluis::disclosure {
namespace {

// Leaf numbers of a dimension in the narrowest column that holds them.
struct LeafColumn {
  std::vector<std::uint8_t> narrow;
  std::vector<std::uint16_t> wide;
  std::int32_t leaves = 0;

  LeafColumn(std::int32_t num_leaves, std::size_t rows) : leaves(num_leaves) {
    if (leaves <= 256) {
      narrow.resize(rows);
    } else {
      wide.resize(rows);
    }
  }
  void Set(std::size_t row, std::int32_t leaf) {
    if (leaves <= 256) {
      narrow[row] = static_cast<std::uint8_t>(leaf);
    } else {
      wide[row] = static_cast<std::uint16_t>(leaf);
    }
  }
  Classification AsClassification() const {
    if (leaves <= 256) return {std::span<const std::uint8_t>(narrow), leaves};
    return {std::span<const std::uint16_t>(wide), leaves};
  }
};

absl::Status NoPlace(const std::string& dimension) {
  return absl::InvalidArgumentError("dimension " + dimension +
                                    ": some records have no value; give its hierarchy a leaf with code _U for them");
}

// The rows of one amount, with those that do not hold on its date taken out.
struct AmountColumns {
  std::vector<std::int64_t> covering_amount;
  AmountRows rows;
};

AmountColumns SelectAmount(const PlannedAmount& amount, std::span<const RegisterColumns> registers) {
  const RegisterColumns& reg = registers[static_cast<std::size_t>(amount.register_index)];
  AmountColumns result;
  const std::vector<std::int64_t>& all = reg.column(static_cast<std::size_t>(amount.field)).integers;
  result.rows.person = reg.persons();
  result.rows.amount = all;
  if (amount.holding >= 0) result.rows.holding = reg.column(static_cast<std::size_t>(amount.holding)).tokens;
  if (amount.start >= 0) {
    const std::vector<std::uint8_t> covering = RowsCovering(reg, amount.start, amount.end, amount.date);
    result.covering_amount = all;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (covering[i] == 0) result.covering_amount[i] = common::kMissingInteger;
    }
    result.rows.amount = result.covering_amount;
  }
  return result;
}

// Each amount once more, and one for each person, with the household of the person as the holding.
struct Households {
  std::vector<std::vector<std::uint64_t>> holding;  // of the rows of each amount that has persons
  std::vector<std::int64_t> ones;
  std::vector<AmountRows> rows;
};

Households GroupByHousehold(std::span<const std::uint64_t> household, std::span<const AmountRows> amounts) {
  Households result;
  result.holding.reserve(amounts.size());
  for (const AmountRows& amount : amounts) {
    AmountRows& rows = result.rows.emplace_back(amount);
    rows.holding = household;
    if (amount.person.empty()) {
      if (amount.amount.empty()) rows.holding = {};  // a register without rows
      continue;
    }
    std::vector<std::uint64_t>& holding = result.holding.emplace_back();
    holding.reserve(amount.person.size());
    for (const std::int32_t person : amount.person) {
      // Persons who are not there are for Tabulate to refuse.
      const auto p = static_cast<std::size_t>(person);
      holding.push_back(person >= 0 && p < household.size() ? household[p] : 0);
    }
    rows.holding = holding;
  }
  result.ones.assign(household.size(), 1);
  result.rows.push_back({.person = {}, .amount = result.ones, .holding = household});
  return result;
}

// Record keys as two amounts of each record: the halves' sums are small enough to be added like any other.
struct KeyHalves {
  std::vector<std::int64_t> low, high;

  explicit KeyHalves(std::span<const std::uint64_t> keys) {
    for (const std::uint64_t key : keys) {
      low.push_back(static_cast<std::int64_t>(key & 0xFFFFFFFF));
      high.push_back(static_cast<std::int64_t>(key >> 32));
    }
  }
  // Takes the sums of both halves, the last two amounts, out of `cube`.
  static void Join(Cube& cube) {
    const std::vector<std::int64_t>& low_sum = cube.amounts[cube.amounts.size() - 2].sum;
    const std::vector<std::int64_t>& high_sum = cube.amounts.back().sum;
    for (std::size_t i = 0; i < low_sum.size(); ++i) {
      cube.key.push_back(static_cast<std::uint64_t>(low_sum[i]) + (static_cast<std::uint64_t>(high_sum[i]) << 32));
    }
    cube.amounts.resize(cube.amounts.size() - 2);
  }
};

absl::StatusOr<std::vector<std::uint8_t>> SelectPopulation(const PlannedTable& table,
                                                           std::span<const DerivedColumn> columns, std::size_t rows) {
  std::vector<std::uint8_t> selected(rows, 1);
  for (const PlannedFilter& filter : table.population) {
    const std::vector<std::uint16_t>& codes = columns[static_cast<std::size_t>(filter.variable)].codes;
    for (std::size_t i = 0; i < rows; ++i) {
      const bool missing = codes[i] == common::kMissingCode;
      const std::int32_t leaf = missing ? filter.leaf_of_missing : filter.leaf_of_code[codes[i]];
      if (leaf == kNoPlace) return NoPlace(filter.dimension);
      selected[i] &= filter.leaves[static_cast<std::size_t>(leaf)] ? 1 : 0;
    }
  }
  return selected;
}

absl::StatusOr<LeafColumn> Classify(const PlannedDimension& dimension, const RegisterColumns& units,
                                    std::span<const DerivedColumn> columns, std::span<const std::uint8_t> selected) {
  const auto rows = static_cast<std::size_t>(units.rows());
  LeafColumn column(dimension.hierarchy.num_leaves(), rows);
  if (dimension.variable < 0) {  // link status: leaf 0 is linked, leaf 1 unlinked
    for (std::size_t i = 0; i < rows; ++i) column.Set(i, units.persons()[i] >= 0 ? 0 : 1);
    return column;
  }
  const std::vector<std::uint16_t>& codes = columns[static_cast<std::size_t>(dimension.variable)].codes;
  for (std::size_t i = 0; i < rows; ++i) {
    if (selected[i] == 0) continue;
    const bool missing = codes[i] == common::kMissingCode;
    const std::int32_t leaf = missing ? dimension.leaf_of_missing : dimension.leaf_of_code[codes[i]];
    if (leaf == kNoPlace) return NoPlace(dimension.name);
    if (leaf == kOutsidePopulation) {
      return absl::InternalError("dimension " + dimension.name + ": a selected record is outside the population");
    }
    column.Set(i, leaf);
  }
  return column;
}

absl::StatusOr<Cube> TabulateTable(const TablePlan& plan, const PlannedTable& table,
                                   std::span<const RegisterColumns> registers, std::span<const DerivedColumn> columns,
                                   std::span<const std::vector<std::uint64_t>> record_keys,
                                   const TabulateOptions& options) {
  const RegisterColumns& units = registers[static_cast<std::size_t>(table.unit_register)];
  TabulateInput input{.persons = units.rows()};
  SLUIS_ASSIGN_OR_RETURN(const std::vector<std::uint8_t> selected,
                         SelectPopulation(table, columns, static_cast<std::size_t>(units.rows())));
  if (!table.population.empty()) input.selected = selected;
  std::vector<LeafColumn> leaf_columns;
  std::vector<const Hierarchy*> hierarchies;
  for (const PlannedDimension& dimension : table.dimensions) {
    SLUIS_ASSIGN_OR_RETURN(LeafColumn column, Classify(dimension, units, columns, selected));
    leaf_columns.push_back(std::move(column));
    hierarchies.push_back(&dimension.hierarchy);
  }
  for (const LeafColumn& column : leaf_columns) input.by.push_back(column.AsClassification());
  std::vector<AmountColumns> amounts;
  if (!table.is_linkage_rate) {
    for (const PlannedAmount& amount : plan.amounts) amounts.push_back(SelectAmount(amount, registers));
  }
  for (const AmountColumns& amount : amounts) input.amounts.push_back(amount.rows);
  Households households;
  if (!table.is_linkage_rate && plan.count_holding >= 0) {
    households = GroupByHousehold(units.column(static_cast<std::size_t>(plan.count_holding)).tokens, input.amounts);
    input.amounts.insert(input.amounts.end(), households.rows.begin(), households.rows.end());
  }
  const KeyHalves halves(record_keys.empty() ? std::span<const std::uint64_t>()
                                             : record_keys[static_cast<std::size_t>(table.unit_register)]);
  if (!record_keys.empty()) {
    if (halves.low.size() != static_cast<std::size_t>(units.rows())) {
      return absl::InvalidArgumentError("record keys: one for each record is expected");
    }
    input.amounts.push_back({.amount = halves.low});
    input.amounts.push_back({.amount = halves.high});
  }
  SLUIS_ASSIGN_OR_RETURN(const LeafTable leaf, Tabulate(input, options));
  SLUIS_ASSIGN_OR_RETURN(Cube cube, RollUp(leaf, hierarchies, options.threads));
  if (!record_keys.empty()) KeyHalves::Join(cube);
  return cube;
}

}  // namespace

absl::StatusOr<std::vector<Cube>> TabulatePlan(const TablePlan& plan, std::span<const RegisterColumns> registers,
                                               std::span<const DerivedColumn> columns, const TabulateOptions& options,
                                               std::span<const std::vector<std::uint64_t>> record_keys) {
  if (columns.size() != plan.variables.size()) {
    return absl::InvalidArgumentError("columns: one for each variable of the plan is expected");
  }
  if (!record_keys.empty() && record_keys.size() != registers.size()) {
    return absl::InvalidArgumentError("record keys: a list for each register is expected");
  }
  std::vector<Cube> cubes;
  for (const PlannedTable& table : plan.tables) {
    absl::StatusOr<Cube> cube = TabulateTable(plan, table, registers, columns, record_keys, options);
    if (!cube.ok()) return common::Annotate(cube.status(), "table " + table.name);
    cubes.push_back(*std::move(cube));
  }
  return cubes;
}

}  // namespace sluis::disclosure
