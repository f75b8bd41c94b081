#include "disclosure/table/tabulate.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/permit/permit.h"
#include "common/status/status.h"
#include "disclosure/table/parallel.h"
#include "disclosure/table/top.h"

namespace sluis::disclosure {
namespace {

constexpr std::int64_t kBlock = 4096;  // persons whose cell numbers are worked out at once: 16 KiB, in the first cache

absl::Status Invalid(const std::string& what) { return absl::InvalidArgumentError(what); }

// What went wrong in a thread; the loops only set flags.
struct Flags {
  bool bad_leaf = false, bad_person = false, negative = false, overflow = false;
};

struct Sum {
  std::int64_t sum = 0;
  std::int64_t persons = 0;
};

// Accumulators of one thread; the cell after the last collects those outside the population.
struct Accumulators {
  std::vector<std::int64_t> count;
  std::vector<std::vector<Sum>> sums;          // [amount][cell]
  std::vector<std::vector<std::int64_t>> top;  // [amount][cell * top]
  Flags flags;
};

class Tabulator {
 public:
  Tabulator(const TabulateInput& input, const TabulateOptions& options) : input_(input), options_(options) {}

  absl::StatusOr<LeafTable> Run() {
    SLUIS_RETURN_IF_ERROR(Check());
    SLUIS_RETURN_IF_ERROR(TotalPerPerson());
    SLUIS_RETURN_IF_ERROR(Accumulate());
    for (std::size_t a = 0; a < input_.amounts.size(); ++a) {
      if (!input_.amounts[a].holding.empty()) SLUIS_RETURN_IF_ERROR(GroupByHolding(a));
    }
    return std::move(table_);
  }

 private:
  absl::Status Check() {
    if (options_.threads < 1 || options_.threads > 64) return Invalid("threads: must be 1 .. 64");
    if (options_.top < 0 || options_.top > 64) return Invalid("top: must be 0 .. 64");
    const auto persons = static_cast<std::size_t>(input_.persons);
    if (input_.persons < 0 || input_.persons > std::numeric_limits<std::int32_t>::max()) {
      return Invalid("persons: must be 0 .. 2^31 - 1");
    }
    if (!input_.selected.empty() && input_.selected.size() != persons) {
      return Invalid("selected: one entry a person is expected");
    }
    for (std::size_t d = 0; d < input_.by.size(); ++d) {
      const Classification& by = input_.by[d];
      if (std::visit([](const auto& leaf) { return leaf.size(); }, by.leaf_of_person) != persons) {
        return Invalid(absl::StrCat("classification ", d, ": one entry a person is expected"));
      }
      if (by.leaves < 1 || by.leaves > 65'535) {
        return Invalid(absl::StrCat("classification ", d, ": 1 .. 65535 leaves"));
      }
      cells_ *= by.leaves;
      if (cells_ > options_.max_leaf_cells) {
        return absl::ResourceExhaustedError(absl::StrCat("more than ", options_.max_leaf_cells, " leaf cells"));
      }
      table_.leaves.push_back(by.leaves);
    }
    for (std::size_t a = 0; a < input_.amounts.size(); ++a) {
      const AmountRows& rows = input_.amounts[a];
      const bool mapped = !rows.person.empty();
      if ((mapped && rows.person.size() != rows.amount.size()) ||
          (!mapped && !rows.amount.empty() && rows.amount.size() != persons) ||
          (!rows.holding.empty() && rows.holding.size() != rows.amount.size())) {
        return Invalid(absl::StrCat("amount ", a, ": person, amount and holding have unequal lengths"));
      }
    }
    return absl::OkStatus();
  }

  // Adds up the rows of each person, so that a person is one contributor.
  absl::Status TotalPerPerson() {
    per_person_.resize(input_.amounts.size());
    for (std::size_t a = 0; a < input_.amounts.size(); ++a) {
      const AmountRows& rows = input_.amounts[a];
      if (rows.person.empty() && !rows.amount.empty()) {
        per_person_[a] = rows.amount;
        continue;
      }
      std::vector<std::int64_t>& total =
          totals_.emplace_back(static_cast<std::size_t>(input_.persons), common::kMissingInteger);
      for (std::size_t i = 0; i < rows.person.size(); ++i) {
        const std::int32_t person = rows.person[i];
        if (person >= input_.persons || person < -1) {
          return Invalid(absl::StrCat("amount ", a, ": row ", i, " names a person who is not there"));
        }
        const std::int64_t amount = rows.amount[i];
        if (person < 0 || amount == common::kMissingInteger) continue;
        if (amount < 0) return Invalid(absl::StrCat("amount ", a, ": row ", i, " is negative"));
        std::int64_t& sum = total[static_cast<std::size_t>(person)];
        if (sum == common::kMissingInteger) sum = 0;
        if (__builtin_add_overflow(sum, amount, &sum)) return Overflow(a);
      }
      per_person_[a] = total;
    }
    return absl::OkStatus();
  }

