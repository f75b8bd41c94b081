#include "linker/score/compared_rows.h"

#include <algorithm>
#include <utility>

#include "common/status/status.h"

namespace sluis::linker {
namespace {

constexpr std::size_t kFewestRows = 500;

// The first rows of a sample, and then those of another.
absl::StatusOr<EncodingTable> Joined(const EncodingTable& table, const EncodingTable& other, std::size_t others) {
  SLUIS_ASSIGN_OR_RETURN(EncodingTable joined, EncodingTable::Create(table.bits()));
  joined.Reserve(table.rows() + others);
  for (std::size_t row = 0; row < table.rows(); ++row) {
    SLUIS_RETURN_IF_ERROR(joined.Append(table.row(row)));
  }
  for (std::size_t row = 0; row < others; ++row) {
    SLUIS_RETURN_IF_ERROR(joined.Append(other.row(row)));
  }
  return joined;
}

// The lists of rows [begin, begin + rows), one place shorter: the last one is left out.
TopLists Shorter(const TopLists& lists, std::size_t begin, std::size_t rows) {
  TopLists part(rows, lists.k() - 1);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t j = 0; j < part.k() && lists.others(begin + row)[j] != kNoRow; ++j) {
      part.Insert(row, lists.scores(begin + row)[j], lists.others(begin + row)[j]);
    }
  }
  return part;
}

// The same for rows of the source that they were compared with: each itself is left out.
TopLists WithoutSelf(const TopLists& lists, std::size_t begin, std::span<const std::uint32_t> selves) {
  TopLists part(selves.size(), lists.k() - 1);
  for (std::size_t row = 0; row < selves.size(); ++row) {
    for (std::size_t j = 0; j < lists.k() && lists.others(begin + row)[j] != kNoRow; ++j) {
      if (lists.others(begin + row)[j] != selves[row]) {
        part.Insert(row, lists.scores(begin + row)[j], lists.others(begin + row)[j]);
      }
    }
  }
  return part;
}

}  // namespace

absl::StatusOr<ControlLists> ControlRows(const EncodingTable& table, const PairScorer& scorer, std::size_t places,
                                         std::size_t size, std::uint64_t seed, const ExhaustiveOptions& run) {
  SLUIS_ASSIGN_OR_RETURN(const RowSample sample, SampleRows(table, size, seed));
  SLUIS_ASSIGN_OR_RETURN(const TopLists lists, TopOfRows(sample.table, table, scorer, places + 1, run));
  return ControlLists{WithoutSelf(lists, 0, sample.rows), table.rows() - 1};
}

double ComparedLists::Found(std::int32_t threshold) const {
  double links = 1;  // one more, so that it is never 0
  double found = 1;
  for (std::size_t i = 0; i < mutual.size(); ++i) {
    const bool link = mutual[i] && a.scores(i)[0] >= threshold;
    links += link ? 1 : 0;
    found += link && candidate[i] ? 1 : 0;
  }
  return found / links;
}

ComparedRows::ComparedRows(const EncodingTable& a, const EncodingTable& b, Drawn drawn_a, Drawn drawn_b,
                           std::size_t controls)
    : a_(&a), b_(&b), drawn_a_(std::move(drawn_a)), drawn_b_(std::move(drawn_b)), controls_(controls) {}

absl::StatusOr<ComparedRows> ComparedRows::Draw(const EncodingTable& a, const EncodingTable& b, std::uint64_t pairs,
                                                std::uint64_t seed) {
  const std::size_t smaller = std::min(a.rows(), b.rows());
  const std::size_t larger = std::max(a.rows(), b.rows());
  const std::size_t size = std::min(smaller, std::max<std::size_t>(kFewestRows, pairs / larger));
  const auto sample = [&](const EncodingTable& table) {
    return SampleRows(table, (table.rows() * size + smaller - 1) / smaller, seed);
  };
  SLUIS_ASSIGN_OR_RETURN(RowSample sample_a, sample(a));
  SLUIS_ASSIGN_OR_RETURN(RowSample sample_b, sample(b));
  const std::size_t controls = std::min(sample_a.rows.size(), sample_b.rows.size());
  SLUIS_ASSIGN_OR_RETURN(EncodingTable queries_a, Joined(sample_a.table, sample_b.table, controls));
  SLUIS_ASSIGN_OR_RETURN(EncodingTable queries_b, Joined(sample_b.table, sample_a.table, controls));
  const auto drawn = [](RowSample rows, EncodingTable queries) {
    Drawn result{std::move(rows), {}, std::move(queries)};
    for (std::uint32_t i = 0; i < result.sample.rows.size(); ++i) {
      result.place.emplace(result.sample.rows[i], i);
    }
    return result;
  };
  return ComparedRows(a, b, drawn(std::move(sample_a), std::move(queries_a)),
                      drawn(std::move(sample_b), std::move(queries_b)), controls);
}

absl::StatusOr<ComparedLists> ComparedRows::Compare(const BitModel& model, std::size_t places,
                                                    std::span<const CandidatePair> learnt,
                                                    std::span<const std::int32_t> learnt_scores,
                                                    const BothLists& candidates, const ExhaustiveOptions& run) const {
  // Rows of b stand where those of a do in the model.
  BitModel turned = model;
  std::swap(turned.w10, turned.w01);
  SLUIS_ASSIGN_OR_RETURN(const PairScorer scorer_a, PairScorer::Make(model));
  SLUIS_ASSIGN_OR_RETURN(const PairScorer scorer_b, PairScorer::Make(turned));
  SLUIS_ASSIGN_OR_RETURN(const TopLists among_b, TopOfRows(drawn_a_.queries, *b_, scorer_a, places + 1, run));
  SLUIS_ASSIGN_OR_RETURN(const TopLists among_a, TopOfRows(drawn_b_.queries, *a_, scorer_b, places + 1, run));
  const std::vector<std::uint32_t>& rows_a = drawn_a_.sample.rows;
  const std::vector<std::uint32_t>& rows_b = drawn_b_.sample.rows;
  ComparedLists lists;
  lists.a = Shorter(among_b, 0, rows_a.size());
  lists.b = Shorter(among_a, 0, rows_b.size());
  lists.controls.a = {WithoutSelf(among_a, rows_b.size(), std::span(rows_a).first(controls_)), a_->rows() - 1};
  lists.controls.b = {WithoutSelf(among_b, rows_a.size(), std::span(rows_b).first(controls_)), b_->rows() - 1};
  for (std::size_t i = 0; i < learnt.size(); ++i) {
    if (const auto place = drawn_a_.place.find(learnt[i].a); place != drawn_a_.place.end()) {
      lists.a.Lower(place->second, learnt_scores[i], learnt[i].b);
    }
    if (const auto place = drawn_b_.place.find(learnt[i].b); place != drawn_b_.place.end()) {
      lists.b.Lower(place->second, learnt_scores[i], learnt[i].a);
    }
  }
  lists.mutual.resize(rows_a.size());
  lists.candidate.resize(rows_a.size());
  for (std::size_t i = 0; i < rows_a.size(); ++i) {
    const std::uint32_t first = lists.a.others(i)[0];
    if (first == kNoRow) {
      continue;
    }
    lists.candidate[i] = candidates.b.others(first)[0] == rows_a[i];
    lists.mutual[i] = lists.candidate[i] || candidates.b.scores(first)[0] < lists.a.scores(i)[0];
  }
  return lists;
}

}  // namespace sluis::linker
