#include "linker/fuzzy/block_fields.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "common/status/status.h"
#include "linker/fuzzy/compare.h"
#include "linker/match/token_table.h"

namespace sluis::linker {
namespace {

constexpr std::size_t kTableWords = 24;  // of all fields together: as long as a long record-level encoding
constexpr std::size_t kTokenFields = 5;

std::size_t Records(FieldColumns columns) { return columns.front().records(); }

// The first words of each field's encoding. A word holds what bits it may: positions are keyed, so any share of an
// encoding is a sample of it.
absl::StatusOr<EncodingTable> SideBySide(FieldColumns columns) {
  const std::size_t words = std::clamp<std::size_t>(kTableWords / columns.size(), 1, columns[0].encodings().words());
  SLUIS_ASSIGN_OR_RETURN(EncodingTable table,
                         EncodingTable::Create(static_cast<std::uint32_t>(64 * words * columns.size())));
  std::vector<std::uint64_t> row(table.words());
  for (std::size_t record = 0; record < Records(columns); ++record) {
    std::ranges::fill(row, 0);
    for (std::size_t field = 0; field < columns.size(); ++field) {
      if (columns[field].row(record) == FieldColumn::kMissing) continue;
      const auto encoding = columns[field].encodings().row(columns[field].row(record));
      std::copy_n(encoding.begin(), words, row.begin() + static_cast<std::ptrdiff_t>(field * words));
    }
    SLUIS_RETURN_IF_ERROR(table.Append(row));
  }
  return table;
}

using Tokens = std::vector<std::uint64_t>;  // by record; 0: none

Tokens TokensOf(const FieldColumn& column) {
  Tokens tokens;
  for (std::size_t record = 0; record < column.records(); ++record) {
    std::uint64_t token = 0;
    if (column.row(record) != FieldColumn::kMissing) {
      for (const std::uint64_t word : column.encodings().row(column.row(record))) {
        token = MixBits(token + word + 0x9e3779b97f4a7c15);
      }
    }
    tokens.push_back(token);
  }
  return tokens;
}

Tokens Combine(const Tokens& x, const Tokens& y) {
  Tokens both;
  for (std::size_t record = 0; record < x.size(); ++record) {
    both.push_back(x[record] == 0 || y[record] == 0 ? 0 : MixBits(x[record] + MixBits(y[record])));
  }
  return both;
}

std::size_t DifferentValues(Tokens tokens) {
  std::ranges::sort(tokens);
  return tokens.size() - std::ranges::unique(tokens).size();
}

}  // namespace

absl::StatusOr<Candidates> BlockFields(FieldColumns a, std::optional<FieldColumns> b, const MatchPlan& plan,
                                       const MatchOptions& options, std::uint64_t seed) {
  std::vector<std::pair<std::size_t, std::size_t>> fields;  // different values, field
  std::vector<Tokens> tokens_a, tokens_b;
  for (std::size_t field = 0; field < a.size(); ++field) {
    tokens_a.push_back(TokensOf(a[field]));
    tokens_b.push_back(b ? TokensOf((*b)[field]) : Tokens());
    fields.emplace_back(DifferentValues(tokens_a.back()), field);
  }
  std::ranges::sort(fields, std::greater());
  fields.resize(std::min(fields.size(), kTokenFields));
  std::vector<std::pair<Tokens, Tokens>> pairs;
  std::vector<std::string> names;
  for (std::size_t x = 0; x < fields.size(); ++x) {
    for (std::size_t y = x + 1; y < fields.size(); ++y) {
      const std::size_t f = fields[x].second, g = fields[y].second;
      pairs.emplace_back(Combine(tokens_a[f], tokens_a[g]), Combine(tokens_b[f], tokens_b[g]));
      names.push_back(plan.encoding.features[f].name + " and " + plan.encoding.features[g].name);
    }
  }
  std::vector<TokenPass> passes;
  for (std::size_t p = 0; p < pairs.size(); ++p) passes.push_back({names[p], pairs[p].first, pairs[p].second});
  SLUIS_ASSIGN_OR_RETURN(const EncodingTable table_a, SideBySide(a));
  std::optional<EncodingTable> table_b;
  if (b) {
    SLUIS_ASSIGN_OR_RETURN(table_b, SideBySide(*b));
  }
  return Block(table_a, table_b ? &*table_b : nullptr, plan, options, seed, passes);
}

}  // namespace sluis::linker