  static absl::Status Overflow(std::size_t amount) {
    return absl::OutOfRangeError(absl::StrCat("amount ", amount, ": a sum above 2^63 - 1; declare a larger unit"));
  }

  template <typename Leaf>
  static bool AddDigit(std::span<const Leaf> leaf, std::int64_t begin, std::int64_t n, std::uint32_t leaves,
                       std::uint32_t* cell) {
    const Leaf* at = leaf.data() + begin;
    std::uint32_t bad = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      bad |= static_cast<std::uint32_t>(at[i] >= leaves);
      cell[i] = cell[i] * leaves + at[i];
    }
    return bad == 0;
  }

  // Cell numbers of persons begin .. begin + n - 1.
  bool CellsOf(std::int64_t begin, std::int64_t n, std::uint32_t* cell) const {
    std::fill(cell, cell + n, 0U);
    bool good = true;
    for (const Classification& by : input_.by) {
      const auto leaves = static_cast<std::uint32_t>(by.leaves);
      good &= std::visit([&](const auto& leaf) { return AddDigit(leaf, begin, n, leaves, cell); }, by.leaf_of_person);
    }
    if (!input_.selected.empty()) {
      const std::uint8_t* selected = input_.selected.data() + begin;
      const auto outside = static_cast<std::uint32_t>(cells_);
      for (std::int64_t i = 0; i < n; ++i) cell[i] = selected[i] != 0 ? cell[i] : outside;
    }
    return good;
  }

  void AccumulateRange(std::int64_t begin, std::int64_t end, Accumulators& own) {
    std::array<std::uint32_t, kBlock> block;
    const auto top = static_cast<std::size_t>(options_.top);
    for (std::int64_t first = begin; first < end; first += kBlock) {
      const std::int64_t n = std::min(kBlock, end - first);
      if (!CellsOf(first, n, block.data())) {
        own.flags.bad_leaf = true;
        return;
      }
      std::int64_t* count = own.count.data();
      for (std::int64_t i = 0; i < n; ++i) ++count[block[static_cast<std::size_t>(i)]];
      for (std::size_t a = 0; a < per_person_.size(); ++a) {
        const std::int64_t* amount = per_person_[a].data() + first;
        Sum* sums = own.sums[a].data();
        bool overflow = false, negative = false;
        for (std::int64_t i = 0; i < n; ++i) {
          const bool present = amount[i] != common::kMissingInteger;
          const std::int64_t add = present ? amount[i] : 0;
          Sum& sum = sums[block[static_cast<std::size_t>(i)]];
          overflow |= __builtin_add_overflow(sum.sum, add, &sum.sum);
          negative |= add < 0;
          sum.persons += present;
        }
        own.flags.overflow |= overflow;
        own.flags.negative |= negative;
        if (top == 0) continue;
        std::int64_t* largest = own.top[a].data();
        for (std::int64_t i = 0; i < n; ++i) {
          InsertTop(amount[i], std::span(largest + block[static_cast<std::size_t>(i)] * top, top));
        }
      }
      if (!cell_of_person_.empty()) std::copy_n(block.begin(), n, cell_of_person_.begin() + first);
    }
  }

  absl::Status Accumulate() {
    const auto cells = static_cast<std::size_t>(cells_) + 1;
    const auto top = static_cast<std::size_t>(options_.top);
    const auto threads = static_cast<std::size_t>(options_.threads);
    for (const AmountRows& rows : input_.amounts) {
      if (!rows.holding.empty()) cell_of_person_.resize(static_cast<std::size_t>(input_.persons));
    }
    std::vector<Accumulators> all(threads);
    for (Accumulators& own : all) {
      own.count.resize(cells);
      own.sums.assign(per_person_.size(), std::vector<Sum>(cells));
      own.top.assign(per_person_.size(), std::vector<std::int64_t>(cells * top));
    }
    RunThreads(options_.threads, [&](int t) {
      AccumulateRange(input_.persons * t / options_.threads, input_.persons * (t + 1) / options_.threads,
                      all[static_cast<std::size_t>(t)]);
    });
    for (const Accumulators& own : all) {
      if (own.flags.bad_leaf) return Invalid("classifications: a leaf number is outside its range");
      if (own.flags.negative) return Invalid("amounts: an amount is negative");
      if (own.flags.overflow) return Overflow(0);
    }
    return Merge(all);
  }

