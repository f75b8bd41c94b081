#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "linker/kernel/encoding_table.h"
#include "linker/score/bit_model.h"
#include "linker/score/control.h"
#include "linker/score/row_sample.h"
#include "linker/score/top_lists.h"

// Some rows that are compared with all others. The lists of blocked candidates do not hold the best of all pairs: which
// strangers blocking reaches depends on how alike they are by another measure than the score. So where candidates are
// blocked, the null of the score, and how alike the records of one source are, are learnt from rows drawn.

namespace sluis::linker {

// Returns the lists of up to `size` rows of `table`, drawn by `seed`, among the other rows of it (control.h). Errors:
// as TopOfRows.
[[nodiscard]] absl::StatusOr<ControlLists> ControlRows(const EncodingTable& table, const PairScorer& scorer,
                                                       std::size_t places, std::size_t size, std::uint64_t seed,
                                                       const ExhaustiveOptions& run);

// The lists of rows drawn from two sources among all rows of the other, which they name as the whole tables do.
struct ComparedLists {
  TopLists a;
  TopLists b;
  std::vector<bool> mutual;     // by row of `a`: whether it is the best of its first, too
  std::vector<bool> candidate;  // whether it is so among the candidates: else blocking missed the pair
  Controls controls;

  // Returns the share of the links from `threshold` on that are among the candidates, or 1 of one link more.
  [[nodiscard]] double Found(std::int32_t threshold) const;
};

// The same share of the rows of two sources.
class ComparedRows {
 public:
  // Draws rows by `seed`: so many that comparing those of one source with all of the other takes about `pairs` pairs,
  // but at least 500 of the smaller source, or all that it has. The tables must outlive the result, and not be empty.
  // Errors: as EncodingTable.
  [[nodiscard]] static absl::StatusOr<ComparedRows> Draw(const EncodingTable& a, const EncodingTable& b,
                                                         std::uint64_t pairs, std::uint64_t seed);

  // The rows drawn, in the order of their lists.
  std::span<const std::uint32_t> rows_a() const { return drawn_a_.sample.rows; }
  std::span<const std::uint32_t> rows_b() const { return drawn_b_.sample.rows; }

  // Returns their lists under `model`, and controls: of either source as many rows as were drawn from the smaller one.
  // `learnt`: the pairs that the model was learnt from, which get the scores that the others give them,
  // `learnt_scores`. `candidates`: the lists of all rows under the model, where the rivals of each first are looked up.
  // Time: four times the smaller number of rows drawn by the larger source, if sources are equally large. Errors: as
  // TopOfRows.
  [[nodiscard]] absl::StatusOr<ComparedLists> Compare(const BitModel& model, std::size_t places,
                                                      std::span<const CandidatePair> learnt,
                                                      std::span<const std::int32_t> learnt_scores,
                                                      const BothLists& candidates, const ExhaustiveOptions& run) const;

 private:
  // Rows drawn from a source.
  struct Drawn {
    RowSample sample;
    std::unordered_map<std::uint32_t, std::uint32_t> place;  // of a row in the sample
    EncodingTable queries;  // the sample, then the controls of the other source: all that meets the other source
  };

  ComparedRows(const EncodingTable& a, const EncodingTable& b, Drawn drawn_a, Drawn drawn_b, std::size_t controls);

  const EncodingTable* a_;
  const EncodingTable* b_;
  Drawn drawn_a_;
  Drawn drawn_b_;
  std::size_t controls_;
};

}  // namespace sluis::linker