  absl::Status Merge(const std::vector<Accumulators>& all) {
    const auto cells = static_cast<std::size_t>(cells_);
    const auto top = static_cast<std::size_t>(options_.top);
    table_.top = options_.top;
    table_.count.assign(cells, 0);
    table_.amounts.resize(per_person_.size());
    for (const Accumulators& own : all) {
      for (std::size_t c = 0; c < cells; ++c) table_.count[c] += own.count[c];
    }
    for (std::size_t a = 0; a < per_person_.size(); ++a) {
      LeafAmounts& merged = table_.amounts[a];
      merged.sum.assign(cells, 0);
      merged.persons.assign(cells, 0);
      merged.top.assign(cells * top, 0);
      for (const Accumulators& own : all) {
        for (std::size_t c = 0; c < cells; ++c) {
          if (__builtin_add_overflow(merged.sum[c], own.sums[a][c].sum, &merged.sum[c])) return Overflow(a);
          merged.persons[c] += own.sums[a][c].persons;
          for (std::size_t j = 0; j < top; ++j) {
            InsertTop(own.top[a][c * top + j], std::span(merged.top).subspan(c * top, top));
          }
        }
      }
    }
    return absl::OkStatus();
  }

  // The cell of a row, or -1 if it counts nowhere.
  std::int64_t CellOfRow(const AmountRows& rows, std::int64_t row) const {
    const auto i = static_cast<std::size_t>(row);
    const std::int64_t person = rows.person.empty() ? row : rows.person[i];
    if (person < 0 || rows.amount[i] == common::kMissingInteger) return -1;
    const std::int64_t cell = cell_of_person_[static_cast<std::size_t>(person)];
    return cell == cells_ ? -1 : cell;
  }

  // Sorts the rows into their cells (counting sort, a slice of rows a thread), then each cell's rows by holding, and
  // adds up.
  absl::Status GroupByHolding(std::size_t a) {
    const AmountRows& rows = input_.amounts[a];
    LeafAmounts& out = table_.amounts[a];
    const auto cells = static_cast<std::size_t>(cells_);
    const auto n = static_cast<std::int64_t>(rows.amount.size());
    const int threads = options_.threads;
    std::vector<std::vector<std::int64_t>> next(static_cast<std::size_t>(threads), std::vector<std::int64_t>(cells));
    RunThreads(threads, [&](int t) {
      std::vector<std::int64_t>& own = next[static_cast<std::size_t>(t)];
      for (std::int64_t row = n * t / threads; row < n * (t + 1) / threads; ++row) {
        const std::int64_t cell = CellOfRow(rows, row);
        if (cell >= 0) ++own[static_cast<std::size_t>(cell)];
      }
    });
    out.has_holdings = true;
    out.begin.resize(cells);
    out.end.resize(cells);
    std::int64_t used = 0;
    for (std::size_t c = 0; c < cells; ++c) {
      out.begin[c] = used;
      for (std::vector<std::int64_t>& own : next) used += std::exchange(own[c], used);
      out.end[c] = used;
    }
    out.by_holding.resize(static_cast<std::size_t>(used));
    RunThreads(threads, [&](int t) {
      std::vector<std::int64_t>& own = next[static_cast<std::size_t>(t)];
      for (std::int64_t row = n * t / threads; row < n * (t + 1) / threads; ++row) {
        const std::int64_t cell = CellOfRow(rows, row);
        if (cell < 0) continue;
        const auto i = static_cast<std::size_t>(row);
        const std::uint64_t person = rows.person.empty() ? i : static_cast<std::uint64_t>(rows.person[i]);
        const auto at = static_cast<std::size_t>(own[static_cast<std::size_t>(cell)]++);
        out.by_holding[at] = {rows.holding[i] != 0 ? rows.holding[i] : person + 1, rows.amount[i]};
      }
    });
    // Sums over parts of a cell cannot overflow: the sum of the whole cell was checked.
    RunThreads(threads, [&](int t) {
      for (std::size_t c = 0; c < cells; ++c) {
        // Cells go to the thread in whose share of the rows they begin.
        if (used > 0 && out.begin[c] * threads / used != t) continue;
        const auto first = out.by_holding.begin() + out.begin[c];
        const auto last = out.by_holding.begin() + out.end[c];
        if (first == last) continue;
        std::sort(first, last, [](const HoldingSum& x, const HoldingSum& y) { return x.holding < y.holding; });
        auto kept = first;
        for (auto row = first + 1; row != last; ++row) {
          if (row->holding == kept->holding) {
            kept->sum += row->sum;
          } else {
            *++kept = *row;
          }
        }
        out.end[c] = kept + 1 - out.by_holding.begin();
      }
    });
    return absl::OkStatus();
  }

  const TabulateInput& input_;
  const TabulateOptions& options_;
  std::int64_t cells_ = 1;
  LeafTable table_;
  std::vector<std::vector<std::int64_t>> totals_;
  std::vector<std::span<const std::int64_t>> per_person_;
  std::vector<std::uint32_t> cell_of_person_;
};

}  // namespace

absl::StatusOr<LeafTable> Tabulate(const TabulateInput& input, const TabulateOptions& options) {
  return Tabulator(input, options).Run();
}

}  // namespace sluis::disclosure
